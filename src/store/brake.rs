//! What the ledger keeps for the brake on mass deletion.

use jiff::Timestamp;

use super::{Answer, Door, Error, Store, sql};
use crate::domain::brake::{Awake, DeletionFacts, Word};

impl Store {
    /// What was judged of an object under deletion, and which others of its franchise went around
    /// the same time.
    ///
    /// # Errors
    /// The database does not serve.
    pub async fn observe_deletions(
        &self,
        namespace: &str,
        uid: &str,
        at: Timestamp,
    ) -> Result<DeletionFacts, Error> {
        let call = sqlx::query_scalar(sql::OBSERVE_DELETIONS)
            .bind(namespace.to_owned())
            .bind(uid.to_owned())
            .bind(at.to_string());
        self.read("look up deletions", call).await
    }

    /// The Tenants of every Sovereign of all franchises, whether they have an object or not.
    ///
    /// # Errors
    /// The database does not serve.
    pub async fn observe_awake(&self) -> Result<Vec<Awake>, Error> {
        self.read("look up Tenants", sqlx::query_scalar(sql::OBSERVE_AWAKE)).await
    }
}

#[allow(clippy::missing_errors_doc, reason = "all calls fail alike, as the type says")]
impl Door {
    /// Writes down whether a deletion is held and what was said before it, once for each object;
    /// after that, that the object is still there.
    pub async fn judge_deletion(
        &self,
        namespace: &str,
        (kind, uid): (&str, &str),
        at: Timestamp,
        (is_held, stood): (bool, Option<Word>),
    ) -> Result<Answer, Error> {
        let (at, is_held) = (at.to_string(), is_held.to_string());
        let names = [kind, uid, &at, &is_held, stood.map_or("", Word::name)];
        self.call_named("judge a deletion", sql::JUDGE_DELETION, namespace, names).await
    }

    /// Writes down what a person answered to a deletion that is held, once for each object.
    pub async fn answer_deletion(
        &self,
        namespace: &str,
        uid: &str,
        word: Word,
    ) -> Result<Answer, Error> {
        let names = [uid, word.name()];
        self.call_named("answer a deletion", sql::ANSWER_DELETION, namespace, names).await
    }

    /// Lets what stood in a namespace, and was taken away since, be an answer when said again.
    pub async fn forget_word(&self, namespace: &str) -> Result<Answer, Error> {
        self.call_named("forget a word", sql::FORGET_WORD, namespace, []).await
    }

    /// Lets a franchise whose namespace goes continue under the next UID of that name, once.
    pub async fn expect_successor(&self, namespace: &str) -> Result<Answer, Error> {
        self.call_named("expect a namespace", sql::EXPECT_SUCCESSOR, namespace, []).await
    }
}
