//! What a person does to an account without a voucher.

use super::{Answer, Door, Error, session::Call, sql};
use crate::domain::money::Money;

/// Why a person moves money, who it is, and the key under which it happens once.
#[derive(Clone, Debug)]
pub struct Why {
    /// The key: the same one with the same input answers with the same bytes, and with another
    /// input it is refused. 1 to 150 bytes.
    pub key: String,
    /// The reason, which the customer reads in the statement. 1 to 500 characters.
    pub reason: String,
    /// Who it is. 1 to 200 characters.
    pub actor: String,
}

#[allow(clippy::missing_errors_doc, reason = "all calls fail alike, as the type says")]
impl Door {
    /// Gives an organization credit, which expires after so many seconds if that is given.
    pub async fn credit(
        &self,
        (namespace, organization): (&str, &str),
        amount: &Money,
        expires_after: Option<i64>,
        why: &Why,
    ) -> Result<Answer, Error> {
        let names = [namespace, organization, amount.currency.code()].map(str::to_owned);
        let (minor, why) = (amount.minor, why.clone());
        self.call("credit an account", move || {
            let [namespace, organization, currency] = names.clone();
            ask(sql::CREDIT, namespace, &why)
                .bind(organization)
                .bind(currency)
                .bind(minor)
                .bind(expires_after.map(|seconds| format!("{seconds} seconds")))
        })
        .await
    }

    /// Takes an entry that granted credit back: what is left of it returns to where it came from,
    /// and what was spent of it is owed.
    pub async fn reverse(&self, namespace: &str, entry: i64, why: &Why) -> Result<Answer, Error> {
        let (namespace, why) = (namespace.to_owned(), why.clone());
        self.call("reverse an entry", move || {
            ask(sql::REVERSE, namespace.clone(), &why).bind(entry)
        })
        .await
    }

    /// Closes the account of an organization that sleeps, in one currency.
    pub async fn close(
        &self,
        (namespace, organization): (&str, &str),
        currency: &str,
        why: &Why,
    ) -> Result<Answer, Error> {
        let names = [namespace, organization, currency].map(str::to_owned);
        let why = why.clone();
        self.call("close an account", move || {
            let [namespace, organization, currency] = names.clone();
            ask(sql::CLOSE, namespace, &why).bind(organization).bind(currency)
        })
        .await
    }
}

/// What every correction begins with.
fn ask(statement: &'static str, namespace: String, why: &Why) -> Call {
    sqlx::query_as(statement)
        .bind(namespace)
        .bind(why.key.clone())
        .bind(why.reason.clone())
        .bind(why.actor.clone())
}
