//! A Sovereign: one running installation of the platform, and the plans sold on it.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::{
    schema::root,
    value::{
        CurrencyCode, Duration, Name, ObjectName, PriceAmount, Quantities, quantities, secret_key,
    },
};

mod rules;

/// What the operator of an installation decides about it.
#[derive(CustomResource, Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules::spec_rules()))]
#[kube(
    group = "catalyst.openova.io",
    version = "v1alpha1",
    kind = "Sovereign",
    plural = "sovereigns",
    singular = "sovereign",
    shortname = "sov",
    category = "catalyst",
    namespaced,
    status = "SovereignStatus",
    schema = "manual",
    derive = "PartialEq",
    doc = "One running installation of the platform, and the plans that are sold on it.",
    printcolumn = r#"{"name":"DOMAIN","type":"string","jsonPath":".spec.domain"}"#,
    printcolumn = r#"{"name":"MODE","type":"string","jsonPath":".spec.connection.mode"}"#,
    printcolumn = r#"{"name":"PHASE","type":"string","jsonPath":".status.phase"}"#,
    printcolumn = r#"{"name":"CONNECTED","type":"string",
        "jsonPath":".status.conditions[?(@.type=='Connected')].status"}"#,
    printcolumn = r#"{"name":"SINCE","type":"date",
        "jsonPath":".status.conditions[?(@.type=='Connected')].lastTransitionTime"}"#,
    printcolumn = r#"{"name":"VERSION","type":"string","jsonPath":".status.version"}"#,
    printcolumn = r#"{"name":"TENANTS","type":"integer","jsonPath":".status.tenants"}"#,
    printcolumn = r#"{"name":"CREDENTIALS","type":"string","jsonPath":".status.credentials"}"#,
    printcolumn = r#"{"name":"AGE","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
pub struct SovereignSpec {
    /// Name for people, up to 128 characters. Default: the name of the object. May change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub display_name: Option<String>,
    /// DNS domain of the installation, in lower case, such as `cloud.omantel.om`. Cannot change.
    #[schemars(length(min = 1, max = 253))]
    #[schemars(extend("x-kubernetes-validations" = rules::domain_rules()))]
    pub domain: String,
    /// Where the installation stands, in words of your own, such as `om-muscat-1`. May change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub region: Option<String>,
    /// Currency of every price and account here, as an ISO 4217 code such as `OMR`. Cannot change.
    pub currency: CurrencyCode,
    /// Who runs the installation under licence. Absent: the owner of the hub does. May change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub franchisee: Option<Franchisee>,
    /// How the operator reaches the cluster of this Sovereign.
    #[schemars(extend("x-kubernetes-validations" = rules::connection_rules()))]
    pub connection: Connection,
    /// What becomes of what stands on the cluster while it does not answer. May change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = rules::unreachable_rules()))]
    pub unreachable: Option<Unreachable>,
    /// What Tenants can buy here: 1 to 32 plans, each name once. Plans may be added and changed;
    /// a plan that is removed while in use stays in force for those who hold it.
    #[schemars(length(min = 1, max = 32))]
    #[schemars(extend(
        "x-kubernetes-list-type" = "map",
        "x-kubernetes-list-map-keys" = ["name"]
    ))]
    pub plans: Vec<Plan>,
    /// Whether the Sovereign, and the namespace that it is in, can be deleted only after this was
    /// set to false. Holds where the chart's admission policies are installed. May change.
    #[serde(default = "protected")]
    pub deletion_protection: bool,
}

fn protected() -> bool {
    true
}

/// A company that runs a Sovereign under licence.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Franchisee {
    /// Name of the company as it is registered, up to 256 characters.
    #[schemars(length(min = 1, max = 256))]
    pub legal_name: String,
    /// E-mail address for questions about this Sovereign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 254), extend("x-kubernetes-validations" = rules::email_rules()))]
    pub contact_email: Option<String>,
}

/// How the operator reaches a cluster.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// `InCluster`: the cluster that the operator runs in. It needs the label
    /// `catalyst.openova.io/in-cluster: allowed` on the namespace of this Sovereign.
    /// `Kubeconfig`: another cluster, by a kubeconfig that is kept in a Secret. Cannot change.
    pub mode: ConnectionMode,
    /// Where the kubeconfig is. Required with mode `Kubeconfig`, and only there. May change, to
    /// another way to the same cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<KubeconfigSource>,
}

/// Where a kubeconfig is kept.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct KubeconfigSource {
    /// A Secret in the namespace of the Sovereign. The operator may only read it where a Role
    /// there grants the verbs get, list, watch and patch on exactly this Secret.
    pub secret_ref: KubeconfigRef,
}

/// A kubeconfig in a Secret.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct KubeconfigRef {
    /// Name of the Secret.
    pub name: ObjectName,
    /// Key in it. Default: the first of `value`, `kubeconfig` and `config` that it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "secret_key")]
    pub key: Option<String>,
}

/// What becomes of what stands on a cluster that does not answer.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Unreachable {
    /// What a Tenant does that is deleted meanwhile. `Wait`: it stays until the cluster answers
    /// and nothing of it stands any more. `Abandon`: it goes when the cluster has not answered for
    /// `abandonAfter`; what it leaves is written down, and taken away an hour after the cluster
    /// is back, unless the organization has come back before.
    #[serde(default)]
    pub on_delete: OnDelete,
    /// How long the cluster must not have answered before a Tenant goes without it: from an hour
    /// on, such as `24h`. Required with `Abandon`, and only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abandon_after: Option<Duration>,
}

/// What a deleted Tenant does whose cluster does not answer.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDelete {
    /// It waits.
    #[default]
    Wait,
    /// It goes, and what it leaves is taken away later.
    Abandon,
}

/// The ways to reach a cluster.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionMode {
    /// The cluster that the operator runs in.
    InCluster,
    /// Another cluster, by a kubeconfig.
    Kubeconfig,
}

/// Something a Tenant can buy: a price and what it entitles to.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Name that Tenants write in `spec.plan`; a DNS label of up to 63 characters, such as `m`.
    pub name: Name,
    /// Name for people, up to 128 characters. Default: `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub display_name: Option<String>,
    /// What one period costs. A change takes effect for each Tenant at its next renewal.
    pub price: Price,
    /// Hard limits of the Tenant's namespace, by the keys of a `ResourceQuota` such as
    /// `requests.cpu`. Up to 32 keys. Default: none.
    #[serde(default, skip_serializing_if = "Quantities::is_empty")]
    #[schemars(schema_with = "quantities")]
    pub quota: Quantities,
    /// Limits and defaults for single objects, as in a `LimitRange`; each type once. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3))]
    #[schemars(extend(
        "x-kubernetes-list-type" = "map",
        "x-kubernetes-list-map-keys" = ["type"]
    ))]
    pub limits: Vec<Limit>,
}

/// An amount for a stretch of time.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Price {
    /// Amount and currency, such as `25.000 OMR`, with exactly the decimals of the currency, up
    /// to 10^15 minor units. Zero is allowed: the plan is then free, and no credit is needed.
    pub amount: PriceAmount,
    /// What the amount pays for. `Month`: one calendar month in UTC, paid in advance.
    #[serde(default)]
    pub per: PricePeriod,
}

/// The stretches of time that a price can be for.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PricePeriod {
    /// One calendar month in UTC.
    #[default]
    Month,
}

/// One item of a `LimitRange`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules::limit_rules()))]
pub struct Limit {
    /// What is limited: each `Container`, each `Pod` or each `PersistentVolumeClaim`.
    #[serde(rename = "type")]
    pub kind: LimitType,
    /// The most that one object may ask for, by resource.
    #[serde(default, skip_serializing_if = "Quantities::is_empty")]
    #[schemars(schema_with = "quantities")]
    pub max: Quantities,
    /// The least that one object must ask for, by resource.
    #[serde(default, skip_serializing_if = "Quantities::is_empty")]
    #[schemars(schema_with = "quantities")]
    pub min: Quantities,
    /// The limit of an object that states none, by resource. Not for `Pod`.
    #[serde(default, skip_serializing_if = "Quantities::is_empty")]
    #[schemars(schema_with = "quantities")]
    pub default: Quantities,
    /// The request of an object that states none, by resource. Not for `Pod`.
    #[serde(default, skip_serializing_if = "Quantities::is_empty")]
    #[schemars(schema_with = "quantities")]
    pub default_request: Quantities,
    /// How many times its request a limit may be, by resource.
    #[serde(default, skip_serializing_if = "Quantities::is_empty")]
    #[schemars(schema_with = "quantities")]
    pub max_limit_request_ratio: Quantities,
}

/// What a [`Limit`] applies to.
#[derive(
    Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord,
)]
pub enum LimitType {
    /// Each container of a pod.
    Container,
    /// All containers of a pod together.
    Pod,
    /// Each volume claim.
    PersistentVolumeClaim,
}

/// What the operator reports about a Sovereign. Written by the operator alone and never read back.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SovereignStatus {
    /// The `metadata.generation` that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Summary of the conditions in one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<SovereignPhase>,
    /// What holds and what does not, each with its reason: `Ready`, `Connected`,
    /// `CredentialsValid`, `IdentityVerified`, `PermissionsGranted`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend(
        "x-kubernetes-list-type" = "map",
        "x-kubernetes-list-map-keys" = ["type"]
    ))]
    pub conditions: Vec<Condition>,
    /// Version of Kubernetes on the cluster, such as `v1.34.2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How many Tenants name this Sovereign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenants: Option<i64>,
    /// Until when the credentials are good, in RFC 3339; `unlimited` where they say nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// When the cluster answered last before it went dark, in RFC 3339; absent while it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_contact: Option<String>,
    /// How many organizations left something on the cluster that is still to be taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tombstones: Option<i64>,
    /// The last value of the annotation `reconcile.fluxcd.io/requestedAt` that was acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
}

/// A Sovereign in one word.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SovereignPhase {
    /// Not judged yet, or waiting for something that is expected soon.
    Pending,
    /// All is well.
    Ready,
    /// It serves, but something needs attention.
    Degraded,
    /// Its cluster does not answer; nothing is taken down meanwhile.
    Unreachable,
    /// On its way out.
    Deleting,
    /// It cannot serve until somebody changes something.
    Failed,
}

impl JsonSchema for Sovereign {
    fn schema_name() -> Cow<'static, str> {
        "Sovereign".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        root::<SovereignSpec, SovereignStatus>(
            generator,
            "A Sovereign is one running installation of the platform: where it is, who runs it, \
             how it is reached, and the plans that are sold on it.",
            [rules::name_rule()],
        )
    }
}
