//! The server that tests of hostile clusters stand on does what it says.

use std::time::{Duration, Instant};

use axum::http::Request;
use futures::{AsyncReadExt as _, TryStreamExt as _};
use k8s_openapi::api::{
    authorization::v1::SelfSubjectAccessReview,
    core::v1::{ConfigMap, Namespace, ResourceQuota},
};
use kube::{
    Api, Client, Error,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams},
    client::Body,
    config::Kubeconfig,
    core::PartialObjectMeta,
};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::support::{Behaviour, Hostile, client_of};

/// Long for one that does not answer, short for who waits.
const MOMENT: Duration = Duration::from_millis(300);

async fn client(server: &Hostile) -> Client {
    client_of(Kubeconfig::from_yaml(server.kubeconfig()).unwrap()).await
}

async fn met(behaviour: Behaviour) -> (Hostile, Client) {
    let server = Hostile::start(behaviour);
    let client = client(&server).await;
    (server, client)
}

async fn identify(client: &Client) -> Result<String, Error> {
    let system = Api::<Namespace>::all(client.clone()).get_metadata("kube-system").await?;
    Ok(system.metadata.uid.unwrap())
}

/// What an operator does first; gives the UID.
async fn contact(client: &Client) -> String {
    let uid = identify(client).await.unwrap();
    assert!(client.apiserver_version().await.unwrap().git_version.starts_with("v1."));
    let review: SelfSubjectAccessReview = serde_json::from_value(json!({"spec": {}})).unwrap();
    let reviews = Api::all(client.clone()).create(&PostParams::default(), &review).await.unwrap();
    assert!(reviews.status.unwrap().allowed);
    let notes: Api<ConfigMap> = Api::namespaced(client.clone(), "catalyst-system");
    assert!(notes.get_opt("catalyst-hub").await.unwrap().is_none());
    let note = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "catalyst-hub"}, "data": {"hub": "us"},
    });
    let apply = PatchParams::apply("catalyst").force();
    notes.patch("catalyst-hub", &apply, &Patch::Apply(&note)).await.unwrap();
    uid
}

/// A watch of Namespaces, by their metadata.
async fn watched(client: &Client) -> Result<Vec<WatchEvent<PartialObjectMeta<Namespace>>>, Error> {
    let namespaces = Api::<Namespace>::all(client.clone());
    let events = namespaces.watch_metadata(&WatchParams::default(), "0").await?;
    let some = async { std::pin::pin!(events).try_next().await };
    match tokio::time::timeout(MOMENT, some).await {
        Ok(event) => Ok(event?.into_iter().collect()),
        Err(_quiet) => Ok(vec![]),
    }
}

#[tokio::test]
async fn a_plausible_server_connects_lists_watches_and_remembers() {
    let (server, client) = met(Behaviour::Plausible).await;
    assert_eq!(contact(&client).await, server.uid());
    let notes: Api<ConfigMap> = Api::namespaced(client.clone(), "catalyst-system");
    assert_eq!(notes.get("catalyst-hub").await.unwrap().data.unwrap()["hub"], "us");
    let namespaces = Api::<Namespace>::all(client.clone());
    let list = namespaces.list_metadata(&ListParams::default()).await.unwrap();
    assert!(list.items.is_empty() && list.metadata.resource_version.is_some());
    assert!(watched(&client).await.unwrap().is_empty());

    let quotas: Api<ResourceQuota> = Api::namespaced(client.clone(), "tenant-kestrel");
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": {"name": "plan"}, "spec": {"hard": {"pods": "4"}},
    });
    let apply = PatchParams::apply("catalyst").force();
    let counts = async || {
        let applied = quotas.patch("plan", &apply, &Patch::Apply(&quota)).await.unwrap();
        assert!(applied.metadata.uid.is_some());
        let kept: Option<Value> =
            quotas.get_opt("plan").await.unwrap().map(|kept| json!(kept.status.unwrap().hard));
        kept
    };
    assert_eq!(counts().await, Some(json!({"pods": "4"})));
    server.turn(Behaviour::NeverCounts);
    assert_eq!(counts().await, Some(json!({"pods": "0"})));
    quotas.delete("plan", &DeleteParams::default()).await.unwrap();
    server.turn(Behaviour::Forgets);
    assert_eq!(counts().await, None);
    let path = "/api/v1/namespaces/tenant-kestrel/resourcequotas/plan";
    assert!(server.requests().contains(&format!("PATCH {path}")));
}

#[tokio::test]
async fn every_behaviour_lets_the_first_contact_pass_when_it_is_told_to() {
    for behaviour in Behaviour::all() {
        let server = Hostile::after_contact(behaviour.clone());
        contact(&client(&server).await).await;
        while server.behaviour() != behaviour {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// What everybody hears who asks a server of this behaviour who it is.
async fn heard(behaviour: Behaviour) -> (u16, String) {
    let (_server, client) = met(behaviour).await;
    match identify(&client).await.unwrap_err() {
        Error::Api(status) => (status.code, status.message),
        other => (0, format!("{other:?}")),
    }
}

#[tokio::test]
async fn a_server_that_refuses_says_what_it_is_told_to_say() {
    assert_eq!(heard(Behaviour::Unauthorized).await.0, 401);
    assert_eq!(heard(Behaviour::Forbidden).await.0, 403);
    assert!(heard(Behaviour::ControlCharacters).await.1.contains("\u{1b}[2J\u{1b}[31m\u{7}no\r\n"));
    assert!(heard(Behaviour::LongMessages).await.1.len() > 1_000_000);
    assert_eq!(heard(Behaviour::Busy(429, "86400")).await.0, 429);
    for broken in [
        Behaviour::WrongTypes,
        Behaviour::Truncates,
        Behaviour::Garbage,
        Behaviour::WrongContentType,
        Behaviour::HangsUp,
        Behaviour::HugeHeaders,
        Behaviour::DeepAnnotations,
    ] {
        assert_eq!(heard(broken.clone()).await.0, 0, "{broken:?}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_answers_when_it_is_turned() {
    for silent in [Behaviour::NoTls, Behaviour::Silent, Behaviour::Drips, Behaviour::EndlessBody] {
        let (server, client) = met(silent.clone()).await;
        let waited = tokio::time::timeout(MOMENT, identify(&client)).await;
        assert!(waited.is_err(), "{silent:?} says {waited:?}");
        server.turn(Behaviour::Plausible);
        assert_eq!(identify(&client).await.unwrap(), server.uid(), "{silent:?}");
    }
}

#[tokio::test]
async fn watches_are_refused_flooded_and_never_end() {
    let (server, client) = met(Behaviour::WatchGone).await;
    assert!(matches!(watched(&client).await, Err(Error::Api(status)) if status.code == 410));
    server.turn(Behaviour::WatchGoneInside);
    let gone = watched(&client).await.unwrap();
    assert!(matches!(&gone[..], [WatchEvent::Error(status)] if status.code == 410), "{gone:?}");
    server.turn(Behaviour::EndlessLine);
    assert!(watched(&client).await.unwrap().is_empty());

    server.turn(Behaviour::Flood(["a", "b"].map(str::to_owned).to_vec()));
    let namespaces = Api::<Namespace>::all(client);
    let events = namespaces.watch_metadata(&WatchParams::default(), "0").await.unwrap();
    let (mut events, begun, mut count) = (std::pin::pin!(events), Instant::now(), 0);
    while begun.elapsed() < MOMENT {
        let event = events.try_next().await.unwrap().unwrap();
        let WatchEvent::Modified(seen) = event else { panic!("{event:?}") };
        assert_eq!(seen.metadata.name.as_deref(), Some(["a", "b"][count % 2]));
        count += 1;
    }
    assert!(count > 200, "{count} events are no flood");
}

#[tokio::test]
async fn lists_never_end_and_redirects_are_counted() {
    let (server, client) = met(Behaviour::EndlessPages).await;
    let namespaces = Api::<Namespace>::all(client.clone());
    let mut pages = ListParams::default();
    for _ in 0..20 {
        let page = namespaces.list(&pages).await.unwrap();
        pages.continue_token = Some(page.metadata.continue_.expect("it goes on"));
    }
    server.turn(Behaviour::BigItems(2));
    let request = Request::get("/api/v1/namespaces").body(vec![]).unwrap();
    let mut body = std::pin::pin!(client.request_stream(request).await.unwrap());
    let (mut part, mut bytes) = (vec![0; 1 << 20], 0);
    while let Ok(read @ 1..) = body.read(&mut part).await {
        bytes += read;
    }
    assert!(bytes > 20 << 20, "{bytes}");

    for code in [301, 302, 307] {
        let (server, client) = met(Behaviour::Redirects(code)).await;
        identify(&client).await.unwrap_err();
        assert_eq!(server.led_astray(), 0);
        // Who follows is seen.
        let answer = client.send(Request::get("/version").body(Body::empty()).unwrap()).await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), code);
        let to = answer.headers()["location"].to_str().unwrap().split('/').nth(2).unwrap();
        let _followed = TcpStream::connect(to).await.unwrap();
        while server.led_astray() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test]
async fn a_server_becomes_another_cluster_and_an_old_one() {
    let (server, client) = met(Behaviour::AnotherCluster(3)).await;
    let mut seen = vec![];
    for _ in 0..4 {
        seen.push(identify(&client).await.unwrap() == server.uid());
    }
    assert_eq!(seen, [true, true, false, false]);
    server.turn(Behaviour::OldVersion);
    assert_eq!(client.apiserver_version().await.unwrap().git_version, "v1.19.0");
}
