//! What this process cannot work without: a ledger that serves, and definitions that know every
//! field it writes. Whichever is missing, the process stays up and says so: in the log, in an event
//! of its pod, and at `/readyz`.

use std::{convert::Infallible, time::Duration};

use kube::ResourceExt as _;

use super::{CHECK_EVERY, DatabaseUrl, Settings};
use crate::{
    api,
    cluster::{Host, Notice},
    controllers::{Context, Wakers},
    domain::sentence::chain,
    store::{Error, schema},
};

/// How often the definitions are looked at once they are good.
const DEFINITIONS_EVERY: Duration = Duration::from_mins(1);

/// Makes or upgrades the ledger where this process was told to, and then keeps its readiness true.
/// Who waited for the ledger is visited as soon as it serves. Where it is is read anew each time:
/// a password is changed without a restart. Another database is not: that ends this.
pub(super) async fn keep_ledger(ctx: &Context, wakers: &Wakers, settings: &Settings) -> Error {
    let mut gate = Gate { name: "ledger", serves: "the ledger serves", known: Known::Nothing };
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
        if gate.set(found, (ctx, settings)).await && serves {
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
pub(super) async fn keep_definitions(ctx: &Context, settings: &Settings) -> Infallible {
    let mut gate = Gate {
        name: "definitions",
        serves: "the definitions are those of this program or newer",
        known: Known::Nothing,
    };
    loop {
        let found = wrong_definition(&ctx.host).await;
        let pause = if found.is_none() { DEFINITIONS_EVERY } else { CHECK_EVERY };
        gate.set(found, (ctx, settings)).await;
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
    /// What is said when it is good again.
    serves: &'static str,
    known: Known,
}

impl Gate {
    /// Notes what is wrong, if anything; gives whether that is news, which it tells.
    async fn set(&mut self, found: Option<String>, (ctx, settings): (&Context, &Settings)) -> bool {
        let known = found.clone().map_or(Known::Good, Known::Wrong);
        let is_news = self.known != known;
        self.known = known;
        match &found {
            None => ctx.readiness.pass(self.name),
            Some(why) => ctx.readiness.block(self.name, why.clone()),
        }
        match &found {
            _ if !is_news => {}
            None => tracing::info!("{}", self.serves),
            Some(why) => {
                tracing::error!(why, "the {} does not serve", self.name);
                if let Some(pod) = &settings.pod {
                    let (reason, message) = ("NotReady".to_owned(), why.clone());
                    let notice = Notice { reason, message, warning: true };
                    ctx.host.tell_of_pod(&settings.namespace, pod, notice).await;
                }
            }
        }
        is_news
    }
}
