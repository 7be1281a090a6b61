//! Sealing the ledger, and stopping the money of a franchise until a person decides.

use serde::Deserialize;

use super::{Answer, Door, Error, Refusal, Store, session::persist, sql};
use crate::domain::seal::Seals;

/// Entries per block, about: enough to catch up fast, few enough for one call.
const ENTRIES_MAX: i32 = 10_000;

#[derive(Deserialize)]
struct Detail {
    entries: i64,
}

impl Door {
    /// Seals what is committed, of all franchises, and gives how many entries that were. Anybody
    /// may at any time: it moves no money, and two at once make one chain. On a server that nobody
    /// accepted nothing is sealed.
    ///
    /// # Errors
    /// As every call.
    pub async fn seal(&self) -> Result<i64, Error> {
        let mut sealed = 0;
        loop {
            // Nobody follows the seals, so nobody is told.
            let answer = persist(&self.pool, "seal the ledger", || {
                sqlx::query_as(sql::SEAL).bind(ENTRIES_MAX)
            });
            let entries = match answer.await? {
                Answer::Done(done) => done.response.and_then(|detail| {
                    serde_json::from_str(&detail).ok().map(|detail: Detail| detail.entries)
                }),
                Answer::Refused(_) => None,
            };
            let entries = entries.unwrap_or_default();
            sealed += entries;
            if entries < i64::from(ENTRIES_MAX) {
                return Ok(sealed);
            }
        }
    }

    /// Stops the money of a franchise, and tells whether it is stopped: not if a person has
    /// accepted just this. The UID founds one that the ledger does not know.
    ///
    /// # Errors
    /// As every call, but that it is frozen is what was asked for.
    pub async fn freeze(
        &self,
        (namespace, uid): (&str, Option<&str>),
        why: &str,
    ) -> Result<bool, Error> {
        let (namespace, uid) = (namespace.to_owned(), uid.map(str::to_owned));
        let (epoch, why) = (self.epoch, why.to_owned());
        let answer = self.call("freeze a franchise", move || {
            sqlx::query_as(sql::FREEZE)
                .bind(namespace.clone())
                .bind(uid.clone())
                .bind(epoch)
                .bind(why.clone())
        });
        match answer.await {
            Ok(Answer::Refused(Refusal::NoFranchise)) | Err(Error::Frozen(_)) => Ok(true),
            Ok(_) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Lets the money of a franchise move again, as somebody decided, and accepts the ledger as it
    /// is.
    ///
    /// # Errors
    /// As every call.
    pub async fn thaw(&self, namespace: &str, reason: &str, actor: &str) -> Result<Answer, Error> {
        let texts = [namespace, reason, actor].map(str::to_owned);
        self.call("thaw a franchise", move || {
            let [namespace, reason, actor] = texts.clone();
            sqlx::query_as(sql::THAW).bind(namespace).bind(reason).bind(actor)
        })
        .await
    }
}

impl Store {
    /// What the ledger says of its seals, and of these blocks by their franchise.
    ///
    /// # Errors
    /// The database does not serve.
    pub async fn seals(&self, blocks: &[(&str, i32)]) -> Result<Seals, Error> {
        let (names, blocks): (Vec<String>, Vec<i32>) =
            blocks.iter().map(|(name, block)| ((*name).to_owned(), *block)).unzip();
        let call = sqlx::query_scalar(sql::SEALS).bind(names).bind(blocks);
        self.read("look at the seals", call).await
    }
}
