//! Doing what was decided, in order. Writes only; every step can be repeated.

use super::{decide::Step, observe::Seen};
use crate::{
    api,
    controllers::{Context, Error},
    domain::voucher::Voucher,
    store::{Door, VoucherTerms},
};

/// Takes the steps, each only if the ones before succeeded. That the ledger refuses is no error:
/// the next turn sees why.
///
/// # Errors
/// The ledger or the hub failed; the steps before stand.
pub(super) async fn act(
    steps: Vec<Step>,
    object: &api::Voucher,
    wanted: &Voucher,
    seen: &Seen,
    (ctx, door): (&Context, &Door),
) -> Result<(), Error> {
    for step in steps {
        let answer = match step {
            Step::Hold => {
                ctx.host.hold(object, api::VOUCHER_FINALIZER).await?;
                continue;
            }
            Step::LetGo => {
                ctx.host.let_go(object, api::VOUCHER_FINALIZER).await?;
                continue;
            }
            Step::Accept => {
                let subject = wanted.subject(&seen.facts)?;
                door.accept_voucher(VoucherTerms(wanted, &subject.code)).await?
            }
            Step::Retire => door.retire(&wanted.namespace, &wanted.name).await?,
        };
        ctx.metrics.answered(&answer);
    }
    Ok(())
}
