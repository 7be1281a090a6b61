//! What the ledger and the cluster say about a Tenant. Reads only.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    controllers::{Context, Error, FranchiseNamespace},
    desired,
    domain::{
        facts::{PlanTerms, TenantFacts},
        object::{Live, LiveObjects, Object},
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
    /// UID of the cluster that the Tenant lives on.
    pub cluster: String,
    /// What should stand there: nothing before it is paid.
    pub desired: Option<Vec<Object>>,
    /// What stands there of it, and of what was made before.
    pub live: LiveObjects,
}

/// Looks into the Secrets of its codes, then at the ledger, and at the cluster only for what the
/// ledger knows or has paid for.
///
/// # Errors
/// One of them does not answer.
pub(super) async fn observe(wanted: &mut Tenant, ctx: &Context) -> Result<Seen, Error> {
    for named in &mut wanted.vouchers {
        if let Named::Code(given) = named {
            ctx.secrets.open(&wanted.namespace, given).await?;
        }
    }
    let wanted = &*wanted;
    let facts = ctx.store.observe_tenant(wanted).await?;
    let cluster = ctx.fleet.cluster_of(&wanted.namespace, &wanted.sovereign).await?;
    let desired = terms_in_force(wanted, &facts).map(|terms| desired::tenant(wanted, terms));
    let names: BTreeSet<_> = desired
        .iter()
        .flatten()
        .map(|object| object.identity.clone())
        .chain(facts.inventory.iter().map(|item| item.identity.clone()))
        .collect();
    Ok(Seen {
        franchise: ctx.franchise(&wanted.namespace),
        live: cluster.live(names).await?,
        cluster: cluster.uid().to_owned(),
        facts,
        desired,
    })
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
        let next = starts
            .chain(renewals)
            .chain(lapses)
            .chain(expires)
            .filter(|instant| *instant > now)
            .min()?;
        Some((now, next))
    }
}
