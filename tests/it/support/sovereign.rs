//! A cluster of a franchisee: what is granted to the hub there, and how the hub is told.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use catalyst_operator::api::{ACCESS_NAMESPACE, HUB_NOTE, KUBECONFIG_FINALIZER, Sovereign};
use k8s_openapi::{
    ByteString,
    api::{
        authentication::v1::TokenRequest,
        core::v1::{ConfigMap, Namespace, Secret, ServiceAccount},
    },
};
use kube::{
    Api, Client,
    api::{DeleteParams, PostParams},
    config::Kubeconfig,
};
use serde_json::{Value, json};

use super::{
    Franchise, Manifest, World,
    audit::entries,
    kubernetes::{self, client_of},
    operator::{NAME, apply},
    world::Cluster,
};

/// What a franchisee applies.
pub(crate) const GRANTED: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/charts/catalyst-sovereign-access/files/access.yaml"
));
/// How long an API server may take to go by what it was told, on a machine that does much else.
const LIMIT: Duration = Duration::from_mins(1);

/// What the hub was granted on a cluster, with credentials of its own. Several can be had on one
/// cluster at a time, and one that is revoked leaves the others alone.
pub(crate) struct Access {
    /// Every right there.
    pub(crate) admin: Client,
    /// Server and authority, as in the administrator's kubeconfig.
    cluster: Value,
    login: Mutex<Login>,
}

/// A token, and the Secret without which it is worth nothing.
#[derive(Clone)]
struct Login {
    secret: String,
    token: String,
}

impl Access {
    /// Applies what a franchisee applies, makes credentials, and waits until rights and policy are
    /// in force.
    pub(crate) async fn granted(cluster: &Cluster) -> Self {
        let kubeconfig = std::fs::read_to_string(&cluster.kubeconfig);
        let kubeconfig = kubeconfig.expect("the kubeconfig is there");
        let kubeconfig: Value = serde_yaml::from_str(&kubeconfig).expect("it is YAML");
        let admin = kubernetes::client(cluster).await;
        let access = Self {
            login: Mutex::new(login(&admin).await),
            cluster: kubeconfig["clusters"][0]["cluster"].clone(),
            admin,
        };
        access.in_force().await;
        access
    }

    /// A kubeconfig as the operator wants it: nothing twice, nothing in other files.
    pub(crate) fn kubeconfig(&self) -> String {
        let server = self.cluster["server"].as_str().expect("it is text");
        self.kubeconfig_to(server)
    }

    /// The same credentials for the same cluster by another address, such as that of a relay.
    pub(crate) fn kubeconfig_to(&self, server: &str) -> String {
        let authority = &self.cluster["certificate-authority-data"];
        assert!(authority.is_string(), "the administrator's kubeconfig has it inline");
        let cluster = json!({"server": server, "certificate-authority-data": authority});
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "sovereign", "cluster": cluster}],
            "users": [{"name": "hub", "user": {"token": self.login().token}}],
            "contexts": [{"name": "hub", "context": {"cluster": "sovereign", "user": "hub"}}],
            "current-context": "hub",
        });
        serde_yaml::to_string(&kubeconfig).expect("it can be written")
    }

    /// The token that was granted.
    pub(crate) fn token(&self) -> String {
        self.login().token
    }

    /// Writes down on the cluster which hub it belongs to, before anybody else does.
    pub(crate) async fn belongs_to(&self, hub: &Client) {
        let system = Api::<Namespace>::all(hub.clone()).get("kube-system").await;
        let hub = system.expect("the hub serves").metadata.uid;
        let note = json!({"metadata": {"name": HUB_NOTE}, "data": {"hub": hub}});
        let note: ConfigMap = serde_json::from_value(note).expect("it is a ConfigMap");
        let notes: Api<ConfigMap> = Api::namespaced(self.admin.clone(), ACCESS_NAMESPACE);
        notes.create(&PostParams::default(), &note).await.expect("nobody was first");
    }

    /// A client with what was granted.
    pub(crate) async fn client(&self) -> Client {
        client_of(Kubeconfig::from_yaml(&self.kubeconfig()).expect("it is a kubeconfig")).await
    }

    /// Ends the credentials, and waits until the API server refuses them, which remembers for some
    /// seconds whom it let in. A connection that watches goes on.
    pub(crate) async fn revoke(&self) {
        let secrets: Api<Secret> = Api::namespaced(self.admin.clone(), ACCESS_NAMESPACE);
        let deleted = secrets.delete(&self.login().secret, &DeleteParams::default()).await;
        deleted.expect("it was not revoked before");
        let client = self.client().await;
        eventually("the token is refused", async || {
            let refused = client.apiserver_version().await.err();
            refused.is_some_and(|why| matches!(why, kube::Error::Api(status) if status.code == 401))
        })
        .await;
    }

    /// Makes new credentials, after all was revoked or while the last still serve.
    pub(crate) async fn grant(&self) {
        let login = login(&self.admin).await;
        *self.login.lock().expect("nobody panicked") = login;
        self.in_force().await;
    }

    fn login(&self) -> Login {
        self.login.lock().expect("nobody panicked").clone()
    }

    /// A policy is in force some moments after it was made: until a dry run is refused by it.
    async fn in_force(&self) {
        let client = self.client().await;
        let name = json!({"metadata": {"name": "stranger"}});
        let stranger: Namespace = serde_json::from_value(name).expect("it is a namespace");
        let params = PostParams { dry_run: true, ..PostParams::default() };
        eventually("the policy is in force", async || {
            let made = Api::all(client.clone()).create(&params, &stranger).await;
            made.is_err_and(|why| why.to_string().contains("ValidatingAdmissionPolicy"))
        })
        .await;
    }
}

/// Applies what is granted, and makes a token that ends with its Secret.
async fn login(admin: &Client) -> Login {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    for document in serde_yaml::Deserializer::from_str(GRANTED) {
        apply(admin, &serde::Deserialize::deserialize(document).expect("it is YAML")).await;
    }
    let secret = format!("login-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let manifest = json!({"metadata": {"name": secret}});
    let manifest: Secret = serde_json::from_value(manifest).expect("it is a Secret");
    let secrets: Api<Secret> = Api::namespaced(admin.clone(), ACCESS_NAMESPACE);
    let made = secrets.create(&PostParams::default(), &manifest).await.expect("its name is new");
    let request = json!({"metadata": {}, "spec": {
        "audiences": [],
        "boundObjectRef": {
            "apiVersion": "v1", "kind": "Secret", "name": secret, "uid": made.metadata.uid,
        },
    }});
    let request: TokenRequest = serde_json::from_value(request).expect("it is a request");
    let accounts: Api<ServiceAccount> = Api::namespaced(admin.clone(), ACCESS_NAMESPACE);
    let made = accounts.create_token_request(NAME, &PostParams::default(), &request).await;
    let token = made.expect("a token can be had").status.expect("it is in the answer").token;
    Login { secret, token }
}

/// Waits until a question has the answer yes.
async fn eventually(claim: &str, ask: impl AsyncFn() -> bool) {
    let search = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let found = tokio::time::timeout(LIMIT, search).await;
    found.unwrap_or_else(|_elapsed| panic!("after {LIMIT:?}, not so: {claim}"));
}

impl Franchise {
    /// The Sovereign `muscat`, reached by the kubeconfig in the Secret of that name.
    pub(crate) fn franchised(&self) -> Manifest {
        Manifest::franchised(&self.namespace, "muscat", "muscat")
    }

    /// Keeps a kubeconfig in a Secret, and lets the operator have that Secret and no other.
    pub(crate) async fn keep_kubeconfig(&self, secret: &str, text: &str) {
        let object = |api: &str, kind: &str, fields: Value| {
            let mut manifest = json!({
                "apiVersion": api, "kind": kind,
                "metadata": {"name": secret, "namespace": self.namespace},
            });
            let rest = fields.as_object().expect("it has fields").clone();
            manifest.as_object_mut().expect("it is one").extend(rest);
            Manifest(manifest)
        };
        let rbac = "rbac.authorization.k8s.io";
        let one = json!({
            "apiGroups": [""], "resources": ["secrets"], "resourceNames": [secret],
            "verbs": ["get", "list", "watch", "patch"],
        });
        let role = json!({"apiGroup": rbac, "kind": "Role", "name": secret});
        let operator = json!({"kind": "ServiceAccount", "name": NAME, "namespace": super::SYSTEM});
        let version = format!("{rbac}/v1");
        for manifest in [
            object(&version, "Role", json!({"rules": [one]})),
            object(&version, "RoleBinding", json!({"roleRef": role, "subjects": [operator]})),
            object("v1", "Secret", json!({"data": {"value": ByteString(text.into())}})),
        ] {
            self.apply(manifest).await;
        }
    }
}

impl Franchise {
    /// Founds the Sovereign `muscat` on the second cluster, with a Voucher `abroad` there.
    pub(crate) async fn abroad(&self) -> Access {
        let access = Access::granted(World::muscat()).await;
        self.keep_kubeconfig("muscat", &access.kubeconfig()).await;
        self.apply(self.franchised()).await;
        self.until::<Sovereign>("muscat", "Ready=True").await;
        self.issue(self.voucher("abroad").on("muscat")).await;
        access
    }

    /// A Tenant there.
    pub(crate) fn tenant_abroad(&self, name: &str) -> Manifest {
        self.tenant(name).on("muscat").code("ABROAD")
    }

    /// How often the operator wrote to the namespace of a Tenant there or of it.
    pub(crate) fn writes_abroad(&self, tenant: &str) -> usize {
        let operator = format!("system:serviceaccount:{ACCESS_NAMESPACE}:{NAME}");
        let mut all = entries(&World::muscat().audit, &self.home(tenant));
        all.retain(|entry| entry.user.username == operator);
        all.len()
    }

    /// A Secret as it is now.
    pub(crate) async fn secret(&self, name: &str) -> Option<Secret> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        secrets.get_opt(name).await.expect("the hub answers")
    }

    /// Whether a Sovereign holds a Secret.
    pub(crate) async fn is_held(&self, secret: &str, sovereign: &str) -> bool {
        let finalizer = format!("{sovereign}{KUBECONFIG_FINALIZER}");
        let found = self.secret(secret).await;
        let finalizers = found.and_then(|secret| secret.metadata.finalizers).unwrap_or_default();
        finalizers.contains(&finalizer)
    }
}
