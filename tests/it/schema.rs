//! What the API server accepts and refuses, by the schema and the rules that stand in it.

use axum::http::Request;
use catalyst_operator::api::{Sovereign, Tenant, Voucher};
use futures::future::join_all;
use kube::Client;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    schema_cases::{self, Case},
    support::{World, hub_client},
};

/// Cases are judged by so many at a time, each in a namespace of its own.
const JUDGES: usize = 6;
const STRICT: &str = "fieldValidation=Strict";

#[tokio::test]
async fn every_sovereign_is_judged_as_its_case_says() {
    judge_all::<Sovereign>("Sovereign").await;
}

#[tokio::test]
async fn every_tenant_is_judged_as_its_case_says() {
    judge_all::<Tenant>("Tenant").await;
}

#[tokio::test]
async fn every_voucher_is_judged_as_its_case_says() {
    judge_all::<Voucher>("Voucher").await;
}

#[test]
fn no_two_cases_of_a_kind_have_the_same_name() {
    let cases = schema_cases::cases();
    let mut names: Vec<_> = cases.iter().map(|case| (case.kind, &case.name)).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases.len());
}

async fn judge_all<K: DeserializeOwned>(kind: &str) {
    let client = hub_client(World::shared()).await;
    let mut cases = schema_cases::cases();
    cases.retain(|case| case.kind == kind);
    assert!(!cases.is_empty(), "there are no cases of {kind}");
    let share = cases.len().div_ceil(JUDGES);
    let judges = cases.chunks(share).map(|cases| judge::<K>(&client, cases));
    let misjudged: Vec<String> = join_all(judges).await.into_iter().flatten().collect();
    assert!(misjudged.is_empty(), "of {}:\n{}", cases.len(), misjudged.join("\n"));
}

/// Sends cases one after the other; gives those that the server judged otherwise.
async fn judge<K: DeserializeOwned>(client: &Client, cases: &[Case]) -> Vec<String> {
    let namespace = ordinary_namespace(client).await;
    let mut misjudged = vec![];
    for case in cases {
        let verdict = send_case(client, &namespace, case).await;
        let good = match (&verdict, case.refused_with) {
            (Ok(object), None) => serde_json::from_value::<K>(object.clone())
                .map(drop)
                .map_err(|why| format!("accepted, but cannot be read back: {why}")),
            (Err(message), Some(part)) if message.contains(part) => Ok(()),
            (Ok(_), Some(part)) => Err(format!("accepted, and not refused with {part:?}")),
            (Err(message), wanted) => {
                Err(format!("refused, where {wanted:?} was expected: {message}"))
            }
        };
        if let Err(why) = good {
            misjudged.push(format!("- {}: {why}", case.name));
        }
    }
    misjudged
}

/// Creates the object, or edits what stood before; nothing of it stays.
async fn send_case(client: &Client, namespace: &str, case: &Case) -> Result<Value, String> {
    let plural = case.kind.to_lowercase() + "s";
    let all = format!("/apis/catalyst.openova.io/v1alpha1/namespaces/{namespace}/{plural}");
    let Some(before) = &case.before else {
        return send(client, "POST", &format!("{all}?{STRICT}&dryRun=All"), &case.object).await;
    };
    let made = send(client, "POST", &format!("{all}?{STRICT}"), before).await;
    let made = made.map_err(|why| format!("what stood before was refused: {why}"))?;
    let one = format!("{all}/{}", made["metadata"]["name"].as_str().expect("it has a name"));
    let mut object = case.object.clone();
    object["metadata"]["resourceVersion"] = made["metadata"]["resourceVersion"].clone();
    let path = format!("{one}?{STRICT}&dryRun=All");
    let mut verdict = send(client, "PUT", &path, &object).await;
    // An operator in the same world may say in its status that this is no franchise.
    while verdict.as_ref().is_err_and(|why| why.contains("the object has been modified")) {
        let now = send(client, "GET", &one, &json!({})).await?;
        object["metadata"]["resourceVersion"] = now["metadata"]["resourceVersion"].clone();
        verdict = send(client, "PUT", &path, &object).await;
    }
    let gone = send(client, "DELETE", &one, &json!({})).await;
    gone.expect("nothing holds the object");
    verdict
}

/// A namespace that is no franchise, so that nothing is done about the objects in it.
async fn ordinary_namespace(client: &Client) -> String {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"generateName": "schema-"}});
    let made = send(client, "POST", "/api/v1/namespaces", &namespace).await;
    let made = made.expect("a namespace can be made");
    made["metadata"]["name"].as_str().expect("it has a name").to_owned()
}

async fn send(client: &Client, verb: &str, path: &str, body: &Value) -> Result<Value, String> {
    let request = Request::builder()
        .method(verb)
        .uri(path)
        .header("content-type", "application/json")
        .body(body.to_string().into_bytes())
        .expect("it is a request");
    client.request(request).await.map_err(|why| match why {
        kube::Error::Api(status) => status.message,
        other => format!("no answer: {other}"),
    })
}
