//! Doing what was decided, in order. Writes only; every step can be repeated.

use super::{
    decide::{Step, item},
    observe::{Seen, is_on_hub, place},
};
use crate::{
    api,
    cluster::{Cluster, Standing},
    controllers::{Context, Error},
    domain::{
        facts::Item,
        object::{Identity, Kind, Live, Object},
        tenant::Tenant,
    },
    store::{Answer, Door},
};

/// Takes the steps, each only if the ones before succeeded. That the ledger refuses is no error:
/// the next turn sees why.
///
/// # Errors
/// The ledger or the cluster failed; the steps before stand.
pub(super) async fn act(
    steps: Vec<Step>,
    object: &api::Tenant,
    wanted: &Tenant,
    seen: &Seen,
    (ctx, door): (&Context, &Door),
) -> Result<(), Error> {
    let Tenant { namespace, name, organization, sovereign, plan, .. } = wanted;
    let customer = (organization.as_str(), sovereign.as_str(), plan.as_str());
    for step in steps {
        let answer = match step {
            Step::Hold => {
                ctx.host.hold(object, api::TENANT_FINALIZER).await?;
                continue;
            }
            Step::LetGo => {
                ctx.host.let_go(object, api::TENANT_FINALIZER).await?;
                continue;
            }
            Step::Apply(objects) => {
                apply(&objects, wanted, seen, (ctx, door)).await?;
                continue;
            }
            Step::Remove(objects) => {
                remove(&objects, wanted, seen, ctx).await?;
                continue;
            }
            Step::Claim => {
                door.claim(namespace, organization, name, (sovereign, wanted.grace)).await?
            }
            Step::Order => door.order(namespace, organization, sovereign, plan).await?,
            Step::Redeem(code) => {
                let key = format!("redeem/{organization}/{code}");
                door.redeem(namespace, &key, code, customer).await?
            }
            Step::RedeemAndHold { order, attempt, codes } => {
                let attempt = (order, attempt);
                door.redeem_and_hold(namespace, customer, attempt, &codes).await?
            }
            Step::Record(items) => {
                journal(&items, wanted, seen, (ctx, door)).await?;
                continue;
            }
            Step::Forget(gone) => {
                door.forget(namespace, organization, &seen.cluster, &gone).await?
            }
            Step::Capture(order) => door.capture(namespace, order).await?,
            Step::Release(order) => door.release(namespace, order).await?,
            Step::Leave => door.leave(namespace, organization, name).await?,
            Step::Abandon => door.abandon(namespace, organization, name).await?,
        };
        ctx.metrics.answered(&answer);
    }
    Ok(())
}

/// Makes objects: written down first, so that a crash leaves no orphan; namespaces before what
/// lies in them, policies before anything can run.
async fn apply(
    objects: &[Object],
    wanted: &Tenant,
    seen: &Seen,
    (ctx, door): (&Context, &Door),
) -> Result<(), Error> {
    let cluster = cluster(wanted, seen, ctx).await?;
    let announced = |identity: &Identity| Item {
        identity: identity.clone(),
        cluster: seen.cluster.clone(),
        uid: None,
    };
    // What stands already is in the inventory with its UID, which an announcement would drop.
    let absent = objects.iter().filter(|object| !seen.live.contains_key(&object.identity));
    let items: Vec<Item> = absent.map(|object| announced(&object.identity)).collect();
    journal(&items, wanted, seen, (ctx, door)).await?;
    let (namespaces, rest): (Vec<Object>, Vec<Object>) =
        objects.iter().cloned().partition(|object| object.identity.kind == Kind::Namespace);
    let (standing, absent): (Vec<Object>, Vec<Object>) =
        namespaces.into_iter().partition(|object| seen.live.contains_key(&object.identity));
    let mut made = cluster.apply_all(&standing).await?;
    for namespace in &absent {
        made.push(cluster.create(namespace).await?);
    }
    made.extend(cluster.apply_all(&rest).await?);
    let items: Vec<Item> = made.iter().map(|live| item(seen, live)).collect();
    journal(&items, wanted, seen, (ctx, door)).await
}

/// Writes objects down as the organization's, unless it was taken to another cluster meanwhile.
async fn journal(
    items: &[Item],
    wanted: &Tenant,
    seen: &Seen,
    (ctx, door): (&Context, &Door),
) -> Result<(), Error> {
    let Tenant { namespace, organization, .. } = wanted;
    let answer = door.journal(namespace, organization, &seen.cluster, items).await?;
    ctx.metrics.answered(&answer);
    match answer {
        Answer::Done(_) => Ok(()),
        Answer::Refused(_) => Err(Error::OutOfReach),
    }
}

/// The cluster that was seen, if it is still the one to use.
async fn cluster(wanted: &Tenant, seen: &Seen, ctx: &Context) -> Result<Cluster, Error> {
    match ctx.fleet.reach(&place(wanted), is_on_hub(&seen.facts)).await? {
        Standing::Up(cluster) if cluster.uid() == seen.cluster => Ok(cluster),
        _ => Err(Error::OutOfReach),
    }
}

async fn remove(
    objects: &[Live],
    wanted: &Tenant,
    seen: &Seen,
    ctx: &Context,
) -> Result<(), Error> {
    let cluster = cluster(wanted, seen, ctx).await?;
    for object in objects {
        cluster.delete(object).await?;
    }
    Ok(())
}
