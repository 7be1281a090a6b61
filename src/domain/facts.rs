//! What the ledger says, as data. The store reads it, the controllers decide by it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{code::Digest, object::Identity, reason::Reason, voucher::Lineage};
use crate::api::{Limit, Quantities};

/// The level of this program: a schema says the least level that may serve it.
pub const PROGRAM: i32 = 1;

/// What every answer of the ledger begins with.
#[derive(Clone, Debug, Deserialize)]
pub struct Standing {
    /// Ledger time of the answer.
    pub now: Timestamp,
    /// The least program that may serve this schema.
    pub least_program: i32,
    /// What the database server may lose in a crash, in a sentence; none where nothing.
    #[serde(default, rename = "unsafe")]
    pub durability: Option<String>,
    /// Whether this program was told to accept that.
    #[serde(default)]
    pub unsafe_is_allowed: bool,
    /// The franchise, once its first Sovereign is accepted.
    pub franchise: Option<Franchise>,
}

/// A namespace that keeps money.
#[derive(Clone, Debug, Deserialize)]
pub struct Franchise {
    /// UID of the namespace when it was founded.
    pub uid: String,
    /// Whether the next namespace of this name is the same franchise.
    #[serde(default)]
    pub expects_successor: bool,
    /// Why its money waits, if it does.
    pub frozen: Option<String>,
}

impl Standing {
    /// Why no money of this namespace may move now, if so. The UID is that of the hub namespace;
    /// none where it is no franchise at present, which thaws nothing.
    #[must_use]
    pub fn trouble(&self, namespace: &str, uid: Option<&str>) -> Option<Reason> {
        if self.least_program > PROGRAM {
            let needed = self.least_program;
            return Some(Reason::SchemaUnsupported { needed, program: PROGRAM });
        }
        if let Some(why) = self.durability.clone().filter(|_| !self.unsafe_is_allowed) {
            return Some(Reason::DurabilityUnsafe { why });
        }
        let franchise = self.franchise.as_ref()?;
        if let Some(why) = &franchise.frozen {
            return Some(Reason::LedgerFrozen { why: why.clone() });
        }
        let seen = uid.filter(|uid| *uid != franchise.uid)?.to_owned();
        let (namespace, known) = (namespace.to_owned(), franchise.uid.clone());
        Some(Reason::FranchiseIdentityChanged { namespace, known, seen })
    }
}

/// What a plan contains, as it was accepted with its price.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanTerms {
    /// The hard limits of the namespace's quota.
    #[serde(default)]
    pub quota: Quantities,
    /// The limits per container, pod or claim.
    #[serde(default)]
    pub limits: Vec<Limit>,
}

/// A plan as it is sold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// What a month costs, in minor units of the Sovereign's currency.
    pub amount: i64,
    /// What it contains.
    pub terms: PlanTerms,
}

/// What the ledger knows of a Sovereign.
#[derive(Clone, Debug, Deserialize)]
pub struct SovereignFacts {
    /// The franchise it belongs to.
    #[serde(flatten)]
    pub standing: Standing,
    /// As it was accepted.
    pub sovereign: Option<AcceptedSovereign>,
    /// The plans on sale, by name.
    pub plans: Vec<Plan>,
    /// Plans that are not on sale any more and stay in force for who has them.
    #[serde(default)]
    pub kept: Vec<String>,
    /// The Tenants that are awake on it, by name.
    pub tenants: Vec<String>,
    /// Another Sovereign of the franchise that reaches the same cluster.
    #[serde(default)]
    pub taken_by: Option<String>,
    /// What was abandoned on its cluster and is not gone yet.
    #[serde(default)]
    pub tombstones: Vec<Tombstone>,
    /// When that may be taken away, if its cluster goes on answering.
    #[serde(default)]
    pub sweep_at: Option<Timestamp>,
}

/// Something that a Tenant left on a cluster that did not answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Tombstone {
    /// Whose it was.
    pub organization: String,
    /// What was left.
    #[serde(flatten)]
    pub item: Item,
    /// Whether it is too late for its organization to have it back.
    pub condemned: bool,
}

/// A Sovereign as the ledger accepted it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AcceptedSovereign {
    /// What its accounts are kept in.
    pub currency: String,
    /// UID of the kube-system namespace of its cluster.
    pub cluster: String,
    /// The Secret with the way to its cluster; none where that is the hub itself.
    #[serde(default)]
    pub secret: Option<String>,
    /// For how many seconds it must not have answered before a Tenant may leave without it; never
    /// if none.
    #[serde(default)]
    pub abandon_after: Option<i64>,
    /// Since when its cluster does not answer.
    #[serde(default)]
    pub dark_since: Option<Timestamp>,
    /// Whether it has left.
    #[serde(default)]
    pub closed: bool,
}

impl AcceptedSovereign {
    /// When a Tenant that leaves goes without its cluster, if that has not answered by then.
    #[must_use]
    pub fn given_up_at(&self) -> Option<Timestamp> {
        let after = jiff::SignedDuration::from_secs(self.abandon_after?);
        self.dark_since?.checked_add(after).ok()
    }
}

/// What the ledger knows of a Voucher.
#[derive(Clone, Debug, Deserialize)]
pub struct VoucherFacts {
    /// The franchise it belongs to.
    #[serde(flatten)]
    pub standing: Standing,
    /// Currency of the accepted Sovereign that it names.
    pub currency: Option<String>,
    /// The lineage of the code that it gives, if that is known.
    pub lineage: Option<Lineage>,
    /// The lineage that this object holds.
    pub holds: Option<Lineage>,
}

/// What the ledger knows of a Tenant.
#[derive(Clone, Debug, Deserialize)]
pub struct TenantFacts {
    /// The franchise it belongs to.
    #[serde(flatten)]
    pub standing: Standing,
    /// The accepted Sovereign that it names.
    pub sovereign: Option<AcceptedSovereign>,
    /// Whether what the organization abandoned there is being taken away.
    #[serde(default)]
    pub condemned: bool,
    /// Names of the plans on sale there.
    pub offers: Vec<String>,
    /// The plan that it names, if it is on sale.
    pub offer: Option<Offer>,
    /// Whether the organization is this Tenant's and has an account.
    pub claimed: bool,
    /// Who else has the organization, as namespace/name.
    pub taken_by: Option<String>,
    /// The organization's money.
    pub account: Option<Account>,
    /// How its paid time stands.
    pub entitlement: Entitlement,
    /// The last paid period: it runs, or has ended and the organization goes on for a while.
    pub period: Option<Period>,
    /// What falls due when that period ends.
    pub renewal: Option<Renewal>,
    /// What is to be paid for the plan that it names: for a period, or for the rest of the one that
    /// runs; none where that plan is in force or begins later.
    pub quote: Option<Quote>,
    /// The order that is not paid yet.
    pub order: Option<Order>,
    /// Whether its account was given no credit yet.
    pub is_new: bool,
    /// The lineages of the codes that it names, in order.
    pub by_code: Vec<Option<Lineage>>,
    /// The lineages of the Vouchers that it names, in order.
    pub by_holder: Vec<Option<Lineage>>,
    /// What was made for it, or is about to be.
    pub inventory: Vec<Item>,
}

/// A plan on sale.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Offer {
    /// Its name.
    pub plan: String,
    /// Which revision is sold.
    pub revision: i32,
    /// What a month costs, in minor units.
    pub amount: i64,
}

/// An organization's money in the currency of its Sovereign, in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// What can be spent now: posted, neither held nor expired.
    pub spendable: i64,
    /// Set aside for orders.
    pub held: i64,
    /// Whether it is suspended.
    pub suspended: bool,
    /// When the first of what can be spent expires.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// How the paid time of an organization stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Entitlement {
    /// Nothing is paid yet, or not since it woke up.
    New,
    /// A period runs, and there will be credit for the next.
    Paid,
    /// A period runs, and there will be too little credit for the next.
    Low,
    /// It has ended, and there is credit for the next.
    Due,
    /// It has ended, there is too little credit, and the organization goes on for a while.
    Grace,
    /// So it was, and the while is over.
    Exhausted,
}

impl Entitlement {
    /// The word in a condition.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::Paid | Self::Low => "Paid",
            Self::Due => "Due",
            Self::Grace => "Grace",
            Self::Exhausted => "CreditExhausted",
        }
    }
}

/// What falls due when a period ends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Renewal {
    /// When.
    pub due_at: Timestamp,
    /// Until when the organization goes on without it.
    pub until: Timestamp,
    /// What it costs, in minor units.
    pub amount: i64,
    /// What can be spent then, in minor units.
    pub available: i64,
    /// The least percentage to warn at that is missed.
    pub percent: Option<i32>,
}

/// What is to be paid for a plan now.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Quote {
    /// For which period.
    pub period: i32,
    /// 0 for the period itself, else for the rest of it.
    pub step: i32,
    /// The plan.
    pub plan: String,
    /// Its revision.
    pub revision: i32,
    /// In minor units.
    pub amount: i64,
}

/// A paid stretch of time.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Period {
    /// When it ends and the next is due.
    pub ends_at: Timestamp,
    /// The Sovereign on which it was paid.
    pub sovereign: String,
    /// The plan that was paid.
    pub plan: String,
    /// What a month of it cost then, in minor units.
    pub price: i64,
    /// What that plan contained when it was ordered.
    pub terms: PlanTerms,
}

/// What the next period costs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Order {
    /// Its number.
    pub order: i64,
    /// For which period.
    pub period: i32,
    /// 0 for the period itself, else for the rest of it.
    pub step: i32,
    /// Whether its price stands: that of the rest of a period does so for a few minutes only.
    pub stands: bool,
    /// The Sovereign that it is for.
    pub sovereign: String,
    /// The plan.
    pub plan: String,
    /// Its revision, which fixes the price.
    pub revision: i32,
    /// What it costs, in minor units.
    pub amount: i64,
    /// What it contains.
    pub terms: PlanTerms,
    /// How many holds there were.
    pub attempts: i32,
    /// Whether credit is set aside for it now.
    pub held: bool,
    /// Until when, if so.
    pub lapses_at: Option<Timestamp>,
}

impl Order {
    /// Whether objects may be made for it: its credit is set aside, or it costs nothing.
    #[must_use]
    pub fn is_covered(&self) -> bool {
        self.held || self.amount == 0
    }

    /// Whether it is the order that this quote asks for.
    #[must_use]
    pub fn is_for(&self, quote: &Quote) -> bool {
        self.stands
            && (self.period, self.step, self.plan.as_str(), self.revision)
                == (quote.period, quote.step, quote.plan.as_str(), quote.revision)
    }
}

/// A row of the inventory: what we made, or are about to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Which object.
    #[serde(flatten)]
    pub identity: Identity,
    /// Which cluster, by the UID of its kube-system namespace.
    #[serde(skip_serializing)]
    pub cluster: String,
    /// Its UID, once it is known.
    pub uid: Option<String>,
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_hex(&text).ok_or_else(|| serde::de::Error::custom("not a digest"))
    }
}

#[cfg(test)]
mod tests;
