//! The only place where the ledger and the clusters meet: one reconcile per kind, and every one
//! reads the same. **Observe** what the ledger and the cluster say, **decide** purely what to do,
//! **act** on it, **report** what it came to.

mod brake;
mod conditions;
mod context;
mod error;
mod exit;
mod lanes;
mod object;
mod ownership;
pub mod permissions;
mod published;
mod reported;
mod retry;
mod runner;
mod seal;
mod sovereign;
mod tenant;
mod voucher;
mod wake;

pub use brake::{Brake, count_bare};
pub use context::{Context, FranchiseNamespace};
pub use error::Error;
pub use lanes::Lanes;
pub use ownership::Ownership;
pub use published::Published;
pub use retry::Retries;
pub use runner::{COUNT, Controllers, Watches, Watching, start};
pub use seal::{Sealer, audit};
pub use wake::Wakers;

/// How many turns one visit may take before it counts as unsettled: each turn moves money at most
/// once, and no object needs more than a handful on its way.
const TURNS_MAX: usize = 12;
