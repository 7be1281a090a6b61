//! Fixtures of the ledger that go through the Door: a franchise with something to sell, vouchers
//! and organizations, where a test states only what matters to it.

use std::sync::Arc;

use catalyst_operator::{
    domain::{
        code::{Code, Given, SecretKey},
        facts::{Plan, PlanTerms, TenantFacts},
        money::Money,
        tenant::{Named, Tenant},
        voucher::{Lineage, State, Terms, Voucher},
    },
    store::{Answer, Door, Error, VoucherTerms, Why},
};
use jiff::Timestamp;
use sqlx::AssertSqlSafe;

use super::{Database, World, database};

/// The Sovereign of every franchise, unless a test says otherwise.
const SOVEREIGN: &str = "catalyst-zero";
/// Its cluster, which all of them share.
const CLUSTER: &str = "cluster-zero";

/// How many seconds an organization goes on after a paid period: a week.
pub(crate) const GRACE: i64 = 7 * 24 * 60 * 60;

/// The books of one franchise. Its Sovereign `catalyst-zero` keeps accounts in OMR and sells the
/// plans s, m and l for 5, 9 and 16 rial a month, and `free` for nothing.
#[derive(Clone)]
pub(crate) struct Books {
    pub(crate) database: Arc<Database>,
    pub(crate) door: Door,
    pub(crate) namespace: String,
}

/// A fresh ledger with the franchise `omantel`.
pub(crate) async fn books() -> Books {
    books_on(database(World::shared()).await).await
}

/// The franchise `omantel` in this ledger.
pub(crate) async fn books_on(database: Database) -> Books {
    let database = Arc::new(database);
    let door = database.store.door();
    let books = Books { database, door, namespace: "omantel".to_owned() };
    books.sell(SOVEREIGN, "OMR", CLUSTER).await;
    books
}

/// The word of an answer, such as `Redeemed` or `LimitReached`.
pub(crate) fn word(answer: &Answer) -> &str {
    match answer {
        Answer::Done(done) => &done.outcome,
        Answer::Refused(refusal) => refusal.name(),
    }
}

fn said(answer: Result<Answer, Error>) -> String {
    word(&answer.expect("the ledger serves")).to_owned()
}

/// Why a person moves money, under a key.
pub(crate) fn why(key: &str) -> Why {
    let (reason, actor) = ("bank transfer 4711".to_owned(), "amal".to_owned());
    Why { key: key.to_owned(), reason, actor }
}

/// A plan with nothing in it.
pub(crate) fn plan(name: &str, amount: i64) -> Plan {
    Plan { name: name.to_owned(), amount, terms: PlanTerms::default() }
}

impl Books {
    /// Another franchise in the same ledger, whose Sovereign is on the same cluster.
    pub(crate) async fn franchise(&self, namespace: &str) -> Self {
        let books = Self { namespace: namespace.to_owned(), ..self.clone() };
        books.sell(SOVEREIGN, "OMR", CLUSTER).await;
        books
    }

    /// Accepts one more Sovereign, with the plans that all of them sell.
    pub(crate) async fn sell(&self, sovereign: &str, currency: &str, cluster: &str) {
        let plans = [plan("free", 0), plan("l", 16_000), plan("m", 9_000), plan("s", 5_000)];
        let place = (currency, cluster);
        let accepted = self.accept_sovereign(sovereign, place, &plans).await;
        assert_eq!(accepted, "Accepted");
    }

    pub(crate) async fn accept_sovereign(
        &self,
        sovereign: &str,
        (currency, cluster): (&str, &str),
        plans: &[Plan],
    ) -> String {
        let uid = self.uid();
        let franchise = (self.namespace.as_str(), uid.as_str());
        said(self.door.accept_sovereign(franchise, sovereign, (currency, cluster), plans).await)
    }

    pub(crate) fn uid(&self) -> String {
        format!("uid-of-{}", self.namespace)
    }

    /// A Voucher object of the name of its code: 100 rial, any number of times, at any time.
    pub(crate) fn voucher(&self, code: &str) -> Issue<'_> {
        let voucher = Voucher {
            namespace: self.namespace.clone(),
            name: code.to_lowercase(),
            uid: format!("uid-of-{}", code.to_lowercase()),
            generation: 1,
            sovereign: SOVEREIGN.to_owned(),
            code: Given::Written(Code::parse(code).expect("it is a code")),
            credit: Money::parse("100.000 OMR").expect("it is money"),
            terms: Terms {
                cap: None,
                budget: None,
                valid_from: None,
                expires_at: None,
                credit_expires_after: None,
                plans: None,
                new_accounts_only: false,
                state: State::Active,
            },
        };
        Issue { books: self, voucher }
    }

    /// A Voucher object of this name whose code is kept in a Secret.
    pub(crate) fn secret_voucher(&self, name: &str, code: &str) -> Issue<'_> {
        let mut issue = self.voucher(name);
        let at = SecretKey { secret: name.to_owned(), key: "code".to_owned() };
        issue.voucher.code = Given::Kept { code: at.open(Some(code.as_bytes())), at };
        issue
    }

    pub(crate) async fn retire(&self, object: &str) {
        assert_eq!(said(self.door.retire(&self.namespace, object).await), "Retired");
    }

    /// A customer with an account, whose Tenant has the same name.
    pub(crate) async fn organization(&self, name: &str) {
        assert_eq!(self.claim(name, name).await, "Claimed");
    }

    pub(crate) async fn claim(&self, organization: &str, tenant: &str) -> String {
        said(self.door.claim(&self.namespace, organization, tenant, (SOVEREIGN, GRACE)).await)
    }

    pub(crate) async fn leave(&self, organization: &str, tenant: &str) -> String {
        said(self.door.leave(&self.namespace, organization, tenant).await)
    }

    /// Redeems under the key that this organization always has for this code.
    pub(crate) async fn redeem(&self, code: &str, organization: &str) -> String {
        let key = format!("redeem/{organization}/{code}");
        word(&self.redeem_under(&key, code, organization).await.expect("the ledger serves"))
            .to_owned()
    }

    pub(crate) async fn redeem_under(
        &self,
        key: &str,
        code: &str,
        organization: &str,
    ) -> Result<Answer, Error> {
        let digest = Code::parse(code).expect("it is a code").digest();
        self.door.redeem(&self.namespace, key, digest, (organization, SOVEREIGN, "m")).await
    }

    /// A customer who redeemed 100 rial.
    pub(crate) async fn rich_organization(&self, name: &str) {
        assert_eq!(self.voucher("WELCOME").accept().await, "Accepted");
        self.organization(name).await;
        assert_eq!(self.redeem("WELCOME", name).await, "Redeemed");
    }

    pub(crate) async fn order(&self, organization: &str, plan: &str) -> String {
        said(self.door.order(&self.namespace, organization, SOVEREIGN, plan).await)
    }

    /// Orders a period and gives the number of the order.
    pub(crate) async fn ordered(&self, organization: &str, plan: &str) -> i64 {
        assert_eq!(self.order(organization, plan).await, "Ordered");
        self.facts(organization).await.order.expect("there is an order").order
    }

    pub(crate) async fn hold(&self, organization: &str, order: i64, attempt: i32) -> String {
        said(self.redeem_and_hold(organization, (order, attempt), &[]).await)
    }

    pub(crate) async fn redeem_and_hold(
        &self,
        organization: &str,
        attempt: (i64, i32),
        codes: &[&str],
    ) -> Result<Answer, Error> {
        let digest = |code: &&str| Code::parse(code).expect("it is a code").digest();
        let codes: Vec<_> = codes.iter().map(digest).collect();
        let customer = (organization, SOVEREIGN, "m");
        self.door.redeem_and_hold(&self.namespace, customer, attempt, &codes).await
    }

    pub(crate) async fn capture(&self, order: i64) -> String {
        said(self.door.capture(&self.namespace, order).await)
    }

    pub(crate) async fn release(&self, order: i64) -> String {
        said(self.door.release(&self.namespace, order).await)
    }

    /// A period that is paid: ordered, held and captured.
    pub(crate) async fn paid(&self, organization: &str, plan: &str) {
        let order = self.ordered(organization, plan).await;
        assert_eq!(self.hold(organization, order, 1).await, "Held");
        assert_eq!(self.capture(order).await, "Captured");
    }

    /// What the ledger tells of a Tenant of the organization's name on plan m.
    pub(crate) async fn facts(&self, organization: &str) -> TenantFacts {
        let facts = self.database.store.observe_tenant(&self.tenant(organization, &[])).await;
        facts.expect("the ledger serves")
    }

    /// A Tenant of the organization's name on plan m, with these codes.
    pub(crate) fn tenant(&self, organization: &str, codes: &[&str]) -> Tenant {
        let code =
            |code: &&str| Named::Code(Given::Written(Code::parse(code).expect("it is a code")));
        Tenant {
            namespace: self.namespace.clone(),
            name: organization.to_owned(),
            uid: format!("uid-of-{organization}"),
            is_given_up: false,
            organization: organization.to_owned(),
            sovereign: SOVEREIGN.to_owned(),
            plan: "m".to_owned(),
            owners: vec![],
            vouchers: codes.iter().map(code).collect(),
            grace: GRACE,
            warn: vec![100],
        }
    }

    /// What an organization can spend now, in baisa.
    pub(crate) async fn credit(&self, organization: &str) -> i64 {
        self.facts(organization).await.account.expect("it has an account").spendable
    }

    /// What the ledger tells of a code.
    pub(crate) async fn lineage(&self, code: &str) -> Option<Lineage> {
        let voucher = self.voucher(code).voucher;
        let facts = self.database.store.observe_voucher(&voucher).await;
        facts.expect("the ledger serves").lineage
    }

    /// Moves the test clock forward, by an interval of `PostgreSQL`.
    pub(crate) async fn advance(&self, interval: &str) {
        self.database.mutate(&format!("select ledger.advance_clock('{interval}')")).await;
    }

    /// Time stands still at this instant of a later year, such as `2031-01-31T00:00:00Z`.
    pub(crate) async fn stand_at(&self, instant: &str) {
        self.database.mutate(&format!("update clock set floor = '{instant}'")).await;
    }

    /// Gives an organization credit without a voucher, such as `10.000 OMR`, under a key.
    pub(crate) async fn grant(&self, organization: &str, amount: &str, key: &str) -> String {
        let (account, amount) = ((self.namespace.as_str(), organization), Money::parse(amount));
        said(self.door.credit(account, &amount.expect("it is money"), None, &why(key)).await)
    }

    pub(crate) async fn now(&self) -> Timestamp {
        self.facts("nobody").await.standing.now
    }

    /// How many rows a part of a query finds, such as `transfer where kind = 'redeem'`.
    /// What a call says that waits for other ones, which are not committed yet and then are.
    pub(crate) async fn behind<T>(&self, others: &str, call: impl Future<Output = T>) -> T {
        let mut transaction = self.database.admin.begin().await.expect("PostgreSQL serves");
        let others = sqlx::raw_sql(AssertSqlSafe(others.to_owned()));
        others.execute(&mut *transaction).await.expect("the others are well");
        let commit = async {
            self.database.await_waiting(1).await;
            transaction.commit().await.expect("PostgreSQL serves");
        };
        tokio::join!(call, commit).0
    }

    pub(crate) async fn count(&self, from: &str) -> i64 {
        self.database.one(&format!("select count(*) from {from}")).await
    }

    /// No invariant of the ledger is broken.
    pub(crate) async fn assert_sound(&self) {
        let violations = self.database.store.verify().await.expect("the ledger serves");
        assert!(violations.is_empty(), "{violations:?}");
    }
}

/// A Voucher object on its way to the ledger.
pub(crate) struct Issue<'a> {
    books: &'a Books,
    pub(crate) voucher: Voucher,
}

impl Issue<'_> {
    pub(crate) fn cap(mut self, cap: i64) -> Self {
        self.voucher.terms.cap = Some(cap);
        self
    }

    pub(crate) fn budget(mut self, budget: &str) -> Self {
        self.voucher.terms.budget = Some(Money::parse(budget).expect("it is money").minor);
        self
    }

    pub(crate) fn credit_expires_after(mut self, seconds: i64) -> Self {
        self.voucher.terms.credit_expires_after = Some(seconds);
        self
    }

    pub(crate) fn plans(mut self, plans: &[&str]) -> Self {
        self.voucher.terms.plans = Some(plans.iter().map(ToString::to_string).collect());
        self
    }

    pub(crate) fn new_accounts_only(mut self) -> Self {
        self.voucher.terms.new_accounts_only = true;
        self
    }

    pub(crate) fn worth(mut self, credit: &str) -> Self {
        self.voucher.credit = Money::parse(credit).expect("it is money");
        self
    }

    pub(crate) fn valid_from(mut self, at: Timestamp) -> Self {
        self.voucher.terms.valid_from = Some(at);
        self
    }

    pub(crate) fn expires_at(mut self, at: Timestamp) -> Self {
        self.voucher.terms.expires_at = Some(at);
        self
    }

    pub(crate) fn state(mut self, state: State) -> Self {
        self.voucher.terms.state = state;
        self
    }

    pub(crate) fn paused(self) -> Self {
        self.state(State::Paused)
    }

    pub(crate) fn revoked(self) -> Self {
        self.state(State::Revoked)
    }

    /// The object has another name and UID than the code would give it.
    pub(crate) fn object(mut self, name: &str) -> Self {
        name.clone_into(&mut self.voucher.name);
        self.voucher.uid = format!("uid-of-{name}");
        self
    }

    pub(crate) fn generation(mut self, generation: i64) -> Self {
        self.voucher.generation = generation;
        self
    }

    pub(crate) fn sovereign(mut self, name: &str) -> Self {
        name.clone_into(&mut self.voucher.sovereign);
        self
    }

    /// Asks the ledger to accept the terms and gives its word.
    pub(crate) async fn accept(self) -> String {
        let code = self.voucher.code.code().expect("it is known");
        said(self.books.door.accept_voucher(VoucherTerms(&self.voucher, code)).await)
    }

    /// The terms are accepted, which this test takes for granted.
    pub(crate) async fn issued(self) {
        assert_eq!(self.accept().await, "Accepted");
    }
}
