//! A Sovereign: what it sells accepted by the ledger, its cluster known, its object kept until no
//! Tenant needs it.

mod act;
mod decide;
mod observe;
mod report;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use kube::{ResourceExt as _, runtime::controller::Action};
use observe::Seen;

use super::{Context, Error, TURNS_MAX, brake, exit, object::ObjectState};
use crate::{
    api, clock,
    domain::{reason::Reason, sovereign::Sovereign, verdict::Verdict},
};

/// What a visit found and came to.
struct Visit {
    seen: Seen,
    verdict: Verdict,
}

/// One visit to one Sovereign. The same lines open `tenant.rs` and `voucher.rs`.
///
/// # Errors
/// A turn failed, which is reported, or the report did; the visit is repeated.
pub(super) async fn reconcile(
    object: Arc<api::Sovereign>,
    ctx: Arc<Context>,
) -> Result<Action, Error> {
    let visit = visit(&object, &ctx).await; // No `?`: a failed visit is reported too.
    let Some(visit) = visit.transpose() else { return Ok(Action::await_change()) };
    let visit = exit::reportable(&ctx, &*object, visit)?;
    let status = report::status(&object, &visit, clock::now());
    exit::publish(&ctx, &*object, object.status.as_ref(), &status).await?;
    visit.map(|visit| {
        // Of one that was let go nothing is counted.
        if !matches!(visit.verdict, Verdict::Waiting(Reason::FinalizersRemain { .. })) {
            count(&ctx, &visit.seen, &object);
        }
        exit::next_visit(&*object, &visit.verdict, report::next_change(&visit.seen))
    })
}

fn count(ctx: &Context, seen: &Seen, object: &api::Sovereign) {
    let place = (object.namespace().unwrap_or_default(), object.name_any());
    let expires = seen.remote().and_then(report::until);
    let expires = expires.map(|validity| validity.until.as_second());
    let tombstones = report::organizations(seen);
    ctx.metrics.sovereign(&place, seen.cluster().is_some(), expires, tombstones);
}

/// Whether an operator that has just begun does not know yet whether the cluster of a Sovereign
/// answers. What was reported before stays until its link finds out, which wakes the Sovereign.
fn is_open(seen: &Seen, verdict: &Verdict) -> bool {
    let is_accepted = seen.facts.sovereign.as_ref().is_some_and(|accepted| !accepted.closed);
    is_accepted && *verdict == Verdict::Waiting(Reason::Connecting {})
}

/// Turn after turn, until nothing is left to do at once; none where another process acts, where a
/// cluster that was accepted is not known yet to answer, or of what is gone.
async fn visit(object: &api::Sovereign, ctx: &Context) -> Result<Option<Visit>, Error> {
    let wanted = Sovereign::parse(object)?; // The last line that sees a raw spec.
    let Some(epoch) = ctx.ownership.epoch_for(&wanted.namespace, &wanted.name)? else {
        return Ok(None);
    };
    let door = ctx.door.under(epoch);
    let mut state = ObjectState::of(object, api::SOVEREIGN_FINALIZER);
    state.ruling = brake::rule(object, state, (ctx, &door)).await?;
    for _ in 0..TURNS_MAX {
        let seen = observe::observe(&wanted, state, ctx).await?; // Reads only.
        let (steps, verdict) = decide::decide(&wanted, state, &seen); // Pure.
        act::act(steps, object, &wanted, &seen, (ctx, &door)).await?; // Each can be repeated.
        if is_open(&seen, &verdict) {
            return Ok(None);
        }
        match verdict {
            Verdict::Again => {}
            Verdict::Gone => {
                let words = exit::last_words(object, api::SOVEREIGN_FINALIZER);
                return Ok(words.map(|verdict| Visit { seen, verdict }));
            }
            _ => return Ok(Some(Visit { seen, verdict })),
        }
        state = state.after_a_turn();
    }
    let seen = observe::observe(&wanted, state, ctx).await?;
    let verdict = Verdict::Waiting(Reason::Unsettled {});
    Ok(Some(Visit { seen, verdict }))
}
