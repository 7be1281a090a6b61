//! A Tenant: the presence of an organization on a Sovereign.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::{
    schema::root,
    value::{CodeFrom, Duration, Name, Reference, VoucherReference},
};

mod rules;

/// Organizations that nobody may be: names of the platform and of what it runs.
pub const RESERVED_ORGANIZATIONS: &[&str] = &[
    "admin",
    "api",
    "crossplane",
    "default",
    "gitea",
    "harbor",
    "keycloak",
    "main",
    "openbao",
    "system",
    "vault",
];
/// No organization may begin with one of these.
pub const RESERVED_ORGANIZATION_PREFIXES: &[&str] = &["catalyst", "flux", "kube-", "openova"];

/// What an organization wants on a Sovereign.
#[derive(CustomResource, Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules::spec_rules()))]
#[kube(
    group = "catalyst.openova.io",
    version = "v1alpha1",
    kind = "Tenant",
    plural = "tenants",
    singular = "tenant",
    shortname = "tn",
    category = "catalyst",
    namespaced,
    status = "TenantStatus",
    schema = "manual",
    derive = "PartialEq",
    doc = "The presence of an organization on a Sovereign.",
    printcolumn = r#"{"name":"SOVEREIGN","type":"string","jsonPath":".spec.sovereignRef.name"}"#,
    printcolumn = r#"{"name":"PLAN","type":"string","jsonPath":".spec.plan"}"#,
    printcolumn = r#"{"name":"PHASE","type":"string","jsonPath":".status.phase"}"#,
    printcolumn = r#"{"name":"READY","type":"string",
        "jsonPath":".status.conditions[?(@.type=='Ready')].status"}"#,
    printcolumn = r#"{"name":"CPU","type":"string","jsonPath":".status.cpu"}"#,
    printcolumn = r#"{"name":"MEMORY","type":"string","jsonPath":".status.memory"}"#,
    printcolumn = r#"{"name":"CREDIT","type":"string","jsonPath":".status.credit"}"#,
    printcolumn = r#"{"name":"AGE","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
pub struct TenantSpec {
    /// Name for people, up to 128 characters. Default: the organization. May change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub display_name: Option<String>,
    /// The customer: 3 to 31 lower-case letters, digits and single hyphens, starting with a
    /// letter. Its account, credit and namespaces go by this name. Default: the name of the
    /// object. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub organization: Option<String>,
    /// The Sovereign to live on. Cannot change: a Tenant does not move.
    pub sovereign_ref: Reference,
    /// Name of a plan of that Sovereign. May change: a plan that costs as much or more begins at
    /// once, for the difference of the prices over the rest of the period; a cheaper one begins
    /// with the next period.
    pub plan: Name,
    /// Who may do what in the namespaces of this Tenant; up to 64, each kind, namespace and name
    /// once. May change. Default: nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[schemars(extend(
        "x-kubernetes-list-type" = "map",
        "x-kubernetes-list-map-keys" = ["kind", "namespace", "name"]
    ))]
    pub owners: Vec<Owner>,
    /// Codes to redeem for the organization, up to 8, each once. More may be added; taking one
    /// out takes no credit back. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "atomic"))]
    pub vouchers: Vec<VoucherSource>,
    /// What happens around the end of a paid period. May change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing: Option<Billing>,
    /// Whether the Tenant, and the hub namespace that it is in, can be deleted only after this was
    /// set to false. Holds where the chart's admission policies are installed. May change.
    #[serde(default)]
    pub deletion_protection: bool,
}

/// What happens around the end of a paid period.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Billing {
    /// What happens when the credit does not pay for the next period.
    #[serde(default)]
    pub on_credit_exhausted: OnCreditExhausted,
}

/// What happens when the credit does not pay for the next period.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct OnCreditExhausted {
    /// How long the Tenant goes on after the end of the last paid period, such as `7d`. The period
    /// that is paid within this time begins where the last one ended; one that is paid later
    /// begins when it is paid, and what lies between is never billed.
    #[serde(default = "grace_period")]
    pub grace_period: Duration,
    /// When to warn: the credit that will be there at the end of the period is below so many
    /// percent of the price of the next one. Up to 8 numbers from 1 to 1000.
    #[serde(default = "warn_at_percent")]
    #[schemars(length(max = 8), inner(range(min = 1, max = 1000)))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub warn_at_percent: Vec<i32>,
}

fn grace_period() -> Duration {
    "7d".into()
}

fn warn_at_percent() -> Vec<i32> {
    vec![100]
}

impl Default for OnCreditExhausted {
    fn default() -> Self {
        Self { grace_period: grace_period(), warn_at_percent: warn_at_percent() }
    }
}

/// Someone with a role in a Tenant.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules::owner_rules()))]
pub struct Owner {
    /// `User` or `Group`, as the cluster's authentication names them, or `ServiceAccount`.
    pub kind: OwnerKind,
    /// Namespace of a `ServiceAccount`. Empty for a `User` or a `Group`.
    #[serde(default)]
    #[schemars(length(max = 63))]
    pub namespace: String,
    /// Name of the user, group or service account, up to 253 characters.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// `Owner`, `Admin`, `Member` or `Viewer`, from most rights to fewest.
    pub role: OwnerRole,
}

/// The kinds of subject that can have a role.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerKind {
    /// A user of the cluster, by the name that its authentication gives.
    User,
    /// A group of users, by the name that the authentication gives.
    Group,
    /// A service account of the same cluster.
    ServiceAccount,
}

/// What a subject may do, from most to least.
#[derive(
    Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord,
)]
pub enum OwnerRole {
    /// Everything that the Tenant may do, and who else may do what.
    Owner,
    /// Everything but roles.
    Admin,
    /// Workloads and their settings.
    Member,
    /// Reading, secrets excepted.
    Viewer,
}

/// Where a code comes from: exactly one of the fields is set.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules::source_rules()))]
pub struct VoucherSource {
    /// The code itself, such as `OMANTEL-LAUNCH-100`. Spaces around it and lower case do not
    /// matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    #[schemars(extend("x-kubernetes-validations" = rules::code_rules()))]
    pub code: Option<String>,
    /// A Secret that holds the code, which is then shown nowhere. It has at least 16 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_from: Option<CodeFrom>,
    /// A Voucher in the same namespace, whose code is then redeemed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voucher_ref: Option<VoucherReference>,
}

/// What the operator reports about a Tenant. Written by the operator alone and never read back.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TenantStatus {
    /// The `metadata.generation` that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Summary of the conditions in one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<TenantPhase>,
    /// What holds and what does not, each with its reason: `Ready`, `Entitled`,
    /// `VouchersRedeemed`, `NamespacesReady`, `PoliciesReady`, `SovereignReady`, `Synced`; and
    /// while they are true, `CreditLow` (the credit will not pay for the next period) and
    /// `PriceChanges` (the next period costs something else).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend(
        "x-kubernetes-list-type" = "map",
        "x-kubernetes-list-map-keys" = ["type"]
    ))]
    pub conditions: Vec<Condition>,
    /// The plan in force: `spec.plan` may name another that is not paid yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// What the organization can spend now, such as `75.000 OMR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit: Option<String>,
    /// End of the last paid period, in RFC 3339 and UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_until: Option<String>,
    /// CPU that is requested and the most that can be, such as `3/8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// Memory that is requested and the most that can be, such as `6Gi/16Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// What became of each entry of `spec.vouchers`, in that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub vouchers: Vec<RedeemedVoucher>,
    /// The last value of the annotation `reconcile.fluxcd.io/requestedAt` that was acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
}

/// What became of one entry of `spec.vouchers`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RedeemedVoucher {
    /// Name of the Voucher, where the Tenant named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Enough of the code to recognise it: all of one that is written here, the first 4 characters
    /// of a secret one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// `Redeemed`, or why not, such as `LimitReached`.
    pub reason: String,
    /// When it was redeemed, in RFC 3339 and UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redeemed_at: Option<String>,
}

/// A Tenant in one word.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantPhase {
    /// Waiting for its Sovereign, its plan or its credit.
    Pending,
    /// Paid for, and its objects are being made.
    Provisioning,
    /// Everything stands.
    Ready,
    /// It stands, but something needs attention.
    Degraded,
    /// Nothing new can start in it.
    Frozen,
    /// Stopped; its data is kept.
    Hibernated,
    /// Its cluster does not answer, so nothing is known.
    Unreachable,
    /// On its way out.
    Deleting,
    /// It cannot go on until somebody changes something.
    Failed,
}

impl JsonSchema for Tenant {
    fn schema_name() -> Cow<'static, str> {
        "Tenant".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        root::<TenantSpec, TenantStatus>(
            generator,
            "A Tenant is the presence of an organization on a Sovereign: the plan it buys, who \
             may work in it, and the vouchers that pay for it.",
            rules::organization_rules(),
        )
    }
}

impl Tenant {
    /// The organization as it was written: `spec.organization`, else the name of the object.
    #[must_use]
    pub fn written_organization(&self) -> &str {
        let name = self.metadata.name.as_deref().unwrap_or_default();
        self.spec.organization.as_deref().unwrap_or(name)
    }
}
