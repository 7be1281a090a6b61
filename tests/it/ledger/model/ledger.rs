//! The ledger in plain Rust, one caller at a time: its state, the vouchers, the customers.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::op::{CODES, OBJECTS, ORGANIZATIONS, Offer, PLANS, SALES, WORTH};

pub(super) const GRACE: i64 = crate::support::GRACE;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Active,
    Paused,
    Revoked,
    Retired,
}

/// What a voucher's terms come to; two that are equal make no revision.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Terms {
    pub(super) cap: Option<i64>,
    pub(super) budget: Option<i64>,
    pub(super) from: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    pub(super) credit_lasts: Option<i64>,
    pub(super) plans: Option<Vec<usize>>,
    pub(super) new_accounts_only: bool,
    pub(super) state: State,
}

#[derive(Clone, Debug)]
pub(super) struct Lineage {
    pub(super) terms: Terms,
    pub(super) holder: Option<usize>,
    /// The object that spoke for it last, and its generation then.
    spoken: (usize, i64),
    was_revoked: bool,
    revisions: i64,
    pub(super) used: i64,
    pub(super) spent: i64,
    /// The place in the order in which codes were first seen.
    number: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Lot {
    pub(super) org: usize,
    pub(super) code: Option<usize>,
    pub(super) granted: i64,
    pub(super) used: i64,
    pub(super) held: i64,
    pub(super) gone: i64,
    pub(super) priority: i64,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) is_reversed: bool,
    pub(super) owed: i64,
}

impl Lot {
    pub(super) fn free(&self) -> i64 {
        self.granted - self.used - self.held - self.gone
    }

    pub(super) fn has_expired(&self, at: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= at)
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Organization {
    pub(super) is_known: bool,
    pub(super) awake_since: Option<Timestamp>,
    /// Whether it is awake now.
    pub(super) is_awake: bool,
    pub(super) is_closed: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) price: i64,
    pub(super) revision: i64,
    pub(super) is_offered: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Ledger {
    pub(super) start: Timestamp,
    pub(super) now: Timestamp,
    generation: i64,
    pub(super) lineages: [Option<Lineage>; CODES],
    pub(super) plans: [Option<Plan>; PLANS.len()],
    pub(super) organizations: [Organization; ORGANIZATIONS],
    pub(super) lots: Vec<Lot>,
    pub(super) orders: Vec<super::pay::Order>,
    pub(super) periods: Vec<super::pay::Period>,
    /// What was redeemed under a key: code and organization.
    redeemed: BTreeMap<String, (usize, usize)>,
    /// What a correction was under a key, and what was answered.
    pub(super) corrected: BTreeMap<usize, (String, String)>,
}

pub(super) fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at + SignedDuration::from_secs(seconds)
}

impl Ledger {
    pub(super) fn new(start: Timestamp) -> Self {
        let mut ledger = Self {
            start,
            now: start,
            generation: 1,
            lineages: Default::default(),
            plans: [None; PLANS.len()],
            organizations: Default::default(),
            lots: vec![],
            orders: vec![],
            periods: vec![],
            redeemed: BTreeMap::new(),
            corrected: BTreeMap::new(),
        };
        ledger.sell(0);
        ledger
    }

    pub(super) fn sell(&mut self, sale: usize) -> String {
        for (plan, price) in self.plans.iter_mut().zip(SALES[sale]) {
            let revision = plan.map_or(0, |it| it.revision);
            match (price, plan) {
                (Some(price), Some(plan)) if plan.price == price => plan.is_offered = true,
                (Some(price), plan) => {
                    *plan = Some(Plan { price, revision: revision + 1, is_offered: true });
                }
                (None, Some(plan)) => plan.is_offered = false,
                (None, None) => {}
            }
        }
        "Accepted".to_owned()
    }

    /// The generation that the next accepted object has.
    pub(super) fn next_generation(&self, offer: &Offer) -> i64 {
        if offer.is_stale { 1 } else { self.generation + 1 }
    }

    pub(super) fn accept(&mut self, offer: &Offer) -> String {
        let generation = self.next_generation(offer);
        self.generation += 1;
        let at = |seconds: &i64| later(self.start, *seconds);
        let state = [State::Active, State::Paused, State::Revoked][offer.state];
        let mut terms = Terms {
            cap: offer.cap,
            budget: offer.budget,
            from: offer.from.as_ref().map(at),
            until: offer.until.as_ref().map(at),
            credit_lasts: offer.credit_lasts,
            plans: offer.plans.clone(),
            new_accounts_only: offer.new_accounts_only,
            state,
        };
        let others = (0..CODES).filter(|code| *code != offer.code);
        if others.into_iter().any(|code| self.has_spoken_since(code, offer.object, generation)) {
            return "StaleSpec".to_owned();
        }
        let known = self.lineages[offer.code].clone();
        if known.as_ref().and_then(|it| it.holder).is_some_and(|it| it != offer.object) {
            return "CodeTaken".to_owned();
        }
        if known.is_some() && offer.other_worth {
            return "CodeRetired".to_owned();
        }
        if let Some(known) = &known {
            terms.cap = terms.cap.map(|cap| cap.max(known.used)).or(known.terms.cap);
            terms.budget = terms.budget.map(|it| it.max(known.spent)).or(known.terms.budget);
            if known.was_revoked {
                terms.state = State::Revoked;
            }
        }
        let changes = known.as_ref().is_none_or(|known| known.terms != terms);
        if changes && self.has_spoken_since(offer.code, offer.object, generation) {
            return "StaleSpec".to_owned();
        }
        for code in (0..CODES).filter(|code| *code != offer.code) {
            self.retire_code(code, offer.object);
        }
        let number = self.lineages.iter().flatten().count();
        let lineage = self.lineages[offer.code].get_or_insert_with(|| Lineage {
            terms: terms.clone(),
            holder: None,
            spoken: (offer.object, generation),
            was_revoked: false,
            revisions: 0,
            used: 0,
            spent: 0,
            number,
        });
        lineage.revisions += i64::from(changes);
        lineage.was_revoked |= terms.state == State::Revoked;
        lineage.terms = terms;
        lineage.holder = Some(offer.object);
        let (who, when) = lineage.spoken;
        let since = if who == offer.object { when.max(generation) } else { generation };
        lineage.spoken = (offer.object, since);
        "Accepted".to_owned()
    }

    /// Whether a later generation of an object was accepted for a code that it spoke for last.
    fn has_spoken_since(&self, code: usize, object: usize, generation: i64) -> bool {
        let spoken = self.lineages[code].as_ref().map(|it| it.spoken);
        spoken.is_some_and(|(who, when)| who == object && when > generation)
    }

    fn retire_code(&mut self, code: usize, object: usize) {
        let held = self.lineages[code].as_mut().filter(|it| it.holder == Some(object));
        if let Some(lineage) = held {
            lineage.revisions += i64::from(lineage.terms.state != State::Retired);
            lineage.terms.state = State::Retired;
            lineage.holder = None;
        }
    }

    pub(super) fn retire(&mut self, object: usize) -> String {
        assert!(object < OBJECTS);
        (0..CODES).for_each(|code| self.retire_code(code, object));
        "Retired".to_owned()
    }

    pub(super) fn claim(&mut self, org: usize) -> String {
        let now = self.now;
        let organization = &mut self.organizations[org];
        if !organization.is_awake {
            organization.awake_since = Some(now);
        }
        (organization.is_known, organization.is_awake) = (true, true);
        "Claimed".to_owned()
    }

    pub(super) fn leave(&mut self, org: usize) -> String {
        if self.organizations[org].is_awake {
            self.void_open_orders(org);
            self.organizations[org].is_awake = false;
        }
        "Left".to_owned()
    }

    /// Codes in the order in which one call redeems them: offers to new accounts first.
    pub(super) fn in_order(&self, codes: &[usize]) -> Vec<usize> {
        let mut codes = codes.to_vec();
        codes.sort_by_key(|code| match &self.lineages[*code] {
            Some(lineage) => (!lineage.terms.new_accounts_only, lineage.number),
            None => (true, usize::MAX),
        });
        codes
    }

    pub(super) fn redeem(&mut self, org: usize, code: usize, plan: usize, key: &str) -> String {
        if let Some((earlier, by)) = self.redeemed.get(key) {
            let is_same = (*earlier, *by) == (code, org);
            return if is_same { "Redeemed" } else { "KeyReused" }.to_owned();
        }
        if let Some(refusal) = self.refuse(org, code, plan) {
            return refusal.to_owned();
        }
        let now = self.now;
        let lineage = self.lineages[code].as_mut().expect("it is not refused");
        lineage.used += 1;
        lineage.spent += WORTH[code];
        self.lots.push(Lot {
            org,
            code: Some(code),
            granted: WORTH[code],
            used: 0,
            held: 0,
            gone: 0,
            priority: 10,
            expires_at: lineage.terms.credit_lasts.map(|it| later(now, it)),
            is_reversed: false,
            owed: 0,
        });
        self.redeemed.insert(key.to_owned(), (code, org));
        "Redeemed".to_owned()
    }

    /// The first reason for which a redemption is refused.
    fn refuse(&self, org: usize, code: usize, plan: usize) -> Option<&'static str> {
        let Some(lineage) = &self.lineages[code] else { return Some("NotFound") };
        let (terms, organization) = (&lineage.terms, &self.organizations[org]);
        let granted = || self.lots.iter().filter(|lot| lot.org == org);
        let causes = [
            ("NotFound", matches!(terms.state, State::Revoked | State::Retired)),
            ("NotActive", terms.state == State::Paused),
            ("NotStarted", terms.from.is_some_and(|from| self.now < from)),
            ("Expired", terms.until.is_some_and(|until| self.now >= until)),
            ("NotEligible", !organization.is_known || organization.is_closed),
            ("NotEligible", terms.plans.as_ref().is_some_and(|plans| !plans.contains(&plan))),
            ("NotEligible", terms.new_accounts_only && granted().any(|lot| lot.code != Some(code))),
            ("LimitReached", terms.cap.is_some_and(|cap| lineage.used >= cap)),
            ("BudgetExhausted", terms.budget.is_some_and(|it| lineage.spent + WORTH[code] > it)),
            ("AlreadyRedeemed", granted().any(|lot| lot.code == Some(code))),
        ];
        causes.into_iter().find(|(_, applies)| *applies).map(|(refusal, _)| refusal)
    }

    pub(super) fn wait(&mut self, seconds: i64) -> String {
        self.now = later(self.now, seconds);
        "Waited".to_owned()
    }

    /// Code by code: what its gate says.
    pub(super) fn gates(&self) -> Vec<String> {
        let gate = |(code, lineage): (usize, &Option<Lineage>)| {
            let it = lineage.as_ref()?;
            let or_none = |value: Option<i64>| value.map_or("-".to_owned(), |it| it.to_string());
            let open = it.terms.state == State::Active;
            let (cap, budget) = (or_none(it.terms.cap), or_none(it.terms.budget));
            let (state, revisions, used, spent) = (it.terms.state, it.revisions, it.used, it.spent);
            Some(format!("CODE-{code} {state:?} {open} {revisions} {used}/{cap} {spent}/{budget}"))
        };
        self.lineages.iter().enumerate().filter_map(gate).collect()
    }
}
