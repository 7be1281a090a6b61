//! Doing what was decided, in order. Writes only; every step can be repeated.

use super::{
    decide::{Step, secret_finalizer, secret_in_use},
    observe::{Seen, place},
};
use crate::{
    api,
    cluster::{Cluster, Kept, Notice, Standing},
    controllers::{Context, Error},
    domain::{
        facts::Tombstone,
        object::{Identity, Live},
        reason::Reason,
        sovereign::Sovereign,
    },
    store::{Door, Home},
};

/// Takes the steps, each only if the ones before succeeded. That the ledger refuses is no error:
/// the next turn sees why.
///
/// # Errors
/// The ledger, the hub or the cluster failed; the steps before stand.
pub(super) async fn act(
    steps: Vec<Step>,
    object: &api::Sovereign,
    wanted: &Sovereign,
    seen: &Seen,
    (ctx, door): (&Context, &Door),
) -> Result<(), Error> {
    let Sovereign { namespace, name, .. } = wanted;
    let uid = seen.franchise.as_ref().map_or("", |franchise| &franchise.uid);
    for step in steps {
        let answer = match step {
            Step::Darken => door.reach_sovereign(namespace, name, false).await?,
            Step::Lighten => door.reach_sovereign(namespace, name, true).await?,
            Step::AcceptCluster(cluster) => door.accept_cluster(namespace, name, &cluster).await?,
            Step::Accept(cluster) => {
                let home = Home {
                    currency: wanted.currency.code(),
                    cluster: &cluster,
                    secret: secret_in_use(wanted, seen).map(String::as_str),
                    abandon_after: wanted.abandon_after,
                };
                door.accept_sovereign((namespace, uid), name, home, &wanted.plans).await?
            }
            Step::AcceptFranchise => door.accept_franchise(namespace, uid).await?,
            Step::Condemn => door.condemn(namespace, name).await?,
            Step::Close => door.close_sovereign(namespace, name).await?,
            Step::Bury(gone) => {
                bury(&gone, namespace, (ctx, door)).await?;
                continue;
            }
            other => {
                reach_out(other, object, wanted, seen, ctx).await?;
                continue;
            }
        };
        ctx.metrics.answered(&answer);
    }
    Ok(())
}

/// The steps that are no business of the ledger.
async fn reach_out(
    step: Step,
    object: &api::Sovereign,
    wanted: &Sovereign,
    seen: &Seen,
    ctx: &Context,
) -> Result<(), Error> {
    let (namespace, place) = (wanted.namespace.as_str(), place(wanted));
    let finalizer = secret_finalizer(&wanted.name);
    match step {
        Step::Hold => ctx.host.hold(object, api::SOVEREIGN_FINALIZER).await?,
        Step::LetGo => ctx.host.let_go(object, api::SOVEREIGN_FINALIZER).await?,
        Step::HoldSecret => {
            let kept = seen.remote().map(|remote| &remote.kept);
            if let (Some(Kept::There(content)), Some(key)) = (kept, &wanted.secret) {
                let held = ctx.secrets.hold((namespace, &key.secret), content, &finalizer).await;
                held.map_err(|error| {
                    if error.is_forbidden() {
                        Error::Spec(Reason::SecretForbidden { secret: key.secret.clone() })
                    } else {
                        error.into()
                    }
                })?;
            }
        }
        Step::ReleaseSecret(secret) => {
            let released = ctx.secrets.let_go((namespace, &secret), &finalizer).await;
            match released {
                // The Role went first, and a namespace that leaves takes no new one: whoever may
                // write Secrets there has to help.
                Err(error) if error.is_forbidden() && is_leaving(seen) => {
                    ctx.host.tell(object, helpless(&secret, &finalizer)).await;
                }
                other => other?,
            }
        }
        Step::Offer(offer) => ctx.fleet.offer(&place, *offer).await?,
        Step::Disconnect => {
            ctx.fleet.forget(&place);
            ctx.metrics.forget_sovereign(&place);
        }
        Step::Remove(objects) => remove(&objects, wanted, seen, ctx).await?,
        _ => {}
    }
    Ok(())
}

fn is_leaving(seen: &Seen) -> bool {
    seen.franchise.as_ref().is_none_or(|franchise| franchise.is_leaving)
}

fn helpless(secret: &str, finalizer: &str) -> Notice {
    let message = format!(
        "the operator may not read Secret {secret} any more, so it cannot take its finalizer \
         {finalizer} off; remove that by hand"
    );
    Notice { reason: "SecretHeld".to_owned(), message, warning: true }
}

async fn remove(
    objects: &[Live],
    wanted: &Sovereign,
    seen: &Seen,
    ctx: &Context,
) -> Result<(), Error> {
    let known = seen.cluster().map(|cluster| cluster.uid.as_str());
    let cluster: Cluster = match ctx.fleet.view(&place(wanted)).standing {
        Standing::Up(cluster) if Some(cluster.uid()) == known => cluster,
        _ => return Err(Error::OutOfReach),
    };
    for object in objects {
        cluster.delete(object).await?;
    }
    Ok(())
}

/// Forgets what is gone, organization by organization.
async fn bury(
    gone: &[Tombstone],
    namespace: &str,
    (ctx, door): (&Context, &Door),
) -> Result<(), Error> {
    let same = |one: &Tombstone, other: &Tombstone| {
        one.organization == other.organization && one.item.cluster == other.item.cluster
    };
    for group in gone.chunk_by(same) {
        let Some(first) = group.first() else { continue };
        let identities: Vec<Identity> =
            group.iter().map(|tombstone| tombstone.item.identity.clone()).collect();
        let (organization, cluster) = (&first.organization, &first.item.cluster);
        let answer = door.forget(namespace, organization, cluster, &identities).await?;
        ctx.metrics.answered(&answer);
    }
    Ok(())
}
