//! Flux as people have it: the real controller that applies files, with doubles of the one that
//! fetches them and of the one that installs charts. A test writes to a [`Repository`] and pushes.

mod repository;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::State, http::Uri};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
    config::Kubeconfig,
    core::{ApiResource, DynamicObject, GroupVersionKind},
};
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::{
    World,
    background::{Task, listen, spawn},
    helm::tool,
    kubernetes::{await_established, client_of},
    operator::{self, apply, tail},
};

pub(crate) use repository::Repository;

/// Where Flux runs, and where the platform's own Kustomizations are.
pub(crate) const SYSTEM: &str = "flux-system";
/// How long anything may take that Flux does by itself.
const LIMIT: Duration = Duration::from_secs(150);

type Served = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A Flux on the hub of a world. It ends with the value.
pub(crate) struct Flux {
    client: Client,
    controller: Child,
    log: PathBuf,
    folder: PathBuf,
    /// Archives by their path.
    served: Served,
    address: String,
    _serving: Task,
}

impl Flux {
    /// Installs its definitions and starts it.
    pub(crate) async fn start(world: &World) -> Self {
        Self::on(&world.hub().kubeconfig).await
    }

    /// The same on whatever hub a kubeconfig leads to.
    pub(crate) async fn on(kubeconfig: &Path) -> Self {
        let hub = Kubeconfig::read_from(kubeconfig).expect("the kubeconfig is there");
        let (client, assets) = (client_of(hub).await, tool("flux"));
        define(&client, &tool("definitions").join("flux")).await;
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}});
        apply(&client, &namespace).await;
        let folder = kubeconfig.parent().expect("it is in a folder").join("flux");
        fs::create_dir(&folder).expect("a world has one Flux");
        let log = folder.join("log");
        let controller = launch(&assets.join("kustomize-controller"), kubeconfig, &log);
        let served = Served::default();
        let (listener, address) = listen();
        let archives = Router::new().fallback(fetch).with_state(Arc::clone(&served));
        let serving = spawn(async move {
            axum::serve(listener, archives).await.expect("it never ends by itself");
        });
        let address = format!("http://{address}");
        Self { client, controller, log, folder, served, address, _serving: serving }
    }

    /// A repository with a part of the example in it, for a `GitRepository` that is there or comes.
    pub(crate) fn repository(
        &self,
        namespace: &'static str,
        name: &'static str,
        part: &str,
    ) -> Repository<'_> {
        Repository::new(self, namespace, name, part)
    }

    /// Any object of the toolkit.
    fn api(&self, kind: &str, namespace: &str) -> Api<DynamicObject> {
        let (group, version) = match kind {
            "Kustomization" => ("kustomize", "v1"),
            "HelmRelease" => ("helm", "v2"),
            _ => ("source", "v1"),
        };
        let group = format!("{group}.toolkit.fluxcd.io");
        let kind = GroupVersionKind::gvk(&group, version, kind);
        Api::namespaced_with(self.client.clone(), namespace, &ApiResource::from_gvk(&kind))
    }

    /// Makes an object of the platform's own, as `flux bootstrap` does.
    pub(crate) async fn bootstrap(&self) {
        let object = |version: &str, kind: &str, spec: Value| {
            json!({
                "apiVersion": format!("{version}.toolkit.fluxcd.io/v1"), "kind": kind,
                "metadata": {"name": SYSTEM, "namespace": SYSTEM}, "spec": spec,
            })
        };
        let source = json!({"url": "https://git.example.om/platform", "interval": "1m"});
        apply(&self.client, &object("source", "GitRepository", source)).await;
        let spec = json!({
            "sourceRef": {"kind": "GitRepository", "name": SYSTEM},
            "path": "./clusters/hub", "prune": true, "interval": "10m", "retryInterval": "1m",
        });
        apply(&self.client, &object("kustomize", "Kustomization", spec)).await;
    }

    /// Says of an object what its own controller would when all is well.
    pub(crate) async fn says_ready(&self, kind: &str, namespace: &str, name: &str) {
        self.until(kind, (namespace, name), "it is there", |_| true).await;
        self.report(kind, (namespace, name), json!({})).await;
    }

    async fn report(&self, kind: &str, (namespace, name): (&str, &str), mut status: Value) {
        let api = self.api(kind, namespace);
        let object = api.get(name).await.expect("it is there");
        status["observedGeneration"] = json!(object.metadata.generation);
        status["conditions"] = json!([{
            "type": "Ready", "status": "True", "reason": "Succeeded", "message": "as it should be",
            "lastTransitionTime": "2026-11-22T00:00:00Z",
        }]);
        let patch = Patch::Merge(json!({"status": status}));
        let patched = api.patch_status(name, &PatchParams::default(), &patch).await;
        patched.unwrap_or_else(|why| panic!("{kind} {name}: {why}"));
    }

    /// Waits until a Kustomization says what a phrase such as `Ready=False HealthCheckFailed` says,
    /// of a revision if there is one; gives its message.
    pub(crate) async fn told(&self, path: &str, phrase: &str, revision: Option<&str>) -> String {
        let is_so = |object: &Value| {
            let is_of = |wanted| object["status"]["lastAttemptedRevision"] == wanted;
            revision.is_none_or(is_of) && ready(object).is_some_and(|(told, _)| told == phrase)
        };
        let (namespace, name) = path.split_once('/').expect("it is namespace/name");
        let object = self.until("Kustomization", (namespace, name), phrase, is_so).await;
        ready(&object).map(|(_, message)| message).unwrap_or_default()
    }

    /// Waits until a Kustomization has applied a revision and all of it is as it should be.
    pub(crate) async fn green(&self, path: &str, revision: &str) {
        let told = self.told(path, "Ready=True ReconciliationSucceeded", Some(revision)).await;
        assert_eq!(told, format!("Applied revision: {revision}"));
    }

    /// A Kustomization as it is now.
    pub(crate) async fn kustomization(&self, path: &str) -> Option<Value> {
        let (namespace, name) = path.split_once('/').expect("it is namespace/name");
        let found = self.api("Kustomization", namespace).get_opt(name).await;
        found.expect("the hub answers").map(|object| json!(object))
    }

    /// Asks for a turn, as `flux reconcile kustomization` does, and waits until it was taken.
    pub(crate) async fn reconcile(&self, path: &str) {
        let token = format!("{:?}", std::time::Instant::now());
        let asked =
            json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": token}}});
        let (namespace, name) = path.split_once('/').expect("it is namespace/name");
        let api = self.api("Kustomization", namespace);
        let asked = api.patch(name, &PatchParams::default(), &Patch::Merge(asked)).await;
        asked.expect("it is there");
        let heard = |object: &Value| object["status"]["lastHandledReconcileAt"] == token.as_str();
        self.until("Kustomization", (namespace, name), "its turn was taken", heard).await;
    }

    async fn until(
        &self,
        kind: &str,
        (namespace, name): (&str, &str),
        claim: &str,
        is_so: impl Fn(&Value) -> bool,
    ) -> Value {
        let (api, mut last) = (self.api(kind, namespace), None);
        let search = async {
            loop {
                last = api.get_opt(name).await.expect("the hub answers").map(|it| json!(it));
                if let Some(found) = last.take_if(|object| is_so(object)) {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let found = tokio::time::timeout(LIMIT, search).await;
        found.unwrap_or_else(|_elapsed| {
            let last = last.map(|object| object["status"].to_string()).unwrap_or_default();
            let log = tail(&self.log, name);
            panic!("after {LIMIT:?}, {kind} {namespace}/{name} is not: {claim}\n{last}\n{log}")
        })
    }
}

impl Drop for Flux {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _gone = self.controller.kill();
        let _waited = self.controller.wait();
    }
}

/// What `Ready` says, as a phrase, and its message, of the present spec.
fn ready(object: &Value) -> Option<(String, String)> {
    let conditions = object["status"]["conditions"].as_array()?;
    let ready = conditions.iter().find(|condition| condition["type"] == "Ready")?;
    let text = |field: &str| ready[field].as_str().unwrap_or_default().to_owned();
    Some((format!("Ready={} {}", text("status"), text("reason")), text("message")))
}

async fn fetch(State(served): State<Served>, path: Uri) -> Vec<u8> {
    served.lock().expect("nobody panicked").get(path.path()).cloned().unwrap_or_default()
}

/// Applies the definitions in a folder, and waits until they are in force.
pub(crate) async fn define(client: &Client, folder: &Path) {
    let mut definitions = vec![];
    for file in fs::read_dir(folder).expect("it holds definitions").map_while(Result::ok) {
        let text = fs::read_to_string(file.path()).expect("it can be read");
        for document in serde_yaml::Deserializer::from_str(&text) {
            definitions.push(Value::deserialize(document).expect("it is YAML"));
        }
    }
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for definition in &definitions {
        apply(client, definition).await;
    }
    for definition in &definitions {
        let name = definition["metadata"]["name"].as_str().expect("it has a name");
        await_established(&api, name).await;
    }
}

fn launch(program: &Path, kubeconfig: &Path, log: &Path) -> Child {
    let log = File::create(log).expect("the log can be made");
    let mut command = Command::new("setpriv");
    command
        .args(operator::ENDS_WITH_ITS_PARENT)
        .arg(program)
        // It looks at what waits for another after this time, half a minute by default.
        .args(["--requeue-dependency=2s", "--watch-all-namespaces=true", "--events-addr="])
        .args(["--metrics-addr=127.0.0.1:0", "--health-addr=127.0.0.1:0"])
        .env("KUBECONFIG", kubeconfig)
        .env("RUNTIME_NAMESPACE", SYSTEM)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    operator::launch(command).expect("it can be started")
}
