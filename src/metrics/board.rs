//! What was reported last of each object, to be added up when somebody asks.

use std::collections::BTreeMap;

/// An object: kind, namespace, name.
type Object = (&'static str, String, String);

/// What the status of an object says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The object in one word.
    pub phase: String,
    /// Why it is not ready, and since when in Unix time.
    pub waits: Option<(String, i64)>,
    /// Whether it is held, because much is deleted at once.
    pub is_held: bool,
    /// Currency and minor units that an organization can spend.
    pub credit: Option<(String, i64)>,
    /// Currency and minor units that a Voucher granted.
    pub granted: Option<(String, i64)>,
    /// Why a Tenant cannot redeem a voucher that it names.
    pub refused: Option<String>,
    /// How often a Voucher was redeemed.
    pub redeemed: Option<i64>,
}

/// What was reported last of each object.
#[derive(Default)]
pub(super) struct Board {
    reports: BTreeMap<Object, Report>,
}

impl Board {
    pub(super) fn put(&mut self, kind: &'static str, (namespace, name): &Place, report: Report) {
        self.reports.insert((kind, namespace.clone(), name.clone()), report);
    }

    pub(super) fn remove(&mut self, kind: &'static str, (namespace, name): &Place) {
        self.reports.remove(&(kind, namespace.clone(), name.clone()));
    }

    pub(super) fn reports(&self) -> impl Iterator<Item = (&Object, &Report)> {
        self.reports.iter()
    }
}

/// Namespace and name of an object.
pub type Place = (String, String);
