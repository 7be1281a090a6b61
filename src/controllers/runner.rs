//! Running the three controllers: watches in, visits out, and nothing that stops in silence.

use std::{
    collections::BTreeSet,
    fmt::Debug,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{Stream, StreamExt as _, stream::BoxStream};
use k8s_openapi::api::{
    core::v1::{LimitRange, Namespace, ResourceQuota},
    networking::v1::NetworkPolicy,
    rbac::v1::RoleBinding,
};
use kube::{
    Client, Resource, ResourceExt as _,
    core::PartialObjectMeta,
    runtime::{
        Controller, Predicate as _, WatchStreamExt as _,
        controller::{self, Action},
        predicates,
        reflector::{ObjectRef, Store as Mirror},
        watcher::{self, Event},
    },
};
use tokio::{
    sync::mpsc::{Receiver, UnboundedReceiver},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::{
    Context, Error,
    error::Class,
    exit::{key, kind_name, place},
    lanes::Laned,
    sovereign, tenant, voucher,
    wake::{Waker, Wakers},
};
use crate::{
    api::{self, FRANCHISE_LABEL, MANAGED_BY_LABEL, MANAGER},
    cluster::{self, News, Ours, Place, Watched},
    domain::sentence::chain,
};

/// How long a follower of the outbox waits before it connects anew.
const FOLLOW_AGAIN: Duration = Duration::from_millis(500);

/// How often Secrets that cannot be watched are looked into, and watches that nobody needs any more
/// are ended.
const SECRETS_EVERY: Duration = Duration::from_secs(10);

/// How many controllers there are: so many tasks end when they are told to stop.
pub const COUNT: usize = 3;

/// The running controllers. Dropping it stops them where they are.
pub struct Controllers {
    tasks: JoinSet<&'static str>,
    /// Wakes objects.
    pub wakers: Wakers,
}

/// Selects the hub namespaces that are franchises. Namespaces of our Tenants carry the franchise
/// label too, for finding, and are none.
fn franchise_selector() -> String {
    format!("{FRANCHISE_LABEL},{MANAGED_BY_LABEL}!={MANAGER}")
}

/// A copy of all objects of a kind, and what fills it.
pub type Watching<K> = (Mirror<K>, BoxStream<'static, Watched<K>>);

/// Everything that is watched from the start.
pub struct Watches {
    /// All Sovereigns that are served.
    pub sovereigns: Watching<api::Sovereign>,
    /// All Tenants that are served.
    pub tenants: Watching<api::Tenant>,
    /// All Vouchers that are served.
    pub vouchers: Watching<api::Voucher>,
    /// The hub namespaces that are franchises.
    pub franchises: Watching<PartialObjectMeta<Namespace>>,
}

impl Watches {
    /// The watches of a hub, of ours in these namespaces alone if any is named. None does anything
    /// before it is polled.
    #[must_use]
    pub fn of(client: &Client, namespaces: &BTreeSet<String>) -> Self {
        let franchises = cluster::watch(client.clone(), &franchise_selector());
        Self {
            sovereigns: cluster::mirror(cluster::watch_in(client, namespaces)),
            tenants: cluster::mirror(cluster::watch_in(client, namespaces)),
            vouchers: cluster::mirror(cluster::watch_in(client, namespaces)),
            franchises: cluster::mirror(franchises),
        }
    }
}

/// Starts everything that reacts to change. Controllers run on every replica; each visit asks who
/// may act.
#[must_use]
pub fn start(
    ctx: &Arc<Context>,
    client: &Client,
    (watches, secrets, news): (Watches, UnboundedReceiver<Place>, Receiver<News>),
    stop: &CancellationToken,
) -> Controllers {
    let mut tasks = JoinSet::new();
    let (known, sovereigns) = watches.sovereigns;
    let (wake_sovereigns, woken) = Waker::new(known.clone());
    tasks.spawn(control(ctx, (known, sovereigns, woken), sovereign::reconcile, stop));
    let (known, tenants) = watches.tenants;
    let (wake_tenants, woken) = Waker::new(known.clone());
    tasks.spawn(control(ctx, (known, tenants, woken), tenant::reconcile, stop));
    let (known, vouchers) = watches.vouchers;
    let (wake_vouchers, woken) = Waker::new(known.clone());
    tasks.spawn(control(ctx, (known, vouchers, woken), voucher::reconcile, stop));

    let wakers =
        Wakers { sovereigns: wake_sovereigns, tenants: wake_tenants, vouchers: wake_vouchers };
    tasks.spawn(wake_franchises(ctx.clone(), watches.franchises.1, wakers.clone()));
    // A stranger's namespace of that name is in the way, so all are watched.
    tasks.spawn(wake_owners::<Namespace>(client, "", &wakers));
    let ours = format!("{MANAGED_BY_LABEL}={MANAGER}");
    tasks.spawn(wake_owners::<ResourceQuota>(client, &ours, &wakers));
    tasks.spawn(wake_owners::<LimitRange>(client, &ours, &wakers));
    tasks.spawn(wake_owners::<NetworkPolicy>(client, &ours, &wakers));
    tasks.spawn(wake_owners::<RoleBinding>(client, &ours, &wakers));
    tasks.spawn(wake_readers(ctx.clone(), secrets, wakers.clone()));
    tasks.spawn(wake_by_news(news, wakers.clone()));
    tasks.spawn(follow(ctx.clone(), wakers.clone()));
    Controllers { tasks, wakers }
}

impl Controllers {
    /// Waits until one of the tasks has ended, which none does by itself before `stop`.
    ///
    /// # Errors
    /// It panicked.
    pub async fn ended(&mut self) -> Result<&'static str, tokio::task::JoinError> {
        self.tasks.join_next().await.unwrap_or(Ok("everything"))
    }
}

/// A kind of ours with what its controller needs.
type Intake<K, S> = (Mirror<K>, S, UnboundedReceiver<ObjectRef<K>>);

/// Runs one controller until it is told to stop.
fn control<K, S, F>(
    ctx: &Arc<Context>,
    (known, events, woken): Intake<K, S>,
    reconcile: fn(Arc<K>, Arc<Context>) -> F,
    stop: &CancellationToken,
) -> impl Future<Output = &'static str> + Send + use<K, S, F> + 'static
where
    K: Ours + Laned,
    S: Stream<Item = Event<K>> + Send + 'static,
    F: Future<Output = Result<Action, Error>> + Send + 'static,
{
    // Our own status writes wake nobody; edits, finalizers, deletions and requests do.
    let telling =
        predicates::generation.combine(predicates::finalizers).combine(predicates::annotations);
    let gone = ctx.clone();
    let triggers = events
        .inspect(move |event| {
            if let Event::Delete(object) = event {
                gone.metrics.forget(kind_name::<K>(), &place(object));
                gone.brake.forget(&key(object));
            }
        })
        .map(Ok::<_, watcher::Error>)
        .applied_objects()
        .predicate_filter(telling, kube::runtime::PredicateConfig::default());
    let woken =
        futures::stream::unfold(woken, async |mut woken| Some((woken.recv().await?, woken)));
    let (ctx, stop, synced) = (ctx.clone(), stop.clone(), known.clone());
    let visits = Controller::for_stream(triggers, known)
        .reconcile_on(woken)
        .graceful_shutdown_on(async move { stop.cancelled().await })
        .run(move |object, ctx| timed(object, ctx, reconcile), again, ctx.clone());
    async move {
        let name = kind_name::<K>();
        let ready = async {
            // The store is never dropped before its reader.
            let _kept = synced.wait_until_ready().await;
            ctx.readiness.pass(name);
        };
        let run = visits.for_each(|visit| async move {
            if let Err(
                why @ (controller::Error::QueueError(_) | controller::Error::RunnerError(_)),
            ) = visit
            {
                tracing::error!(why = chain(&why), "a controller was interrupted");
            }
        });
        tokio::join!(ready, run);
        name
    }
}

/// A visit with what is logged and counted of it.
async fn timed<K, F>(
    object: Arc<K>,
    ctx: Arc<Context>,
    reconcile: fn(Arc<K>, Arc<Context>) -> F,
) -> Result<Action, Error>
where
    K: Laned,
    F: Future<Output = Result<Action, Error>>,
{
    if let Some(rest) = ctx.brake.pause(&*object, &ctx.readiness) {
        return Ok(Action::requeue(rest));
    }
    let queued = Instant::now();
    let _turn = ctx.lanes.enter(object.lane()).await;
    let (waited, begun) = (queued.elapsed(), Instant::now());
    let (name, place) = (key(&*object), place(&*object));
    // Boxed, so that a visit that waits for its turn takes no room.
    let visit = Box::pin(reconcile(object, ctx.clone())).await;
    let outcome = match &visit {
        Ok(next) => {
            ctx.retries.forget(&name);
            if *next == Action::await_change() {
                ctx.published.forget(&name);
                ctx.brake.forget(&name);
                ctx.metrics.forget(kind_name::<K>(), &place);
            }
            "done"
        }
        Err(error) => {
            tracing::warn!(object = name, why = chain(error), "a visit failed and is repeated");
            error.class().name()
        }
    };
    ctx.metrics.visited(kind_name::<K>(), outcome, (waited, begun.elapsed()));
    tracing::debug!(object = name, outcome, took = ?begun.elapsed(), "visited");
    visit
}

/// When a failed visit is repeated.
#[allow(clippy::needless_pass_by_value, reason = "the controller hands them over")]
fn again<K: Resource<DynamicType = ()>>(
    object: Arc<K>,
    error: &Error,
    ctx: Arc<Context>,
) -> Action {
    match error.class() {
        Class::Fenced => ctx.fenced.cancel(),
        Class::Unavailable | Class::Frozen | Class::Conflict | Class::Refused | Class::Bug => {}
    }
    Action::requeue(ctx.retries.delay(&key(&*object)))
}

/// Everything in a namespace is visited when it becomes, changes or ceases to be a franchise.
async fn wake_franchises(
    ctx: Arc<Context>,
    events: impl Stream<Item = Watched<PartialObjectMeta<Namespace>>>,
    wakers: Wakers,
) -> &'static str {
    let mut events = std::pin::pin!(events);
    while let Some(event) = events.next().await {
        if let Event::Apply(namespace) | Event::Delete(namespace) | Event::InitApply(namespace) =
            event
        {
            let name = namespace.name_any();
            if cluster::word(&namespace).is_none() {
                ctx.brake.word_is_away(&name);
            }
            wakers.franchise(&name);
        }
    }
    "the watch of franchises"
}

/// A Tenant is visited when an object of its changes or goes.
fn wake_owners<K>(
    client: &Client,
    labels: &str,
    wakers: &Wakers,
) -> impl Future<Output = &'static str> + Send + use<K> + 'static
where
    K: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
{
    let events = cluster::watch::<PartialObjectMeta<K>>(client.clone(), labels);
    let wakers = wakers.clone();
    async move {
        let mut events = std::pin::pin!(events);
        while let Some(event) = events.next().await {
            // By the place and not by its labels, which a person may have stripped: the visit
            // looks at what the inventory says.
            if let Event::Apply(object) | Event::Delete(object) | Event::InitApply(object) = event {
                wakers.home(&object.namespace().unwrap_or_else(|| object.name_any()));
            }
        }
        "a watch of what Tenants are made of"
    }
}

/// Objects are visited when something happens on a cluster that is not ours.
async fn wake_by_news(mut news: Receiver<News>, wakers: Wakers) -> &'static str {
    while let Some(news) = news.recv().await {
        match news {
            News::Link(place) => wakers.link(&place),
            News::Home(place, namespace) => wakers.home_on(&place, &namespace),
        }
    }
    "the news of clusters"
}

/// Objects are visited when a Secret that they name may have changed.
async fn wake_readers(
    ctx: Arc<Context>,
    mut changed: UnboundedReceiver<Place>,
    wakers: Wakers,
) -> &'static str {
    let mut sweep = tokio::time::interval(SECRETS_EVERY);
    loop {
        tokio::select! {
            place = changed.recv() => match place {
                Some(place) => wakers.secret(&place),
                None => return "the watches of Secrets",
            },
            _ = sweep.tick() => {
                ctx.secrets.keep(wakers.secrets()).iter().for_each(|place| wakers.secret(place));
            }
        }
    }
}

/// Objects are visited when something that concerns them is committed, by whatever process.
async fn follow(ctx: Arc<Context>, wakers: Wakers) -> &'static str {
    loop {
        let ended = async {
            let mut follower = ctx.store.follow().await?;
            loop {
                wakers.followed(follower.next().await?);
            }
        };
        let ended: Result<std::convert::Infallible, crate::store::Error> = ended.await;
        let Err(why) = ended;
        tracing::debug!(why = chain(&why), "the outbox cannot be followed");
        tokio::time::sleep(FOLLOW_AGAIN).await;
    }
}
