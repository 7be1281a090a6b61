//! What a person is told about a Tenant. Pure.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{Visit, observe::Seen};
use crate::{
    api::{self, RedeemedVoucher, TenantPhase, TenantStatus},
    controllers::{Error, conditions, object::requested},
    desired,
    domain::{
        facts::{Entitlement, Period},
        instant::second,
        money::{Currency, Money},
        reason::{Outlook, Reason},
        tenant::{Judged, Named, Tenant},
        verdict::{Leaf, Verdict},
    },
};

/// The status after a visit. After one that failed, what was reported before stays, but for what
/// is not known any more.
#[must_use]
pub(super) fn status(
    object: &api::Tenant,
    visit: &Result<Visit, Error>,
    now: Timestamp,
) -> TenantStatus {
    let known = object.status.clone().unwrap_or_default();
    let visit = match visit {
        Ok(visit) => visit,
        Err(error) => {
            let unknown: &[_] = match error {
                Error::Store(_) | Error::NoEpoch(_) => &["Entitled"],
                Error::Cluster(_) | Error::OutOfReach => &["Synced"],
                Error::Spec(_) => &[],
            };
            let (reason, meta) = (error.reason(), &object.metadata);
            let conditions =
                conditions::after_failure(&known.conditions, unknown, &reason, meta, now);
            return TenantStatus { conditions, ..known };
        }
    };
    let Visit { wanted, seen, verdict } = visit;
    let good = ("Ready", "the organization is paid and everything stands");
    let leaves = conditions::summary(verdict, good, leaves(visit), &object.metadata, now);
    let (cpu, memory) = match &seen.dark {
        // What was seen last is all that is known.
        Some(_) => (known.cpu, known.memory),
        None => (usage(wanted, seen, "cpu"), usage(wanted, seen, "memory")),
    };
    TenantStatus {
        observed_generation: object.metadata.generation,
        phase: Some(phase(object, seen, verdict)),
        conditions: with_times(&known.conditions, leaves, object, now),
        plan: seen.facts.period.as_ref().map(|period| period.plan.clone()),
        credit: seen.facts.account.as_ref().and_then(|account| money(account.spendable, seen)),
        paid_until: seen.facts.period.as_ref().map(|period| second(period.ends_at)),
        cpu,
        memory,
        vouchers: wanted.judge(&seen.facts).iter().map(voucher).collect(),
        last_handled_reconcile_at: requested(object),
    }
}

fn with_times(
    known: &[Condition],
    leaves: Vec<Leaf>,
    object: &api::Tenant,
    now: Timestamp,
) -> Vec<Condition> {
    conditions::timed(known, leaves, object.metadata.generation, now)
}

/// How far a Tenant comes, in order; a reason stands at one of these.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Sovereign,
    Credit,
    Namespaces,
    Policies,
    Done,
}

fn stage(seen: &Seen, verdict: &Verdict) -> Stage {
    let Verdict::Waiting(reason) = verdict else { return Stage::Done };
    match reason {
        Reason::NotAFranchise { .. }
        | Reason::SovereignNotFound { .. }
        | Reason::SovereignUnreachable { .. }
        | Reason::TeardownUnreachable { .. } => Stage::Sovereign,
        // Of a Tenant that leaves, what stood is going.
        Reason::NamespaceConflict { .. } | Reason::TeardownPending { .. } => Stage::Namespaces,
        Reason::FinalizersRemain { .. } if seen.live.is_empty() => Stage::Namespaces,
        Reason::Provisioning { what } if what.starts_with("namespace") => Stage::Namespaces,
        Reason::Provisioning { .. } => Stage::Policies,
        Reason::MassDeletionHeld { .. }
        | Reason::FinalizersRemain { .. }
        | Reason::Unsettled {} => Stage::Done,
        // Something else cannot be had, and what was paid before stands meanwhile.
        _ if seen.desired.is_some() && reason.outlook() != Outlook::Unknown => Stage::Done,
        _ => Stage::Credit,
    }
}

fn leaves(visit: &Visit) -> Vec<Leaf> {
    let Visit { wanted, seen, verdict } = visit;
    let at = stage(seen, verdict);
    let reason = match verdict {
        Verdict::Waiting(reason) => Some(reason),
        _ => None,
    };
    let leaf = |kind, stage: Stage, good: (&'static str, &str)| {
        // What stands on a cluster that cannot be used is not known, whatever else is the matter.
        if let Some(dark) = &seen.dark {
            Leaf::unknown(kind, dark)
        } else if at == stage
            && let Some(reason) = reason
        {
            Leaf::fails(kind, reason)
        } else if at < stage {
            Leaf::pending(kind)
        } else {
            Leaf::holds(kind, good.0, good.1)
        }
    };
    let accepted = ("Accepted", "the Sovereign is accepted");
    let namespaces = ("NamespacesApplied", "every namespace stands");
    let policies = ("PoliciesApplied", "quota, limits, network policies and roles are applied");
    let mut leaves = vec![
        leaf("SovereignReady", Stage::Sovereign, accepted),
        vouchers(wanted, seen),
        entitled(wanted, seen, verdict, at),
        leaf("NamespacesReady", Stage::Namespaces, namespaces),
        leaf("PoliciesReady", Stage::Policies, policies),
        leaf("Synced", Stage::Policies, ("InSync", "what stands is what should stand")),
    ];
    leaves.extend(credit_low(seen));
    leaves.extend(price_changes(seen));
    leaves
}

/// `Entitled=False` only where credit is the cause; where something else is in the way, we have
/// not asked.
fn entitled(wanted: &Tenant, seen: &Seen, verdict: &Verdict, at: Stage) -> Leaf {
    const KIND: &str = "Entitled";
    if let Verdict::Waiting(reason) = verdict
        && reason.outlook() == Outlook::Unknown
        && seen.dark.is_none()
    {
        return Leaf::unknown(KIND, reason);
    }
    if let Some(period) = &seen.facts.period {
        return Leaf::holds(KIND, seen.facts.entitlement.reason(), in_force(wanted, period, seen));
    }
    match (verdict, &seen.facts.order) {
        (
            Verdict::Waiting(
                reason @ (Reason::CreditShort { .. }
                | Reason::CreditAwaited { .. }
                | Reason::CreditExhausted { .. }),
            ),
            _,
        ) => Leaf::fails(KIND, reason),
        (Verdict::Waiting(reason), _) if at == Stage::Credit => Leaf::unknown(KIND, reason),
        (_, Some(order)) if order.held => {
            let amount = money(order.amount, seen).unwrap_or_default();
            Leaf::holds(KIND, "Held", format!("{amount} is set aside for plan {}", order.plan))
        }
        (_, Some(order)) if order.amount == 0 => {
            Leaf::holds(KIND, "Free", format!("plan {} costs nothing", order.plan))
        }
        _ => Leaf::pending(KIND),
    }
}

/// What is paid for, or was until a while ago, and what comes after it.
fn in_force(wanted: &Tenant, period: &Period, seen: &Seen) -> String {
    let (plan, ends) = (&period.plan, second(period.ends_at));
    let facts = &seen.facts;
    match (facts.entitlement, &facts.renewal) {
        (Entitlement::Grace, Some(renewal)) => format!(
            "plan {plan} was paid until {ends}, and the next period costs {} with {} of credit: \
             it goes on until {}; add a voucher to spec.vouchers",
            money(renewal.amount, seen).unwrap_or_default(),
            money(renewal.available, seen).unwrap_or_default(),
            second(renewal.until),
        ),
        (Entitlement::Due, _) => {
            format!("plan {plan} was paid until {ends}, and the next period is about to be")
        }
        _ if facts.quote.is_none() && facts.offer.is_some() && wanted.plan != *plan => {
            format!("plan {plan} is paid until {ends}, when plan {} begins", wanted.plan)
        }
        _ => format!("plan {plan} is paid until {ends}"),
    }
}

/// That the credit will not pay for the next period, or is less than the percentage of it that the
/// Tenant wants to be warned at, while that is so.
fn credit_low(seen: &Seen) -> Option<Leaf> {
    let low = matches!(seen.facts.entitlement, Entitlement::Low | Entitlement::Grace);
    let renewal = seen.facts.renewal.as_ref().filter(|_| low)?;
    let is_short = renewal.available < renewal.amount;
    let below = renewal.percent.filter(|_| !is_short);
    let message = format!(
        "the period that begins at {} costs {}, and the credit will be {}{}: add a voucher to \
         spec.vouchers",
        second(renewal.due_at),
        money(renewal.amount, seen).unwrap_or_default(),
        money(renewal.available, seen).unwrap_or_default(),
        below.map(|percent| format!(", less than {percent}% of that")).unwrap_or_default(),
    );
    let reason = if is_short { "RenewalShort" } else { "RenewalTight" };
    Some(Leaf::holds("CreditLow", reason, message))
}

/// That the plan costs something else with the next period, while that is so.
fn price_changes(seen: &Seen) -> Option<Leaf> {
    let (period, offer) = (seen.facts.period.as_ref()?, seen.facts.offer.as_ref()?);
    if offer.plan != period.plan || offer.amount == period.price {
        return None;
    }
    let message = format!(
        "from {} plan {} costs {} instead of {}",
        second(period.ends_at),
        period.plan,
        money(offer.amount, seen).unwrap_or_default(),
        money(period.price, seen).unwrap_or_default(),
    );
    Some(Leaf::holds("PriceChanges", "NextPeriod", message))
}

fn vouchers(wanted: &Tenant, seen: &Seen) -> Leaf {
    const KIND: &str = "VouchersRedeemed";
    let judged = wanted.judge(&seen.facts);
    let refused: Vec<(&Judged<'_>, &Reason)> =
        judged.iter().filter_map(|judged| Some((judged, judged.refusal.as_ref()?))).collect();
    match refused.first() {
        None if judged.is_empty() => Leaf::holds(KIND, "NoVouchers", "no voucher is named"),
        None => Leaf::holds(KIND, "AllRedeemed", "every voucher that is named is redeemed"),
        Some((_, first)) => {
            let sentence =
                |(judged, reason): &(&Judged<'_>, &Reason)| format!("{}: {reason}", judged.title());
            let sentences: Vec<String> = refused.iter().map(sentence).collect();
            Leaf { message: sentences.join("; "), ..Leaf::fails(KIND, first) }
        }
    }
}

fn voucher(judged: &Judged<'_>) -> RedeemedVoucher {
    let (name, hint) = match judged.named {
        Named::Code(given) => (None, given.code().ok().map(|code| code.hint().to_owned())),
        Named::Holder(holder) => {
            (Some(holder.clone()), judged.lineage.map(|lineage| lineage.hint.clone()))
        }
    };
    let at = judged.lineage.and_then(|lineage| lineage.redeemed_at);
    let later = judged.lineage.is_some_and(crate::domain::voucher::is_closed);
    let reason = match &judged.refusal {
        None if later => "RedeemedEarlier",
        None => "Redeemed",
        Some(reason) => reason.name(),
    };
    RedeemedVoucher { name, hint, reason: reason.to_owned(), redeemed_at: at.map(second) }
}

fn phase(object: &api::Tenant, seen: &Seen, verdict: &Verdict) -> TenantPhase {
    if object.metadata.deletion_timestamp.is_some() {
        return TenantPhase::Deleting;
    }
    let covered = seen.desired.is_some();
    match verdict {
        Verdict::Waiting(reason) if seen.dark.as_ref() == Some(reason) => TenantPhase::Unreachable,
        Verdict::Ready | Verdict::Gone => TenantPhase::Ready,
        Verdict::Again => TenantPhase::Pending,
        Verdict::Waiting(reason) => match (reason.outlook(), reason) {
            (_, Reason::CreditShort { .. }) if seen.facts.inventory.is_empty() => {
                TenantPhase::Pending
            }
            (Outlook::Progressing, _) if covered => TenantPhase::Provisioning,
            _ if covered => TenantPhase::Degraded,
            (Outlook::Stalled, _) => TenantPhase::Failed,
            _ => TenantPhase::Pending,
        },
    }
}

/// What is used and what may be, such as `3/8`, by the quota of the main namespace.
fn usage(wanted: &Tenant, seen: &Seen, resource: &str) -> Option<String> {
    let quota = seen.live.get(&desired::quota::identity(wanted))?;
    let read = |side: &str, prefix: &str| {
        quota.text(&format!("/status/{side}/{prefix}{resource}")).map(str::to_owned)
    };
    ["requests.", "limits.", ""].into_iter().find_map(|prefix| {
        let hard = read("hard", prefix)?;
        Some(format!("{}/{hard}", read("used", prefix).unwrap_or_else(|| "0".to_owned())))
    })
}

fn money(minor: i64, seen: &Seen) -> Option<String> {
    let currency = Currency::parse(&seen.facts.sovereign.as_ref()?.currency).ok()?;
    Some(Money { minor, currency }.to_string())
}
