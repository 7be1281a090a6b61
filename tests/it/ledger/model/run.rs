//! One operation against both: what the ledger says to it, and what the model says.

use std::sync::Arc;

use catalyst_operator::{
    domain::{code::Code, money::Money, voucher::State},
    store::{Answer, Why},
};
use jiff::Timestamp;

use super::{
    ledger::{Ledger, later},
    op::{Offer, Op, PLANS, SALES, WORTH},
};
use crate::support::{Books, books, plan, word};

/// When the model's time begins: long after ours, on a day that few months have.
pub(super) const START: &str = "2039-12-31T12:00:00Z";
/// What is no order and no entry.
const NOWHERE: i64 = 1_000_000;

/// The ledger and its model, side by side.
pub(super) struct Pair {
    pub(super) books: Books,
    pub(super) model: Ledger,
}

fn why(key: usize) -> Why {
    Why { key: format!("key-{key}"), reason: "goodwill".to_owned(), actor: "noor".to_owned() }
}

fn code(number: usize) -> String {
    format!("CODE-{number}")
}

fn org(number: usize) -> String {
    format!("org-{number}")
}

fn money(minor: i64) -> Money {
    Money { minor, ..Money::parse("0.000 OMR").unwrap() }
}

/// The word of an answer, with the amounts that it names.
fn said(answer: &Answer) -> String {
    let word = word(answer);
    let Answer::Done(done) = answer else { return word.to_owned() };
    let amount = |name: &str| -> String {
        let response = done.response.as_deref().unwrap_or_default();
        let response: serde_json::Value = serde_json::from_str(response).unwrap();
        response[name].to_string()
    };
    match word {
        "Reversed" => format!("{word} {}/{}", amount("taken_back"), amount("owed")),
        "Closed" => format!("{word} {}", amount("taken_back")),
        _ => word.to_owned(),
    }
}

impl Pair {
    pub(super) async fn new() -> Self {
        let pair = Self { books: books().await, model: Ledger::new(START.parse().unwrap()) };
        pair.set_clock().await;
        pair
    }

    /// Ledger time stands still at the model's, since it never falls below its floor.
    async fn set_clock(&self) {
        let now = self.model.now;
        self.books.database.mutate(&format!("update clock set floor = '{now}'")).await;
    }

    /// Ends the database too.
    pub(super) async fn end(self) {
        let Books { database, .. } = self.books;
        Arc::into_inner(database).expect("nobody else has it").end().await;
    }

    /// What both say.
    pub(super) async fn step(&mut self, op: &Op) -> (String, String) {
        let ledger = match op {
            Op::Wait { .. } => "Waited".to_owned(),
            Op::Accept(offer) => self.accept(offer).await,
            op => said(&self.call(op).await),
        };
        let model = self.imagine(op);
        if matches!(op, Op::Wait { .. }) {
            self.set_clock().await;
        }
        (ledger, model)
    }

    fn imagine(&mut self, op: &Op) -> String {
        let model = &mut self.model;
        let order = |model: &Ledger, org, back| model.find_order(org, back);
        match op {
            Op::Accept(offer) => model.accept(offer),
            Op::Retire { object } => model.retire(*object),
            Op::Sell { sale } => model.sell(*sale),
            Op::Claim { org } => model.claim(*org),
            Op::Leave { org } => model.leave(*org),
            Op::Redeem { org, code, plan, key } => {
                model.redeem(*org, *code, *plan, &format!("key-{key}"))
            }
            Op::Order { org, plan } => model.order(*org, *plan),
            Op::Hold { org, back, attempt, codes, plan } => {
                for code in model.in_order(codes) {
                    model.redeem(*org, code, *plan, &format!("redeem/{org}/{code}"));
                }
                model.hold(order(model, *org, *back), *attempt)
            }
            Op::Capture { org, back } => model.capture(order(model, *org, *back)),
            Op::Release { org, back } => model.release(order(model, *org, *back)),
            Op::Credit { org, amount, lasts, key } => model.credit(*org, *amount, *lasts, *key),
            Op::Reverse { back, key } => {
                model.reverse(model.lots.len().checked_sub(back + 1), *key)
            }
            Op::Close { org, key } => model.close(*org, *key),
            Op::Wait { seconds } => model.wait(*seconds),
        }
    }

    /// The number in the ledger of an organization's order, counted from its newest.
    async fn find_order(&self, number: usize, back: usize) -> i64 {
        let order = format!(
            "select coalesce((select ord from orders where organization = '{}' \
             order by ord desc offset {back} limit 1), {NOWHERE})",
            org(number)
        );
        self.books.database.one(&order).await
    }

    async fn find_entry(&self, back: usize) -> i64 {
        let entry = format!(
            "select coalesce((select transfer from transfer where priority is not null \
             order by transfer desc offset {back} limit 1), {NOWHERE})"
        );
        self.books.database.one(&entry).await
    }

    async fn accept(&self, offer: &Offer) -> String {
        let terms =
            self.books.voucher(&code(offer.code)).object(&format!("object-{}", offer.object));
        let mut issue = terms.generation(self.model.next_generation(offer));
        let worth = WORTH[offer.code] + i64::from(offer.other_worth && self.is_known(offer.code));
        issue.voucher.credit = money(worth);
        let at = |seconds: i64| -> Timestamp { later(self.model.start, seconds) };
        let terms = &mut issue.voucher.terms;
        (terms.cap, terms.budget) = (offer.cap, offer.budget);
        (terms.valid_from, terms.expires_at) = (offer.from.map(at), offer.until.map(at));
        terms.credit_expires_after = offer.credit_lasts;
        let names = |plans: &Vec<usize>| plans.iter().map(|n| PLANS[*n].to_owned()).collect();
        terms.plans = offer.plans.as_ref().map(names);
        terms.new_accounts_only = offer.new_accounts_only;
        terms.state = [State::Active, State::Paused, State::Revoked][offer.state];
        issue.accept().await
    }

    fn is_known(&self, code: usize) -> bool {
        self.model.lineages[code].is_some()
    }

    async fn call(&self, op: &Op) -> Answer {
        let (books, door) = (&self.books, &self.books.door);
        let digest = |number: usize| Code::parse(&code(number)).unwrap().digest();
        let answer = match op {
            Op::Retire { object } => door.retire("omantel", &format!("object-{object}")).await,
            Op::Sell { sale } => {
                let priced = PLANS.iter().zip(SALES[*sale]);
                let plans: Vec<_> =
                    priced.filter_map(|(name, price)| Some(plan(name, price?))).collect();
                let franchise = ("omantel", books.uid());
                let franchise = (franchise.0, franchise.1.as_str());
                let place = ("OMR", "cluster-zero");
                door.accept_sovereign(franchise, "catalyst-zero", place, &plans).await
            }
            Op::Claim { org: n } => {
                let sovereign = ("catalyst-zero", super::ledger::GRACE);
                door.claim("omantel", &org(*n), &org(*n), sovereign).await
            }
            Op::Leave { org: n } => door.leave("omantel", &org(*n), &org(*n)).await,
            Op::Redeem { org: n, code, plan, key } => {
                let customer = (org(*n), "catalyst-zero", PLANS[*plan]);
                let customer = (customer.0.as_str(), customer.1, customer.2);
                door.redeem("omantel", &format!("key-{key}"), digest(*code), customer).await
            }
            Op::Order { org: n, plan } => {
                door.order("omantel", &org(*n), "catalyst-zero", PLANS[*plan]).await
            }
            Op::Hold { org: n, back, attempt, codes, plan } => {
                let order = self.find_order(*n, *back).await;
                let codes: Vec<_> = codes.iter().map(|code| digest(*code)).collect();
                let name = org(*n);
                let customer = (name.as_str(), "catalyst-zero", PLANS[*plan]);
                door.redeem_and_hold("omantel", customer, (order, *attempt), &codes).await
            }
            Op::Capture { org, back } => {
                door.capture("omantel", self.find_order(*org, *back).await).await
            }
            Op::Release { org, back } => {
                door.release("omantel", self.find_order(*org, *back).await).await
            }
            Op::Credit { org: n, amount, lasts, key } => {
                let name = org(*n);
                door.credit(("omantel", &name), &money(*amount), *lasts, &why(*key)).await
            }
            Op::Reverse { back, key } => {
                door.reverse("omantel", self.find_entry(*back).await, &why(*key)).await
            }
            Op::Close { org: n, key } => door.close(("omantel", &org(*n)), "OMR", &why(*key)).await,
            Op::Accept(_) | Op::Wait { .. } => unreachable!("it is no such call"),
        };
        answer.expect("the ledger serves")
    }

    /// Everything that is money, time or terms, in words, as the ledger has it.
    pub(super) async fn found(&self) -> Vec<String> {
        let sql = include_str!("found.sql");
        let mut found: Vec<String> = self.books.database.one(sql).await;
        let violations = self.books.database.store.verify().await.expect("the ledger serves");
        found.extend(violations.into_iter().map(|it| format!("{}: {}", it.invariant, it.what)));
        found
    }

    /// The same, as the model has it.
    pub(super) fn wanted(&self) -> Vec<String> {
        let mut wanted = self.model.gates();
        wanted.extend(self.model.money());
        wanted
    }
}
