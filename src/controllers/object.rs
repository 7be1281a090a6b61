//! What an object on the hub says of itself, whatever its kind.

use kube::{Resource, ResourceExt as _};

use crate::{api::RECONCILE_REQUEST_ANNOTATION, domain::brake::Ruling};

/// Where an object stands in its life.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ObjectState {
    /// Its deletion has begun.
    pub is_leaving: bool,
    /// Our finalizer is on it.
    pub is_held: bool,
    /// What becomes of it, if its deletion has begun.
    pub ruling: Ruling,
}

impl ObjectState {
    /// Reads it off the object.
    #[must_use]
    pub(super) fn of<K: Resource>(object: &K, finalizer: &str) -> Self {
        Self {
            is_leaving: object.meta().deletion_timestamp.is_some(),
            is_held: object.finalizers().iter().any(|name| name == finalizer),
            ruling: Ruling::Goes,
        }
    }

    /// Whether what it stands for is to be made, looked after or torn down.
    #[must_use]
    pub(super) fn needs_its_place(self) -> bool {
        !self.is_leaving || (self.is_held && self.ruling == Ruling::Goes)
    }

    /// The state after a turn that goes on: its first step puts the finalizer on.
    #[must_use]
    pub(super) fn after_a_turn(self) -> Self {
        Self { is_held: self.is_held || !self.is_leaving, ..self }
    }
}

/// The last request for a visit, which is echoed so that the one who asked sees that it was heard.
#[must_use]
pub(super) fn requested<K: Resource>(object: &K) -> Option<String> {
    object.annotations().get(RECONCILE_REQUEST_ANNOTATION).cloned()
}
