//! Logs are one line per thing that happened, as text or as JSON, and no secret is in them, nor in
//! anything else that people look at.

use std::process::Command;

use catalyst_operator::api::{Sovereign, Tenant, Voucher};
use k8s_openapi::{
    ByteString,
    api::{core::v1::Secret, events::v1::Event},
};
use kube::{Api, api::ListParams};
use serde_json::{Value, json};

use crate::support::{
    Access, Franchise, Installed, Manifest, Operator, Told, database, quiet_world,
};

/// What is in every secret of this test.
const CANARY: &str = "CANARY";

async fn watched(env: &[(&str, &str)]) -> (Franchise, Operator) {
    let world = quiet_world();
    let installed = Installed::on(world, &database(world).await).await;
    let franchise = Franchise::found(world, &installed).await;
    let [serves, alone] = franchise.alone();
    let operator = installed.start(&[&[serves, alone], env].concat());
    franchise.open().await;
    (franchise, operator)
}

#[tokio::test]
async fn a_line_of_the_log_is_one_json_object_or_text_for_people() {
    let (_franchise, operator) = watched(&[("CATALYST_LOG_FORMAT", "json")]).await;
    operator.logs("its plans are on sale").await;
    let logged = operator.logged();
    for line in logged.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
        for field in ["timestamp", "level", "message"] {
            assert!(line[field].is_string(), "no {field} in {line}");
        }
    }
    assert!(logged.contains("its plans are on sale"), "{logged}");

    let (_franchise, operator) = watched(&[("CATALYST_LOG_FORMAT", "text")]).await;
    operator.logs("its plans are on sale").await;
    let logged = operator.logged();
    let told = logged.lines().find(|line| line.contains("its plans are on sale"));
    let told = told.unwrap_or_else(|| panic!("{logged}"));
    assert!(told.contains(" INFO ") && told.contains("catalyst-zero"), "{told}");
    for line in logged.lines() {
        let (time, _) = line.trim_start().split_once(' ').unwrap_or_default();
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{line}");
        assert!(!line.contains('\u{1b}'), "{line}");
    }
}

#[test]
fn a_format_that_there_is_not_is_refused_at_start() {
    let output = Command::new(env!("CARGO_BIN_EXE_catalyst-operator"))
        .arg("run")
        .envs([("CATALYST_LOG_FORMAT", "xml"), ("DATABASE_URL", "postgresql://nowhere/x")])
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    for part in ["invalid value 'xml'", "--log-format", "text, json"] {
        assert!(said.contains(part), "{said}");
    }
}

/// The kubeconfig of an access with its user changed.
fn with_user(access: &Access, user: Value) -> String {
    let mut kubeconfig: Value = serde_yaml::from_str(&access.kubeconfig()).unwrap();
    kubeconfig["users"][0]["user"] = user;
    kubeconfig.to_string()
}

impl Franchise {
    /// A Secret with a code that the operator may read.
    async fn keep_code(&self, name: &str, code: &str) {
        self.keep_kubeconfig(name, code).await;
        let data = json!({"data": {"code": ByteString(code.into())}});
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        self.merge(&secrets, name, &data).await;
    }

    /// Everything of a kind with its status, as people get it.
    async fn shown<K: Told>(&self) -> String {
        let all = self.api::<K>().list(&ListParams::default()).await.unwrap();
        serde_json::to_string(&all.items).unwrap()
    }
}

fn from(secret: &str) -> Value {
    json!({"secretKeyRef": {"name": secret, "key": "code"}})
}

/// Sovereigns with kubeconfigs of all sorts, until each is judged.
async fn offer_kubeconfigs(franchise: &Franchise, access: &Access) {
    let kubeconfigs = [
        ("good", access.kubeconfig(), "Ready=True"),
        ("token", with_user(access, json!({"token": CANARY})), "CredentialsRejected"),
        ("password", with_user(access, json!({"username": CANARY, "password": CANARY})), ""),
        ("exec", with_user(access, json!({"exec": {"command": CANARY, "args": [CANARY]}})), ""),
        (
            "key",
            with_user(
                access,
                json!({"client-certificate-data": CANARY,
            "client-key-data": CANARY}),
            ),
            "",
        ),
        ("garbage", format!("{CANARY}: [{CANARY}"), ""),
        ("alias", format!("a: &{CANARY} {CANARY}\nb: *{CANARY}"), ""),
    ];
    for (name, text, says) in &kubeconfigs {
        franchise.keep_kubeconfig(name, text).await;
        let sovereign = Manifest::franchised(&franchise.namespace, name, name);
        franchise.apply(sovereign).await;
        match *says {
            "Ready=True" => drop(franchise.until::<Sovereign>(name, says).await),
            "CredentialsRejected" => {
                let phrase = format!("CredentialsValid=False {says}");
                drop(franchise.until::<Sovereign>(name, &phrase).await);
            }
            _ => drop(franchise.until::<Sovereign>(name, "Stalled=True").await),
        }
    }
}

/// Vouchers and Tenants with secret codes of all sorts, until each is judged.
async fn offer_codes(franchise: &Franchise) {
    for (name, code, reason) in [
        ("secret-code", "CANARY-A7QX-93MP-T2WV", "Ready=True"),
        ("short-code", "CANARY-A7", "Ready=False CodeTooShort"),
        ("wrong-code", "CANARY A7QX!93MP?T2WV", "Ready=False CodeUnusable"),
    ] {
        franchise.keep_code(name, code).await;
        franchise.apply(franchise.voucher(name).with("codeFrom", from(name))).await;
        franchise.until::<Voucher>(name, reason).await;
        let source = json!([{"codeFrom": from(name)}]);
        franchise.apply(franchise.tenant(name).with("vouchers", source)).await;
    }
    franchise.until::<Tenant>("secret-code", "Ready=True").await;
    franchise.until::<Tenant>("short-code", "Entitled=False").await;
    franchise.until::<Tenant>("wrong-code", "Entitled=False").await;
}

/// All that people look at.
async fn shown(franchise: &Franchise, operator: &Operator) -> String {
    let events: Api<Event> = Api::namespaced(franchise.client.clone(), &franchise.namespace);
    let events = events.list(&ListParams::default()).await.unwrap().items;
    assert!(events.len() > 5, "{events:?}");
    let logged = operator.logged();
    assert!(logged.contains("\"level\":\"DEBUG\""), "{logged}");
    let pieces = [
        logged,
        serde_json::to_string(&events).unwrap(),
        operator.get("/metrics").await.1,
        operator.get("/readyz").await.1,
        franchise.shown::<Sovereign>().await,
        franchise.shown::<Tenant>().await,
        franchise.shown::<Voucher>().await,
    ];
    pieces.join("\n")
}

#[tokio::test]
async fn no_code_token_or_kubeconfig_is_shown_anywhere() {
    let (franchise, operator) = watched(&[("RUST_LOG", "debug")]).await;
    let access = Access::granted(quiet_world().cluster("nizwa")).await;
    offer_kubeconfigs(&franchise, &access).await;
    offer_codes(&franchise).await;
    let shown = shown(&franchise, &operator).await;
    // Four characters of an accepted secret code are its hint, and people look where it is.
    assert!(shown.contains("CANA…"), "{shown}");
    let token = access.token();
    for secret in [CANARY, "A7QX", "93MP", "T2WV", &token, token.rsplit('.').next().unwrap()] {
        let found = shown.to_uppercase().find(&secret.to_uppercase());
        let around = found.map(|at| &shown[at.saturating_sub(300)..(at + 20).min(shown.len())]);
        assert!(found.is_none(), "{secret} is shown: {around:?}");
    }
}
