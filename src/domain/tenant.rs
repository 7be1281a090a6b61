//! A Tenant whose spec can be used.

use super::{
    code::{Code, Given},
    duration,
    facts::TenantFacts,
    reason::Reason,
    voucher::{Customer, Lineage, redeemable},
};
use crate::api::{self, Owner};

/// What the names of namespaces of Tenants begin with.
pub const MAIN_PREFIX: &str = "tenant-";

/// Whether a namespace is the main one of an organization.
#[must_use]
pub fn is_main_namespace(namespace: &str, organization: &str) -> bool {
    namespace.strip_prefix(MAIN_PREFIX) == Some(organization)
}

/// Whether a namespace may be one that we make for an organization.
#[must_use]
pub fn is_a_home(namespace: &str) -> bool {
    namespace.starts_with(MAIN_PREFIX)
}

/// A Tenant whose spec can be used.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its namespace, which is its franchise.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Whether somebody gave up what it has on a cluster that does not answer.
    pub is_given_up: bool,
    /// The customer.
    pub organization: String,
    /// The Sovereign that it names.
    pub sovereign: String,
    /// The plan that it asks for.
    pub plan: String,
    /// Who may work in it.
    pub owners: Vec<Owner>,
    /// The vouchers that it names, in order.
    pub vouchers: Vec<Named>,
    /// How many seconds it goes on after a paid period.
    pub grace: i64,
    /// When to warn, in percent of the price of the next period.
    pub warn: Vec<i32>,
}

/// How a Tenant names a voucher.
#[derive(Clone, Debug)]
pub enum Named {
    /// By its code.
    Code(Given),
    /// By the Voucher object in the same namespace.
    Holder(String),
}

/// What is to be said of one voucher that a Tenant names.
#[derive(Clone, Debug)]
pub struct Judged<'a> {
    /// How it was named.
    pub named: &'a Named,
    /// What the ledger knows of it.
    pub lineage: Option<&'a Lineage>,
    /// Nothing where it is redeemed by this organization, else why it is not.
    pub refusal: Option<Reason>,
}

impl Judged<'_> {
    /// The voucher as the Tenant names it.
    #[must_use]
    pub fn title(&self) -> String {
        match self.named {
            Named::Code(Given::Written(code)) => format!("code {}", code.hint()),
            Named::Code(Given::Kept { at, .. }) => format!("code in Secret {}", at.secret),
            Named::Holder(holder) => format!("Voucher {holder}"),
        }
    }
}

impl Tenant {
    /// # Errors
    /// Something that the schema should have refused.
    pub fn parse(tenant: &api::Tenant) -> Result<Self, Reason> {
        let spec = &tenant.spec;
        let named = |source: &api::VoucherSource| {
            let api::VoucherSource { code, code_from, voucher_ref } = source;
            match (code, code_from, voucher_ref) {
                (Some(code), None, None) => Code::parse(code)
                    .map(|code| Named::Code(Given::Written(code)))
                    .map_err(|why| Reason::InvalidSpec { why: why.to_string() }),
                (None, Some(from), None) => Ok(Named::Code(Given::kept(from))),
                (None, None, Some(voucher)) => Ok(Named::Holder(voucher.name.to_string())),
                _ => Err(Reason::InvalidSpec {
                    why: "a voucher is named by exactly one of code, codeFrom and voucherRef"
                        .to_owned(),
                }),
            }
        };
        let uid = tenant.metadata.uid.clone().unwrap_or_default();
        let annotations = tenant.metadata.annotations.as_ref();
        let given_up = annotations.and_then(|all| all.get(api::ABANDON_ANNOTATION));
        let billing = spec.billing.clone().unwrap_or_default().on_credit_exhausted;
        Ok(Self {
            namespace: tenant.metadata.namespace.clone().unwrap_or_default(),
            name: tenant.metadata.name.clone().unwrap_or_default(),
            is_given_up: given_up.is_some_and(|given_up| !uid.is_empty() && *given_up == uid),
            uid,
            organization: tenant.written_organization().to_owned(),
            sovereign: spec.sovereign_ref.name.to_string(),
            plan: spec.plan.to_string(),
            owners: spec.owners.clone(),
            vouchers: spec.vouchers.iter().map(named).collect::<Result<_, _>>()?,
            grace: duration::seconds(billing.grace_period.as_str())
                .map_err(|why| Reason::InvalidSpec { why: why.to_string() })?,
            warn: billing.warn_at_percent,
        })
    }

    /// The main namespace on its cluster. A slug has no double hyphen, so that names of further
    /// namespaces cannot collide with it.
    #[must_use]
    pub fn main_namespace(&self) -> String {
        format!("{MAIN_PREFIX}{}", self.organization)
    }

    /// Each voucher that it names with what the ledger says of it. One that this organization has
    /// redeemed stays so, whatever became of the voucher since.
    #[must_use]
    pub fn judge<'a>(&'a self, facts: &'a TenantFacts) -> Vec<Judged<'a>> {
        let customer =
            Customer { sovereign: &self.sovereign, plan: &self.plan, is_new: facts.is_new };
        let (mut codes, mut holders) = (facts.by_code.iter(), facts.by_holder.iter());
        let judge = |named: &'a Named| {
            let lineage = match named {
                Named::Code(given) => match given.code() {
                    Ok(_) => codes.next(),
                    Err(why) => {
                        let refusal = Some(why.clone());
                        return Judged { named, lineage: None, refusal };
                    }
                },
                Named::Holder(_) => holders.next(),
            };
            let lineage = lineage.and_then(Option::as_ref);
            let refusal = match lineage {
                Some(Lineage { redeemed_at: Some(_), .. }) => None,
                _ => redeemable(lineage, customer, facts.standing.now)
                    .err()
                    .or(Some(Reason::NotRedeemedYet {})),
            };
            Judged { named, lineage, refusal }
        };
        self.vouchers.iter().map(judge).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Names Voucher launch, code AUTUMN and Voucher spring, in this order.
    fn tenant() -> Tenant {
        let object = json!({
            "apiVersion": "catalyst.openova.io/v1alpha1", "kind": "Tenant",
            "metadata": {"namespace": "omantel", "name": "kestrel"},
            "spec": {"sovereignRef": {"name": "catalyst-zero"}, "plan": "m", "vouchers": [
                {"voucherRef": {"name": "launch"}}, {"code": " autumn "},
                {"voucherRef": {"name": "spring"}}]},
        });
        Tenant::parse(&serde_json::from_value(object).unwrap()).unwrap()
    }

    fn lineage(hint: &str) -> Value {
        json!({"digest": "00".repeat(32), "hint": hint, "holder": null, "uid": "1",
            "generation": 1, "sovereign": "catalyst-zero", "amount": 1, "currency": "OMR",
            "state": "Active", "cap": null, "used": 0, "budget": null, "spent": 0,
            "valid_from": null, "expires_at": null, "credit_expires_after": null, "plans": null,
            "new_accounts_only": false, "redeemed_at": null})
    }

    fn facts(by_code: &Value, by_holder: &Value) -> TenantFacts {
        serde_json::from_value(json!({
            "now": "2026-09-01T00:00:00Z", "least_program": 1, "franchise": null,
            "sovereign": null, "offers": [], "offer": null, "claimed": false, "taken_by": null,
            "account": null, "period": null, "order": null, "entitlement": "New",
            "renewal": null, "quote": null, "is_new": true, "by_code": by_code,
            "by_holder": by_holder, "inventory": [],
        }))
        .unwrap()
    }

    fn judged(facts: &TenantFacts) -> Vec<(String, String)> {
        let tenant = tenant();
        let judge = |judged: Judged<'_>| {
            let hint = judged.lineage.map(|lineage| lineage.hint.clone()).unwrap_or_default();
            let refusal = judged.refusal.map(|reason| reason.name());
            (hint, refusal.unwrap_or("none").to_owned())
        };
        tenant.judge(facts).into_iter().map(judge).collect()
    }

    #[test]
    fn answers_go_to_the_vouchers_that_asked_for_them() {
        let facts = facts(&json!([lineage("AUTUMN")]), &json!([lineage("LAUNCH"), null]));
        let expected =
            [("LAUNCH", "NotRedeemedYet"), ("AUTUMN", "NotRedeemedYet"), ("", "NotFound")];
        let expected = expected.map(|(hint, reason)| (hint.to_owned(), reason.to_owned()));
        assert_eq!(judged(&facts), expected);
    }

    #[test]
    fn a_code_that_is_not_known_takes_the_answer_of_no_other() {
        let mut tenant = tenant();
        let from = json!({"secretKeyRef": {"name": "welcome", "key": "code"}});
        let kept = Given::kept(&serde_json::from_value(from).unwrap());
        tenant.vouchers.insert(1, Named::Code(kept));
        let facts = facts(&json!([lineage("AUTUMN")]), &json!([lineage("LAUNCH"), null]));
        let judged = tenant.judge(&facts);
        let hints = judged.iter().map(|judged| judged.lineage.map(|known| known.hint.as_str()));
        let hints: Vec<Option<&str>> = hints.collect();
        assert_eq!(hints, [Some("LAUNCH"), None, Some("AUTUMN"), None]);
        assert_eq!(judged[1].refusal.as_ref().unwrap().name(), "CodeSecretMissing");
        assert_eq!(judged[1].title(), "code in Secret welcome");
    }

    #[test]
    fn what_is_redeemed_stays_so_whatever_became_of_the_voucher() {
        let mut redeemed = lineage("LAUNCH");
        redeemed["redeemed_at"] = json!("2026-08-01T00:00:00Z");
        redeemed["state"] = json!("Retired");
        let mut paused = lineage("AUTUMN");
        paused["state"] = json!("Paused");
        let facts = facts(&json!([paused]), &json!([redeemed, null]));
        let reasons: Vec<String> = judged(&facts).into_iter().map(|(_, reason)| reason).collect();
        assert_eq!(reasons, ["none", "NotActive", "NotFound"]);
    }

    #[test]
    fn an_organization_is_called_as_the_object_unless_it_says_otherwise() {
        let tenant = tenant();
        assert_eq!(tenant.organization, "kestrel");
        assert_eq!(tenant.main_namespace(), "tenant-kestrel");
    }

    #[test]
    fn a_voucher_is_named_in_exactly_one_way() {
        for source in [json!({}), json!({"code": "ABC", "voucherRef": {"name": "launch"}})] {
            let object = json!({
                "apiVersion": "catalyst.openova.io/v1alpha1", "kind": "Tenant",
                "metadata": {"namespace": "omantel", "name": "kestrel"},
                "spec": {"sovereignRef": {"name": "z"}, "plan": "m", "vouchers": [source]},
            });
            let refused = Tenant::parse(&serde_json::from_value(object).unwrap()).unwrap_err();
            assert_eq!(refused.name(), "InvalidSpec");
        }
    }
}
