//! The brake on a mistaken mass deletion: a pruned folder, a deleted namespace or definition. The
//! visit of every object under deletion begins here, and in the same way: it observes, decides
//! and acts, and what it reports is the ruling.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use kube::{
    Resource, ResourceExt as _,
    runtime::reflector::{ObjectRef, Store as Mirror},
};

use super::{
    Context, Error,
    exit::{key, kind_name},
    object::ObjectState,
};
use crate::{
    api::{TENANT_FINALIZER, Tenant, Voucher},
    cluster::{Ours, Place},
    domain::{
        brake::{Awake, Deletion, DeletionFacts, Judgement, Population, Ruling, Word},
        sentence::chain,
    },
    readiness::Readiness,
    store::{self, Door},
};

/// So long an object under deletion is left alone at first, so that those who go with it are seen.
const PAUSE: Duration = Duration::from_secs(2);
/// How often those are counted that run on without an object.
const COUNT_EVERY: Duration = Duration::from_secs(30);

/// A Tenant that has an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Applied {
    /// Its name.
    pub name: String,
    /// Whether it is under deletion and held by us.
    pub is_leaving: bool,
}

/// What the brake looks at beside the ledger and the hub, and what it remembers.
pub struct Brake {
    tenants: Mirror<Tenant>,
    vouchers: Mirror<Voucher>,
    first_seen: Mutex<BTreeMap<String, Instant>>,
    /// Namespaces that were seen without a word since the last deletion that found one standing.
    without_word: Mutex<BTreeSet<String>>,
}

impl Brake {
    /// A brake over the objects that people count on.
    #[must_use]
    pub fn new(tenants: Mirror<Tenant>, vouchers: Mirror<Voucher>) -> Self {
        Self { tenants, vouchers, first_seen: Mutex::default(), without_word: Mutex::default() }
    }

    /// For how long an object is to be left alone yet, if it is under deletion: it is judged by all
    /// that is there, which a process that has just started may not have seen.
    pub(super) fn pause<K: Resource<DynamicType = ()>>(
        &self,
        object: &K,
        readiness: &Readiness,
    ) -> Option<Duration> {
        if object.meta().deletion_timestamp.is_none() {
            // The one before it of that name may have gone without a visit.
            self.forget(&key(object));
            return None;
        }
        let mut seen = self.first_seen.lock().unwrap_or_else(PoisonError::into_inner);
        let first = *seen.entry(key(object)).or_insert_with(Instant::now);
        let rest = PAUSE.checked_sub(first.elapsed()).filter(|rest| !rest.is_zero());
        let sees_all = readiness.are_open(&[kind_name::<Tenant>(), kind_name::<Voucher>()]);
        rest.or((!sees_all).then_some(PAUSE))
    }

    /// A namespace says nothing of a mass deletion. That is seen here and not at a visit, which may
    /// be too late for a word that is taken away and said again.
    pub(super) fn word_is_away(&self, namespace: &str) {
        self.namespaces().insert(namespace.to_owned());
    }

    fn namespaces(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.without_word.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The Tenants of a Sovereign that have an object.
    pub(super) fn applied(&self, (namespace, sovereign): &Place) -> Vec<Applied> {
        let of_it = |tenant: &&Arc<Tenant>| {
            tenant.metadata.namespace.as_ref() == Some(namespace)
                && tenant.spec.sovereign_ref.name.0 == *sovereign
        };
        let applied = |tenant: &Arc<Tenant>| {
            let state = ObjectState::of(&**tenant, TENANT_FINALIZER);
            Applied { name: tenant.name_any(), is_leaving: state.is_leaving && state.is_held }
        };
        self.tenants.state().iter().filter(of_it).map(applied).collect()
    }

    /// How many of some Tenants that run have no object.
    fn without_object(&self, awake: &Awake) -> usize {
        let object = |name: &str| ObjectRef::new(name).within(&awake.franchise);
        awake.tenants.iter().filter(|name| self.tenants.get(&object(name)).is_none()).count()
    }

    /// An object is gone.
    pub(super) fn forget(&self, key: &str) {
        self.first_seen.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Whether many Tenants or many Vouchers of a franchise go around an instant, beside those of
    /// which a person said that they were meant to.
    fn is_mass(&self, namespace: &str, at: Timestamp, facts: &DeletionFacts) -> bool {
        let (meant, others): (Vec<_>, Vec<_>) = facts.others.iter().partition(|other| other.meant);
        let meant: BTreeSet<&str> = meant.iter().map(|other| other.uid.as_str()).collect();
        let of = |kind: &str| -> Vec<&Deletion> {
            others.iter().copied().filter(|other| other.kind == kind).collect()
        };
        population(&self.tenants, namespace, &meant).is_going(at, &of("Tenant"))
            || population(&self.vouchers, namespace, &meant).is_going(at, &of("Voucher"))
    }
}

fn population<K: Ours>(known: &Mirror<K>, namespace: &str, less: &BTreeSet<&str>) -> Population {
    let mut population = Population::default();
    for object in known.state() {
        let meta = object.meta();
        let is_out = meta.uid.as_deref().is_some_and(|uid| less.contains(uid));
        if meta.namespace.as_deref() == Some(namespace) && !is_out {
            population.there += 1;
            let leaving = meta.deletion_timestamp.as_ref();
            let leaving = leaving.and_then(|at| Some((object.uid()?, at.0)));
            population.leaving.extend(leaving);
        }
    }
    population
}

/// Counts, for ever, the Tenants that run on without an object: they were kept when it was deleted
/// and not applied again, or somebody removed it by force. The object of their Sovereign may be
/// gone as well, so that no visit sees them.
pub async fn count_bare(ctx: &Context) -> Infallible {
    loop {
        // Before all were listed, it is not known who has none.
        if ctx.readiness.are_open(&[kind_name::<Tenant>()])
            && let Err(why) = count_once(ctx).await
        {
            tracing::debug!(why = chain(&why), "Tenants without an object were not counted");
        }
        tokio::time::sleep(COUNT_EVERY).await;
    }
}

async fn count_once(ctx: &Context) -> Result<(), store::Error> {
    let awake = ctx.store.observe_awake().await?;
    let served = awake.into_iter().filter(|awake| ctx.serves(&awake.franchise));
    let counted = served.map(|awake| {
        let bare = ctx.brake.without_object(&awake);
        ((awake.franchise, awake.sovereign), bare)
    });
    ctx.metrics.without_object(counted);
    Ok(())
}

/// What becomes of an object, if it is under deletion and held by our finalizer.
///
/// # Errors
/// The ledger or the hub does not answer.
pub(super) async fn rule<K: Ours>(
    object: &K,
    state: ObjectState,
    (ctx, door): (&Context, &Door),
) -> Result<Ruling, Error> {
    if !state.is_held {
        return Ok(Ruling::Goes);
    }
    let meta = object.meta();
    let (Some(at), Some(uid), Some(namespace)) =
        (&meta.deletion_timestamp, &meta.uid, &meta.namespace)
    else {
        return Ok(Ruling::Goes);
    };
    let facts = ctx.store.observe_deletions(namespace, uid, at.0).await?;
    let named = (kind_name::<K>(), uid.as_str());
    if let Some(Judgement { held, fades: true, .. }) = facts.judged {
        door.judge_deletion(namespace, named, at.0, (held, None)).await?;
    }
    if let Some(ruling) = facts.judged.and_then(|judged| judged.settled()) {
        return Ok(ruling);
    }
    let fate = ctx.host.fate::<K>(namespace).await?;
    let said = fate.reply.map(|reply| reply.word);
    let (is_held, stood) = if let Some(judged) = facts.judged {
        let stands = judged.stood.is_some() && judged.stood == said;
        let stands = stands && !ctx.brake.namespaces().contains(namespace);
        if judged.stood.is_some() && !stands {
            ctx.metrics.answered(&door.forget_word(namespace).await?);
        }
        (judged.held, said.filter(|_| stands))
    } else {
        let goes_with = fate.namespace_goes.or(fate.kind_goes).is_some();
        let is_held = goes_with || ctx.brake.is_mass(namespace, at.0, &facts);
        let stood = fate.reply.and_then(|reply| reply.stood_before(fate.began(at.0)));
        if stood.is_some() {
            ctx.brake.namespaces().remove(namespace);
        }
        let answer = door.judge_deletion(namespace, named, at.0, (is_held, stood)).await?;
        ctx.metrics.answered(&answer);
        (is_held, stood)
    };
    let ruling = Ruling::of(is_held, stood, said);
    if let Some(word) = said.filter(|_| is_held && ruling != Ruling::Held) {
        if word == Word::Keep && fate.namespace_goes.is_some() {
            ctx.metrics.answered(&door.expect_successor(namespace).await?);
        }
        ctx.metrics.answered(&door.answer_deletion(namespace, uid, word).await?);
        // The first answer is the one, and it may be that of a call that was taken for lost.
        let facts = ctx.store.observe_deletions(namespace, uid, at.0).await?;
        let settled = facts.judged.and_then(|judged| judged.settled());
        return Ok(settled.unwrap_or(Ruling::Held));
    }
    Ok(ruling)
}
