//! Franchises on the hub, each with one Sovereign `abroad` on the second cluster.

use std::net::SocketAddr;

use catalyst_operator::api::{Sovereign, Tenant};
use kube::Client;
use serde_json::{Value, json};

use super::{
    Outcome,
    network::Network,
    objects::{await_ready, ready},
    operator::{Kubectl, NAME, NAMESPACE},
    world::Cluster,
};

const GRANTED: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/charts/catalyst-sovereign-access/files/access.yaml");
const API: &str = "catalyst.openova.io/v1alpha1";
const SOVEREIGN: &str = "abroad";
const SECRET: &str = "abroad-kubeconfig";

/// What the hub was granted on the second cluster.
pub(crate) struct Access {
    /// Where the API server listens.
    pub(crate) server: SocketAddr,
    authority: Value,
    token: String,
}

impl Access {
    /// Does there what a franchisee does.
    pub(crate) fn granted(cluster: &Cluster, kubectl: &Kubectl) -> Outcome<Self> {
        kubectl.run(&["apply", "-f", GRANTED])?;
        let token = kubectl.run(&["create", "token", NAME, "-n", NAMESPACE, "--duration=24h"])?;
        let text = std::fs::read_to_string(&cluster.kubeconfig)?;
        let kubeconfig: Value = serde_yaml::from_str(&text)?;
        let field = |name: &str| kubeconfig.pointer(&format!("/clusters/0/cluster/{name}"));
        let server = field("server").and_then(Value::as_str).ok_or("no server")?;
        let server = server.strip_prefix("https://").ok_or("no https")?.parse()?;
        let authority = field("certificate-authority-data").ok_or("no authority")?.clone();
        Ok(Self { server, authority, token: token.trim().to_owned() })
    }

    /// A kubeconfig for the cluster by the address of a network before it.
    fn by(&self, address: SocketAddr) -> String {
        let cluster = json!({
            "server": format!("https://{address}"),
            "certificate-authority-data": self.authority,
        });
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "sovereign", "cluster": cluster}],
            "users": [{"name": "hub", "user": {"token": self.token}}],
            "contexts": [{"name": "hub", "context": {"cluster": "sovereign", "user": "hub"}}],
            "current-context": "hub",
        });
        kubeconfig.to_string()
    }
}

/// The Tenants of a franchise.
pub(crate) struct Customers {
    pub(crate) namespace: String,
    pub(crate) names: Vec<String>,
}

impl Customers {
    /// Waits until all are settled.
    pub(crate) async fn await_all(&self, hub: &Client) -> Outcome<()> {
        await_ready::<Tenant>(hub, &self.namespace, self.names.len()).await
    }

    /// How many are settled now.
    pub(crate) async fn settled(&self, hub: &Client) -> Outcome<usize> {
        ready::<Tenant>(hub, &self.namespace).await
    }
}

/// A namespace that is a franchise, and the network to its Sovereign.
pub(crate) struct Franchise<'a> {
    pub(crate) namespace: String,
    pub(crate) network: Network,
    kubectl: &'a Kubectl,
}

impl<'a> Franchise<'a> {
    /// The namespace, the Secret with the kubeconfig and the right to read it; no Sovereign yet.
    pub(crate) async fn found(n: usize, kubectl: &'a Kubectl, access: &Access) -> Outcome<Self> {
        let network = Network::to(access.server).await?;
        let franchise = Self { namespace: format!("franchise-{n}"), network, kubectl };
        let rbac = "rbac.authorization.k8s.io";
        let secret = json!({
            "apiGroups": [""], "resources": ["secrets"], "resourceNames": [SECRET],
            "verbs": ["get", "list", "watch", "patch"],
        });
        let role = json!({"apiGroup": rbac, "kind": "Role", "name": SECRET});
        let operator = json!({"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE});
        kubectl.apply_all(&[
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {
                "name": franchise.namespace,
                "labels": {"catalyst.openova.io/franchise": franchise.namespace},
            }}),
            json!({"apiVersion": format!("{rbac}/v1"), "kind": "Role",
                "metadata": franchise.metadata(SECRET), "rules": [secret]}),
            json!({"apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding",
                "metadata": franchise.metadata(SECRET), "roleRef": role, "subjects": [operator]}),
            franchise.secret(access),
        ])?;
        Ok(franchise)
    }

    fn metadata(&self, name: &str) -> Value {
        json!({"name": name, "namespace": self.namespace})
    }

    fn secret(&self, access: &Access) -> Value {
        let kubeconfig = access.by(self.network.address);
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": self.metadata(SECRET),
            "stringData": {"value": kubeconfig}})
    }

    /// Reaches the Sovereign by a new network from now on, of which nothing is known yet.
    pub(crate) async fn renew_network(&mut self, access: &Access) -> Outcome<()> {
        self.network = Network::to(access.server).await?;
        self.kubectl.apply_all(&[self.secret(access)])
    }

    /// The Sovereign, with a plan.
    pub(crate) fn sovereign(&self) -> Value {
        let quota = json!({"requests.cpu": "4", "requests.memory": "8Gi", "pods": "40"});
        let plan = json!({
            "name": "m",
            "displayName": "Medium",
            "price": {"amount": "9.000 OMR", "per": "Month"},
            "quota": quota,
        });
        let connection =
            json!({"mode": "Kubeconfig", "kubeconfig": {"secretRef": {"name": SECRET}}});
        json!({"apiVersion": API, "kind": "Sovereign", "metadata": self.metadata(SOVEREIGN),
            "spec": {"displayName": "Abroad", "domain": "abroad.example.om",
                "currency": "OMR", "connection": connection, "plans": [plan]}})
    }

    pub(crate) async fn await_sovereign(&self, hub: &Client) -> Outcome<()> {
        await_ready::<Sovereign>(hub, &self.namespace, 1).await
    }

    /// Applies a Voucher and this many Tenants that redeem it.
    pub(crate) fn settle(&self, tenants: usize) -> Outcome<Customers> {
        let names: Vec<String> =
            (0..tenants).map(|n| format!("customer-{n}-of-{}", self.namespace)).collect();
        let mut objects = vec![json!({
            "apiVersion": API, "kind": "Voucher", "metadata": self.metadata("launch"),
            "spec": {"sovereignRef": {"name": SOVEREIGN}, "credit": "100.000 OMR"},
        })];
        objects.extend(names.iter().map(|name| {
            json!({"apiVersion": API, "kind": "Tenant", "metadata": self.metadata(name), "spec": {
                "sovereignRef": {"name": SOVEREIGN},
                "plan": "m",
                "owners": [{"kind": "User", "name": "owner@example.om", "role": "Owner"}],
                "vouchers": [{"code": "LAUNCH"}],
            }})
        }));
        self.kubectl.apply_all(&objects)?;
        Ok(Customers { namespace: self.namespace.clone(), names })
    }
}
