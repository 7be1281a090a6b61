//! Redemptions that wait at the same time share a commit.
//!
//! Every redemption of a popular voucher updates one row, so one by one they cannot be faster than
//! commits on that row. A lane takes whatever waits when it is free, without a delay of its own,
//! and sends it in one statement; each caller gets its own answer. Redemptions of one voucher go
//! through one lane, so that lanes do not wait for each other.

use std::time::Duration;

use futures::future::join_all;
use sqlx::postgres::PgPool;
use tokio::sync::{mpsc, oneshot};

use super::{
    Answer, Error,
    answer::read,
    door::{Call, persist},
    session::once,
    sql,
};
use crate::domain::code::Digest;

const DOING: &str = "redeem a voucher";
/// One per core of a small database server.
const LANES: usize = 2;
/// Redemptions in one statement: enough to make the commit cheap, few enough to be answered soon.
const BATCH_MAX: usize = 128;
/// Callers who may wait before others wait to be let in.
const QUEUE_MAX: usize = 4096;
/// A batch waits for a lock no longer than this before its items go alone.
const PATIENCE: Duration = Duration::from_secs(4);

/// One redemption on its way.
#[derive(Clone, Debug)]
pub(super) struct Redemption {
    pub(super) namespace: String,
    pub(super) epoch: Option<i64>,
    pub(super) key: String,
    pub(super) code: Digest,
    pub(super) organization: String,
    pub(super) sovereign: String,
    pub(super) plan: String,
}

type Waiting = (Redemption, oneshot::Sender<Result<Answer, Error>>);

/// Where callers queue. The lanes end when the last door is closed.
#[derive(Clone)]
pub(super) struct Lanes([mpsc::Sender<Waiting>; LANES]);

impl Lanes {
    pub(super) fn new(pool: &PgPool) -> Self {
        Self(std::array::from_fn(|_| {
            let (sender, receiver) = mpsc::channel(QUEUE_MAX);
            tokio::spawn(serve(pool.clone(), receiver));
            sender
        }))
    }

    /// Queues a redemption and waits for its own answer. It takes place even if the caller goes.
    pub(super) async fn redeem(&self, call: Redemption) -> Result<Answer, Error> {
        let (answer, waiting) = oneshot::channel();
        let [first, second] = &self.0;
        let lane =
            if call.code.0.first().is_some_and(|byte| byte % 2 == 0) { first } else { second };
        let gone = |what: &str| Error::Bug {
            doing: DOING,
            source: sqlx::Error::Io(std::io::Error::other(what.to_owned())),
        };
        lane.send((call, answer)).await.map_err(|_| gone("the lane ended"))?;
        waiting.await.unwrap_or_else(|_| Err(gone("the lane lost an answer")))
    }
}

async fn serve(pool: PgPool, mut queue: mpsc::Receiver<Waiting>) {
    let mut batch = vec![];
    while queue.recv_many(&mut batch, BATCH_MAX).await > 0 {
        // One statement is for one franchise and one epoch.
        while let Some((first, _)) = batch.first() {
            let (namespace, epoch) = (first.namespace.clone(), first.epoch);
            let (alike, rest) = batch
                .drain(..)
                .partition(|(call, _)| call.namespace == namespace && call.epoch == epoch);
            batch = rest;
            redeem(&pool, alike).await;
        }
    }
}

async fn redeem(pool: &PgPool, waiting: Vec<Waiting>) {
    if waiting.len() > 1 {
        let calls: Vec<Redemption> = waiting.iter().map(|(call, _)| call.clone()).collect();
        let together = tokio::time::timeout(PATIENCE, batch(pool, calls)).await;
        if let Ok(Ok(answers)) = together
            && answers.len() == waiting.len()
        {
            for ((_, caller), answer) in waiting.into_iter().zip(answers) {
                // A caller that went away has its redemption all the same.
                let _gone = caller.send(answer);
            }
            return;
        }
    }
    // Alone, or each by a call of its own after all failed together; the key makes that safe.
    join_all(waiting.into_iter().map(async |(call, caller)| {
        let _gone = caller.send(persist(pool, DOING, || single(&call)).await);
    }))
    .await;
}

fn single(call: &Redemption) -> Call {
    sqlx::query_as(sql::REDEEM)
        .bind(call.namespace.clone())
        .bind(call.epoch)
        .bind(call.key.clone())
        .bind(call.code.0.to_vec())
        .bind(call.organization.clone())
        .bind(call.sovereign.clone())
        .bind(call.plan.clone())
}

/// Answers in the order of the calls, which are of one franchise and one epoch.
async fn batch(pool: &PgPool, calls: Vec<Redemption>) -> Result<Vec<Result<Answer, Error>>, Error> {
    let Some(Redemption { namespace, epoch, .. }) = calls.first().cloned() else {
        return Ok(vec![]);
    };
    let column = |of: fn(&Redemption) -> &String| calls.iter().map(of).cloned().collect::<Vec<_>>();
    let codes: Vec<Vec<u8>> = calls.iter().map(|call| call.code.0.to_vec()).collect();
    let call = sqlx::query_as(sql::REDEEM_BATCH)
        .bind(namespace)
        .bind(epoch)
        .bind(column(|call| &call.key))
        .bind(codes)
        .bind(column(|call| &call.organization))
        .bind(column(|call| &call.sovereign))
        .bind(column(|call| &call.plan));
    let mut rows: Vec<(i32, String, Option<String>)> =
        once(pool, DOING, |on| Box::pin(call.fetch_all(on))).await?;
    rows.sort_unstable_by_key(|(number, ..)| *number);
    Ok(rows.into_iter().map(|(_, outcome, response)| read(DOING, outcome, response)).collect())
}
