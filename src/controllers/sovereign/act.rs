//! Doing what was decided, in order. Writes only; every step can be repeated.

use super::{decide::Step, observe::Seen};
use crate::{
    api,
    controllers::{Context, Error},
    domain::sovereign::Sovereign,
    store::Door,
};

/// Takes the steps, each only if the ones before succeeded. That the ledger refuses is no error:
/// the next turn sees why.
///
/// # Errors
/// The ledger or the hub failed; the steps before stand.
pub(super) async fn act(
    steps: Vec<Step>,
    object: &api::Sovereign,
    wanted: &Sovereign,
    seen: &Seen,
    (ctx, door): (&Context, &Door),
) -> Result<(), Error> {
    for step in steps {
        let answer = match step {
            Step::Hold => {
                ctx.host.hold(object, api::SOVEREIGN_FINALIZER).await?;
                continue;
            }
            Step::LetGo => {
                ctx.host.let_go(object, api::SOVEREIGN_FINALIZER).await?;
                continue;
            }
            Step::Accept => {
                let uid = seen.franchise.as_ref().map_or("", |franchise| &franchise.uid);
                let currency = (wanted.currency.code(), seen.cluster.as_str());
                let franchise = (wanted.namespace.as_str(), uid);
                door.accept_sovereign(franchise, &wanted.name, currency, &wanted.plans).await?
            }
            Step::AcceptFranchise => {
                let uid = seen.franchise.as_ref().map_or("", |franchise| &franchise.uid);
                door.accept_franchise(&wanted.namespace, uid).await?
            }
            Step::Close => door.close_sovereign(&wanted.namespace, &wanted.name).await?,
        };
        ctx.metrics.answered(&answer);
    }
    Ok(())
}
