//! The door to money: the only way in for controllers, commands and whatever comes later.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::Serialize;
use sqlx::{postgres::PgPool, types::Json};
use tokio::sync::Notify;

use super::{
    Answer, Error,
    coalesce::{Lanes, Redemption},
    session::{Call, once, persist},
    sql,
};
use crate::domain::{
    code::{Code, Digest},
    facts::Item,
    money::Money,
    object::Identity,
    voucher::Voucher,
};

/// Commits of this long a time share one notification.
const NOTIFY_EVERY: Duration = Duration::from_millis(25);

/// The terms of a Voucher on their way to the ledger, and the code that they are about.
#[derive(Clone, Debug)]
pub struct VoucherTerms<'a>(pub &'a Voucher, pub &'a Code);

/// Calls of the ledger's functions under one epoch. Cheap to clone.
///
/// # Guarantees
/// A call is one statement that commits by itself, in a task of its own: a caller that goes away
/// neither aborts it nor poisons a connection. Every call may be made again: it finds what stands.
///
/// # Errors
/// All calls fail alike: [`Error::Fenced`] when another process leads, [`Error::Frozen`] when the
/// money of the franchise waits, [`Error::Unavailable`] and the like when `PostgreSQL` does not
/// serve.
#[derive(Clone)]
pub struct Door {
    pub(super) pool: PgPool,
    pub(super) epoch: Option<i64>,
    committed: Arc<Notify>,
    lanes: Lanes,
}

#[allow(clippy::missing_errors_doc, reason = "all calls fail alike, as the type says")]
impl Door {
    pub(super) fn new(pool: PgPool) -> Self {
        let committed = Arc::new(Notify::new());
        tokio::spawn(notify(pool.clone(), Arc::downgrade(&committed)));
        let lanes = Lanes::new(&pool);
        Self { pool, epoch: None, committed, lanes }
    }

    /// The same door for a caller that leads, or led, under this epoch.
    #[must_use]
    pub fn under(&self, epoch: i64) -> Self {
        Self { epoch: Some(epoch), ..self.clone() }
    }

    /// Raises the epoch: every call under an earlier one is fenced from now on.
    pub async fn begin_leadership(&self) -> Result<i64, Error> {
        self.number("begin leadership", sql::BEGIN_LEADERSHIP).await
    }

    /// The epoch in force, for a process that joins without leading.
    pub async fn current_epoch(&self) -> Result<i64, Error> {
        self.number("read the epoch", sql::CURRENT_EPOCH).await
    }

    /// Raises the floor below which ledger time never falls.
    pub async fn tick(&self) -> Result<(), Error> {
        let call = sqlx::query(sql::TICK);
        once(&self.pool, "keep the clock", |on| Box::pin(call.execute(on))).await.map(drop)
    }

    /// Pins the database to a hub, by the UID of its kube-system namespace. A database that belongs
    /// to another hub is left alone: [`Error::HubChanged`].
    pub async fn pin_hub(&self, hub: &str) -> Result<(), Error> {
        let seen = hub.to_owned();
        let make = || sqlx::query_as(sql::PIN_HUB).bind(seen.clone());
        match self.call("look whose ledger this is", make).await? {
            Answer::Done(_) => Ok(()),
            Answer::Refused(_) => Err(Error::HubChanged { seen }),
        }
    }

    /// Gives the database to a hub. Whoever acted on it before is fenced.
    pub async fn adopt_hub(&self, hub: &str) -> Result<Answer, Error> {
        let hub = hub.to_owned();
        self.call("adopt the hub", || sqlx::query_as(sql::ADOPT_HUB).bind(hub.clone())).await
    }

    /// Accepts the terms of a Voucher. After a pause, an end or a lower cap is answered, not one
    /// more redemption commits that they forbid.
    pub async fn accept_voucher(&self, terms: VoucherTerms<'_>) -> Result<Answer, Error> {
        let (epoch, voucher, code) = (self.epoch, terms.0.clone(), terms.1.clone());
        let instant = |at: Option<Timestamp>| at.map(|at| at.to_string());
        self.call("accept a Voucher", move || {
            let Money { minor, currency } = &voucher.credit;
            sqlx::query_as(sql::ACCEPT_VOUCHER)
                .bind(voucher.namespace.clone())
                .bind(epoch)
                .bind(voucher.name.clone())
                .bind(voucher.uid.clone())
                .bind(voucher.generation)
                .bind(code.digest().0.to_vec())
                .bind(code.hint().to_owned())
                .bind(code.is_secret())
                .bind(voucher.sovereign.clone())
                .bind(currency.code().to_owned())
                .bind(*minor)
                .bind(voucher.terms.cap)
                .bind(voucher.terms.budget)
                .bind(instant(voucher.terms.valid_from))
                .bind(instant(voucher.terms.expires_at))
                .bind(voucher.terms.credit_expires_after.map(|it| format!("{it} seconds")))
                .bind(voucher.terms.plans.clone())
                .bind(voucher.terms.new_accounts_only)
                .bind(voucher.terms.state.name())
        })
        .await
    }

    /// Retires the code that a Voucher object holds. Redemptions, revisions and counter stay.
    pub async fn retire(&self, namespace: &str, holder: &str) -> Result<Answer, Error> {
        self.call_named("retire a Voucher", sql::RETIRE, namespace, [holder]).await
    }

    /// Gives an organization to a Tenant, if no other has it, opens its account, and notes for how
    /// many seconds it goes on after a paid period.
    pub async fn claim(
        &self,
        namespace: &str,
        organization: &str,
        tenant: &str,
        (sovereign, grace): (&str, i64),
    ) -> Result<Answer, Error> {
        let grace = format!("{grace} seconds");
        let names = [organization, tenant, sovereign, &grace];
        self.call_named("claim an organization", sql::CLAIM, namespace, names).await
    }

    /// Puts an organization to sleep of which nothing stands any more.
    pub async fn leave(
        &self,
        namespace: &str,
        organization: &str,
        tenant: &str,
    ) -> Result<Answer, Error> {
        let names = [organization, tenant];
        self.call_named("let an organization sleep", sql::LEAVE, namespace, names).await
    }

    /// Orders a period at the price in force, or a dearer plan for the rest of the one that runs.
    pub async fn order(
        &self,
        namespace: &str,
        organization: &str,
        sovereign: &str,
        plan: &str,
    ) -> Result<Answer, Error> {
        let names = [organization, sovereign, plan];
        self.call_named("order a period", sql::ORDER, namespace, names).await
    }

    /// Redeems a code under the caller's key for an organization on a Sovereign and a plan. Calls
    /// that wait at the same time share a commit; one that comes alone waits for nobody.
    pub async fn redeem(
        &self,
        namespace: &str,
        key: &str,
        code: Digest,
        customer: (&str, &str, &str),
    ) -> Result<Answer, Error> {
        let (organization, sovereign, plan) = customer;
        let [namespace, key, organization, sovereign, plan] =
            [namespace, key, organization, sovereign, plan].map(str::to_owned);
        let epoch = self.epoch;
        let call = Redemption { namespace, epoch, key, code, organization, sovereign, plan };
        let answer = self.lanes.redeem(call).await;
        self.committed.notify_one();
        answer
    }

    /// Redeems what is named and not yet redeemed, which is kept whatever follows, then sets aside
    /// what an order costs.
    pub async fn redeem_and_hold(
        &self,
        namespace: &str,
        (organization, sovereign, plan): (&str, &str, &str),
        (order, attempt): (i64, i32),
        codes: &[Digest],
    ) -> Result<Answer, Error> {
        let texts = [namespace, organization, sovereign, plan].map(str::to_owned);
        let (epoch, codes) = (self.epoch, codes.to_vec());
        self.call("hold credit", move || {
            let [namespace, organization, sovereign, plan] = texts.clone();
            let codes: Vec<Vec<u8>> = codes.iter().map(|code| code.0.to_vec()).collect();
            sqlx::query_as(sql::REDEEM_AND_HOLD)
                .bind(namespace)
                .bind(epoch)
                .bind(organization)
                .bind(sovereign)
                .bind(plan)
                .bind(order)
                .bind(attempt)
                .bind(codes)
        })
        .await
    }

    /// Spends what is held for an order and starts its period.
    pub async fn capture(&self, namespace: &str, order: i64) -> Result<Answer, Error> {
        self.call_order("capture a hold", sql::CAPTURE, namespace, order).await
    }

    /// Gives back what is held for an order and voids it.
    pub async fn release(&self, namespace: &str, order: i64) -> Result<Answer, Error> {
        self.call_order("release a hold", sql::RELEASE, namespace, order).await
    }

    /// Writes down what is about to be made on a cluster, or the UIDs that it got.
    pub async fn journal(
        &self,
        namespace: &str,
        organization: &str,
        cluster: &str,
        items: &[Item],
    ) -> Result<Answer, Error> {
        let names = [namespace, organization, cluster];
        self.call_items("keep the inventory", sql::JOURNAL, names, items).await
    }

    /// Strikes out of the inventory what is gone.
    pub async fn forget(
        &self,
        namespace: &str,
        organization: &str,
        cluster: &str,
        gone: &[Identity],
    ) -> Result<Answer, Error> {
        let names = [namespace, organization, cluster];
        self.call_items("clear the inventory", sql::FORGET, names, gone).await
    }

    pub(super) async fn call_named<const N: usize>(
        &self,
        doing: &'static str,
        statement: &'static str,
        namespace: &str,
        names: [&str; N],
    ) -> Result<Answer, Error> {
        let (epoch, namespace) = (self.epoch, namespace.to_owned());
        let names = names.map(str::to_owned);
        self.call(doing, move || {
            let call = sqlx::query_as(statement).bind(namespace.clone()).bind(epoch);
            names.iter().fold(call, |call, name| call.bind(name.clone()))
        })
        .await
    }

    async fn call_order(
        &self,
        doing: &'static str,
        statement: &'static str,
        namespace: &str,
        order: i64,
    ) -> Result<Answer, Error> {
        let (epoch, namespace) = (self.epoch, namespace.to_owned());
        self.call(doing, move || {
            sqlx::query_as(statement).bind(namespace.clone()).bind(epoch).bind(order)
        })
        .await
    }

    async fn call_items<T: Serialize + Clone + Send + Sync + 'static>(
        &self,
        doing: &'static str,
        statement: &'static str,
        names: [&str; 3],
        items: &[T],
    ) -> Result<Answer, Error> {
        let (epoch, names, items) = (self.epoch, names.map(str::to_owned), Json(items.to_vec()));
        self.call(doing, move || {
            let [namespace, organization, cluster] = names.clone();
            sqlx::query_as(statement)
                .bind(namespace)
                .bind(epoch)
                .bind(organization)
                .bind(cluster)
                .bind(items.clone())
        })
        .await
    }

    /// One money operation: a statement of its own, in a task of its own, again while a twin or a
    /// lock is in the way.
    pub(super) async fn call(
        &self,
        doing: &'static str,
        make: impl Fn() -> Call,
    ) -> Result<Answer, Error> {
        let answer = persist(&self.pool, doing, make).await;
        self.committed.notify_one();
        answer
    }

    async fn number(&self, doing: &'static str, statement: &'static str) -> Result<i64, Error> {
        let call = sqlx::query_scalar(statement);
        once(&self.pool, doing, |on| Box::pin(call.fetch_one(on))).await
    }
}

/// Tells the followers of the outbox that something was committed, after it was: a notification
/// inside the transaction would make all commits wait for each other. A lost one costs the
/// followers their own interval and nothing else, since they read the effects and not the message.
async fn notify(pool: PgPool, committed: std::sync::Weak<Notify>) {
    while let Some(committed) = committed.upgrade() {
        let told = tokio::time::timeout(Duration::from_secs(5), committed.notified()).await.is_ok();
        drop(committed);
        let call = sqlx::query(sql::NOTIFY);
        if told
            && let Err(why) = once(&pool, "tell of a commit", |on| Box::pin(call.execute(on))).await
        {
            tracing::debug!(%why, "followers were not told of a commit");
        }
        tokio::time::sleep(NOTIFY_EVERY).await;
    }
}
