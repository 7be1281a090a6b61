//! Reading the books: one round trip per question.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sqlx::{
    Executor as _,
    postgres::{PgArguments, Postgres},
    query::QueryScalar,
    types::Json,
};

use super::{Error, Store, session::once, sql};
use crate::domain::{
    facts::{SovereignFacts, TenantFacts, VoucherFacts},
    tenant::{Named, Tenant},
    voucher::Voucher,
};

/// An account as its customer would read it, per currency.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Statement {
    /// The hub namespace.
    pub franchise: String,
    /// The customer.
    pub organization: String,
    /// Ledger time of the answer.
    pub as_of: Timestamp,
    /// Since when entries are listed; those before make up the opening balance.
    pub since: Option<Timestamp>,
    /// One per currency that the customer ever had.
    pub accounts: Vec<StatementAccount>,
}

/// The account in one currency; amounts in its minor units.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StatementAccount {
    /// ISO 4217 code.
    pub currency: String,
    /// How many decimals an amount has.
    pub decimals: u32,
    /// Whether it was closed.
    pub closed: bool,
    /// The balance before the first line.
    pub opening: i64,
    /// Every entry, in the order of time.
    pub lines: Vec<StatementLine>,
    /// The balance after the last line.
    pub closing: i64,
    /// Set aside for orders.
    pub held: i64,
    /// What can be spent now.
    pub spendable: i64,
    /// What is owed since entries were taken back.
    pub owed: i64,
    /// The credit that is left, in the order in which it is spent.
    pub lots: Vec<StatementLot>,
    /// End of the last paid period.
    pub paid_until: Option<Timestamp>,
    /// What falls due next.
    pub renewal: Option<StatementRenewal>,
}

/// Credit of one origin.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StatementLot {
    /// The entry that granted it.
    pub entry: i64,
    /// Where it came from.
    pub source: String,
    /// How much was granted.
    pub granted: i64,
    /// How much of it is left.
    pub left: i64,
    /// How much of that is set aside.
    pub held: i64,
    /// When it expires; never if not.
    pub expires_at: Option<Timestamp>,
}

/// The next renewal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StatementRenewal {
    /// When it falls due.
    pub due_at: Timestamp,
    /// The plan.
    pub plan: String,
    /// What it costs.
    pub amount: i64,
}

/// One entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StatementLine {
    /// When it was committed; of credit that expired, when it did.
    pub at: Timestamp,
    /// Its number; none for credit that expired and is not booked yet.
    pub entry: Option<i64>,
    /// What kind of entry, such as `redeem`.
    pub kind: String,
    /// What it did to the balance.
    pub amount: i64,
    /// Why.
    pub cause: Option<String>,
}

/// A row that breaks an invariant.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Violation {
    /// Which one, as a sentence.
    pub invariant: String,
    /// The franchise.
    pub namespace: String,
    /// Which row, and how.
    pub what: String,
}

impl Store {
    /// What there is to know of a Sovereign whose cluster is this one now, if it answers.
    ///
    /// # Errors
    /// The database does not serve.
    pub async fn observe_sovereign(
        &self,
        namespace: &str,
        name: &str,
        cluster: Option<&str>,
    ) -> Result<SovereignFacts, Error> {
        let call = sqlx::query_scalar(sql::OBSERVE_SOVEREIGN)
            .bind(namespace.to_owned())
            .bind(name.to_owned())
            .bind(cluster.map(str::to_owned));
        self.read("look up a Sovereign", call).await
    }

    /// # Errors
    /// The database does not serve.
    pub async fn observe_voucher(&self, voucher: &Voucher) -> Result<VoucherFacts, Error> {
        let call = sqlx::query_scalar(sql::OBSERVE_VOUCHER)
            .bind(voucher.namespace.clone())
            .bind(voucher.sovereign.clone())
            .bind(voucher.name.clone())
            .bind(voucher.code.code().ok().map(|code| code.digest().0.to_vec()));
        self.read("look up a Voucher", call).await
    }

    /// # Errors
    /// The database does not serve.
    pub async fn observe_tenant(&self, tenant: &Tenant) -> Result<TenantFacts, Error> {
        let (mut digests, mut holders) = (vec![], vec![]);
        for named in &tenant.vouchers {
            match named {
                Named::Code(given) => {
                    digests.extend(given.code().ok().map(|code| code.digest().0.to_vec()));
                }
                Named::Holder(holder) => holders.push(holder.clone()),
            }
        }
        let call = sqlx::query_scalar(sql::OBSERVE_TENANT)
            .bind(tenant.namespace.clone())
            .bind(tenant.name.clone())
            .bind(tenant.organization.clone())
            .bind(tenant.sovereign.clone())
            .bind(tenant.plan.clone())
            .bind(format!("{} seconds", tenant.grace))
            .bind(tenant.warn.clone())
            .bind(digests)
            .bind(holders);
        self.read("look up a Tenant", call).await
    }

    /// The account of an organization, with the entries since an instant, else all of them.
    ///
    /// # Errors
    /// The database does not serve.
    pub async fn statement(
        &self,
        namespace: &str,
        organization: &str,
        since: Option<Timestamp>,
    ) -> Result<Statement, Error> {
        let call = sqlx::query_scalar(sql::STATEMENT)
            .bind(namespace.to_owned())
            .bind(organization.to_owned())
            .bind(since.map(|since| since.to_string()));
        self.read("read a statement", call).await
    }

    /// Every row that breaks an invariant of the ledger; there are none in an honest one.
    ///
    /// # Errors
    /// The database does not serve.
    pub async fn verify(&self) -> Result<Vec<Violation>, Error> {
        self.audit(sql::VERIFY).await
    }

    /// Every row that does not agree with the seals.
    ///
    /// # Errors
    /// The database does not serve.
    pub async fn verify_sealed(&self) -> Result<Vec<Violation>, Error> {
        self.audit(sql::VERIFY_SEALED).await
    }

    async fn audit(&self, statement: &'static str) -> Result<Vec<Violation>, Error> {
        let task = async {
            let mut connection = self.pool.acquire().await?;
            // A large ledger takes longer than any call of the operator may.
            connection.execute("set statement_timeout = 0").await?;
            let found = sqlx::query_as(statement).fetch_all(&mut *connection).await;
            drop(connection.detach());
            found
        };
        task.await.map_err(|source| Error::of("verify the ledger", source))
    }

    pub(super) async fn read<T: DeserializeOwned + Send + Unpin + 'static>(
        &self,
        doing: &'static str,
        call: QueryScalar<'static, Postgres, Json<T>, PgArguments>,
    ) -> Result<T, Error> {
        once(&self.pool, doing, |on| Box::pin(call.fetch_one(on))).await.map(|Json(facts)| facts)
    }
}
