//! Kubeconfigs and credentials that are missing, wrong, dangerous, half rotated, revoked or about
//! to expire: each is said on the object, and what served before goes on.

use std::time::Duration;

use catalyst_operator::api::{ACCESS_NAMESPACE, Sovereign, Tenant};
use k8s_openapi::api::{
    authentication::v1::TokenRequest,
    core::v1::{Secret, ServiceAccount},
    rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding},
};
use kube::{
    Api,
    api::{DeleteParams, PostParams},
};
use serde::Deserialize as _;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{
    Access, Franchise, GRANTED, Operator, World, message, quiet_world, shared_franchise,
};

mod servers;

const CERTIFICATE: &str = include_str!("../../../src/domain/kubeconfig/fixtures/client.pem");
const OTHER_KEY: &str = include_str!("../../../src/domain/kubeconfig/fixtures/other-key.pem");

/// A kubeconfig with its only cluster and its only user edited.
fn edited(kubeconfig: &str, edit: impl FnOnce(&mut Value, &mut Value)) -> String {
    let mut value: Value = serde_yaml::from_str(kubeconfig).unwrap();
    let mut user = value["users"][0]["user"].take();
    edit(&mut value["clusters"][0]["cluster"], &mut user);
    value["users"][0]["user"] = user;
    serde_yaml::to_string(&value).unwrap()
}

/// Somebody who listens on loopback and passes everything on; gives the address as a server.
async fn relay(server: &str) -> String {
    let target = server.trim_start_matches("https://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut ours, _)) = listener.accept().await {
            let target = target.clone();
            tokio::spawn(async move {
                let mut theirs = TcpStream::connect(target).await?;
                tokio::io::copy_bidirectional(&mut ours, &mut theirs).await
            });
        }
    });
    format!("https://{address}")
}

/// The operator's own way to the hub, by an address that is not the hub's.
async fn to_the_hub() -> String {
    let path = &Operator::shared().await.installed.kubeconfig;
    let kubeconfig = std::fs::read_to_string(path).unwrap();
    let server = relay(&World::shared().hub().server).await;
    edited(&kubeconfig, |cluster, _| cluster["server"] = json!(server))
}

#[tokio::test]
async fn what_is_wrong_with_a_kubeconfig_is_said_by_its_own_name_until_it_is_good() {
    let franchise = shared_franchise().await;
    let access = Access::granted(World::muscat()).await;
    let good = access.kubeconfig();
    franchise.keep_kubeconfig("other", &good).await;
    let soon = franchise.woken();
    franchise.apply(franchise.franchised()).await;
    let forbidden = soon.until::<Sovereign>("muscat", "Ready=False SecretForbidden").await;
    let advice = message(&forbidden, "CredentialsValid");
    for part in ["Secret muscat", "a Role in", "get, list, watch and patch", "resourceNames muscat"]
    {
        assert!(advice.contains(part), "{advice}");
    }
    franchise.keep_kubeconfig("muscat", "x").await;
    let secrets: Api<Secret> = Api::namespaced(franchise.client.clone(), &franchise.namespace);
    secrets.delete("muscat", &DeleteParams::default()).await.unwrap();
    soon.until::<Sovereign>("muscat", "Ready=False SecretNotFound").await;
    let row = |edit: fn(&mut Value, &mut Value)| edited(&good, edit);
    let user = |field: &str, value: Value| edited(&good, |_, user| user[field] = value);
    for (kubeconfig, reason) in [
        (user("exec", json!({"command": "/bin/true"})), "KubeconfigExec"),
        (user("tokenFile", json!("/var/run/secrets/token")), "KubeconfigTokenFile"),
        (user("auth-provider", json!({"name": "gcp"})), "KubeconfigAuthProvider"),
        (user("as", json!("system:admin")), "KubeconfigImpersonates"),
        (user("client-certificate", json!("/etc/passwd")), "KubeconfigFilePath"),
        (row(|cluster, _| cluster["insecure-skip-tls-verify"] = json!(true)), "KubeconfigInsecure"),
        (row(|cluster, _| cluster["proxy-url"] = json!("http://p:1")), "KubeconfigProxy"),
        (row(|cluster, _| cluster["certificate-authority"] = json!("/ca")), "KubeconfigFilePath"),
        (row(|cluster, _| cluster["server"] = json!("http://127.0.0.1:1")), "KubeconfigPlainHttp"),
        (row(|cluster, _| cluster["server"] = json!("https://169.254.169.254")), "AddressRefused"),
        (
            edited(&good, |cluster, _| cluster["server"] = json!(World::shared().hub().server)),
            "AddressRefused",
        ),
        (to_the_hub().await, "SovereignIsHub"),
        (user("token", json!("nobody")), "CredentialsRejected"),
    ] {
        franchise.keep_kubeconfig("muscat", &kubeconfig).await;
        let phrase = format!("Connected=False {reason}");
        let refused = soon.until::<Sovereign>("muscat", &phrase).await;
        assert_eq!(message(&refused, "Ready"), message(&refused, "Connected"));
    }
    let wrong = json!({"data": {"value": null, "kube.yaml": "eA=="}});
    franchise.merge(&secrets, "muscat", &wrong).await;
    soon.until::<Sovereign>("muscat", "Ready=False SecretKeyMissing").await;
    franchise.keep_kubeconfig("muscat", &good).await;
    soon.until::<Sovereign>("muscat", "Ready=True").await;
}

#[tokio::test]
async fn a_secret_that_may_be_read_and_not_held_is_said_and_serves_all_the_same() {
    let franchise = shared_franchise().await;
    let access = Access::granted(World::muscat()).await;
    franchise.keep_kubeconfig("muscat", &access.kubeconfig()).await;
    let roles: Api<Role> = Api::namespaced(franchise.client.clone(), &franchise.namespace);
    let verbs = |verbs: &[&str]| {
        json!({"rules": [{
            "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["muscat"],
            "verbs": verbs,
        }]})
    };
    franchise.merge(&roles, "muscat", &verbs(&["get", "list", "watch"])).await;
    franchise.apply(franchise.franchised()).await;
    let told = franchise.until::<Sovereign>("muscat", "Ready=False SecretForbidden").await;
    assert!(message(&told, "Ready").contains("read and hold Secret muscat"), "{told:?}");
    franchise.issue(franchise.voucher("abroad").on("muscat")).await;
    franchise.settle(franchise.tenant_abroad("oryx")).await;
    franchise.merge(&roles, "muscat", &verbs(&["get", "list", "watch", "patch"])).await;
    franchise.visit::<Sovereign>("muscat").await;
    franchise.until::<Sovereign>("muscat", "Ready=True").await;
    assert!(franchise.is_held("muscat", "muscat").await);
}

/// A Sovereign serves, and a Secret that cannot be used changes nothing of that.
async fn serves_meanwhile(franchise: &Franchise, bad: &str, access: &Access, phrase: &str) {
    franchise.keep_kubeconfig("muscat", bad).await;
    let soon = franchise.woken();
    soon.until::<Sovereign>("muscat", phrase).await;
    soon.until::<Sovereign>("muscat", "Connected=True").await;
    franchise.settle(franchise.tenant_abroad("oryx")).await;
    let sovereign: Sovereign = franchise.visit("muscat").await;
    let status = serde_json::to_value(&sovereign).unwrap()["status"].clone();
    assert_eq!(status["phase"], "Degraded", "{status:#}");
    franchise.keep_kubeconfig("muscat", &access.kubeconfig()).await;
    soon.until::<Sovereign>("muscat", "Ready=True").await;
    soon.until::<Sovereign>("muscat", "CredentialsValid=True").await;
    soon.until::<Sovereign>("muscat", "IdentityVerified=True").await;
    franchise.until::<Tenant>("oryx", "Ready=True").await;
}

#[tokio::test]
async fn the_last_good_credentials_serve_while_a_rotation_is_half_done() {
    let franchise = shared_franchise().await;
    let access = franchise.abroad().await;
    let encoded = |pem: &str| json!(k8s_openapi::ByteString(pem.into()));
    let broken = edited(&access.kubeconfig(), |_, user| {
        *user = json!({
            "client-certificate-data": encoded(CERTIFICATE),
            "client-key-data": encoded(OTHER_KEY),
        });
    });
    let phrase = "CredentialsValid=False KubeconfigLoginBroken";
    serves_meanwhile(&franchise, &broken, &access, phrase).await;
}

#[tokio::test]
async fn another_cluster_is_refused_while_the_one_that_was_accepted_serves() {
    let franchise = shared_franchise().await;
    let access = franchise.abroad().await;
    let other = std::fs::read_to_string(&quiet_world().hub().kubeconfig).unwrap();
    let phrase = "IdentityVerified=False ClusterIdentityChanged";
    serves_meanwhile(&franchise, &other, &access, phrase).await;
}

#[tokio::test]
async fn a_token_that_is_revoked_is_noticed_and_a_new_one_serves_for_good() {
    let franchise = shared_franchise().await;
    let access = franchise.abroad().await;
    franchise.settle(franchise.tenant_abroad("oryx")).await;
    access.revoke().await;
    franchise.until::<Sovereign>("muscat", "CredentialsValid=False CredentialsRejected").await;
    franchise.until::<Sovereign>("muscat", "Connected=False CredentialsRejected").await;
    // A Secret that is wrong as well is said beside it, and not by turns.
    franchise.keep_kubeconfig("muscat", "{}").await;
    franchise.until::<Sovereign>("muscat", "CredentialsValid=False KubeconfigNotOne").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    // The event of it may still be on its way.
    let written = || {
        let mut all = franchise.writes_to(&franchise.namespace);
        all.retain(|entry| entry.object_ref.as_ref().is_some_and(|it| it.resource != "events"));
        all
    };
    let before = written().len();
    tokio::time::sleep(Duration::from_secs(7)).await;
    let after = written();
    assert_eq!(after.len(), before, "{:?}", &after[before..]);
    access.grant().await;
    franchise.keep_kubeconfig("muscat", &access.kubeconfig()).await;
    let soon = franchise.woken();
    let back = soon.until::<Sovereign>("muscat", "Connected=True").await;
    soon.until::<Tenant>("oryx", "Ready=True").await;
    // It does not go dark again at the next look.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let since = |sovereign: &Sovereign| {
        let status = serde_json::to_value(sovereign).unwrap()["status"].clone();
        let conditions = status["conditions"].as_array().unwrap().clone();
        let connected = conditions.into_iter().find(|it| it["type"] == "Connected").unwrap();
        (connected["status"].clone(), connected["lastTransitionTime"].clone())
    };
    let now: Sovereign = franchise.visit("muscat").await;
    assert_eq!(since(&now), since(&back));
}

/// An account of its own on the second cluster, with what is granted there but one right.
struct Limited {
    access: Access,
    name: String,
}

impl Limited {
    async fn on_muscat(franchise: &Franchise) -> Self {
        let access = Access::granted(World::muscat()).await;
        let limited = Self { access, name: format!("limited-{}", franchise.namespace) };
        let account = json!({"metadata": {"name": limited.name}});
        let account = serde_json::from_value(account).unwrap();
        let accounts: Api<ServiceAccount> =
            Api::namespaced(limited.access.admin.clone(), ACCESS_NAMESPACE);
        accounts.create(&PostParams::default(), &account).await.unwrap();
        limited
    }

    /// Applies what is granted to the account, edited.
    async fn grant(&self, edit: impl Fn(&mut Value)) {
        let params = kube::api::PatchParams::apply("franchisee").force();
        let subject = json!({
            "kind": "ServiceAccount", "name": self.name, "namespace": ACCESS_NAMESPACE,
        });
        for document in serde_yaml::Deserializer::from_str(GRANTED) {
            let mut manifest = Value::deserialize(document).unwrap();
            let name = manifest["metadata"]["name"].as_str().unwrap().to_owned();
            let kind = manifest["kind"].as_str().unwrap().to_owned();
            let is_ours = kind == "ClusterRole" && name == "catalyst-sovereign-access";
            if !is_ours && !kind.ends_with("RoleBinding") {
                continue;
            }
            manifest["metadata"]["name"] = json!(format!("{name}-{}", self.name));
            if is_ours {
                edit(&mut manifest);
            } else {
                manifest["subjects"] = json!([subject]);
                if kind == "ClusterRoleBinding" {
                    manifest["roleRef"]["name"] = json!(format!("{name}-{}", self.name));
                }
            }
            self.apply(&kind, &manifest, &params).await;
        }
    }

    async fn apply(&self, kind: &str, manifest: &Value, params: &kube::api::PatchParams) {
        let (client, patch) = (self.access.admin.clone(), kube::api::Patch::Apply(manifest));
        let name = manifest["metadata"]["name"].as_str().unwrap();
        match kind {
            "ClusterRole" => {
                let api: Api<ClusterRole> = Api::all(client);
                api.patch(name, params, &patch).await.map(drop)
            }
            "ClusterRoleBinding" => {
                let api: Api<ClusterRoleBinding> = Api::all(client);
                api.patch(name, params, &patch).await.map(drop)
            }
            _ => {
                let api: Api<RoleBinding> = Api::namespaced(client, ACCESS_NAMESPACE);
                api.patch(name, params, &patch).await.map(drop)
            }
        }
        .unwrap_or_else(|why| panic!("{kind} {name}: {why}"));
    }

    /// A kubeconfig with a token that is good for so long.
    async fn kubeconfig(&self, seconds: i64) -> String {
        let accounts: Api<ServiceAccount> =
            Api::namespaced(self.access.admin.clone(), ACCESS_NAMESPACE);
        let spec = json!({"audiences": [], "expirationSeconds": seconds});
        let request: TokenRequest =
            serde_json::from_value(json!({"metadata": {}, "spec": spec})).unwrap();
        let params = PostParams::default();
        let made = accounts.create_token_request(&self.name, &params, &request).await.unwrap();
        let token = made.status.unwrap().token;
        edited(&self.access.kubeconfig(), |_, user| user["token"] = json!(token))
    }
}

#[tokio::test]
async fn a_right_that_is_missing_is_named_and_noticed_when_it_is_granted() {
    let franchise = shared_franchise().await;
    let limited = Limited::on_muscat(&franchise).await;
    limited
        .grant(|role| {
            for rule in role["rules"].as_array_mut().unwrap() {
                if rule["resources"].as_array().unwrap().contains(&json!("networkpolicies")) {
                    rule["verbs"].as_array_mut().unwrap().retain(|verb| verb != "patch");
                }
            }
        })
        .await;
    franchise.keep_kubeconfig("muscat", &limited.kubeconfig(3600).await).await;
    franchise.apply(franchise.franchised()).await;
    let phrase = "PermissionsGranted=False PermissionsMissing";
    let told = franchise.until::<Sovereign>("muscat", phrase).await;
    let missing = message(&told, "PermissionsGranted");
    assert!(missing.ends_with("missing: patch networkpolicies.networking.k8s.io"), "{missing}");
    franchise.until::<Sovereign>("muscat", "Connected=True").await;
    limited.grant(|_| ()).await;
    franchise.within(60).until::<Sovereign>("muscat", "PermissionsGranted=True").await;
    franchise.until::<Sovereign>("muscat", "Ready=True").await;
}

#[tokio::test]
async fn how_long_credentials_are_good_is_shown_and_counted() {
    let franchise = shared_franchise().await;
    let limited = Limited::on_muscat(&franchise).await;
    limited.grant(|_| ()).await;
    franchise.keep_kubeconfig("muscat", &limited.kubeconfig(600).await).await;
    franchise.apply(franchise.franchised()).await;
    let sovereign = franchise.until::<Sovereign>("muscat", "Ready=True").await;
    let shown = sovereign.status.clone().unwrap().credentials.unwrap();
    let until = shown.parse::<jiff::Timestamp>().unwrap().as_second();
    let before = sovereign.metadata.creation_timestamp.as_ref().unwrap().0.as_second();
    assert!((540..=660).contains(&(until - before)), "{before} {shown}");
    assert!(message(&sovereign, "CredentialsValid").contains(&shown), "{sovereign:?}");
    assert_eq!(message(&sovereign, "CredentialsExpire"), "", "it is new");

    let (_, page) = Operator::shared().await.get("/metrics").await;
    let is_it = |line: &&str| {
        line.starts_with("catalyst_sovereign_credential_expiry_timestamp_seconds{")
            && line.contains(&format!("\"{}\"", franchise.namespace))
            && line.contains("\"muscat\"")
    };
    let line = page.lines().find(is_it).unwrap_or_else(|| panic!("{page}"));
    assert!(line.ends_with(&format!(" {until}")), "{line} {until}");
}
