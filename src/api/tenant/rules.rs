//! What a Tenant must hold to, beyond its types.

use serde_json::Value;

use super::{RESERVED_ORGANIZATION_PREFIXES, RESERVED_ORGANIZATIONS};
use crate::api::{
    schema::{Rule, rule, rules},
    value::SUBDOMAIN,
    voucher::{CODE, CODE_MAX},
};

const ORGANIZATION: &str = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$";

/// The rules on the organization in force. They stand on the root, because only there is the name
/// known, and because a rule on an optional field does not run when it is added or removed.
pub(super) fn organization_rules() -> [Rule; 4] {
    let organization =
        "(has(self.spec.organization) ? self.spec.organization : self.metadata.name)";
    let old = "(has(oldSelf.spec.organization) ? \
               oldSelf.spec.organization : oldSelf.metadata.name)";
    let origin = "(has(self.spec.organization) ? '' : \
                  ' (taken from metadata.name, because spec.organization is not set)')";
    let form = "must be 3 to 31 characters: lower-case letters, digits and single hyphens, \
                starting with a letter";
    let taken = format!(
        "{} and names that begin with {} are taken; choose another in spec.organization",
        RESERVED_ORGANIZATIONS.join(", "),
        RESERVED_ORGANIZATION_PREFIXES.join(", "),
    );
    let keeps = "its account, credit and namespaces belong to it; \
                 put it back, or create another Tenant";
    [
        rule(
            "self.metadata.name.size() <= 63",
            "the name of a Tenant has at most 63 characters, because it becomes the value of a \
             label; choose a shorter metadata.name",
        )
        .at(".metadata.name"),
        rule(
            format!(
                "{organization}.matches('{ORGANIZATION}') && \
                 {organization}.size() >= 3 && {organization}.size() <= 31"
            ),
            format!("organization {form}"),
        )
        .quoting(format!(
            "'organization \"' + {organization} + '\"' + {origin} + ' {form}; \
             set spec.organization'"
        ))
        .at(".spec.organization"),
        rule(
            format!("!{organization}.matches('{}')", reserved()),
            format!("this organization is reserved for the platform: {taken}"),
        )
        .quoting(format!(
            "'organization \"' + {organization} + '\"' + {origin} + \
             ' is reserved for the platform: {taken}'"
        ))
        .at(".spec.organization"),
        rule(format!("{organization} == {old}"), format!("organization cannot change: {keeps}"))
            .quoting(format!(
                "'organization cannot change from ' + {old} + ' to ' + {organization} + ': {keeps}'"
            ))
            .at(".spec.organization"),
    ]
}

fn reserved() -> String {
    let names = RESERVED_ORGANIZATIONS.join("|");
    let prefixes = RESERVED_ORGANIZATION_PREFIXES.join("|");
    format!("^(({names})|({prefixes}).*)$")
}

pub(super) fn spec_rules() -> Value {
    let code = |source: &str| format!("{source}.code.trim().upperAscii()");
    rules([
        rule(
            "self.sovereignRef.name == oldSelf.sovereignRef.name",
            "sovereignRef cannot change: a Tenant does not move between Sovereigns; \
             put it back, or create another Tenant",
        )
        .at(".sovereignRef"),
        rule(
            format!(
                "!has(self.vouchers) || self.vouchers.all(v, !has(v.code) || \
                 self.vouchers.exists_one(w, has(w.code) && {} == {}))",
                code("w"),
                code("v")
            ),
            "the same code stands twice in vouchers: an organization redeems a code once; \
             remove one of the two",
        )
        .at(".vouchers"),
        rule(
            "!has(self.vouchers) || self.vouchers.all(v, !has(v.codeFrom) || \
             self.vouchers.exists_one(w, has(w.codeFrom) && w.codeFrom == v.codeFrom))",
            "the same codeFrom stands twice in vouchers: an organization redeems a code once; \
             remove one of the two",
        )
        .at(".vouchers"),
        rule(
            "!has(self.vouchers) || self.vouchers.all(v, !has(v.voucherRef) || \
             self.vouchers.exists_one(w, has(w.voucherRef) && \
             w.voucherRef.name == v.voucherRef.name))",
            "the same voucherRef stands twice in vouchers: an organization redeems a Voucher \
             once; remove one of the two",
        )
        .at(".vouchers"),
    ])
}

pub(super) fn owner_rules() -> Value {
    rules([
        rule(
            "(self.kind == 'ServiceAccount') == (self.__namespace__.size() > 0)",
            "namespace is required for a ServiceAccount and not allowed for a User or a Group",
        ),
        rule(
            format!(
                "self.kind != 'ServiceAccount' || (self.name.matches('{SUBDOMAIN}') && \
                 self.__namespace__.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$'))"
            ),
            "name and namespace of a ServiceAccount are names of Kubernetes objects: lower-case \
             letters, digits and hyphens",
        ),
        rule(
            "self.kind == 'ServiceAccount' || !self.name.startsWith('system:')",
            "users and groups that begin with system: belong to Kubernetes, and some of them are \
             everyone; name people, or a service account with kind: ServiceAccount",
        ),
    ])
}

pub(super) fn source_rules() -> Value {
    rules([rule(
        "[has(self.code), has(self.codeFrom), has(self.voucherRef)].exists_one(x, x)",
        "set exactly one of code, codeFrom and voucherRef",
    )])
}

pub(super) fn code_rules() -> Value {
    let advice = "3 to 63 letters A-Z and digits, with single hyphens between them";
    rules([rule(
        format!("self.trim().upperAscii().matches('{CODE}') && self.trim().size() <= {CODE_MAX}"),
        format!("not a voucher code: {advice}"),
    )
    .quoting(format!("'\"' + self + '\" is not a voucher code: {advice}'"))])
}
