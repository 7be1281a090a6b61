//! Codes that are kept in Secrets: who may read them, when they arrive, and what is shown of them.

use catalyst_operator::api::{Tenant, Voucher};
use k8s_openapi::api::{core::v1::Secret, events::v1::Event};
use kube::{
    Api,
    api::{DeleteParams, ListParams},
};
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::support::{Franchise, Manifest, Operator, message, shared_franchise};

const CODE: &str = "K7QX-93MP-T2WV-8RLD";
const OTHER: &str = "M4HZ-51JC-Y6NB-7GSF";

/// The documents of the example, for this namespace and this Secret.
fn example(franchise: &Franchise, secret: &str) -> Vec<Manifest> {
    const EXAMPLE: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/secret/voucher.yaml"));
    let namespace = format!("namespace: {}", franchise.namespace);
    let text = EXAMPLE.replace("namespace: omantel", &namespace).replace("partner-gift", secret);
    let documents = serde_yaml::Deserializer::from_str(&text);
    documents.map(|one| Manifest(Value::deserialize(one).expect("it is YAML"))).collect()
}

/// Puts a code under the key `code` of a Secret.
async fn keep(franchise: &Franchise, secret: &str, code: &str) {
    let documents = example(franchise, secret).into_iter();
    for mut manifest in documents.filter(|manifest| manifest.0["kind"] == "Secret") {
        manifest.0["stringData"]["code"] = code.into();
        franchise.apply(manifest).await;
    }
}

/// Lets the operator read this Secret and no other, as the example does.
async fn grant(franchise: &Franchise, secret: &str) {
    for manifest in example(franchise, secret) {
        if ["Role", "RoleBinding"].iter().any(|kind| manifest.0["kind"] == *kind) {
            franchise.apply(manifest).await;
        }
    }
}

async fn lose(franchise: &Franchise, secret: &str) {
    let secrets: Api<Secret> = Api::namespaced(franchise.client.clone(), &franchise.namespace);
    secrets.delete(secret, &DeleteParams::default()).await.unwrap();
}

fn from(secret: &str) -> Value {
    json!({"secretKeyRef": {"name": secret, "key": "code"}})
}

/// A Voucher whose code is kept in the Secret of its name.
fn voucher(franchise: &Franchise, name: &str) -> Manifest {
    franchise.voucher(name).with("codeFrom", from(name))
}

/// A Tenant that redeems the code in a Secret.
fn tenant(franchise: &Franchise, name: &str, secret: &str) -> Manifest {
    franchise.tenant(name).with("vouchers", json!([{"codeFrom": from(secret)}]))
}

/// Reason and hint of the only voucher that a Tenant names.
fn outcome(tenant: &Tenant) -> (&str, Option<&str>) {
    let voucher = &tenant.status.as_ref().expect("it was visited").vouchers[0];
    (voucher.reason.as_str(), voucher.hint.as_deref())
}

#[tokio::test]
async fn a_secret_that_comes_last_makes_both_ready_and_its_code_is_shown_nowhere() {
    let franchise = shared_franchise().await;
    for secret in ["launch", "welcome"] {
        grant(&franchise, secret).await;
    }
    franchise.apply(voucher(&franchise, "launch")).await;
    franchise.apply(tenant(&franchise, "kestrel", "welcome")).await;
    let waiting = franchise.until::<Voucher>("launch", "Ready=False CodeSecretMissing").await;
    assert!(message(&waiting, "Ready").contains("Secret launch"), "{waiting:?}");
    let waiting = franchise.until::<Tenant>("kestrel", "Entitled=False CreditAwaited").await;
    assert_eq!(outcome(&waiting), ("CodeSecretMissing", None));

    // One code in two Secrets, in two spellings: the issuer's and the customer's. No other test
    // knows it.
    let code = "H5WD-72QK-N9RT-4JXB";
    keep(&franchise, "launch", code).await;
    let voucher = franchise.until::<Voucher>("launch", "Ready=True").await;
    assert_eq!(voucher.status.as_ref().unwrap().code.as_deref(), Some("H5WD…"));
    keep(&franchise, "welcome", &format!(" {}\n", code.to_lowercase())).await;
    let tenant = franchise.until::<Tenant>("kestrel", "Ready=True").await;
    assert_eq!(outcome(&tenant), ("Redeemed", Some("H5WD…")));
    let counted = |voucher: &Voucher| voucher.status.as_ref().unwrap().redeemed == Some(1);
    let voucher = franchise.until_object(&franchise.api(), "launch", "1 redeemed", counted).await;

    let events: Api<Event> = Api::namespaced(franchise.client.clone(), &franchise.namespace);
    let events = events.list(&ListParams::default()).await.unwrap().items;
    assert!(!events.is_empty());
    let dump = franchise.ledger().dump().await;
    assert!(dump.contains("H5WD…"));
    for text in [
        serde_json::to_string(&(voucher, tenant, events)).unwrap(),
        Operator::shared().await.logged(),
        dump,
    ] {
        for part in ["72QK", "N9RT", "4JXB"] {
            assert!(!text.to_uppercase().contains(part), "{part} is in {text}");
        }
    }
    franchise.assert_sound().await;
}

#[tokio::test]
async fn a_tenant_that_names_a_secret_code_is_woken_when_its_voucher_comes() {
    let franchise = shared_franchise().await;
    grant(&franchise, "welcome").await;
    keep(&franchise, "welcome", CODE).await;
    franchise.apply(tenant(&franchise, "kestrel", "welcome")).await;
    franchise.until::<Tenant>("kestrel", "VouchersRedeemed=False NotFound").await;
    franchise.issue(franchise.voucher("launch").with("code", CODE)).await;
    franchise.until::<Tenant>("kestrel", "Ready=True").await;
}

#[tokio::test]
async fn a_right_that_is_missing_is_named_and_noticed_when_it_is_given() {
    let franchise = shared_franchise().await;
    keep(&franchise, "launch", CODE).await;
    franchise.apply(voucher(&franchise, "launch")).await;
    let voucher = franchise.until::<Voucher>("launch", "Ready=False CodeSecretForbidden").await;
    franchise.until::<Voucher>("launch", "Stalled=True").await;
    let advice = message(&voucher, "Ready");
    for part in ["Secret launch", "Role", "get, list and watch", "resourceNames launch"] {
        assert!(advice.contains(part), "{advice}");
    }
    grant(&franchise, "launch").await;
    franchise.until::<Voucher>("launch", "Ready=True").await;
}

#[tokio::test]
async fn a_code_that_could_be_guessed_waits_for_a_better_one() {
    let franchise = shared_franchise().await;
    grant(&franchise, "launch").await;
    keep(&franchise, "launch", "FIFTEEN-LETTERS").await;
    franchise.apply(voucher(&franchise, "launch")).await;
    franchise.until::<Voucher>("launch", "Ready=False CodeTooShort").await;
    keep(&franchise, "launch", "sixteen letters!").await;
    let unusable = franchise.until::<Voucher>("launch", "Ready=False CodeUnusable").await;
    assert!(!format!("{unusable:?}").contains("sixteen"), "{unusable:?}");
    keep(&franchise, "launch", "SIXTEEN--LETTERS").await;
    keep(&franchise, "launch", "SIXTEEN-LETTERS1").await;
    let voucher = franchise.until::<Voucher>("launch", "Ready=True").await;
    assert_eq!(voucher.status.unwrap().code.as_deref(), Some("SIXT…"));
}

#[tokio::test]
async fn the_first_code_stays_when_the_secret_says_another_and_edits_go_on() {
    let franchise = shared_franchise().await;
    grant(&franchise, "launch").await;
    keep(&franchise, "launch", CODE).await;
    franchise.issue(voucher(&franchise, "launch")).await;
    keep(&franchise, "launch", OTHER).await;
    let changed = franchise.until::<Voucher>("launch", "Ready=False CodeChanged").await;
    assert_eq!(changed.status.as_ref().unwrap().code.as_deref(), Some("K7QX…"));
    assert!(message(&changed, "Ready").contains("put it back"), "{changed:?}");
    franchise.until::<Voucher>("launch", "Redeemable=True Active").await;

    franchise.settle(franchise.tenant("kestrel").code(CODE)).await;
    franchise.apply(franchise.tenant("bakkal").code(OTHER)).await;
    franchise.until::<Tenant>("bakkal", "VouchersRedeemed=False NotFound").await;
    franchise.apply(voucher(&franchise, "launch").with("state", "Paused")).await;
    franchise.until::<Voucher>("launch", "Redeemable=False Paused").await;
    keep(&franchise, "launch", CODE).await;
    franchise.until::<Voucher>("launch", "Ready=True").await;
}

#[tokio::test]
async fn what_was_accepted_and_redeemed_needs_its_secret_no_more() {
    let franchise = shared_franchise().await;
    grant(&franchise, "launch").await;
    keep(&franchise, "launch", CODE).await;
    franchise.issue(voucher(&franchise, "launch")).await;
    franchise.settle(tenant(&franchise, "kestrel", "launch")).await;
    lose(&franchise, "launch").await;

    let kestrel =
        franchise.until::<Tenant>("kestrel", "VouchersRedeemed=False CodeSecretMissing").await;
    assert_eq!(outcome(&kestrel), ("CodeSecretMissing", None));
    franchise.until::<Tenant>("kestrel", "Ready=True").await;
    let voucher_now: Voucher = franchise.visit("launch").await;
    assert_eq!(voucher_now.status.as_ref().unwrap().redeemed, Some(1));
    franchise.until::<Voucher>("launch", "Ready=True").await;
    franchise.apply(voucher(&franchise, "launch").with("state", "Paused")).await;
    franchise.until::<Voucher>("launch", "Redeemable=False Paused").await;
    franchise.remove::<Voucher>("launch").await;
    franchise.until::<Tenant>("kestrel", "Ready=True").await;
    franchise.remove::<Tenant>("kestrel").await;
    franchise.assert_sound().await;
}

#[tokio::test]
async fn the_example_works_as_it_is_written() {
    let franchise = shared_franchise().await;
    for mut manifest in example(&franchise, "partner-gift") {
        if manifest.0["kind"] == "Tenant" {
            manifest = manifest.with("organization", franchise.organization("oryx-labs"));
        }
        franchise.apply(manifest).await;
    }
    franchise.until::<Tenant>("oryx-labs", "Ready=True").await;
    let voucher = franchise.until::<Voucher>("partner-gift", "Redeemable=False Exhausted").await;
    assert_eq!(voucher.status.unwrap().code.as_deref(), Some("7F3K…"));
}
