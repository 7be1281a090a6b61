//! Putting the operator together: nothing else makes a client or a pool.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};

use k8s_controller::LeaderElection;
use kube::{Client, Config};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

mod database;
mod gates;

pub use database::DatabaseUrl;
pub(crate) use gates::{denied, wrong_definition};

use crate::{
    cluster::{self, Cluster, Fleet, Host, Notes, Secrets},
    controllers::{
        self, Brake, Context, Controllers, Lanes, Ownership, Published, Retries, Sealer, Wakers,
        Watches, audit, count_bare,
    },
    domain::{
        address::Allowed,
        reason::{Outlook, Reason},
        sentence::chain,
    },
    http,
    metrics::Metrics,
    readiness::Readiness,
    store::{self, Store},
    telemetry::{self, Format},
};

/// Connections to `PostgreSQL`: enough for all visits, few enough that a popular voucher's row is
/// not fought over.
const CONNECTIONS_MAX: u32 = 8;
/// How often what this process cannot work without is looked at.
const CHECK_EVERY: Duration = Duration::from_secs(2);
/// How often the floor of ledger time is raised.
const TICK_EVERY: Duration = Duration::from_secs(1);
/// How long visits in flight may take when the process is asked to stop: less than a Lease lasts.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// What `run` is told.
pub struct Settings {
    /// Where the ledger is.
    pub database_url: DatabaseUrl,
    /// The same database as a user that may make and upgrade the ledger; nobody does if none.
    pub migrate_database_url: Option<DatabaseUrl>,
    /// The pod that this process runs in, if it does.
    pub pod: Option<String>,
    /// The operator's own namespace.
    pub namespace: String,
    /// Where probes and metrics are served.
    pub metrics_addr: SocketAddr,
    /// The franchises that are served; all if empty.
    pub namespaces: BTreeSet<String>,
    /// Whether to act only while holding the Lease.
    pub leader_elect: bool,
    /// Addresses that a kubeconfig may name although they are refused by default.
    pub remote_allow: Allowed,
    /// Whether money moves on a server that may lose what it acknowledged.
    pub allow_unsafe_durability: bool,
    /// How often the ledger is audited.
    pub audit_every: Duration,
    /// How a line of the log is written.
    pub log_format: Format,
}

/// Why the operator ended although nobody asked it to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No kubeconfig, and not in a pod.
    #[error("cannot find a cluster: set KUBECONFIG, or run in a pod with a service account")]
    Config(#[source] kube::config::InferConfigError),
    /// The cluster's credentials cannot be used.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// The database is another one than before.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// No port for probes and metrics.
    #[error("cannot serve probes and metrics")]
    Serve(#[source] std::io::Error),
    /// The signals of the system cannot be heard.
    #[error("cannot listen for signals")]
    Signals(#[source] std::io::Error),
    /// Another process leads.
    #[error(
        "the Lease was not renewed in time, or another process leads now; this one ends so that \
         none acts twice"
    )]
    Fenced,
    /// A task that never ends has ended.
    #[error("{0} ended")]
    Ended(&'static str),
    /// A task panicked.
    #[error("a task failed")]
    Task(#[from] tokio::task::JoinError),
}

/// The hub that KUBECONFIG or the account of the pod leads to.
///
/// # Errors
/// There is none, or it does not answer.
pub(crate) async fn hub(instance: &str) -> Result<(Host, Cluster), Error> {
    let client = cluster::client(Config::infer().await.map_err(Error::Config)?)?;
    let cluster = Cluster::identify(client.clone()).await?;
    Ok((Host::new(client, instance, None), cluster))
}

/// Runs until SIGTERM or SIGINT, then finishes the visits in flight and gives the Lease back.
///
/// # Errors
/// A setting cannot be used, another process leads, or a part of this one has ended.
pub async fn run(settings: Settings) -> Result<(), Error> {
    telemetry::start(settings.log_format);
    // One provider for both libraries that speak TLS; a second call finds the first.
    let _first = rustls::crypto::ring::default_provider().install_default();
    let config = Config::infer().await.map_err(Error::Config)?;
    let url = config.cluster_url.clone();
    let client = cluster::client(config)?;
    let rights = controllers::permissions::required();
    let (fleet, news) = Fleet::new((client.clone(), &url), settings.remote_allow.clone(), rights);
    let stop = CancellationToken::new();
    let watches = Watches::of(&client, &settings.namespaces);
    let identity = identity();
    let (secrets, opened) = Secrets::new(client.clone());
    let ctx = Arc::new(context(&settings, &client, (&watches, secrets, fleet), &identity));
    let listener =
        http::bind(settings.metrics_addr, settings.pod.is_none()).await.map_err(Error::Serve)?;
    tracing::info!(address = ?listener.local_addr().ok(), identity, "serving probes and metrics");
    let serving = http::serve(listener, ctx.metrics.clone(), ctx.readiness.clone(), stop.clone());
    let mut controllers = controllers::start(&ctx, &client, (watches, opened, news), &stop);
    let wakers = controllers.wakers.clone();
    let acting =
        Acting { ctx: &ctx, wakers: &wakers, stop: &stop, audit_every: settings.audit_every };
    let leading = Box::pin(acting.lead());
    let election = settings
        .leader_elect
        .then(|| LeaderElection::new(client, &settings.namespace, "catalyst-operator", &identity));
    let leadership = async {
        if let Some(election) = &election {
            return election.with_lease(leading).await.ok_or(Error::Fenced);
        }
        Box::pin(acting.join()).await;
        Ok(())
    };
    let outcome = tokio::select! {
        signalled = stopped() => signalled,
        served = serving => Err(served.map_or_else(Error::Serve, |()| Error::Ended("http"))),
        ended = leadership => ended.and(Err(Error::Ended("leadership"))),
        ended = controllers.ended() => match ended {
            Ok(name) => Err(Error::Ended(name)),
            Err(why) => Err(Error::Task(why)),
        },
        () = ctx.fenced.cancelled() => Err(Error::Fenced),
        moved = gates::keep_ledger(&ctx, &wakers, &settings) => Err(Error::Store(moved)),
        never = gates::keep_definitions(&ctx) => match never {},
        never = gates::keep_rights(&ctx, &settings) => match never {},
    };
    stop.cancel();
    if outcome.is_ok() {
        drain(&mut controllers).await;
        if let Some(election) = &election {
            election.release().await;
        }
        ctx.store.close().await;
    }
    outcome
}

fn context(
    settings: &Settings,
    client: &Client,
    (watches, secrets, fleet): (&Watches, Secrets, Fleet),
    identity: &str,
) -> Context {
    let allow = settings.allow_unsafe_durability;
    let pod = settings.pod.as_deref().map(|name| (settings.namespace.as_str(), name));
    let store = Store::nowhere(CONNECTIONS_MAX, allow);
    if let Ok(url) = settings.database_url.read() {
        // What is wrong with it is told where the ledger is looked at.
        let _told = store.turn_to(&url);
    }
    Context {
        door: store.door(),
        store,
        host: Host::new(client.clone(), identity, pod),
        secrets,
        notes: Notes::new(client.clone(), &settings.namespace),
        fleet,
        ownership: Ownership::default(),
        franchises: watches.franchises.0.clone(),
        brake: Brake::new(watches.tenants.0.clone(), watches.vouchers.0.clone()),
        namespaces: settings.namespaces.clone(),
        lanes: Lanes::default(),
        retries: Retries::default(),
        published: Published::default(),
        metrics: Metrics::new(),
        readiness: Arc::new(Readiness::new(&[
            "Sovereign",
            "Tenant",
            "Voucher",
            "definitions",
            "ledger",
            "rights",
        ])),
        fenced: CancellationToken::new(),
    }
}

/// What a process needs that acts.
struct Acting<'a> {
    ctx: &'a Context,
    wakers: &'a Wakers,
    stop: &'a CancellationToken,
    audit_every: Duration,
}

impl Acting<'_> {
    /// Leads while the Lease is held: the epoch comes from the ledger, never from the Lease.
    async fn lead(&self) {
        self.ctx.metrics.leads(true);
        self.act(async || Ok(self.ctx.door.begin_leadership().await?)).await;
    }

    /// Acts beside others under the epoch in force.
    async fn join(&self) {
        self.ctx.metrics.leads(true);
        self.act(async || Ok(self.ctx.door.current_epoch().await?)).await;
    }

    /// Acts under the epoch that the ledger gives, and keeps its clock and its proof. Which
    /// namespaces are franchises is known first, so that none is taken for a stranger; then that
    /// the database is this hub's; then that its ledger is the one that was anchored.
    async fn act(&self, epoch: impl AsyncFnMut() -> Result<i64, controllers::Error>) {
        let ctx = self.ctx;
        // The watch that fills it ends with the process.
        let _filled = ctx.franchises.wait_until_ready().await;
        self.persistently(async || {
            let hub = ctx.fleet.hub().await?;
            Ok(ctx.door.pin_hub(hub.uid()).await?)
        })
        .await;
        let epoch = self.persistently(epoch).await;
        let mut sealer = Sealer::new(ctx, self.wakers, epoch);
        self.persistently(async || sealer.compare().await).await;
        tracing::info!(epoch, "acting");
        ctx.ownership.lead(epoch);
        self.wakers.everything();
        tokio::select! {
            () = self.keep_clock() => {}
            never = sealer.keep() => match never {},
            never = audit(ctx, epoch, self.audit_every) => match never {},
            never = count_bare(ctx) => match never {},
        }
    }

    async fn keep_clock(&self) {
        while !self.stop.is_cancelled() {
            if let Err(why) = self.ctx.door.tick().await {
                tracing::debug!(why = chain(&why), "the clock was not kept");
            }
            tokio::time::sleep(TICK_EVERY).await;
        }
    }

    /// Asks until there is an answer. If there is none, every visit says why it waits; if there
    /// is, a change of leaders is not to be seen in any status.
    async fn persistently<T>(
        &self,
        mut ask: impl AsyncFnMut() -> Result<T, controllers::Error>,
    ) -> T {
        loop {
            match ask().await {
                Ok(answer) => return answer,
                Err(why) => self.ctx.ownership.wait(waiting(&why)),
            }
            self.wakers.everything();
            tokio::time::sleep(CHECK_EVERY).await;
        }
    }
}

/// Why nothing acts: nobody is refused meanwhile, whoever it is that refuses us.
fn waiting(why: &controllers::Error) -> Reason {
    let reason = why.reason();
    match reason.outlook() {
        Outlook::Unknown => reason,
        _ => Reason::LedgerUnavailable { why: chain(why) },
    }
}

/// Waits for the visits in flight, which have seen the stop.
async fn drain(controllers: &mut Controllers) {
    let ended = async {
        for _ in 0..controllers::COUNT {
            if let Err(why) = controllers.ended().await {
                tracing::error!(%why, "a controller failed while it stopped");
            }
        }
    };
    if tokio::time::timeout(DRAIN_MAX, ended).await.is_err() {
        tracing::warn!("visits in flight were cut off; all they did can be repeated");
    }
}

async fn stopped() -> Result<(), Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Signals)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("asked to stop");
    Ok(())
}

/// A name that no other process has, also not one of the same pod.
fn identity() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "catalyst-operator".to_owned());
    let (process, begun) = (std::process::id(), crate::clock::now().as_millisecond());
    format!("{host}-{process}-{begun}")
}
