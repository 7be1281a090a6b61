//! How every visit ends: the status is written if it changed, what is news is told, and the next
//! visit has a time.

use std::time::Duration;

use jiff::Timestamp;
use kube::{Resource, ResourceExt as _, runtime::controller::Action};

use super::{Context, Error, conditions, error::Class, reported::Reported, retry};
use crate::{
    clock,
    cluster::Ours,
    domain::{
        reason::{Outlook, Reason},
        verdict::Verdict,
    },
};

/// An object that makes progress is looked at this soon even if nothing tells of it.
const PROGRESS_EVERY: Duration = Duration::from_secs(30);
/// And one whose deletion is held: where the namespace is no franchise any more, nothing tells of
/// an answer.
const HELD_EVERY: Duration = Duration::from_mins(1);

/// When an object is visited again if nothing tells of a change before.
#[must_use]
pub(super) fn next_visit<K: Resource<DynamicType = ()>>(
    object: &K,
    verdict: &Verdict,
    change: Option<(Timestamp, Timestamp)>,
) -> Action {
    let until = change.map(|(now, next)| next.duration_since(now).unsigned_abs());
    let until = match verdict {
        Verdict::Gone => return Action::await_change(),
        Verdict::Again => Some(Duration::ZERO),
        Verdict::Ready => until,
        Verdict::Waiting(Reason::MassDeletionHeld { .. }) => Some(HELD_EVERY),
        Verdict::Waiting(reason) => match reason.outlook() {
            Outlook::Progressing | Outlook::Unknown => Some(PROGRESS_EVERY),
            Outlook::Missing => {
                let patience = missing_for(object);
                Some(until.map_or(patience, |until| until.min(patience)))
            }
            Outlook::Stalled => until,
        },
    };
    Action::requeue(retry::resync(&key(object), until))
}

/// How long until what is missing counts as a mistake.
fn missing_for<K: Resource>(object: &K) -> Duration {
    let age =
        object.meta().creation_timestamp.as_ref().map_or(Duration::ZERO, |created| {
            clock::now().duration_since(created.0).unsigned_abs()
        });
    match conditions::MISSING_MAX.checked_sub(age) {
        Some(rest) => rest + Duration::from_secs(1),
        None => Duration::MAX,
    }
}

/// As often in a row may a visit fail of what settles by itself before people are told: half a
/// minute or so.
const UNTOLD_MAX: u32 = 8;

/// What is to be reported: not that somebody else wrote first or that a cluster did not answer this
/// once, which the next visits settle, and nothing by a process that another one has followed.
///
/// # Errors
/// The visit is to be repeated without a word.
pub(super) fn reportable<K: Resource<DynamicType = ()>, V>(
    ctx: &Context,
    object: &K,
    visit: Result<V, Error>,
) -> Result<Result<V, Error>, Error> {
    let settles = |error: &Error| match error.class() {
        Class::Fenced => true,
        Class::Conflict => ctx.retries.failures(&key(object)) < UNTOLD_MAX,
        _ => error.is_passing() && ctx.retries.failures(&key(object)) < UNTOLD_MAX,
    };
    match visit {
        Err(error) if settles(&error) => Err(error),
        other => Ok(other),
    }
}

/// Writes a status if it differs from the one that stands, and tells what is news in it.
///
/// # Errors
/// The hub does not answer, or refuses.
pub(super) async fn publish<K, S>(
    ctx: &Context,
    object: &K,
    known: Option<&S>,
    status: &S,
) -> Result<(), Error>
where
    K: Ours,
    S: Reported,
{
    let name = key(object);
    ctx.metrics.reported(kind_name::<K>(), &place(object), status.counted());
    let copy = object.meta().resource_version.as_deref();
    if ctx.published.stands(&name, (copy, known), status) {
        return Ok(());
    }
    ctx.host.report(object, status).await?;
    ctx.published.wrote(&name, copy, status);
    ctx.metrics.wrote_status(kind_name::<K>());
    let known = known.map(Reported::conditions).unwrap_or_default();
    for notice in conditions::news(known, status.conditions()) {
        tracing::info!(object = name, reason = notice.reason, "{}", notice.message);
        ctx.host.tell(object, notice).await;
    }
    Ok(())
}

/// What is said of an object that may go: nothing, unless somebody else holds it yet.
pub(super) fn last_words<K: Resource>(object: &K, ours: &str) -> Option<Verdict> {
    let others = object.finalizers().iter().map(String::as_str).filter(|name| *name != ours);
    let others = others.collect::<Vec<_>>();
    let waits = Verdict::Waiting(Reason::FinalizersRemain { finalizers: others.join(", ") });
    (!others.is_empty()).then_some(waits)
}

/// Namespace and name of an object.
pub(super) fn place<K: Resource<DynamicType = ()>>(object: &K) -> (String, String) {
    (object.namespace().unwrap_or_default(), object.name_any())
}

pub(super) fn kind_name<K: Resource<DynamicType = ()>>() -> &'static str {
    match K::kind(&()) {
        std::borrow::Cow::Borrowed(name) => name,
        std::borrow::Cow::Owned(_) => "other",
    }
}

/// An object in logs and in the count of failures.
pub(super) fn key<K: Resource<DynamicType = ()>>(object: &K) -> String {
    let namespace = object.namespace().unwrap_or_default();
    format!("{} {namespace}/{}", kind_name::<K>(), object.name_any())
}
