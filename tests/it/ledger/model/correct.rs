//! Corrections of the ledger in plain Rust, and all of its money in words.

use jiff::Timestamp;

use super::{
    ledger::{Ledger, Lot, later},
    op::PLANS,
    pay::Order,
};

impl Ledger {
    /// What was answered under a key, or that it was used for something else.
    fn corrected(&self, key: usize, asked: &str) -> Option<String> {
        let (earlier, answer) = self.corrected.get(&key)?;
        Some(if earlier == asked { answer.clone() } else { "KeyReused".to_owned() })
    }

    fn correct(&mut self, key: usize, asked: String, answer: String) -> String {
        self.corrected.insert(key, (asked, answer.clone()));
        answer
    }

    pub(super) fn credit(
        &mut self,
        org: usize,
        amount: i64,
        lasts: Option<i64>,
        key: usize,
    ) -> String {
        let asked = format!("credit {org} {amount} {lasts:?}");
        if let Some(answer) = self.corrected(key, &asked) {
            return answer;
        }
        match &self.organizations[org] {
            it if !it.is_known => return "NoOrganization".to_owned(),
            it if it.is_closed => return "NotEligible".to_owned(),
            _ if amount < 1 => return "AmountInvalid".to_owned(),
            _ => {}
        }
        self.lots.push(Lot {
            org,
            code: None,
            granted: amount,
            used: 0,
            held: 0,
            gone: 0,
            priority: 20,
            expires_at: lasts.map(|seconds| later(self.now, seconds)),
            is_reversed: false,
            owed: 0,
        });
        self.correct(key, asked, "Credited".to_owned())
    }

    pub(super) fn reverse(&mut self, lot: Option<usize>, key: usize) -> String {
        let Some(lot) = lot else { return "NoEntry".to_owned() };
        let asked = format!("reverse {lot}");
        if let Some(answer) = self.corrected(key, &asked) {
            return answer;
        }
        if self.lots[lot].is_reversed {
            return "AlreadyReversed".to_owned();
        }
        self.lapse(self.lots[lot].org);
        self.expire(self.lots[lot].org);
        let lot = &mut self.lots[lot];
        if lot.held > 0 {
            return "CreditHeld".to_owned();
        }
        let (free, owed) = (lot.free(), lot.used);
        lot.gone += free;
        (lot.is_reversed, lot.owed) = (true, owed);
        self.correct(key, asked, format!("Reversed {free}/{owed}"))
    }

    pub(super) fn close(&mut self, org: usize, key: usize) -> String {
        let asked = format!("close {org}");
        if let Some(answer) = self.corrected(key, &asked) {
            return answer;
        }
        match &self.organizations[org] {
            it if !it.is_known => return "NoOrganization".to_owned(),
            it if it.is_awake => return "TenantsRemain".to_owned(),
            _ => self.lapse(org),
        }
        if self.lots.iter().any(|lot| lot.org == org && lot.held > 0) {
            return "CreditHeld".to_owned();
        }
        self.expire(org);
        let mut total = 0;
        for lot in self.lots.iter_mut().filter(|lot| lot.org == org) {
            total += lot.free();
            lot.gone += lot.free();
        }
        self.organizations[org].is_closed = true;
        self.correct(key, asked, format!("Closed {total}"))
    }

    /// Everything that is money or time, in words.
    pub(super) fn money(&self) -> Vec<String> {
        let lots = self.lots.iter().enumerate().map(|(n, it)| {
            let end = it.expires_at.map_or(-1, Timestamp::as_second);
            let Lot { org, granted, used, held, gone, owed, .. } = it;
            format!("lot {n} org-{org} {granted} = {used} + {held} + {gone}; {owed} until {end}")
        });
        let orders = self.orders.iter().map(|it| {
            let Order { org, period, step, plan, amount, is_void, is_paid, .. } = it;
            let mut holds: Vec<_> =
                it.holds.iter().map(|it| format!("{}:{}", it.attempt, it.state)).collect();
            holds.sort_unstable();
            let (plan, holds) = (PLANS[*plan], holds.join(","));
            format!("org-{org} {period}.{step} {plan} {amount} {is_void} {is_paid} [{holds}]")
        });
        let periods = self.periods.iter().map(|it| {
            let (from, to) = (it.starts_at.as_second(), it.ends_at.as_second());
            format!("org-{} {} from {from} to {to}", it.org, it.number)
        });
        let accounts = self.organizations.iter().enumerate().filter(|(_, it)| it.is_known);
        let accounts = accounts.map(|(org, it)| {
            let lots = || self.lots.iter().filter(|lot| lot.org == org);
            let posted: i64 = lots().map(|it| it.granted - it.used - it.gone).sum();
            let held: i64 = lots().map(|it| it.held).sum();
            format!("org-{org} {posted} {held} {} {}", self.spendable(org), it.is_closed)
        });
        accounts.chain(lots).chain(orders).chain(periods).collect()
    }
}
