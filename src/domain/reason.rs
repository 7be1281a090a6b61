//! Why something is not as it should be: one meaning, one message, one course of action each.
//!
//! The name stands in conditions, events and metrics. The message is for the person who typed the
//! YAML: what, why, what to do.

use std::fmt;

/// What is to be expected of a state that is not ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// It goes on by itself, or when something else arrives that is expected to.
    Progressing,
    /// It refers to something that is not there yet: normal while a set of manifests is being
    /// applied, and a mistake if it lasts.
    Missing,
    /// A person must change something.
    Stalled,
    /// We cannot know: what is, stays as it is.
    Unknown,
}

macro_rules! reasons {
    ($(
        $(#[$doc:meta])*
        $name:ident { $($field:ident: $type:ty),* } $outlook:ident $message:literal
    )*) => {
        /// Why something is not as it should be.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Reason {
            $($(#[$doc])* $name {
                $(
                    #[allow(missing_docs, reason = "the message says what each field is")]
                    $field: $type
                ),*
            }),*
        }

        impl Reason {
            /// Every name, for the generated documentation and the tests of it.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// Every message as it is written, for the tests of them.
            #[cfg(test)]
            const MESSAGES: &'static [(&'static str, &'static str)] =
                &[$((stringify!($name), $message)),*];

            /// The word in conditions, events and metrics.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name { .. } => stringify!($name)),* }
            }

            /// What is to be expected.
            #[must_use]
            pub fn outlook(&self) -> Outlook {
                match self { $(Self::$name { .. } => Outlook::$outlook),* }
            }
        }

        impl fmt::Display for Reason {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Self::$name { $($field),* } => write!(formatter, $message)),* }
            }
        }
    };
}

reasons! {
    /// The namespace does not carry the franchise label.
    NotAFranchise { namespace: String } Stalled
        "namespace {namespace} is not a franchise, so nothing in it is paid or made: whoever may \
         label namespaces founds one with the label catalyst.openova.io/franchise"
    /// The namespace does not allow its Sovereigns to be this cluster.
    InClusterNotAllowed { namespace: String } Stalled
        "connection.mode InCluster means the hub itself, which namespace {namespace} may not use: \
         label the namespace catalyst.openova.io/in-cluster=allowed"
    /// The database does not answer, or not in time.
    LedgerUnavailable { why: String } Unknown
        "the ledger cannot be reached; nothing is refused or taken down meanwhile and all of it \
         resumes by itself: {why}"
    /// The database answers and refuses to move money.
    LedgerFrozen { why: String } Unknown
        "money waits: the ledger of this franchise is frozen ({why}); an administrator decides"
    /// This program is older than the schema of the database.
    SchemaUnsupported { needed: i32, program: i32 } Unknown
        "money waits: the database is served by programs of level {needed} and this one is of \
         level {program}; upgrade the operator"
    /// The database server may lose what it acknowledged.
    DurabilityUnsafe { why: String } Unknown
        "money waits: {why}"
    /// The database belongs to another hub.
    HubChanged { seen: String } Unknown
        "money waits: the database belongs to another hub than {seen}; if this \
         one is to take over, run catalyst-operator ledger adopt-hub {seen}"
    /// A namespace of this name was a franchise before, with another UID.
    FranchiseIdentityChanged { namespace: String, known: String, seen: String } Unknown
        "money waits: namespace {namespace} had UID {known} when it was founded and has {seen} \
         now; if it is the same franchise, annotate the namespace \
         catalyst.openova.io/accept-franchise-uid={seen}"
    /// The cluster does not answer, or not in time.
    ClusterUnavailable { why: String } Unknown
        "the cluster cannot be reached; nothing is taken down meanwhile: {why}"
    /// The cluster answers and refuses what we ask.
    ClusterRefused { why: String } Stalled
        "the cluster refused: {why}"
    /// What is written cannot be used, and no rule of the schema could say so.
    InvalidSpec { why: String } Stalled
        "{why}"

    /// The cluster is another one than the one that was accepted.
    ClusterIdentityChanged { known: String, seen: String } Unknown
        "nothing is made or taken away: the Sovereign was accepted on the cluster {known} and this \
         is the cluster {seen}; an administrator must accept it"
    /// The Sovereign's currency was another one before.
    CurrencyChanged { wanted: String, known: String } Stalled
        "the Sovereign was accepted with currency {known} and says {wanted} now; accounts are kept \
         in {known}: put it back, or use another name for the Sovereign"
    /// A Sovereign is leaving and still has Tenants.
    TenantsRemain { tenants: String } Progressing
        "the Sovereign goes when its Tenants are gone: delete {tenants}"

    /// The Sovereign is not there, or not accepted yet.
    SovereignNotFound { sovereign: String } Missing
        "Sovereign {sovereign} is not in this namespace, or not accepted yet"
    /// The voucher's credit is in another currency than its Sovereign's.
    CurrencyMismatch { credit: String, sovereign: String, currency: String } Stalled
        "credit is {credit} and Sovereign {sovereign} keeps its accounts in {currency}: create a \
         Voucher with credit in {currency}"
    /// Another Voucher object was first with this code.
    CodeTaken { holder: String } Stalled
        "the code belongs to Voucher {holder}, which was first; delete one of the two"
    /// A secret code is not where it should be.
    CodeSecretMissing { secret: String, key: String } Missing
        "the code is kept in a Secret and is not there: create Secret {secret} in this namespace \
         with the key {key}"
    /// Nobody let the operator read the Secret of a code.
    CodeSecretForbidden { secret: String } Stalled
        "the operator may not read Secret {secret}: grant its service account a Role in this \
         namespace with the verbs get, list and watch on secrets and resourceNames {secret}"
    /// A secret code could be found by trying.
    CodeTooShort { secret: String, key: String } Stalled
        "the value of key {key} in Secret {secret} has fewer than 16 characters, so that a thief \
         of the ledger could find it by trying: put a longer code there"
    /// What stands in a Secret is no code.
    CodeUnusable { secret: String, key: String } Stalled
        "the value of key {key} in Secret {secret} is not a voucher code: use 16 to 63 letters \
         A-Z and digits, with single hyphens between them"
    /// A Secret holds another code than the one that was accepted.
    CodeChanged { secret: String, hint: String } Stalled
        "the code in Secret {secret} is not the one that was accepted, {hint}, which stays in \
         force because people have it: put it back, or create another Voucher for another code"
    /// The code was used before, with another value.
    CodeRetired { was: String } Stalled
        "the code was worth {was} before it was deleted, and the value of a code never changes: \
         put that back, or use another code"
    /// The object is older than what was accepted from it before.
    StaleSpec { accepted: i64, seen: i64 } Stalled
        "generation {accepted} of this object was accepted before and this is generation {seen}, \
         so it comes from an older copy; apply the present version again"
    /// The cap that is asked for is below what is redeemed, or is gone.
    CapBelowRedeemed { wanted: String, used: i64, cap: i64 } Stalled
        "maxRedemptions {wanted} is not possible with {used} redeemed, and a cap never vanishes: \
         {cap} is in force; everything else of the edit took effect"
    /// The budget that is asked for is below what is granted, or is gone.
    BudgetBelowGranted { wanted: String, granted: String, budget: String } Stalled
        "budget {wanted} is not possible with {granted} granted, and a budget never vanishes: \
         {budget} is in force; everything else of the edit took effect"
    /// The code was revoked once and stays so.
    CodeRevoked {} Stalled
        "the code was revoked and stays revoked for ever; use another code"
    /// The ledger has not accepted these terms yet.
    TermsPending {} Progressing
        "the terms are not accepted by the ledger yet"

    /// The plan is not sold by the Sovereign.
    PlanNotFound { plan: String, sovereign: String, offers: String } Missing
        "Sovereign {sovereign} has no plan {plan}; it has {offers}"
    /// Another Tenant has this organization.
    OrganizationTaken { organization: String, by: String } Stalled
        "organization {organization} belongs to {by}, which was first: choose another \
         organization in a new Tenant, or let that one go"
    /// The organization's account is suspended.
    AccountSuspended { organization: String } Stalled
        "the account of organization {organization} is suspended, so it neither redeems nor pays; \
         an administrator decides"
    /// The running period was paid on another Sovereign.
    PaidElsewhere { sovereign: String, until: String } Stalled
        "the organization is paid on Sovereign {sovereign} until {until}, and a period does not \
         move: put the Tenant back there, or wait until then"
    /// There is less credit than the plan costs.
    CreditShort { available: String, needed: String, plan: String } Stalled
        "{available} of credit and plan {plan} costs {needed}: add a voucher to spec.vouchers, or \
         choose a smaller plan; nothing is made before it is paid"
    /// There is less credit than the plan costs, and a voucher that is named may still bring it.
    CreditAwaited { available: String, needed: String, plan: String, voucher: String } Missing
        "{available} of credit and plan {plan} costs {needed}; waiting for {voucher}: if it does \
         not come, add another voucher to spec.vouchers; nothing is made before it is paid"
    /// The paid time is over, and so is the grace after it.
    CreditExhausted { available: String, needed: String, plan: String, since: String } Stalled
        "nothing is paid since {since}: {available} of credit and plan {plan} costs {needed}; add \
         a voucher to spec.vouchers, or choose a smaller plan"
    /// There is less credit than a dearer plan costs for the rest of the period.
    UpgradeShort { available: String, needed: String, plan: String, current: String } Stalled
        "{available} of credit and plan {plan} costs {needed} for the rest of the period, so plan \
         {current} stays in force: add a voucher to spec.vouchers, or go back to plan {current}"
    /// The credit is set aside and objects are being made.
    Provisioning { what: String } Progressing
        "waiting for {what}"
    /// A namespace of that name exists and is not ours.
    NamespaceConflict { name: String } Stalled
        "namespace {name} exists and was not made for this Tenant; it is not touched: rename or \
         delete it, or choose another organization"
    /// The objects of a leaving Tenant are on their way out.
    TeardownPending { what: String } Progressing
        "waiting until they are gone: {what}"
    /// Turn after turn, the state was not the one that the last turn left behind.
    Unsettled {} Progressing
        "others change the same things; trying again"

    /// No such code, which is also the answer for one that was revoked or retired.
    NotFound {} Missing
        "there is no such voucher"
    /// The voucher is paused.
    NotActive {} Stalled
        "the voucher is paused"
    /// The voucher cannot be redeemed yet.
    NotStarted { from: String } Progressing
        "the voucher is valid from {from}"
    /// The voucher cannot be redeemed any more.
    Expired { at: String } Stalled
        "the voucher expired at {at}"
    /// The voucher is for other Tenants.
    NotEligible { why: String } Stalled
        "{why}"
    /// Every redemption of the voucher is used.
    LimitReached { cap: i64 } Stalled
        "all {cap} redemptions of the voucher are used"
    /// The voucher granted as much credit as it may.
    BudgetExhausted {} Stalled
        "the budget of the voucher is used up"
    /// The voucher can be redeemed and is about to be.
    NotRedeemedYet {} Progressing
        "the voucher is about to be redeemed"
}

impl std::error::Error for Reason {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_continues_a_sentence_and_has_no_full_stop() {
        // Words of the vocabulary and of the API may begin a message as they are written.
        let begins = |text: &str| {
            let names = ["{", "Sovereign ", "Tenant ", "Voucher "];
            text.starts_with(char::is_lowercase) || names.iter().any(|it| text.starts_with(it))
        };
        for (name, message) in Reason::MESSAGES {
            assert!(begins(message), "{name} begins with a capital: {message}");
            assert!(!message.ends_with(['.', '!', ' ', ':']), "{name} ends badly: {message}");
            assert!(!message.contains("  ") && !message.contains('\n'), "{name}: {message}");
        }
    }

    #[test]
    fn a_message_says_what_its_fields_say_and_shows_no_brace() {
        let (sovereign, plan) = ("nizwa".to_owned(), "m".to_owned());
        let offers = "s".to_owned();
        for (reason, text) in [
            (
                Reason::PlanNotFound { plan: plan.clone(), sovereign: sovereign.clone(), offers },
                "Sovereign nizwa has no plan m; it has s",
            ),
            (
                Reason::SovereignNotFound { sovereign },
                "Sovereign nizwa is not in this namespace, or not accepted yet",
            ),
            (Reason::LimitReached { cap: 50 }, "all 50 redemptions of the voucher are used"),
            (Reason::Provisioning { what: plan }, "waiting for m"),
        ] {
            assert_eq!(reason.to_string(), text);
        }
        // Every brace in a message is one of the fields, so none is printed.
        for (name, message) in Reason::MESSAGES {
            assert!(!message.contains("{{") && !message.contains("}}"), "{name}: {message}");
        }
    }

    #[test]
    fn every_name_is_one_word_that_kubernetes_takes_as_a_reason() {
        let mut names = Reason::NAMES.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Reason::NAMES.len());
        let is_word = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_uppercase())
                && name.chars().all(|c| c.is_ascii_alphanumeric())
        };
        assert!(names.iter().all(|name| is_word(name)), "{names:?}");
    }
}
