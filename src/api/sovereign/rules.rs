//! What a Sovereign must hold to, beyond its types.

use serde_json::Value;

use crate::api::schema::{Rule, rule, rules};

const DOMAIN: &str = "^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?[.])+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";

pub(super) fn name_rule() -> Rule {
    rule(
        "self.metadata.name.size() <= 63 && !self.metadata.name.contains('.')",
        "the name of a Sovereign has at most 63 characters and no dots: Tenants and Vouchers \
         refer to it, and it becomes the value of a label; choose another metadata.name",
    )
    .at(".metadata.name")
}

pub(super) fn spec_rules() -> Value {
    rules([
        rule(
            "self.domain == oldSelf.domain",
            "domain cannot change: what runs here is reached by it; \
             put it back, or create another Sovereign",
        )
        .at(".domain"),
        rule(
            "self.currency == oldSelf.currency",
            "currency cannot change: accounts are kept in it; \
             put it back, or create another Sovereign",
        )
        .at(".currency"),
        rule(
            "self.plans.all(plan, plan.price.amount.endsWith(' ' + self.currency))",
            "every plan is priced in the currency of the Sovereign; \
             write each price in spec.currency",
        )
        .at(".plans"),
    ])
}

pub(super) fn connection_rules() -> Value {
    rules([
        rule(
            "self.mode == oldSelf.mode",
            "mode cannot change: Tenants live on the cluster that it names; \
             put it back, or create another Sovereign",
        )
        .at(".mode"),
        rule(
            "(self.mode == 'Kubeconfig') == has(self.kubeconfig)",
            "mode Kubeconfig needs kubeconfig, and no other mode has it; \
             name the Secret in kubeconfig.secretRef.name, or use mode InCluster without it",
        ),
    ])
}

pub(super) fn unreachable_rules() -> Value {
    rules([
        rule(
            "(has(self.onDelete) && self.onDelete == 'Abandon') == has(self.abandonAfter)",
            "onDelete Abandon needs abandonAfter, and Wait has none; \
             say how long to wait, such as 24h, or remove it",
        ),
        rule(
            "!has(self.abandonAfter) || !self.abandonAfter.matches('^[1-5]?[0-9]m$')",
            "abandonAfter is at least an hour, so that a restart of the cluster loses nothing; \
             write one such as 24h",
        )
        .at(".abandonAfter"),
    ])
}

pub(super) fn domain_rules() -> Value {
    rules([rule(
        format!("self.matches('{DOMAIN}')"),
        "not a domain: use at least two labels of lower-case letters, digits and hyphens with \
         dots between them, such as cloud.omantel.om",
    )
    .quoting(
        "'\"' + self + '\" is not a domain: use at least two labels of lower-case letters, \
         digits and hyphens with dots between them, such as cloud.omantel.om'",
    )])
}

pub(super) fn email_rules() -> Value {
    rules([rule(
        "self.matches('^[^@ ]+@[^@ ]+$')",
        "not an e-mail address: write one such as cloud@example.com",
    )])
}

pub(super) fn limit_rules() -> Value {
    rules([
        rule(
            "self.type != 'Pod' || !(has(self.default) || has(self.defaultRequest))",
            "a limit of type Pod has no default and no defaultRequest, because only containers \
             and volume claims take defaults; move them to a limit of type Container",
        ),
        rule(
            "self.type != 'PersistentVolumeClaim' || \
             (has(self.max) && 'storage' in self.max) || (has(self.min) && 'storage' in self.min)",
            "a limit of type PersistentVolumeClaim needs max.storage or min.storage; add one",
        ),
    ])
}
