//! What the ledger, the Secret and the cluster say about a Sovereign. Reads only.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    clock,
    cluster::{Kept, Offer, Place, Standing, Trouble, View},
    controllers::{Context, Error, FranchiseNamespace, brake::Applied, object::ObjectState},
    domain::{
        facts::SovereignFacts,
        kubeconfig::Kubeconfig,
        object::{Identity, LiveObjects},
        reason::Reason,
        right::Right,
        sovereign::{KubeconfigKey, Sovereign},
    },
};

/// What was seen in one turn.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The hub namespace, if it is a franchise.
    pub franchise: Option<FranchiseNamespace>,
    /// What the ledger says.
    pub facts: SovereignFacts,
    /// Where its Tenants live.
    pub site: Site,
    /// What stands on its cluster of what was condemned there.
    pub remains: LiveObjects,
    /// Its Tenants that have an object, if it is leaving.
    pub applied: Vec<Applied>,
    /// The time of this machine, which is that of certificates.
    pub at: Timestamp,
}

/// Where the Tenants of a Sovereign live.
#[derive(Clone, Debug)]
pub(super) enum Site {
    /// On the hub.
    Hub(Identified),
    /// On another cluster.
    Remote(Box<Remote>),
}

/// A cluster that has said who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identified {
    /// UID of its kube-system namespace.
    pub uid: String,
    /// Its version.
    pub version: String,
}

/// Another cluster, and the way to it.
#[derive(Clone, Debug)]
pub(super) struct Remote {
    /// Where the kubeconfig is kept.
    pub kept: Kept,
    /// The way to it that spec and Secret say, or what is wrong with it.
    pub offer: Result<Offer, Reason>,
    /// The one that its link was told last.
    pub offered: Option<Result<Offer, Reason>>,
    /// Whether the cluster can be used.
    pub standing: Reached,
    /// Why what was offered last is not in use, while what was before still is.
    pub refused: Option<Trouble>,
    /// The rights that we lack there.
    pub missing: Vec<Right>,
    /// When it answered last, as far as this process knows.
    pub last_contact: Option<Timestamp>,
}

/// Whether a cluster can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// Nothing is known yet.
    Connecting,
    /// It answers.
    Up(Identified),
    /// It does not, or is none that we may use.
    Dark(Trouble),
}

/// # Errors
/// The ledger or the hub does not answer.
pub(super) async fn observe(
    wanted: &Sovereign,
    state: ObjectState,
    ctx: &Context,
) -> Result<Seen, Error> {
    let applied = if state.is_leaving { ctx.brake.applied(&place(wanted)) } else { vec![] };
    let Some(key) = &wanted.secret else { return on_hub(wanted, applied, ctx).await };
    let kept = ctx.secrets.read(&wanted.namespace, &key.secret).await?;
    let View { standing, offer: offered, refused, missing, last_contact } =
        ctx.fleet.view(&place(wanted));
    let (reached, cluster) = match standing {
        Standing::Connecting => (Reached::Connecting, None),
        Standing::Dark(trouble) => (Reached::Dark(trouble), None),
        Standing::Up(cluster) => {
            let (uid, version) = (cluster.uid().to_owned(), cluster.version().to_owned());
            (Reached::Up(Identified { uid, version }), Some(cluster))
        }
    };
    let uid = cluster.as_ref().map(crate::cluster::Cluster::uid);
    let facts = ctx.store.observe_sovereign(&wanted.namespace, &wanted.name, uid).await?;
    let condemned: std::collections::BTreeSet<Identity> = facts
        .tombstones
        .iter()
        .filter(|tombstone| tombstone.condemned)
        .map(|tombstone| tombstone.item.identity.clone())
        .collect();
    let remains = match &cluster {
        Some(cluster) if !condemned.is_empty() => cluster.live(condemned).await?,
        _ => LiveObjects::new(),
    };
    let pinned = pinned(wanted, &facts, &met(&reached, refused.as_ref()));
    let offer = offer(key, &kept, pinned);
    let remote = Remote { kept, offer, offered, standing: reached, refused, missing, last_contact };
    Ok(Seen {
        franchise: ctx.franchise(&wanted.namespace),
        facts,
        site: Site::Remote(Box::new(remote)),
        remains,
        applied,
        at: clock::now(),
    })
}

async fn on_hub(wanted: &Sovereign, applied: Vec<Applied>, ctx: &Context) -> Result<Seen, Error> {
    let hub = ctx.fleet.hub().await?;
    let identified = Identified { uid: hub.uid().to_owned(), version: hub.version().to_owned() };
    let uid = Some(hub.uid());
    let facts = ctx.store.observe_sovereign(&wanted.namespace, &wanted.name, uid).await?;
    Ok(Seen {
        franchise: ctx.franchise(&wanted.namespace),
        facts,
        site: Site::Hub(identified),
        remains: LiveObjects::new(),
        applied,
        at: clock::now(),
    })
}

/// The cluster that it must be: the one that an administrator accepts, else the one that was
/// accepted. A word about a cluster that nobody met says nothing.
pub(super) fn pinned(
    wanted: &Sovereign,
    facts: &SovereignFacts,
    met: &[&String],
) -> Option<String> {
    let accepted = facts.sovereign.as_ref().map(|accepted| accepted.cluster.clone());
    let accepts = wanted.accepts.clone().filter(|uid| accepted.is_none() || met.contains(&uid));
    accepts.or(accepted)
}

/// The clusters that answered, in use or instead of the one that was accepted.
pub(super) fn met<'a>(reached: &'a Reached, refused: Option<&'a Trouble>) -> Vec<&'a String> {
    let other = |trouble: &'a Trouble| match trouble {
        Trouble::Judged(Reason::ClusterIdentityChanged { seen, .. }) => Some(seen),
        _ => None,
    };
    let now = match reached {
        Reached::Connecting => None,
        Reached::Up(cluster) => Some(&cluster.uid),
        Reached::Dark(trouble) => other(trouble),
    };
    now.into_iter().chain(refused.and_then(other)).collect()
}

/// The way that the Secret says, to that cluster.
pub(super) fn offer(
    key: &KubeconfigKey,
    kept: &Kept,
    pinned: Option<String>,
) -> Result<Offer, Reason> {
    let secret = key.secret.clone();
    let content = match kept {
        Kept::Missing => return Err(Reason::SecretNotFound { secret }),
        Kept::Forbidden => return Err(Reason::SecretForbidden { secret }),
        Kept::There(content) => content,
    };
    let kubeconfig = Kubeconfig::open(&secret, key.key.as_deref(), &content.data)?;
    Ok(Offer { kubeconfig: Arc::new(kubeconfig), secret, pinned })
}

impl Seen {
    /// The way to its cluster, if that is not the hub.
    #[must_use]
    pub(super) fn remote(&self) -> Option<&Remote> {
        match &self.site {
            Site::Hub(_) => None,
            Site::Remote(remote) => Some(remote),
        }
    }

    /// Its cluster, while that answers.
    #[must_use]
    pub(super) fn cluster(&self) -> Option<&Identified> {
        match &self.site {
            Site::Hub(identified) => Some(identified),
            Site::Remote(remote) => match &remote.standing {
                Reached::Up(identified) => Some(identified),
                Reached::Connecting | Reached::Dark(_) => None,
            },
        }
    }
}

/// The key of a Sovereign's link.
pub(super) fn place(wanted: &Sovereign) -> Place {
    (wanted.namespace.clone(), wanted.name.clone())
}
