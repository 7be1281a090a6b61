//! What the ledger says about a Voucher. Reads only.

use jiff::Timestamp;

use crate::{
    controllers::{Context, Error, FranchiseNamespace},
    domain::{facts::VoucherFacts, voucher::Voucher},
};

/// What was seen in one turn.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The hub namespace, if it is a franchise.
    pub franchise: Option<FranchiseNamespace>,
    /// What the ledger says.
    pub facts: VoucherFacts,
}

/// Looks into the Secret of the code, if it is kept in one, and then at the ledger.
///
/// # Errors
/// The hub or the ledger does not answer.
pub(super) async fn observe(wanted: &mut Voucher, ctx: &Context) -> Result<Seen, Error> {
    ctx.secrets.open(&wanted.namespace, &mut wanted.code).await?;
    let facts = ctx.store.observe_voucher(wanted).await?;
    Ok(Seen { franchise: ctx.franchise(&wanted.namespace), facts })
}

impl Seen {
    /// The instant at which the answer changes by itself.
    #[must_use]
    pub(super) fn next_change(&self) -> Option<(Timestamp, Timestamp)> {
        let now = self.facts.standing.now;
        let lineages = self.facts.lineage.iter().chain(&self.facts.holds);
        let instants = lineages.flat_map(|known| [known.terms.valid_from, known.terms.expires_at]);
        let next = instants.flatten().filter(|instant| *instant > now).min()?;
        Some((now, next))
    }
}
