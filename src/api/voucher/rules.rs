//! What a Voucher must hold to, beyond its types.

use serde_json::Value;

use super::{CODE, CODE_MAX};
use crate::api::schema::{Rule, rule, rules};

/// The rules on the code in force. They stand on the root, because only there is the name known,
/// and because a rule on an optional field does not run when the field is added or removed.
pub(super) fn code_rules() -> [Rule; 4] {
    let code = "(has(self.spec.code) ? self.spec.code : self.metadata.name)";
    let old = "(has(oldSelf.spec.code) ? oldSelf.spec.code : oldSelf.metadata.name)";
    let normal = "trim().upperAscii()";
    let advice = "use 3 to 63 letters A-Z and digits, with single hyphens between them";
    let keeps = "people already hold it; put it back, or create another Voucher for another code";
    [
        rule(
            format!(
                "has(self.spec.codeFrom) || \
                 ({code}.{normal}.matches('{CODE}') && {code}.trim().size() <= {CODE_MAX})"
            ),
            format!("not a voucher code: {advice}; set spec.code"),
        )
        .quoting(format!(
            "'\"' + (has(self.spec.code) ? self.spec.code + '\"' : self.metadata.name + \
             '\" (taken from metadata.name, because spec.code is not set)') + \
             ' is not a voucher code: {advice}; set spec.code'"
        ))
        .at(".spec.code"),
        rule(
            format!(
                "has(self.spec.codeFrom) || has(oldSelf.spec.codeFrom) || \
                 {code}.{normal} == {old}.{normal}"
            ),
            format!("the code of a Voucher cannot change: {keeps}"),
        )
        .at(".spec.code"),
        rule(
            "has(self.spec.codeFrom) == has(oldSelf.spec.codeFrom) && \
             (!has(self.spec.codeFrom) || self.spec.codeFrom == oldSelf.spec.codeFrom)",
            format!("codeFrom cannot change: the code of a Voucher stays, and {keeps}"),
        )
        .at(".spec.codeFrom"),
        rule(
            "!(has(self.spec.code) && has(self.spec.codeFrom))",
            "set code or codeFrom and not both: a code is written here or kept in a Secret",
        )
        .at(".spec.codeFrom"),
    ]
}

pub(super) fn spec_rules() -> Value {
    rules([
        rule(
            "self.sovereignRef.name == oldSelf.sovereignRef.name",
            "sovereignRef cannot change: the code was promised for that Sovereign; \
             put it back, or create another Voucher with another code",
        )
        .at(".sovereignRef"),
        rule(
            "self.credit == oldSelf.credit",
            "credit cannot change: the value of a code is a promise; \
             put it back, or create another Voucher with another code",
        )
        .at(".credit"),
        rule(
            "has(self.maxRedemptions) || !has(oldSelf.maxRedemptions)",
            "maxRedemptions cannot be removed once set: a deleted line must not make a Voucher \
             unlimited; set a number",
        )
        .at(".maxRedemptions"),
        rule(
            "has(self.budget) || !has(oldSelf.budget)",
            "budget cannot be removed once set: a deleted line must not make a Voucher unlimited; \
             set an amount",
        )
        .at(".budget"),
        rule(
            "!has(self.budget) || \
             self.budget.endsWith(self.credit.substring(self.credit.indexOf(' ')))",
            "budget must be in the currency of credit",
        )
        .at(".budget"),
        rule(
            "oldSelf.state != 'Revoked' || self.state == 'Revoked'",
            "a revoked Voucher stays revoked: put state: Revoked back, or create another Voucher \
             with another code (to stop one for a while, use state: Paused)",
        )
        .at(".state"),
        rule(
            "!has(self.validFrom) || !has(self.expiresAt) || self.validFrom < self.expiresAt",
            "expiresAt must be later than validFrom",
        )
        .at(".expiresAt"),
    ])
}
