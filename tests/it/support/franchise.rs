//! A franchise on a hub with an operator that serves it: what people do there, and what they are
//! told.

use std::{fmt::Debug, future::Future, path::PathBuf, sync::OnceLock, time::Duration};

use catalyst_operator::{
    api::{MASS_DELETION_ANNOTATION, Sovereign, Tenant, Voucher},
    cluster::Ours,
    domain::object::Kind,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::{
    NamespaceResourceScope, api::core::v1::Namespace, apimachinery::pkg::apis::meta::v1::Condition,
};
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, DynamicObject, Patch, PatchParams},
    core::{ApiResource, GroupVersionKind},
    runtime::watcher::watch_object,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    Database, Installed, Manifest, Operator, World,
    audit::{Entry, entries},
    hub_client, kubernetes,
    operator::{NAME, SYSTEM, tail},
    world::Cluster,
};

/// How long anything may take that happens by itself, on a machine that does much else.
const LIMIT: Duration = Duration::from_secs(90);

/// A namespace that is a franchise, as its people see it.
#[derive(Clone)]
pub(crate) struct Franchise {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    database_url: String,
    log: PathBuf,
    audit: PathBuf,
    limit: Duration,
}

/// A franchise of the shared world. Its Sovereign `catalyst-zero` is ready.
pub(crate) async fn shared_franchise() -> Franchise {
    let franchise = Franchise::found(World::shared(), &Operator::shared().await.installed).await;
    franchise.open().await;
    franchise
}

/// A world in which no operator runs but those that tests start for their own franchises, with a
/// cluster `nizwa` that is not the hub.
pub(crate) fn quiet_world() -> &'static World {
    static QUIET: OnceLock<World> = OnceLock::new();
    // Each operator has connections of its own, and tests start many.
    let connections = ["--postgres-setting", "max_connections=600"];
    let clusters = ["--cluster", "hub", "--cluster", "nizwa"];
    let options = [clusters.as_slice(), &connections].concat();
    QUIET.get_or_init(|| World::private(&options))
}

/// A kind of ours with conditions.
pub(crate) trait Told: Ours {
    fn conditions(&self) -> &[Condition];
}

macro_rules! told {
    ($($kind:ty),*) => {
        $(impl Told for $kind {
            fn conditions(&self) -> &[Condition] {
                self.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default()
            }
        })*
    };
}
told!(Sovereign, Tenant, Voucher);

/// What a condition tells people, or nothing.
pub(crate) fn message(object: &impl Told, kind: &str) -> String {
    condition(object, kind).map(|condition| condition.message.clone()).unwrap_or_default()
}

fn condition<'a>(object: &'a impl Told, kind: &str) -> Option<&'a Condition> {
    object.conditions().iter().find(|condition| condition.type_ == kind)
}

/// Whether an object says of its present spec what a phrase such as `Ready=False CreditShort`
/// says; the reason may be left out.
pub(crate) fn says(object: &impl Told, phrase: &str) -> bool {
    let (kind, rest) = phrase.split_once('=').expect("a phrase is Type=Status Reason");
    let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    condition(object, kind).is_some_and(|condition| {
        condition.status == status
            && (reason.is_empty() || condition.reason == reason)
            && condition.observed_generation == object.meta().generation
    })
}

impl Franchise {
    /// Founds a franchise whose Sovereigns may be the hub itself.
    pub(crate) async fn found(world: &World, operator: &Installed) -> Self {
        let client = hub_client(world).await;
        Self {
            namespace: kubernetes::found_franchise(&client).await,
            client,
            database_url: operator.database_url.clone(),
            log: operator.log.clone(),
            audit: world.hub().audit.clone(),
            limit: LIMIT,
        }
    }

    /// The environment of an operator that serves this franchise alone, beside others of its kind
    /// and without a Lease.
    pub(crate) fn alone(&self) -> [(&'static str, &str); 2] {
        [("CATALYST_NAMESPACES", &self.namespace), ("CATALYST_LEADER_ELECT", "false")]
    }

    /// Applies the Sovereign and waits until it is ready.
    pub(crate) async fn open(&self) {
        self.apply(self.sovereign()).await;
        self.until::<Sovereign>("catalyst-zero", "Ready=True").await;
    }

    /// The same franchise for somebody who waits no longer than this.
    pub(crate) fn within(&self, seconds: u64) -> Self {
        Self { limit: Duration::from_secs(seconds), ..self.clone() }
    }

    /// The same for somebody who is told of a change: the next round is ten minutes away.
    pub(crate) fn woken(&self) -> Self {
        self.within(60)
    }

    /// What the same people do in another namespace.
    pub(crate) fn moved_to(&self, namespace: String) -> Self {
        Self { namespace, ..self.clone() }
    }

    /// The books of this franchise. Call it once in a test.
    pub(crate) fn ledger(&self) -> Database {
        Database::open(self.database_url.clone())
    }

    pub(crate) fn sovereign(&self) -> Manifest {
        Manifest::sovereign(&self.namespace)
    }

    pub(crate) fn voucher(&self, name: &str) -> Manifest {
        Manifest::voucher(&self.namespace, name)
    }

    pub(crate) fn tenant(&self, name: &str) -> Manifest {
        Manifest::tenant(&self.namespace, name, &self.organization(name))
    }

    /// The organization of a Tenant. Others have Tenants of the same name on the same cluster.
    pub(crate) fn organization(&self, tenant: &str) -> String {
        let number = self.namespace.rsplit('-').next().unwrap_or_default();
        format!("{tenant}-{number}")
    }

    /// The namespace that is made for a Tenant.
    pub(crate) fn home(&self, tenant: &str) -> String {
        format!("tenant-{}", self.organization(tenant))
    }

    /// Issues a Voucher and waits until it can be redeemed.
    pub(crate) async fn issue(&self, manifest: Manifest) -> Voucher {
        let name = self.apply(manifest).await;
        self.until(&name, "Redeemable=True").await
    }

    /// Applies a Tenant and waits until it is ready.
    pub(crate) async fn settle(&self, manifest: Manifest) -> Tenant {
        let name = self.apply(manifest).await;
        self.until(&name, "Ready=True").await
    }

    /// Applies a manifest as a person does; gives the name of the object.
    pub(crate) async fn apply(&self, manifest: Manifest) -> String {
        let title = format!("{} {}", manifest.0["kind"], manifest.0["metadata"]["name"]);
        self.try_apply(manifest).await.unwrap_or_else(|why| panic!("{title}: {why}"))
    }

    /// Applies a manifest; gives what the API server says against it.
    pub(crate) async fn try_apply(&self, manifest: Manifest) -> Result<String, String> {
        let Manifest(manifest) = manifest;
        let text = |value: &Value| value.as_str().expect("it has kind and name").to_owned();
        let name = text(&manifest["metadata"]["name"]);
        let (version, kind) = (text(&manifest["apiVersion"]), text(&manifest["kind"]));
        let (group, version) = version.split_once('/').unwrap_or(("", &version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &kind));
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), &self.namespace, &resource);
        let params = PatchParams::apply("kubectl").validation_strict();
        let applied = api.patch(&name, &params, &Patch::Apply(&manifest)).await;
        applied.map(|_| name).map_err(|why| why.to_string())
    }

    pub(crate) fn api<K: Told>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Objects in the namespace that is made for a Tenant.
    pub(crate) fn at_home<K>(&self, tenant: &str) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.home(tenant))
    }

    pub(crate) fn namespaces(&self) -> Api<Namespace> {
        Api::all(self.client.clone())
    }

    pub(crate) async fn read<K: Told>(&self, name: &str) -> K {
        self.api().get(name).await.unwrap_or_else(|why| panic!("{name}: {why}"))
    }

    /// Waits until an object says of its present spec what the phrase says, such as
    /// `Entitled=False CreditShort`.
    pub(crate) async fn until<K: Told>(&self, name: &str, phrase: &str) -> K {
        self.until_object(&self.api(), name, phrase, |object: &K| says(object, phrase)).await
    }

    /// Waits until an object is as it is wanted.
    pub(crate) async fn until_object<K>(
        &self,
        api: &Api<K>,
        name: &str,
        wanted: &str,
        is_so: impl Fn(&K) -> bool,
    ) -> K
    where
        K: Resource + Clone + Debug + DeserializeOwned + Serialize + Send + 'static,
    {
        let mut last = None;
        let search = async {
            let mut seen = std::pin::pin!(watch_object(api.clone(), name));
            while let Some(next) = seen.next().await {
                // An error is an outage, which the watch outlives.
                let Ok(next) = next else { continue };
                if next.as_ref().is_some_and(&is_so) {
                    return next;
                }
                last = next;
            }
            None
        };
        let found = tokio::time::timeout(self.limit, search).await.ok().flatten();
        found.unwrap_or_else(|| self.give_up(&format!("{name} is not: {wanted}"), last.as_ref()))
    }

    /// Begins a deletion.
    pub(crate) async fn delete<K: Told>(&self, name: &str) {
        let deleted = self.api::<K>().delete(name, &DeleteParams::default()).await;
        deleted.unwrap_or_else(|why| panic!("{name}: {why}"));
    }

    /// Waits until an object of ours is gone.
    pub(crate) async fn gone<K: Told>(&self, name: &str) {
        self.until_gone(&self.api::<K>(), name).await;
    }

    /// Deletes an object of ours and waits until it is gone.
    pub(crate) async fn remove<K: Told>(&self, name: &str) {
        self.delete::<K>(name).await;
        self.gone::<K>(name).await;
    }

    pub(crate) async fn until_gone<K>(&self, api: &Api<K>, name: &str)
    where
        K: Resource + Clone + Debug + DeserializeOwned + Serialize + Send + 'static,
    {
        let mut last = None;
        let search = async {
            let mut seen = std::pin::pin!(watch_object(api.clone(), name));
            while let Some(next) = seen.next().await {
                match next {
                    Ok(None) => return,
                    Ok(found) => last = found,
                    Err(_outage) => {}
                }
            }
        };
        if tokio::time::timeout(self.limit, search).await.is_err() {
            self.give_up(&format!("{name} is not gone"), last.as_ref())
        }
    }

    /// Waits until a question has the answer yes.
    pub(crate) async fn until_true<F: Future<Output = bool>>(
        &self,
        claim: &str,
        ask: impl Fn() -> F,
    ) {
        let search = async {
            while !ask().await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(self.limit, search).await.is_err() {
            self.give_up(claim, None::<&()>)
        }
    }

    fn give_up(&self, claim: &str, last: Option<&impl Serialize>) -> ! {
        let mut last = serde_json::to_value(last).unwrap_or_default();
        if let Some(metadata) = last.pointer_mut("/metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
        let last = serde_yaml::to_string(&last).unwrap_or_default();
        let log = tail(&self.log, &self.namespace);
        panic!("after {:?}, {claim}\n{last}\nwhat the operator logged of it:\n{log}", self.limit);
    }

    /// Says of much that is deleted at once whether it was meant: `keep` or `proceed`.
    pub(crate) async fn reply(&self, word: &str) {
        let reply = json!({"metadata": {"annotations": {MASS_DELETION_ANNOTATION: word}}});
        self.merge(&self.namespaces(), &self.namespace, &reply).await;
    }

    /// Asks for a visit, as `flux reconcile` does, and waits until it was made.
    pub(crate) async fn visit<K: Told>(&self, name: &str) -> K {
        let token = format!("{:?}", std::time::Instant::now());
        let patch =
            json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": token}}});
        self.merge(&self.api::<K>(), name, &patch).await;
        let heard = |object: &K| {
            let status = serde_json::to_value(object).unwrap_or_default();
            status["status"]["lastHandledReconcileAt"] == token.as_str()
        };
        self.until_object(&self.api(), name, "visited", heard).await
    }

    /// Changes an object as a person does who has every right.
    pub(crate) async fn merge<K>(&self, api: &Api<K>, name: &str, patch: &Value) -> K
    where
        K: Clone + Debug + DeserializeOwned,
    {
        let params = PatchParams { field_manager: Some("person".to_owned()), ..Default::default() };
        let patched = api.patch(name, &params, &Patch::Merge(patch)).await;
        patched.unwrap_or_else(|why| panic!("{name}: {why}"))
    }

    /// What the operator wrote to a namespace or of it.
    pub(crate) fn writes_to(&self, namespace: &str) -> Vec<Entry> {
        let operator = format!("system:serviceaccount:{SYSTEM}:{NAME}");
        let mut all = self.audited(namespace);
        all.retain(|entry| entry.user.username == operator);
        all
    }

    /// The objects of a Tenant that were ever made in a namespace, or as it, on a cluster.
    pub(crate) fn made(cluster: &Cluster, namespace: &str) -> Vec<String> {
        let ours = |plural: &str| Kind::ALL.iter().any(|kind| kind.plural() == plural);
        let entries = entries(&cluster.audit, namespace);
        let made = entries.iter().filter_map(Entry::made).filter(|(plural, _)| ours(plural));
        made.map(|(plural, name)| format!("{plural}/{name}")).collect()
    }

    /// Every write to a namespace or of it, as the API server counted them.
    pub(crate) fn audited(&self, namespace: &str) -> Vec<Entry> {
        entries(&self.audit, namespace)
    }

    /// The entries of an organization's account, in order, as kinds and amounts in baisa.
    pub(crate) async fn entries(&self, tenant: &str) -> Vec<(String, i64)> {
        self.entries_of(&self.organization(tenant)).await
    }

    /// The same by the name of the organization.
    pub(crate) async fn entries_of(&self, organization: &str) -> Vec<(String, i64)> {
        let ledger = self.ledger();
        let statement = ledger.store.statement(&self.namespace, organization, None).await;
        let statement = statement.expect("the ledger serves");
        let accounts = statement.accounts.into_iter();
        accounts.flat_map(|account| account.lines).map(|line| (line.kind, line.amount)).collect()
    }

    /// No invariant of the ledger is broken.
    pub(crate) async fn assert_sound(&self) {
        let violations = self.ledger().store.verify().await.expect("the ledger serves");
        assert!(violations.is_empty(), "{violations:?}");
    }

    /// Applies many manifests, some at a time.
    pub(crate) async fn apply_all(&self, manifests: Vec<Manifest>) {
        const AT_ONCE: usize = 16;
        let applied = manifests.into_iter().map(|manifest| async {
            self.apply(manifest).await;
            Ok::<(), std::convert::Infallible>(())
        });
        let all = stream::iter(applied).buffer_unordered(AT_ONCE).try_collect::<()>();
        all.await.unwrap_or_else(|never| match never {});
    }
}
