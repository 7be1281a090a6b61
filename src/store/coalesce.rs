//! Redemptions that wait at the same time share a commit.
//!
//! Every redemption of a popular voucher updates one row, so one by one they cannot be faster than
//! commits on that row. A lane takes whatever waits when it is free, without a delay of its own,
//! and sends it in one statement; each caller gets its own answer. All lanes take from one queue:
//! one prepares its batch while the commit of the other is under way, of the same voucher, too,
//! since its gate comes last.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use sqlx::postgres::PgPool;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::{
    Answer, Error,
    answer::read,
    session::{Call, once, persist},
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
pub(super) struct Lanes(mpsc::Sender<Waiting>);

impl Lanes {
    pub(super) fn new(pool: &PgPool) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        let queue = Arc::new(Mutex::new(receiver));
        for _ in 0..LANES {
            tokio::spawn(serve(pool.clone(), queue.clone()));
        }
        Self(sender)
    }

    /// Queues a redemption and waits for its own answer. It takes place even if the caller goes.
    pub(super) async fn redeem(&self, call: Redemption) -> Result<Answer, Error> {
        let (answer, waiting) = oneshot::channel();
        let gone = |what: &str| Error::Bug {
            doing: DOING,
            source: sqlx::Error::Io(std::io::Error::other(what.to_owned())),
        };
        self.0.send((call, answer)).await.map_err(|_| gone("the lanes ended"))?;
        waiting.await.unwrap_or_else(|_| Err(gone("the lane lost an answer")))
    }
}

async fn serve(pool: PgPool, queue: Arc<Mutex<mpsc::Receiver<Waiting>>>) {
    let mut batch = vec![];
    // The queue is another lane's again before this one works.
    while queue.lock().await.recv_many(&mut batch, BATCH_MAX).await > 0 {
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

/// Redeems together, and then alone what comes alone, what the batch left out, or each if all
/// failed together; the key makes that safe. A caller that went away has its redemption all the
/// same.
async fn redeem(pool: &PgPool, mut waiting: Vec<Waiting>) {
    if waiting.len() > 1 {
        let calls: Vec<Redemption> = waiting.iter().map(|(call, _)| call.clone()).collect();
        let together = tokio::time::timeout(PATIENCE, batch(pool, calls)).await;
        if let Ok(Ok(answers)) = together
            && answers.len() == waiting.len()
        {
            let mut left_out = vec![];
            for ((call, caller), answer) in waiting.into_iter().zip(answers) {
                match answer {
                    Some(answer) => drop(caller.send(answer)),
                    None => left_out.push((call, caller)),
                }
            }
            waiting = left_out;
        }
    }
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

/// Answers in the order of the calls, which are of one franchise and one epoch; none to a call that
/// the ledger wants alone.
async fn batch(
    pool: &PgPool,
    calls: Vec<Redemption>,
) -> Result<Vec<Option<Result<Answer, Error>>>, Error> {
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
    let (outcomes, details): (Vec<Option<String>>, Vec<Option<String>>) =
        once(pool, DOING, |on| Box::pin(call.fetch_one(on))).await?;
    let answers = outcomes.into_iter().zip(details);
    Ok(answers.map(|(outcome, detail)| Some(read(DOING, outcome?, detail))).collect())
}
