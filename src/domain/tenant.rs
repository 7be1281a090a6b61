//! A Tenant whose spec can be used.

use super::{
    code::Code,
    facts::TenantFacts,
    reason::Reason,
    voucher::{Lineage, redeemable},
};
use crate::api::{self, Owner};

/// A Tenant whose spec can be used.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its namespace, which is its franchise.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The customer.
    pub organization: String,
    /// The Sovereign that it names.
    pub sovereign: String,
    /// The plan that it asks for.
    pub plan: String,
    /// Who may work in it.
    pub owners: Vec<Owner>,
    /// The vouchers that it names, in order.
    pub vouchers: Vec<Named>,
}

/// How a Tenant names a voucher.
#[derive(Clone, Debug)]
pub enum Named {
    /// By its code.
    Code(Code),
    /// By the Voucher object in the same namespace.
    Holder(String),
}

/// What is to be said of one voucher that a Tenant names.
#[derive(Clone, Debug)]
pub struct Judged<'a> {
    /// How it was named.
    pub named: &'a Named,
    /// What the ledger knows of it.
    pub lineage: Option<&'a Lineage>,
    /// Nothing where it is redeemed by this organization, else why it is not.
    pub refusal: Option<Reason>,
}

impl Judged<'_> {
    /// The voucher as the Tenant names it.
    #[must_use]
    pub fn title(&self) -> String {
        match self.named {
            Named::Code(code) => format!("code {}", code.hint()),
            Named::Holder(holder) => format!("Voucher {holder}"),
        }
    }
}

impl Tenant {
    /// # Errors
    /// Something that the schema should have refused.
    pub fn parse(tenant: &api::Tenant) -> Result<Self, Reason> {
        let spec = &tenant.spec;
        let named = |source: &api::VoucherSource| match (&source.code, &source.voucher_ref) {
            (Some(code), None) => Code::parse(code)
                .map(Named::Code)
                .map_err(|why| Reason::InvalidSpec { why: why.to_string() }),
            (None, Some(voucher)) => Ok(Named::Holder(voucher.name.to_string())),
            _ => Err(Reason::InvalidSpec {
                why: "a voucher is named by exactly one of code and voucherRef".to_owned(),
            }),
        };
        Ok(Self {
            namespace: tenant.metadata.namespace.clone().unwrap_or_default(),
            name: tenant.metadata.name.clone().unwrap_or_default(),
            organization: tenant.written_organization().to_owned(),
            sovereign: spec.sovereign_ref.name.to_string(),
            plan: spec.plan.to_string(),
            owners: spec.owners.clone(),
            vouchers: spec.vouchers.iter().map(named).collect::<Result<_, _>>()?,
        })
    }

    /// The main namespace on its cluster. A slug has no double hyphen, so that names of further
    /// namespaces cannot collide with it.
    #[must_use]
    pub fn main_namespace(&self) -> String {
        format!("tenant-{}", self.organization)
    }

    /// Each voucher that it names with what the ledger says of it. One that this organization has
    /// redeemed stays so, whatever became of the voucher since.
    #[must_use]
    pub fn judge<'a>(&'a self, facts: &'a TenantFacts) -> Vec<Judged<'a>> {
        let (mut codes, mut holders) = (facts.by_code.iter(), facts.by_holder.iter());
        let judge = |named: &'a Named| {
            let lineage = match named {
                Named::Code(_) => codes.next(),
                Named::Holder(_) => holders.next(),
            };
            let lineage = lineage.and_then(Option::as_ref);
            let refusal = match lineage {
                Some(Lineage { redeemed_at: Some(_), .. }) => None,
                _ => redeemable(lineage, &self.sovereign, facts.standing.now)
                    .err()
                    .or(Some(Reason::NotRedeemedYet {})),
            };
            Judged { named, lineage, refusal }
        };
        self.vouchers.iter().map(judge).collect()
    }
}
