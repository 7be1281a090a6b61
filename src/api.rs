//! The wire types of `catalyst.openova.io/v1alpha1`: what people write and what they read back.
//!
//! Nothing here does I/O, decides anything or imports another layer. A schema and its rules are
//! the first reader of every object, so what they refuse, the rest never has to handle; what an
//! older schema let in is parsed again by `domain`.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

mod installed;
mod manifest;
mod reference;
mod schema;
mod sovereign;
mod tenant;
mod value;
mod voucher;

pub use installed::missing_fields;
pub use manifest::manifest;
pub use reference::reference;
pub use sovereign::{
    Connection, ConnectionMode, Franchisee, KubeconfigRef, KubeconfigSource, Limit, LimitType,
    OnDelete, Plan, Price, PricePeriod, Sovereign, SovereignPhase, SovereignSpec, SovereignStatus,
    Unreachable,
};
pub use tenant::{
    Billing, OnCreditExhausted, Owner, OwnerKind, OwnerRole, RESERVED_ORGANIZATION_PREFIXES,
    RESERVED_ORGANIZATIONS, RedeemedVoucher, Tenant, TenantPhase, TenantSpec, TenantStatus,
    VoucherSource,
};
pub use value::{
    AMOUNT_MINOR_MAX, CURRENCIES, CodeFrom, CurrencyCode, Duration, Money, Name, ObjectName,
    PriceAmount, Quantities, Quantity, Reference, SecretKeySelector, Timestamp, VoucherReference,
    currency_decimals,
};
pub use voucher::{Eligibility, Voucher, VoucherSpec, VoucherState, VoucherStatus};

/// The API group of the three kinds, and the prefix of our labels, annotations and finalizers.
pub const GROUP: &str = "catalyst.openova.io";
/// The one version served.
pub const VERSION: &str = "v1alpha1";
/// The field manager of what we apply and the value of [`MANAGED_BY_LABEL`].
pub const MANAGER: &str = "catalyst-operator";

/// On every object that we make: made by [`MANAGER`].
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// On a hub Namespace: this namespace is a franchise. On what we make: the franchise it is for.
pub const FRANCHISE_LABEL: &str = "catalyst.openova.io/franchise";
/// On a hub Namespace that was made anew: its UID, by which an administrator says that it is the
/// same franchise.
pub const ACCEPT_FRANCHISE_ANNOTATION: &str = "catalyst.openova.io/accept-franchise-uid";
/// On a Sovereign whose cluster is another one now: its UID, by which an administrator says that
/// the Sovereign lives there from now on.
pub const ACCEPT_CLUSTER_ANNOTATION: &str = "catalyst.openova.io/accept-cluster-uid";
/// On the hub Namespace of a franchise of which much is deleted at once: [`MASS_DELETION_KEEP`] or
/// [`MASS_DELETION_PROCEED`].
pub const MASS_DELETION_ANNOTATION: &str = "catalyst.openova.io/mass-deletion";
/// It was a mistake: the objects go, and all that they stand for stays.
pub const MASS_DELETION_KEEP: &str = "keep";
/// It was meant: all that they stand for goes, too.
pub const MASS_DELETION_PROCEED: &str = "proceed";
/// On a leaving Tenant: its own UID, by which somebody says that what stands on a cluster that does
/// not answer is given up.
pub const ABANDON_ANNOTATION: &str = "catalyst.openova.io/abandon";
/// On what we make: the name of the Sovereign.
pub const SOVEREIGN_LABEL: &str = "catalyst.openova.io/sovereign";
/// On what we make: the name of the Tenant.
pub const TENANT_LABEL: &str = "catalyst.openova.io/tenant";
/// On what we make: the organization.
pub const ORGANIZATION_LABEL: &str = "catalyst.openova.io/organization";
/// On a hub Namespace, with the value [`IN_CLUSTER_ALLOWED`]: its Sovereigns may be this cluster.
pub const IN_CLUSTER_LABEL: &str = "catalyst.openova.io/in-cluster";
/// The only value of [`IN_CLUSTER_LABEL`] that allows anything.
pub const IN_CLUSTER_ALLOWED: &str = "allowed";

/// Holds a Sovereign until no Tenant needs it.
pub const SOVEREIGN_FINALIZER: &str = "catalyst.openova.io/sovereign";
/// Holds a Tenant until its objects are gone from the cluster.
pub const TENANT_FINALIZER: &str = "catalyst.openova.io/tenant";
/// Holds a Voucher until the ledger has retired its code.
pub const VOUCHER_FINALIZER: &str = "catalyst.openova.io/voucher";

/// The end of the finalizer that holds the Secret of a kubeconfig while a Sovereign needs it. The
/// name of the Sovereign comes before it, so that two can share one.
pub const KUBECONFIG_FINALIZER: &str = ".sovereigns.catalyst.openova.io/kubeconfig";

/// The namespace on a franchised cluster for what the hub and the cluster agree upon.
pub const ACCESS_NAMESPACE: &str = "catalyst-system";
/// The `ConfigMap` in it that says which hub the cluster belongs to.
pub const HUB_NOTE: &str = "catalyst-hub";

/// Asks for a turn now; each new value once. `flux reconcile` writes it.
pub const RECONCILE_REQUEST_ANNOTATION: &str = "reconcile.fluxcd.io/requestedAt";

/// The three definitions, in the order in which Flux applies the kinds.
#[must_use]
pub fn crds() -> Vec<CustomResourceDefinition> {
    vec![Sovereign::crd(), Tenant::crd(), Voucher::crd()]
}
