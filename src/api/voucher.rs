//! A Voucher: a code that organizations redeem for billing credit.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::{
    schema::root,
    value::{CodeFrom, Duration, Money, Name, Reference, Timestamp},
};

mod rules;

/// The form of a code once it is trimmed and in capitals.
pub(super) const CODE: &str = "^[A-Z0-9](-?[A-Z0-9]){2,62}$";
/// The longest code, in characters.
pub(super) const CODE_MAX: u32 = 63;

/// What the issuer of a code promises.
#[derive(CustomResource, Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules::spec_rules()))]
#[kube(
    group = "catalyst.openova.io",
    version = "v1alpha1",
    kind = "Voucher",
    plural = "vouchers",
    singular = "voucher",
    shortname = "vch",
    category = "catalyst",
    namespaced,
    status = "VoucherStatus",
    schema = "manual",
    derive = "PartialEq",
    doc = "A code that organizations redeem for billing credit.",
    printcolumn = r#"{"name":"CODE","type":"string","jsonPath":".status.code"}"#,
    printcolumn = r#"{"name":"CREDIT","type":"string","jsonPath":".spec.credit"}"#,
    printcolumn = r#"{"name":"STATE","type":"string",
        "jsonPath":".status.conditions[?(@.type=='Redeemable')].reason"}"#,
    printcolumn = r#"{"name":"REDEEMED","type":"string","jsonPath":".status.redemptions"}"#,
    printcolumn = r#"{"name":"EXPIRES","type":"string","jsonPath":".status.expires"}"#,
    printcolumn = r#"{"name":"AGE","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
pub struct VoucherSpec {
    /// The Sovereign where the code can be redeemed. Cannot change.
    pub sovereign_ref: Reference,
    /// The code that people type: 3 to 63 letters and digits with single hyphens between them,
    /// such as `OMANTEL-LAUNCH-100`. Spaces around it and lower case do not matter. Default: the
    /// name of the object, unless `codeFrom` is set. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub code: Option<String>,
    /// A Secret that holds the code instead, which is then shown nowhere and kept as a digest
    /// with a hint, its first 4 characters. It has at least 16 characters, so that nobody finds it
    /// by trying. The first that is accepted stays in force, whatever becomes of the Secret.
    /// Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_from: Option<CodeFrom>,
    /// What each redemption grants: amount and currency, such as `100.000 OMR`, with exactly the
    /// decimals of the currency, from 1 to 10^15 minor units. Cannot change.
    pub credit: Money,
    /// How many organizations can redeem the code, from 1 to 10^9. Absent: unlimited. May be
    /// added later, raised, or lowered to what is already redeemed, but never removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub max_redemptions: Option<i64>,
    /// From when the code can be redeemed, in RFC 3339 such as `2026-09-01T00:00:00Z`. Absent: at
    /// once. May change; earlier redemptions stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// From when the code can no longer be redeemed, in RFC 3339; later than `validFrom`. Absent:
    /// never. May change; credit that was granted stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// How much credit the code grants in all, such as `5000.000 OMR`: in the currency of `credit`.
    /// Absent: unlimited. May be added later, raised, or lowered to what is already granted, but
    /// never removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Money>,
    /// How long credit can be spent after its redemption, such as `90d`. Absent: for ever. May
    /// change; credit that was granted keeps its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_expires_after: Option<Duration>,
    /// Who can redeem the code. Absent: every organization on the Sovereign. May change; earlier
    /// redemptions stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eligibility: Option<Eligibility>,
    /// `Active`: can be redeemed. `Paused`: cannot for now. `Revoked`: never again, which is
    /// final. Credit that was granted stays in every state.
    #[serde(default)]
    pub state: VoucherState,
    /// A note for colleagues, up to 1024 characters. May change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub description: Option<String>,
    /// What reports group by, such as `launch-2026`, up to 63 characters. May change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub campaign: Option<String>,
}

/// Who can redeem a code.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Eligibility {
    /// Only Tenants on one of these plans, up to 32. Default: any plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "set"))]
    pub plans: Vec<Name>,
    /// Only accounts that were given no credit before.
    #[serde(default)]
    pub new_accounts_only: bool,
}

/// Whether the issuer wants a code to be redeemed.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VoucherState {
    /// It can be redeemed.
    #[default]
    Active,
    /// It cannot be redeemed for now.
    Paused,
    /// It can never be redeemed again.
    Revoked,
}

/// What the operator reports about a Voucher. Written by the operator alone and never read back.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct VoucherStatus {
    /// The `metadata.generation` that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What holds and what does not, each with its reason. `Ready`: the terms are accepted.
    /// `Redeemable`, with the reason `Active`, `Paused`, `NotStarted`, `Expired`, `Exhausted` or
    /// `Revoked`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend(
        "x-kubernetes-list-type" = "map",
        "x-kubernetes-list-map-keys" = ["type"]
    ))]
    pub conditions: Vec<Condition>,
    /// The code as it is redeemed: trimmed and in capitals. Of a secret code the first 4
    /// characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How many organizations redeemed the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redeemed: Option<i64>,
    /// How many more can. Absent: unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining: Option<i64>,
    /// How much credit it granted, such as `1200.000 OMR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<String>,
    /// Redeemed and most, such as `12/50`, or `12` where there is no most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redemptions: Option<String>,
    /// When the code expires, as text for the column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// The last value of the annotation `reconcile.fluxcd.io/requestedAt` that was acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
}

impl JsonSchema for Voucher {
    fn schema_name() -> Cow<'static, str> {
        "Voucher".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        root::<VoucherSpec, VoucherStatus>(
            generator,
            "A Voucher is a code that organizations redeem for billing credit, each once. \
             Deleting a Voucher retires its code; credit that was granted stays.",
            rules::code_rules(),
        )
    }
}

impl Voucher {
    /// The code as it was written: `spec.code`, else the name of the object; none where it is
    /// kept in a Secret.
    #[must_use]
    pub fn written_code(&self) -> Option<&str> {
        let name = self.metadata.name.as_deref().unwrap_or_default();
        self.spec.code_from.is_none().then(|| self.spec.code.as_deref().unwrap_or(name))
    }
}
