//! What is written for an API server fits it, and where it is for controllers of others, their real
//! definitions: what the chart renders with every value, and every example.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use kube::{
    Api, Client,
    api::{DynamicObject, Patch, PatchParams},
    core::{ApiResource, GroupVersionKind},
};
use serde_json::{Value, json};

use super::render::render;
use crate::support::{
    World, apply, blocks, chart, define, hub_client, install_definitions, manifests, tool,
};

/// The namespaces that manifests stand in.
const NAMESPACES: [&str; 5] = ["2024", "catalyst-system", "flux-system", "omantel", "oryx"];

/// What an API server says against a manifest, if anything; it does not keep it.
async fn refused(client: &Client, manifest: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (version, kind) = (text(&manifest["apiVersion"]), text(&manifest["kind"]));
    let (group, version) = version.split_once('/').unwrap_or(("", &version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &kind));
    let api: Api<DynamicObject> = match manifest["metadata"]["namespace"].as_str() {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    let params = PatchParams::apply("test").force().dry_run().validation_strict();
    let name = text(&manifest["metadata"]["name"]);
    let answer = api.patch(&name, &params, &Patch::Apply(manifest)).await;
    answer.err().map(|why| match why {
        kube::Error::Api(status) => format!("{kind} {name}: {}", status.message),
        other => format!("{kind} {name}: {other}"),
    })
}

/// No manifest is refused.
async fn fit<'a>(client: &Client, all: impl IntoIterator<Item = &'a Value>) {
    let mut why = vec![];
    for manifest in all {
        why.extend(refused(client, manifest).await);
    }
    assert!(why.is_empty(), "{}", why.join("\n"));
}

/// A hub with our definitions and these of others.
async fn hub(folders: &[&str]) -> (World, Client) {
    let world = World::untouched(&["--cluster", "hub"]);
    install_definitions(&world).await;
    let client = hub_client(&world).await;
    let definitions = tool("definitions");
    for folder in folders {
        define(&client, &definitions.join(folder)).await;
    }
    for name in NAMESPACES {
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        apply(&client, &namespace).await;
    }
    (world, client)
}

/// Everything that the chart renders with the value of any case, each manifest once.
fn rendered() -> BTreeMap<String, Value> {
    let cases = fs::read_to_string(chart("tests/chart/cases.yaml")).expect("it is there");
    let cases: Vec<Value> = serde_yaml::from_str(&cases).expect("it is a list");
    let mut settings: Vec<Value> = cases.iter().map(|case| case["set"].clone()).collect();
    let example = blocks("charts/catalyst-operator/README.md", "## With CloudNativePG", "yaml");
    let mut example: Value = serde_yaml::from_str(&example[0]).expect("it is YAML");
    example["postgres"]["existingSecret"] = json!({"name": ""});
    settings.push(example);
    let settings: BTreeMap<_, _> = settings.iter().map(|it| (it.to_string(), it)).collect();
    let render = |values: &Value| render(values).unwrap_or_else(|why| panic!("{values}: {why}"));
    let mut all: Vec<Value> =
        settings.into_values().flat_map(|values| manifests(&render(values))).collect();
    for config in all.iter_mut().filter(|manifest| manifest["kind"] == "ConfigMap") {
        // Helm puts into the release's namespace what names none.
        let metadata = config["metadata"].as_object_mut().expect("it has a name");
        metadata.entry("namespace").or_insert(json!("catalyst-system"));
    }
    all.into_iter().map(|manifest| (manifest.to_string(), manifest)).collect()
}

#[tokio::test]
async fn what_the_chart_renders_with_any_value_is_taken() {
    let all = rendered();
    let of = |group: &str| {
        let is_of =
            move |it: &&Value| it["apiVersion"].as_str().unwrap_or_default().starts_with(group);
        all.values().filter(is_of).collect::<Vec<_>>()
    };
    let (ledger, metrics) = (of("postgresql.cnpg.io/"), of("monitoring.coreos.com/"));
    for (kind, among) in [
        ("Cluster", &ledger),
        ("ScheduledBackup", &ledger),
        ("ServiceMonitor", &metrics),
        ("PodMonitor", &metrics),
        ("PrometheusRule", &metrics),
    ] {
        assert!(among.iter().any(|manifest| manifest["kind"] == kind), "no {kind} is rendered");
    }
    let (_world, client) = hub(&["prometheus", "cloudnative-pg-1.25"]).await;
    // A pod needs its account even if it is not kept.
    for account in of("v1").into_iter().filter(|manifest| manifest["kind"] == "ServiceAccount") {
        apply(&client, account).await;
    }
    fit(&client, all.values()).await;
    define(&client, &tool("definitions").join("cloudnative-pg-1.28")).await;
    fit(&client, ledger.iter().copied()).await;
    // What takes everything would prove nothing.
    for kind in [&ledger, &metrics] {
        let mut wrong = kind[0].clone();
        wrong["spec"]["instence"] = json!(3);
        let why = refused(&client, &wrong).await.expect("it has a field that is not there");
        assert!(why.contains("instence"), "{why}");
    }
}

/// The files of a folder and of those in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("it is a folder").map_while(Result::ok);
    let paths = entries.map(|entry| entry.path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn every_file_of_the_examples_is_taken() {
    let (_world, client) = hub(&["flux"]).await;
    let mut kinds = BTreeMap::new();
    for file in files(&chart("examples")) {
        if file.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = fs::read_to_string(&file).expect("it is text");
        for manifest in manifests(&text) {
            assert_eq!(refused(&client, &manifest).await, None, "{}", file.display());
            kinds.insert(manifest["kind"].to_string(), manifest);
        }
    }
    for kind in ["OCIRepository", "HelmRelease", "Kustomization", "GitRepository"] {
        let mut wrong = kinds.remove(&format!("{kind:?}")).expect("an example has it");
        wrong["spec"]["intervall"] = json!("1h");
        let why = refused(&client, &wrong).await.expect("it has a field that is not there");
        assert!(why.contains("intervall"), "{why}");
    }
}
