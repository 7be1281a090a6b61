//! What the ledger and the cluster say about a Sovereign. Reads only.

use crate::{
    controllers::{Context, Error, FranchiseNamespace},
    domain::{facts::SovereignFacts, sovereign::Sovereign},
};

/// What was seen in one turn.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The hub namespace, if it is a franchise.
    pub franchise: Option<FranchiseNamespace>,
    /// What the ledger says.
    pub facts: SovereignFacts,
    /// UID of its cluster.
    pub cluster: String,
    /// Version of its cluster.
    pub version: String,
}

/// # Errors
/// The ledger or the cluster does not answer.
pub(super) async fn observe(wanted: &Sovereign, ctx: &Context) -> Result<Seen, Error> {
    let facts = ctx.store.observe_sovereign(&wanted.namespace, &wanted.name).await?;
    let cluster = ctx.fleet.cluster_of(&wanted.namespace, &wanted.name).await?;
    Ok(Seen {
        franchise: ctx.franchise(&wanted.namespace),
        facts,
        cluster: cluster.uid().to_owned(),
        version: cluster.version().to_owned(),
    })
}
