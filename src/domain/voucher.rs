//! Vouchers: terms, the lineage of a code, and who may redeem it. The same rules stand in SQL,
//! where they win; a test holds the two together.

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    code::{Code, Digest},
    money::Money,
    reason::Reason,
};
use crate::api;

/// What a Voucher may do, in the ledger's words. `Retired` is what deletion leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum State {
    /// It can be redeemed.
    Active,
    /// Not now.
    Paused,
    /// Never again.
    Revoked,
    /// Its object is gone.
    Retired,
}

impl State {
    /// The word in the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Paused => "Paused",
            Self::Revoked => "Revoked",
            Self::Retired => "Retired",
        }
    }
}

/// The terms that an edit may change, for later redemptions.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Terms {
    /// How many redemptions there may be; none means any number.
    pub cap: Option<i64>,
    /// From when, inclusive.
    pub valid_from: Option<Timestamp>,
    /// Until when, exclusive.
    pub expires_at: Option<Timestamp>,
    /// Whether it can be redeemed at all.
    pub state: State,
}

/// A code as the ledger knows it, with the terms in force.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Lineage {
    /// What the ledger keys by.
    pub digest: Digest,
    /// What may be shown of the code.
    pub hint: String,
    /// The Voucher object that speaks for it; none when it is retired.
    pub holder: Option<String>,
    /// UID of the object that was accepted last.
    pub uid: String,
    /// Its generation then.
    pub generation: i64,
    /// The Sovereign it is for.
    pub sovereign: String,
    /// What it is worth, in minor units.
    pub amount: i64,
    /// Of which currency.
    pub currency: String,
    /// The terms in force.
    #[serde(flatten)]
    pub terms: Terms,
    /// How many redemptions there are.
    pub used: i64,
    /// When the account that asks redeemed it.
    #[serde(default)]
    pub redeemed_at: Option<Timestamp>,
}

/// A Voucher whose spec can be used.
#[derive(Clone, Debug)]
pub struct Voucher {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// The generation of its spec.
    pub generation: i64,
    /// The Sovereign that it names.
    pub sovereign: String,
    /// Its code.
    pub code: Code,
    /// What it is worth.
    pub credit: Money,
    /// The terms that it asks for.
    pub terms: Terms,
}

impl Voucher {
    /// # Errors
    /// Something that the schema should have refused.
    pub fn parse(voucher: &api::Voucher) -> Result<Self, Reason> {
        let invalid = |why: &dyn ToString| Reason::InvalidSpec { why: why.to_string() };
        let spec = &voucher.spec;
        let meta = voucher.metadata.clone();
        // PostgreSQL keeps microseconds; what is compared must be what it keeps.
        let time = |time: &Option<api::Timestamp>| -> Result<Option<Timestamp>, jiff::Error> {
            let Some(text) = time else { return Ok(None) };
            let instant: Timestamp = text.as_str().parse()?;
            Timestamp::from_microsecond(instant.as_microsecond()).map(Some)
        };
        Ok(Self {
            namespace: meta.namespace.unwrap_or_default(),
            name: meta.name.unwrap_or_default(),
            uid: meta.uid.unwrap_or_default(),
            generation: meta.generation.unwrap_or_default(),
            sovereign: spec.sovereign_ref.name.to_string(),
            code: Code::parse(voucher.written_code()).map_err(|why| invalid(&why))?,
            credit: Money::parse(spec.credit.as_str()).map_err(|why| invalid(&why))?,
            terms: Terms {
                cap: spec.max_redemptions,
                valid_from: time(&spec.valid_from).map_err(|why| invalid(&why))?,
                expires_at: time(&spec.expires_at).map_err(|why| invalid(&why))?,
                state: match spec.state {
                    api::VoucherState::Active => State::Active,
                    api::VoucherState::Paused => State::Paused,
                    api::VoucherState::Revoked => State::Revoked,
                },
            },
        })
    }
}

impl Terms {
    /// What is in force after these terms are asked for: a cap never falls below what is redeemed
    /// and never vanishes, a revoked code stays revoked; everything else is taken as it is.
    #[must_use]
    pub fn judged_against(&self, lineage: &Lineage) -> Self {
        let kept = lineage.terms.cap;
        let cap = match (self.cap, kept) {
            (None, kept) => kept,
            (Some(wanted), Some(kept)) if wanted < lineage.used => Some(kept),
            (Some(wanted), _) => Some(wanted.max(lineage.used)),
        };
        let revoked = lineage.terms.state == State::Revoked;
        let state = if revoked { State::Revoked } else { self.state };
        Self { cap, state, ..self.clone() }
    }
}

/// Whether nobody can redeem this lineage any more, or not at present, whatever their account.
#[must_use]
pub fn is_closed(lineage: &Lineage) -> bool {
    lineage.terms.state != State::Active
}

/// Why an account on `sovereign` cannot redeem this lineage at `now`, in the fixed order of
/// refusals; none where it can. A code that is unknown, revoked or retired answers the same.
///
/// # Errors
/// The first refusal that applies.
pub fn redeemable(
    lineage: Option<&Lineage>,
    sovereign: &str,
    now: Timestamp,
) -> Result<(), Reason> {
    let Some(lineage) = lineage else { return Err(Reason::NotFound {}) };
    let terms = &lineage.terms;
    match terms.state {
        State::Revoked | State::Retired => return Err(Reason::NotFound {}),
        State::Paused => return Err(Reason::NotActive {}),
        State::Active => {}
    }
    if let Some(from) = terms.valid_from.filter(|from| now < *from) {
        return Err(Reason::NotStarted { from: from.to_string() });
    }
    if let Some(at) = terms.expires_at.filter(|at| now >= *at) {
        return Err(Reason::Expired { at: at.to_string() });
    }
    if lineage.sovereign != sovereign {
        let voucher = lineage.sovereign.clone();
        return Err(Reason::NotEligible { voucher, tenant: sovereign.to_owned() });
    }
    match terms.cap {
        Some(cap) if lineage.used >= cap => Err(Reason::LimitReached { cap }),
        _ => Ok(()),
    }
}
