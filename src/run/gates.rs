//! What this process cannot work without: a ledger that serves, definitions that know every field
//! it writes, and its rights. Whichever is missing, the process stays up and says so: in the log,
//! in an event of its pod, and at `/readyz`.

use std::{convert::Infallible, time::Duration};

use kube::ResourceExt as _;

use super::{CHECK_EVERY, DatabaseUrl, Settings};
use crate::{
    api,
    cluster::{self, Host, Notice},
    controllers::{Context, Wakers, permissions},
    domain::{right::Right, sentence::chain},
    store::{Error, schema},
};

/// How often is looked at what is good, or can wait.
const CALMLY: Duration = Duration::from_mins(1);

/// Makes or upgrades the ledger where this process was told to, and then keeps its readiness true.
/// Who waited for the ledger is visited as soon as it serves. Where it is is read anew each time:
/// a password is changed without a restart. Another database is not: that ends this.
pub(super) async fn keep_ledger(ctx: &Context, wakers: &Wakers, settings: &Settings) -> Error {
    let mut gate = Gate::new("ledger", "the ledger serves", "the ledger does not serve");
    let mut migrator = settings.migrate_database_url.as_ref();
    loop {
        let found = match settings.database_url.read().map(|url| ctx.store.turn_to(&url)) {
            Ok(Ok(())) => look(ctx, &mut migrator).await.err(),
            Ok(Err(moved @ Error::Moved)) => return moved,
            Ok(Err(why)) => Some(chain(&why)),
            Err(why) => Some(why),
        };
        ctx.metrics.serves(found.is_none());
        let serves = found.is_none();
        if gate.set(found, ctx).await && serves {
            wakers.everything();
        }
        tokio::time::sleep(CHECK_EVERY).await;
    }
}

/// Whether the ledger serves, which is made or upgraded once before, if anybody is to.
async fn look(ctx: &Context, migrator: &mut Option<&DatabaseUrl>) -> Result<(), String> {
    let said = |why: Error| chain(&why);
    if let Some(url) = *migrator {
        schema::migrate(&url.read()?, false).await.map_err(said)?;
        tracing::info!("the ledger is up to date");
        *migrator = None;
    }
    ctx.metrics.is_unsafe(ctx.store.check().await.map_err(said)?);
    Ok(())
}

/// Compares the definitions that are installed with those that this process was built with.
pub(super) async fn keep_definitions(ctx: &Context) -> Infallible {
    let mut gate = Gate::new(
        "definitions",
        "the definitions are those of this program or newer",
        "the definitions do not serve",
    );
    loop {
        let found = wrong_definition(&ctx.host).await;
        let pause = if found.is_none() { CALMLY } else { CHECK_EVERY };
        gate.set(found, ctx).await;
        tokio::time::sleep(pause).await;
    }
}

/// What is wrong with the first definition that is not as this program needs it.
pub(crate) async fn wrong_definition(host: &Host) -> Option<String> {
    for ours in api::crds() {
        let name = ours.name_any();
        let missing = match host.definition(&name).await {
            Err(why) => return Some(chain(&why)),
            Ok(None) => "is not installed".to_owned(),
            Ok(Some(installed)) => match api::missing_fields(&ours, &installed).as_slice() {
                [] => continue,
                missing => format!("is older than this program and lacks {}", missing.join(", ")),
            },
        };
        return Some(format!(
            "the definition {name} {missing}; upgrade the chart with crds.install=true, or apply \
             that of this release: catalyst-operator crds | kubectl apply --server-side \
             --force-conflicts -f -"
        ));
    }
    None
}

/// Asks for the rights of this process until it has them; one that is taken away later is told by
/// who needs it. A franchise that was named and gives none is told of and keeps no other waiting.
pub(super) async fn keep_rights(ctx: &Context, settings: &Settings) -> Infallible {
    let all = permissions::own(&settings.namespace, &settings.namespaces);
    let (lent, own): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|right| settings.namespaces.contains(right.namespace));
    let mut gate = Gate::new("rights", "all rights are granted", "a right is not granted");
    loop {
        let found = match missing_on_the_hub(ctx, &own).await {
            Ok(missing) => denied(&missing),
            Err(why) => Some(chain(&why)),
        };
        let has_all = found.is_none();
        gate.set(found, ctx).await;
        if has_all {
            break;
        }
        tokio::time::sleep(CHECK_EVERY).await;
    }
    let (good, bad) = ("every franchise is served", "a franchise that was named is not served");
    let mut gate = Gate { is_needed: false, ..Gate::new("franchises", good, bad) };
    while !lent.is_empty() {
        // That the hub does not answer is told elsewhere, and says nothing of a franchise.
        if let Ok(missing) = missing_on_the_hub(ctx, &lent).await {
            for namespace in &settings.namespaces {
                let is_served = missing.iter().all(|right| right.namespace != namespace);
                ctx.metrics.serves_franchise(namespace, is_served);
            }
            gate.set(denied(&missing), ctx).await;
        }
        tokio::time::sleep(CALMLY).await;
    }
    std::future::pending().await
}

async fn missing_on_the_hub(ctx: &Context, rights: &[Right]) -> Result<Vec<Right>, cluster::Error> {
    ctx.fleet.hub().await?.missing(rights).await
}

/// Which rights are not granted, and what to do about it; nothing where none is missing.
pub(crate) fn denied(missing: &[Right]) -> Option<String> {
    let denied: Vec<String> = missing.iter().map(ToString::to_string).collect();
    (!denied.is_empty()).then(|| {
        format!("not granted: {}; upgrade the chart with rbac.create=true", denied.join(", "))
    })
}

/// What was said last.
#[derive(PartialEq, Eq)]
enum Known {
    Nothing,
    Good,
    Wrong(String),
}

/// One of the things, and what was said of it last.
struct Gate {
    name: &'static str,
    /// Whether this process is not ready without it.
    is_needed: bool,
    /// What is said when it is good.
    good: &'static str,
    /// And when it is not.
    bad: &'static str,
    known: Known,
}

impl Gate {
    fn new(name: &'static str, good: &'static str, bad: &'static str) -> Self {
        Self { name, is_needed: true, good, bad, known: Known::Nothing }
    }

    /// Notes what is wrong, if anything; gives whether that is news, which it tells.
    async fn set(&mut self, found: Option<String>, ctx: &Context) -> bool {
        let known = found.clone().map_or(Known::Good, Known::Wrong);
        let is_news = self.known != known;
        self.known = known;
        match &found {
            _ if !self.is_needed => {}
            None => ctx.readiness.pass(self.name),
            Some(why) => ctx.readiness.block(self.name, why.clone()),
        }
        match &found {
            _ if !is_news => {}
            None => tracing::info!("{}", self.good),
            Some(why) => {
                tracing::error!(why, "{}", self.bad);
                let reason = if self.is_needed { "NotReady" } else { "NotServed" }.to_owned();
                let notice = Notice { reason, message: why.clone(), warning: true };
                ctx.host.tell_of_pod(notice).await;
            }
        }
        is_news
    }
}
