//! A Tenant: paid before it is made, captured when it stands, gone before it is forgotten.

mod act;
mod decide;
mod observe;
mod report;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use kube::runtime::controller::Action;
use observe::Seen;

use super::{Context, Error, TURNS_MAX, brake, exit, object::ObjectState};
use crate::{
    api, clock,
    domain::{reason::Reason, tenant::Tenant, verdict::Verdict},
};

/// What a visit found and came to.
struct Visit {
    wanted: Tenant,
    seen: Seen,
    verdict: Verdict,
}

/// One visit to one Tenant. The same lines open `voucher.rs` and `sovereign.rs`.
///
/// # Errors
/// A turn failed, which is reported, or the report did; the visit is repeated.
pub(super) async fn reconcile(
    object: Arc<api::Tenant>,
    ctx: Arc<Context>,
) -> Result<Action, Error> {
    let visit = visit(&object, &ctx).await; // No `?`: a failed visit is reported too.
    let Some(visit) = visit.transpose() else { return Ok(Action::await_change()) };
    let visit = exit::reportable(&ctx, &*object, visit)?;
    let status = report::status(&object, &visit, clock::now());
    exit::publish(&ctx, &*object, object.status.as_ref(), &status).await?;
    visit.map(|visit| exit::next_visit(&*object, &visit.verdict, visit.seen.next_change()))
}

/// Turn after turn, until nothing is left to do at once; none where another process acts, where it
/// is not known yet whether the cluster can be used, or of what is gone.
async fn visit(object: &api::Tenant, ctx: &Context) -> Result<Option<Visit>, Error> {
    let mut wanted = Tenant::parse(object)?; // The last line that sees a raw spec.
    let Some(epoch) = ctx.ownership.epoch_for(&wanted.namespace, &wanted.sovereign)? else {
        return Ok(None);
    };
    let door = ctx.door.under(epoch);
    let mut state = ObjectState::of(object, api::TENANT_FINALIZER);
    state.ruling = brake::rule(object, state, (ctx, &door)).await?;
    for _ in 0..TURNS_MAX {
        // Reads only.
        let Some(seen) = observe::observe(&mut wanted, state, ctx).await? else { return Ok(None) };
        let (steps, verdict) = decide::decide(&wanted, state, &seen); // Pure.
        act::act(steps, object, &wanted, &seen, (ctx, &door)).await?; // Each step can be repeated.
        match verdict {
            Verdict::Again => {}
            Verdict::Gone => {
                let words = exit::last_words(object, api::TENANT_FINALIZER);
                return Ok(words.map(|verdict| Visit { wanted, seen, verdict }));
            }
            _ => return Ok(Some(Visit { wanted, seen, verdict })),
        }
        state = state.after_a_turn();
    }
    let Some(seen) = observe::observe(&mut wanted, state, ctx).await? else { return Ok(None) };
    let verdict = Verdict::Waiting(Reason::Unsettled {});
    Ok(Some(Visit { wanted, seen, verdict }))
}
