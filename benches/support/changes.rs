//! Changes of Tenants' specs on the hub, and when they arrive on the second cluster.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use catalyst_operator::api::Tenant;
use futures::{StreamExt as _, future::try_join_all};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
    runtime::watcher::{Config, Event, watcher},
};
use serde_json::json;
use tokio::{sync::oneshot, task::AbortHandle};

use super::{Outcome, franchise::Customers};

/// Far beyond what a change takes, so that one that is lost is not waited for.
const CHANGE_MAX: Duration = Duration::from_mins(1);

/// People who are awaited on the second cluster, by name.
type Awaited = Arc<Mutex<HashMap<String, oneshot::Sender<Instant>>>>;

/// Changes Tenants, and watches the second cluster on a connection of its own.
pub(crate) struct Changes {
    hub: Client,
    awaited: Awaited,
    count: AtomicUsize,
    watching: AbortHandle,
}

impl Drop for Changes {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

/// How long each change took, sorted.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// What so many of a hundred take longer than, in milliseconds.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let index = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(index).map_or(f64::NAN, Duration::as_secs_f64) * 1e3
    }
}

impl Changes {
    pub(crate) fn watch(hub: Client, second: Client) -> Self {
        let awaited = Awaited::default();
        let task = tokio::spawn(tell(second, awaited.clone()));
        Self { hub, awaited, count: AtomicUsize::new(0), watching: task.abort_handle() }
    }

    /// So many changes of each franchise's Tenants in turns. Those of one franchise are made one
    /// after the other.
    pub(crate) async fn round(&self, all: &[Customers], times: usize) -> Outcome<Times> {
        let each = all.iter().map(|customers| async move {
            let mut took = vec![];
            for tenant in customers.names.iter().cycle().take(times) {
                took.push(self.change(&customers.namespace, tenant).await?);
            }
            Outcome::Ok(took)
        });
        let mut took = try_join_all(each).await?.concat();
        took.sort();
        Ok(Times(took))
    }

    /// From the request to the hub until the second cluster shows what came of it.
    async fn change(&self, namespace: &str, tenant: &str) -> Outcome<Duration> {
        let person = self.next();
        let arrival = self.expect(person.clone());
        let begun = Instant::now();
        self.hire(namespace, tenant, &person).await?;
        let arrival = tokio::time::timeout(CHANGE_MAX, arrival).await;
        Ok(arrival
            .map_err(|_| format!("nothing came of a change of {tenant}"))??
            .duration_since(begun))
    }

    fn expect(&self, person: String) -> oneshot::Receiver<Instant> {
        let (arrived, arrival) = oneshot::channel();
        let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        awaited.insert(person, arrived);
        arrival
    }

    /// Changes the first of some Tenants all at once and waits for nothing.
    pub(crate) async fn change_all(&self, customers: &Customers, first: usize) -> Outcome<()> {
        let changes = customers.names.iter().take(first).map(|tenant| async move {
            self.hire(&customers.namespace, tenant, &self.next()).await
        });
        try_join_all(changes).await.map(drop)
    }

    fn next(&self) -> String {
        format!("{}@example.om", self.count.fetch_add(1, Ordering::Relaxed))
    }

    async fn hire(&self, namespace: &str, tenant: &str, person: &str) -> Outcome<()> {
        let tenants: Api<Tenant> = Api::namespaced(self.hub.clone(), namespace);
        let owners = json!([
            {"kind": "User", "name": "owner@example.om", "role": "Owner"},
            {"kind": "User", "name": person, "role": "Member"},
        ]);
        let patch = Patch::Merge(json!({"spec": {"owners": owners}}));
        tenants.patch(tenant, &PatchParams::default(), &patch).await?;
        Ok(())
    }
}

/// Tells whoever waits for a person that the role binding is there.
async fn tell(second: Client, awaited: Awaited) {
    let mut events = std::pin::pin!(watcher(Api::<RoleBinding>::all(second), Config::default()));
    while let Some(event) = events.next().await {
        // What was missed is listed again.
        let Ok(Event::Apply(binding) | Event::InitApply(binding)) = event else { continue };
        let seen = Instant::now();
        let mut awaited = awaited.lock().unwrap_or_else(PoisonError::into_inner);
        for person in binding.subjects.unwrap_or_default() {
            if let Some(waiting) = awaited.remove(&person.name) {
                // Nobody waits any more where the measurement failed.
                let _gone = waiting.send(seen);
            }
        }
    }
}
