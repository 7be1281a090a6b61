//! Orders, holds and periods of the ledger in plain Rust.

use catalyst_operator::domain::proration::prorate;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use super::ledger::{GRACE, Ledger, Lot, later};

const LAPSES_AFTER: i64 = 72 * 3_600;
const PRICE_STANDS_FOR: i64 = 5 * 60;

#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) org: usize,
    pub(super) period: i64,
    pub(super) step: i64,
    pub(super) plan: usize,
    pub(super) revision: i64,
    pub(super) price: i64,
    pub(super) amount: i64,
    pub(super) ordered_at: Timestamp,
    pub(super) is_void: bool,
    pub(super) is_paid: bool,
    pub(super) holds: Vec<Hold>,
}

#[derive(Clone, Debug)]
pub(super) struct Hold {
    pub(super) attempt: i32,
    pub(super) state: &'static str,
    pub(super) lapses_at: Timestamp,
    /// Which lots, and how much of each.
    lines: Vec<(usize, i64)>,
}

#[derive(Clone, Debug)]
pub(super) struct Period {
    pub(super) org: usize,
    pub(super) number: i64,
    anchor: Timestamp,
    months: i64,
    pub(super) starts_at: Timestamp,
    pub(super) ends_at: Timestamp,
    /// The order that is in force, with its dearer plan.
    in_force: usize,
}

impl Order {
    fn live(&self) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.state == "held")
    }
}

impl Ledger {
    fn last_paid(&self, org: usize) -> Option<&Period> {
        self.periods.iter().rev().find(|period| period.org == org)
    }

    fn open_order(&self, org: usize) -> Option<usize> {
        self.orders.iter().position(|it| it.org == org && !it.is_void && !it.is_paid)
    }

    /// The number in this model of an organization's order, counted from its newest.
    pub(super) fn find_order(&self, org: usize, back: usize) -> Option<usize> {
        let of = self.orders.iter().enumerate().filter(|(_, order)| order.org == org);
        of.map(|(n, _)| n).rev().nth(back)
    }

    pub(super) fn order(&mut self, org: usize, plan: usize) -> String {
        let now = self.now;
        let last = self.last_paid(org);
        let running = last.filter(|period| period.ends_at > now);
        let none = if running.is_some() { "Paid" } else { "UnknownPlan" };
        let has = last.map(|period| self.orders[period.in_force].plan);
        let sold = self.plans[plan].filter(|it| it.is_offered || has == Some(plan));
        let Some(sold) = sold else { return none.to_owned() };
        let (mut step, mut amount) = (0, sold.price);
        if let Some(period) = running {
            let paid = &self.orders[period.in_force];
            if paid.plan == plan || sold.price < paid.price {
                return "Paid".to_owned();
            }
            let whole = period.ends_at.as_second() - period.starts_at.as_second();
            let rest = period.ends_at.as_second() - now.as_second();
            (step, amount) =
                (paid.step + 1, prorate(paid.price, sold.price, rest, whole).iter().sum());
        }
        let period = last.map_or(0, |it| it.number) + i64::from(running.is_none());
        if !self.organizations[org].is_known {
            return "NoOrganization".to_owned();
        }
        self.lapse(org);
        if let Some(open) = self.open_order(org) {
            let open = &mut self.orders[open];
            let is_held = open.live().is_some();
            let stands = step == 0 || is_held || now < later(open.ordered_at, PRICE_STANDS_FOR);
            let known = (open.period, open.step, open.plan, open.revision);
            if known == (period, step, plan, sold.revision) && stands {
                return "Ordered".to_owned();
            }
            if is_held {
                return "OrderHeld".to_owned();
            }
            open.is_void = true;
        }
        self.orders.push(Order {
            org,
            period,
            step,
            plan,
            revision: sold.revision,
            price: sold.price,
            amount,
            ordered_at: now,
            is_void: false,
            is_paid: false,
            holds: vec![],
        });
        "Ordered".to_owned()
    }

    /// Ends a live hold; its lots have their credit back.
    fn unhold(&mut self, order: usize, state: &'static str) {
        let live = self.orders[order].holds.iter_mut().find(|hold| hold.state == "held");
        if let Some(hold) = live {
            hold.state = state;
            for (lot, amount) in &hold.lines {
                self.lots[*lot].held -= amount;
            }
        }
    }

    pub(super) fn lapse(&mut self, org: usize) {
        let now = self.now;
        let lapsed = |it: &Order| it.org == org && it.live().is_some_and(|it| it.lapses_at <= now);
        let orders: Vec<_> = (0..self.orders.len()).filter(|n| lapsed(&self.orders[*n])).collect();
        for order in orders {
            self.unhold(order, "lapsed");
        }
    }

    pub(super) fn expire(&mut self, org: usize) {
        let now = self.now;
        for lot in self.lots.iter_mut().filter(|lot| lot.org == org && lot.has_expired(now)) {
            lot.gone += lot.free();
        }
    }

    fn void(&mut self, order: usize) {
        self.unhold(order, "released");
        self.orders[order].is_void = true;
    }

    pub(super) fn void_open_orders(&mut self, org: usize) {
        while let Some(order) = self.open_order(org) {
            self.void(order);
        }
    }

    /// What could be spent now, whether or not anybody booked what lapsed or expired.
    pub(super) fn spendable(&self, org: usize) -> i64 {
        let mut booked = self.clone();
        booked.lapse(org);
        booked.expire(org);
        booked.lots.iter().filter(|lot| lot.org == org).map(Lot::free).sum()
    }

    pub(super) fn hold(&mut self, order: Option<usize>, attempt: i32) -> String {
        let Some(order) = order.filter(|n| !self.orders[*n].is_void) else {
            return "NoOrder".to_owned();
        };
        let (org, needed) = (self.orders[order].org, self.orders[order].amount);
        if self.organizations[org].is_closed {
            return "NotEligible".to_owned();
        }
        self.lapse(org);
        self.expire(org);
        let available = self.spendable(org);
        let counts = |it: &&Hold| it.attempt == attempt || ["held", "captured"].contains(&it.state);
        let known = self.orders[order].holds.iter().filter(counts).max_by_key(|it| it.attempt);
        match known.map(|hold| hold.state) {
            Some("held") => "Held",
            Some("captured") => "Captured",
            Some(_) => "HoldLapsed",
            None if needed == 0 => "Held",
            None if available < needed => "Short",
            None => {
                self.set_aside(order, attempt);
                "Held"
            }
        }
        .to_owned()
    }

    fn set_aside(&mut self, order: usize, attempt: i32) {
        let (org, mut rest) = (self.orders[order].org, self.orders[order].amount);
        let mut lots: Vec<_> = (0..self.lots.len()).filter(|n| self.lots[*n].org == org).collect();
        let end = |lot: &Lot| lot.expires_at.unwrap_or(Timestamp::MAX);
        lots.sort_by_key(|n| (self.lots[*n].priority, end(&self.lots[*n]), *n));
        let mut lines = vec![];
        for lot in lots {
            let take = rest.min(self.lots[lot].free());
            if take > 0 {
                self.lots[lot].held += take;
                lines.push((lot, take));
                rest -= take;
            }
        }
        assert_eq!(rest, 0, "what is spendable is free in lots");
        let lapses_at = later(self.now, LAPSES_AFTER);
        self.orders[order].holds.push(Hold { attempt, state: "held", lapses_at, lines });
    }

    pub(super) fn capture(&mut self, order: Option<usize>) -> String {
        let now = self.now;
        let Some(number) = order.filter(|n| !self.orders[*n].is_void) else {
            return "NoOrder".to_owned();
        };
        let order = &self.orders[number];
        if order.is_paid {
            return "Captured".to_owned();
        }
        let runs = |period: &Period| period.number == order.period && period.ends_at > now;
        if order.step > 0 && !self.last_paid(order.org).is_some_and(runs) {
            return "PeriodEnded".to_owned();
        }
        if order.amount > 0 {
            match order.live() {
                None => return "NoHold".to_owned(),
                Some(hold) if hold.lapses_at <= now => return "HoldLapsed".to_owned(),
                Some(_) => {}
            }
        }
        self.spend(number);
        "Captured".to_owned()
    }

    fn spend(&mut self, number: usize) {
        let next = self.next_month(self.orders[number].org, number);
        let order = &mut self.orders[number];
        order.is_paid = true;
        for hold in order.holds.iter_mut().filter(|hold| hold.state == "held") {
            hold.state = "captured";
            for (lot, amount) in &hold.lines {
                self.lots[*lot].held -= amount;
                self.lots[*lot].used += amount;
            }
        }
        let (org, step) = (order.org, order.step);
        if step == 0 {
            self.periods.push(next);
        } else {
            let period = self.periods.iter_mut().rev().find(|period| period.org == org);
            period.expect("it runs").in_force = number;
        }
    }

    /// The month after the last one while an organization goes on without a break, else one from
    /// now.
    fn next_month(&self, org: usize, in_force: usize) -> Period {
        let awake_since = self.organizations[org].awake_since.unwrap_or(Timestamp::MAX);
        let goes_on = |it: &&Period| {
            it.ends_at <= self.now
                && self.now < later(it.ends_at, GRACE)
                && awake_since <= it.ends_at
        };
        let last = self.last_paid(org).filter(goes_on);
        let (anchor, months) = last.map_or((self.now, 1), |it| (it.anchor, it.months + 1));
        let after = |months: i64| {
            let anchor = anchor.to_zoned(TimeZone::UTC);
            anchor.checked_add(months.months()).expect("it is a date").timestamp()
        };
        let number = self.orders[in_force].period;
        let (starts_at, ends_at) = (after(months - 1), after(months));
        Period { org, number, anchor, months, starts_at, ends_at, in_force }
    }

    pub(super) fn release(&mut self, order: Option<usize>) -> String {
        let Some(order) = order else { return "NoOrder".to_owned() };
        if self.orders[order].is_paid {
            return "Captured".to_owned();
        }
        self.void(order);
        "Released".to_owned()
    }
}
