//! What the ledger and the cluster say about a Tenant. Reads only.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    cluster::{Place, Standing, Trouble},
    controllers::{Context, Error, FranchiseNamespace, object::ObjectState},
    desired,
    domain::{
        facts::{AcceptedSovereign, PlanTerms, TenantFacts},
        instant::second,
        object::{Live, LiveObjects, Object},
        reason::Reason,
        tenant::{Named, Tenant},
    },
};

/// What was seen in one turn.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The hub namespace, if it is a franchise.
    pub franchise: Option<FranchiseNamespace>,
    /// What the ledger says.
    pub facts: TenantFacts,
    /// UID of the cluster that the Tenant lives on; as the ledger knows it while it is dark.
    pub cluster: String,
    /// Why nothing can be seen there, if so.
    pub dark: Option<Reason>,
    /// What should stand there: nothing before it is paid.
    pub desired: Option<Vec<Object>>,
    /// What stands there of it, and of what was made before.
    pub live: LiveObjects,
}

/// Looks into the Secrets of its codes, then at the ledger, and at the cluster only for what the
/// ledger knows or has paid for. Nothing is seen as long as it is not known whether the cluster can
/// be used; who finds out wakes the Tenant. One that is held or kept needs nothing of its cluster,
/// the way to which may be gone before it.
///
/// # Errors
/// One of them does not answer.
pub(super) async fn observe(
    wanted: &mut Tenant,
    state: ObjectState,
    ctx: &Context,
) -> Result<Option<Seen>, Error> {
    for named in &mut wanted.vouchers {
        if let Named::Code(given) = named {
            ctx.secrets.open(&wanted.namespace, given).await?;
        }
    }
    let wanted = &*wanted;
    let facts = ctx.store.observe_tenant(wanted).await?;
    let franchise = ctx.franchise(&wanted.namespace);
    let uid = franchise.as_ref().map(|franchise| franchise.uid.as_str());
    let site = match ctx.fleet.reach(&place(wanted), is_on_hub(&facts)).await? {
        Standing::Up(cluster) => Ok(cluster),
        Standing::Connecting => Err(None),
        Standing::Dark(trouble) => Err(dark(wanted, trouble, facts.sovereign.as_ref())),
    };
    let frozen = || facts.standing.trouble(&wanted.namespace, uid);
    let unneeded = || (!state.needs_its_place()).then_some(Reason::Connecting {});
    let site = site.map_err(|dark| dark.or_else(frozen).or_else(unneeded));
    if matches!(site, Err(None)) {
        return Ok(None);
    }
    let desired = terms_in_force(wanted, &facts).map(|terms| desired::tenant(wanted, terms));
    let names: BTreeSet<_> = desired
        .iter()
        .flatten()
        .map(|object| object.identity.clone())
        .chain(facts.inventory.iter().map(|item| item.identity.clone()))
        .collect();
    let (cluster, dark, live) = match site {
        Ok(cluster) => (cluster.uid().to_owned(), None, cluster.live(names).await?),
        Err(dark) => {
            let accepted = facts.sovereign.as_ref().map(|accepted| accepted.cluster.clone());
            (accepted.unwrap_or_default(), dark, LiveObjects::new())
        }
    };
    Ok(Some(Seen { franchise, facts, cluster, dark, desired, live }))
}

/// The Sovereign that a Tenant names.
pub(super) fn place(wanted: &Tenant) -> Place {
    (wanted.namespace.clone(), wanted.sovereign.clone())
}

/// Whether the Tenant lives on the hub.
pub(super) fn is_on_hub(facts: &TenantFacts) -> bool {
    facts.sovereign.as_ref().is_none_or(|accepted| accepted.secret.is_none())
}

/// What to say of a cluster that cannot be used; nothing before the ledger knows it, since the
/// Sovereign says it first.
fn dark(wanted: &Tenant, trouble: Trouble, accepted: Option<&AcceptedSovereign>) -> Option<Reason> {
    if let Trouble::Judged(reason @ Reason::ClusterIdentityChanged { .. }) = trouble {
        return Some(reason);
    }
    let since = second(accepted?.dark_since?);
    Some(Reason::SovereignUnreachable { sovereign: wanted.sovereign.clone(), since })
}

/// What may stand now: what credit is set aside for, else what is paid for or was until a while
/// ago.
pub(super) fn terms_in_force<'a>(wanted: &Tenant, facts: &'a TenantFacts) -> Option<&'a PlanTerms> {
    let paid = facts.period.as_ref().filter(|period| period.sovereign == wanted.sovereign);
    let ordered = facts.order.as_ref().filter(|order| order.sovereign == wanted.sovereign);
    let held = ordered.filter(|order| order.is_covered());
    held.map(|order| &order.terms).or(paid.map(|period| &period.terms))
}

impl Seen {
    /// Whether a live object was made by us for this Tenant: the inventory has its UID, or has
    /// announced it and the object says so itself, as after a crash between the two.
    #[must_use]
    pub(super) fn is_ours(&self, wanted: &Tenant, live: &Live) -> bool {
        let journaled = self.facts.inventory.iter().find(|item| item.identity == live.identity);
        match journaled.map(|item| item.uid.as_deref()) {
            Some(Some(uid)) => uid == live.uid,
            Some(None) => desired::labels::labels(wanted)
                .iter()
                .all(|(name, value)| live.label(name) == Some(value)),
            None => false,
        }
    }

    /// The instant at which the answer changes by itself.
    #[must_use]
    pub(super) fn next_change(&self) -> Option<(Timestamp, Timestamp)> {
        let now = self.facts.standing.now;
        let lineages = self.facts.by_code.iter().chain(&self.facts.by_holder).flatten();
        let starts = lineages.filter_map(|lineage| lineage.terms.valid_from);
        let facts = &self.facts;
        let renewals = facts.renewal.iter().flat_map(|renewal| [renewal.due_at, renewal.until]);
        let lapses = facts.order.iter().filter_map(|order| order.lapses_at);
        let expires = facts.account.iter().filter_map(|account| account.expires_at);
        let accepted = self.facts.sovereign.iter();
        let given_up = accepted.filter_map(AcceptedSovereign::given_up_at);
        let next = starts
            .chain(given_up)
            .chain(renewals)
            .chain(lapses)
            .chain(expires)
            .filter(|instant| *instant > now)
            .min()?;
        Some((now, next))
    }
}
