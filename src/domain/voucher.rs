//! Vouchers: terms, the lineage of a code, and who may redeem it. The same rules stand in SQL,
//! where they win; a test holds the two together.

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    code::{Code, Digest, Given},
    duration,
    money::Money,
    reason::Reason,
};
use crate::api;

/// The most that anything adds up to, in minor units: far from what an integer can hold.
const SUM_MAX: i64 = 1_000_000_000_000_000_000;

/// What a Voucher may do, in the ledger's words. `Retired` is what deletion leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum State {
    /// It can be redeemed.
    Active,
    /// Not now.
    Paused,
    /// Never again.
    Revoked,
    /// Its object is gone.
    Retired,
}

impl State {
    /// The word in the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Paused => "Paused",
            Self::Revoked => "Revoked",
            Self::Retired => "Retired",
        }
    }
}

/// The terms that an edit may change, for later redemptions.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Terms {
    /// How many redemptions there may be; none means any number.
    pub cap: Option<i64>,
    /// How much credit it may grant in all, in minor units; none means any amount.
    pub budget: Option<i64>,
    /// From when, inclusive.
    pub valid_from: Option<Timestamp>,
    /// Until when, exclusive.
    pub expires_at: Option<Timestamp>,
    /// How many seconds its credit can be spent; none means for ever.
    pub credit_expires_after: Option<i64>,
    /// The plans whose Tenants may redeem it; none means all.
    pub plans: Option<Vec<String>>,
    /// Whether only an account may redeem it that was given no credit before.
    pub new_accounts_only: bool,
    /// Whether it can be redeemed at all.
    pub state: State,
}

/// A code as the ledger knows it, with the terms in force.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Lineage {
    /// What the ledger keys by.
    pub digest: Digest,
    /// What may be shown of the code.
    pub hint: String,
    /// The Voucher object that speaks for it; none when it is retired.
    pub holder: Option<String>,
    /// UID of the object that was accepted last.
    pub uid: String,
    /// Its generation then.
    pub generation: i64,
    /// The Sovereign it is for.
    pub sovereign: String,
    /// What it is worth, in minor units.
    pub amount: i64,
    /// Of which currency.
    pub currency: String,
    /// The terms in force.
    #[serde(flatten)]
    pub terms: Terms,
    /// How many redemptions there are.
    pub used: i64,
    /// What they granted, in minor units.
    pub spent: i64,
    /// When the account that asks redeemed it.
    #[serde(default)]
    pub redeemed_at: Option<Timestamp>,
}

/// A Voucher whose spec can be used.
#[derive(Clone, Debug)]
pub struct Voucher {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// The generation of its spec.
    pub generation: i64,
    /// The Sovereign that it names.
    pub sovereign: String,
    /// Its code.
    pub code: Given,
    /// What it is worth.
    pub credit: Money,
    /// The terms that it asks for.
    pub terms: Terms,
}

impl Voucher {
    /// # Errors
    /// Something that the schema should have refused.
    pub fn parse(voucher: &api::Voucher) -> Result<Self, Reason> {
        let invalid = |why: &dyn ToString| Reason::InvalidSpec { why: why.to_string() };
        let spec = &voucher.spec;
        let meta = voucher.metadata.clone();
        // PostgreSQL keeps microseconds; what is compared must be what it keeps.
        let time = |time: &Option<api::Timestamp>| -> Result<Option<Timestamp>, jiff::Error> {
            let Some(text) = time else { return Ok(None) };
            let instant: Timestamp = text.as_str().parse()?;
            Timestamp::from_microsecond(instant.as_microsecond()).map(Some)
        };
        let length = |text: &api::Duration| duration::seconds(text.as_str());
        let eligibility = spec.eligibility.clone().unwrap_or_default();
        let mut plans: Vec<String> = eligibility.plans.iter().map(ToString::to_string).collect();
        plans.sort_unstable();
        let budget = spec.budget.as_ref().map(|budget| Money::parse(budget.as_str())).transpose();
        Ok(Self {
            namespace: meta.namespace.unwrap_or_default(),
            name: meta.name.unwrap_or_default(),
            uid: meta.uid.unwrap_or_default(),
            generation: meta.generation.unwrap_or_default(),
            sovereign: spec.sovereign_ref.name.to_string(),
            code: match (&spec.code_from, voucher.written_code()) {
                (None, Some(code)) => {
                    Given::Written(Code::parse(code).map_err(|why| invalid(&why))?)
                }
                (Some(from), _) if spec.code.is_none() => Given::kept(from),
                _ => return Err(invalid(&"set code or codeFrom and not both")),
            },
            credit: Money::parse(spec.credit.as_str()).map_err(|why| invalid(&why))?,
            terms: Terms {
                cap: spec.max_redemptions,
                valid_from: time(&spec.valid_from).map_err(|why| invalid(&why))?,
                expires_at: time(&spec.expires_at).map_err(|why| invalid(&why))?,
                budget: budget.map_err(|why| invalid(&why))?.map(|budget| budget.minor),
                credit_expires_after: spec
                    .credit_expires_after
                    .as_ref()
                    .map(length)
                    .transpose()
                    .map_err(|why| invalid(&why))?,
                plans: (!plans.is_empty()).then_some(plans),
                new_accounts_only: eligibility.new_accounts_only,
                state: match spec.state {
                    api::VoucherState::Active => State::Active,
                    api::VoucherState::Paused => State::Paused,
                    api::VoucherState::Revoked => State::Revoked,
                },
            },
        })
    }
}

impl Terms {
    /// What is in force after these terms are asked for: a cap or a budget below what is redeemed
    /// becomes what is redeemed and one that vanishes stays, a revoked code stays revoked;
    /// everything else is taken as it is.
    #[must_use]
    pub fn judged_against(&self, lineage: &Lineage) -> Self {
        let wanted = self.cap.map(|wanted| wanted.max(lineage.used));
        let cap = wanted.or(lineage.terms.cap);
        let wanted = self.budget.map(|wanted| wanted.max(lineage.spent));
        let budget = wanted.or(lineage.terms.budget);
        let revoked = lineage.terms.state == State::Revoked;
        let state = if revoked { State::Revoked } else { self.state };
        Self { cap, budget, state, ..self.clone() }
    }
}

/// Whether nobody can redeem this lineage any more, or not at present, whatever their account.
#[must_use]
pub fn is_closed(lineage: &Lineage) -> bool {
    lineage.terms.state != State::Active
}

/// Who wants to redeem.
#[derive(Clone, Copy, Debug)]
pub struct Customer<'a> {
    /// On which Sovereign.
    pub sovereign: &'a str,
    /// On which plan.
    pub plan: &'a str,
    /// Whether its account was given no credit yet.
    pub is_new: bool,
}

/// Why a customer cannot redeem this lineage at `now`, in the fixed order of refusals; none where
/// it can. A code that is unknown, revoked or retired answers the same.
///
/// # Errors
/// The first refusal that applies.
pub fn redeemable(
    lineage: Option<&Lineage>,
    customer: Customer<'_>,
    now: Timestamp,
) -> Result<(), Reason> {
    let Some(lineage) = lineage else { return Err(Reason::NotFound {}) };
    let terms = &lineage.terms;
    match terms.state {
        State::Revoked | State::Retired => return Err(Reason::NotFound {}),
        State::Paused => return Err(Reason::NotActive {}),
        State::Active => {}
    }
    if let Some(from) = terms.valid_from.filter(|from| now < *from) {
        return Err(Reason::NotStarted { from: from.to_string() });
    }
    if let Some(at) = terms.expires_at.filter(|at| now >= *at) {
        return Err(Reason::Expired { at: at.to_string() });
    }
    if let Some(why) = ineligible(lineage, customer) {
        return Err(Reason::NotEligible { why });
    }
    if let Some(cap) = terms.cap.filter(|cap| lineage.used >= *cap) {
        return Err(Reason::LimitReached { cap });
    }
    if lineage.is_beyond_budget() {
        return Err(Reason::BudgetExhausted {});
    }
    Ok(())
}

/// Why a code that is there to be redeemed is not there for this customer.
fn ineligible(lineage: &Lineage, customer: Customer<'_>) -> Option<String> {
    let Customer { sovereign, plan, is_new } = customer;
    if lineage.sovereign != sovereign {
        let theirs = &lineage.sovereign;
        return Some(format!(
            "the voucher is for Sovereign {theirs} and the Tenant is on {sovereign}"
        ));
    }
    if let Some(plans) = lineage.terms.plans.as_ref()
        && !plans.iter().any(|known| known == plan)
    {
        let plans = plans.join(", ");
        return Some(format!("the voucher is for plans {plans} and the Tenant is on plan {plan}"));
    }
    (lineage.terms.new_accounts_only && !is_new)
        .then(|| "the voucher is for accounts that were given no credit before".to_owned())
}

impl Lineage {
    /// Whether one more redemption would grant more than the budget, or than sums can hold.
    #[must_use]
    pub fn is_beyond_budget(&self) -> bool {
        let most = self.terms.budget.unwrap_or(SUM_MAX).min(SUM_MAX);
        self.spent.saturating_add(self.amount) > most
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: &str = "2026-09-01T00:00:00Z";
    const CUSTOMER: Customer<'_> =
        Customer { sovereign: "catalyst-zero", plan: "m", is_new: false };

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A lineage as the ledger shows it: 12 of 50 redeemed, open, of catalyst-zero.
    fn lineage() -> Lineage {
        serde_json::from_value(json!({
            "digest": "00".repeat(32), "hint": "LAUNCH", "holder": "launch", "uid": "1",
            "generation": 1, "sovereign": "catalyst-zero", "amount": 1, "currency": "OMR",
            "state": "Active", "cap": 50, "used": 12, "budget": null, "spent": 12,
            "valid_from": null, "expires_at": null, "credit_expires_after": null, "plans": null,
            "new_accounts_only": false,
        }))
        .unwrap()
    }

    fn judge(lineage: &Lineage) -> Result<(), Reason> {
        redeemable(Some(lineage), CUSTOMER, at(NOW))
    }

    #[test]
    fn a_cap_never_falls_below_what_is_redeemed_and_never_vanishes() {
        for (wanted, kept, used, in_force) in [
            (None, None, 12, None),
            (None, Some(50), 12, Some(50)),
            (Some(60), Some(50), 12, Some(60)),
            (Some(20), Some(50), 12, Some(20)),
            (Some(12), Some(50), 12, Some(12)),
            (Some(11), Some(50), 12, Some(12)),
            (Some(60), None, 12, Some(60)),
            (Some(11), None, 12, Some(12)),
        ] {
            let mut known = lineage();
            (known.terms.cap, known.used) = (kept, used);
            let judged = Terms { cap: wanted, ..known.terms.clone() }.judged_against(&known);
            assert_eq!(judged.cap, in_force, "{wanted:?} after {kept:?} with {used} used");
            known.terms = judged.clone();
            assert_eq!(judged.judged_against(&known), judged, "what is in force stays so");
        }
    }

    #[test]
    fn a_revoked_code_stays_revoked_and_everything_else_is_taken() {
        let mut known = lineage();
        let mut wanted = known.terms.clone();
        (wanted.valid_from, wanted.expires_at) = (Some(at(NOW)), Some(at(NOW)));
        wanted.state = State::Paused;
        assert_eq!(wanted.judged_against(&known), wanted);
        known.terms.state = State::Revoked;
        assert_eq!(wanted.judged_against(&known), Terms { state: State::Revoked, ..wanted });
    }

    #[test]
    fn refusals_come_in_their_fixed_order() {
        type Case = (&'static str, fn(&mut Lineage));
        let cases: [Case; 9] = [
            ("BudgetExhausted", |it| it.terms.budget = Some(12)),
            ("LimitReached", |it| it.used = 50),
            ("NotEligible", |it| it.terms.new_accounts_only = true),
            ("NotEligible", |it| it.terms.plans = Some(vec!["l".to_owned()])),
            ("NotEligible", |it| it.sovereign = "nizwa".to_owned()),
            ("Expired", |it| it.terms.expires_at = Some(at(NOW))),
            ("NotStarted", |it| it.terms.valid_from = Some(at("2026-09-01T00:00:00.000001Z"))),
            ("NotActive", |it| it.terms.state = State::Paused),
            ("NotFound", |it| it.terms.state = State::Revoked),
        ];
        // Each is wrong as well as all before it, and wins.
        let mut worse = lineage();
        assert_eq!(judge(&worse), Ok(()));
        for (name, change) in cases {
            let mut one = lineage();
            change(&mut one);
            assert_eq!(judge(&one).unwrap_err().name(), name, "alone");
            change(&mut worse);
            assert_eq!(judge(&worse).unwrap_err().name(), name, "with all after it");
        }
    }

    #[test]
    fn unknown_revoked_and_retired_codes_answer_alike() {
        let unknown = redeemable(None, CUSTOMER, at(NOW));
        for state in [State::Revoked, State::Retired] {
            let mut known = lineage();
            known.terms.state = state;
            assert_eq!(judge(&known), unknown);
        }
    }

    #[test]
    fn a_window_includes_its_beginning_and_not_its_end() {
        let mut known = lineage();
        known.terms.valid_from = Some(at(NOW));
        known.terms.expires_at = Some(at("2026-09-01T00:00:00.000001Z"));
        assert_eq!(judge(&known), Ok(()));
        known.terms.expires_at = known.terms.valid_from;
        assert_eq!(judge(&known).unwrap_err().name(), "Expired");
    }

    #[test]
    fn the_last_redemption_of_a_cap_is_possible() {
        let mut known = lineage();
        known.used = 49;
        assert_eq!(judge(&known), Ok(()));
        known.terms.cap = None;
        known.used = 1_000_000;
        assert_eq!(judge(&known), Ok(()));
    }
}
