//! What the chart renders: every documented value changes what it says, what it does not know it
//! refuses, and what it makes is fit for a bank.

use std::{collections::BTreeSet, fs, process::Command};

use serde_json::{Value, json};

use crate::support::{Helm, chart, manifests, tool};

#[path = "../../chart/values.rs"]
mod values;

/// What is read by others than the templates here.
const ELSEWHERE: [&str; 1] = ["enabled"];

fn read(path: &str) -> String {
    fs::read_to_string(chart(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// Puts values over others, as Helm does.
fn put(under: &mut Value, over: &Value) {
    match (under.as_object_mut(), over) {
        (Some(under), Value::Object(over)) => {
            for (key, value) in over {
                put(under.entry(key).or_insert(Value::Null), value);
            }
        }
        _ => *under = over.clone(),
    }
}

/// Values with a ledger and these.
fn with(values: &Value) -> Value {
    let mut all = json!({"postgres": {"existingSecret": {"name": "ledger"}}});
    put(&mut all, values);
    all
}

/// What Helm says of these values: the manifests, or the notes besides.
fn helm(command: &[&str], values: &Value) -> Result<String, String> {
    let path = chart("charts/catalyst-operator");
    let path = path.to_str().expect("it is text");
    let place = ["catalyst-operator", path, "--namespace", "catalyst-system"];
    Helm::alone().run(&[command, &place].concat(), values)
}

/// What it installs with these values, as text.
pub(super) fn render(values: &Value) -> Result<String, String> {
    helm(&["template"], &with(values))
}

/// What stands at a place of an object; nothing where one of them is not there.
pub(super) fn look(manifests: &[Value], object: &str, place: &str) -> Value {
    let is_it = |it: &&Value| {
        let name = it["metadata"]["name"].as_str().unwrap_or_default();
        format!("{}/{name}", it["kind"].as_str().unwrap_or_default()) == object
    };
    let found = manifests.iter().find(is_it).cloned().unwrap_or_default();
    place.split('/').fold(found, |at, step| {
        let step = step.replace('~', "/");
        match (at.as_array(), step.split_once('=')) {
            (Some(list), Some((field, value))) => {
                list.iter().find(|element| element[field] == value).cloned().unwrap_or_default()
            }
            (Some(list), None) => {
                let index = step.parse::<usize>().expect("a list has numbers");
                list.get(index).cloned().unwrap_or_default()
            }
            (None, _) => at.get(&step).cloned().unwrap_or_default(),
        }
    })
}

/// Takes a value out of values; it must be in them.
fn without(values: &Value, path: &str) -> Value {
    let mut values = values.clone();
    let (outer, key) = path.rsplit_once('.').unwrap_or(("", path));
    let mut steps = outer.split('.').filter(|step| !step.is_empty());
    let map = steps.try_fold(&mut values, |map, step| map.get_mut(step));
    let map = map.and_then(Value::as_object_mut);
    assert!(map.and_then(|map| map.remove(key)).is_some(), "a case of {path} sets it");
    values
}

/// What a case looks at, rendered with some values.
fn outcome(case: &Value, values: &Value) -> Result<Value, String> {
    if let Some(words) = case["notes"].as_str() {
        let printed = helm(&["install", "--dry-run=client"], &with(values))?;
        let (_, notes) = printed.split_once("\nNOTES:\n").expect("there are notes");
        return Ok(json!(notes.contains(words)));
    }
    let text = |field: &str| case[field].as_str().expect("a case has object and place");
    Ok(look(&manifests(&render(values)?), text("object"), text("at")))
}

#[test]
fn every_value_changes_what_it_says() {
    let cases: Value = serde_yaml::from_str(&read("tests/chart/cases.yaml")).expect("it is YAML");
    let cases = cases.as_array().expect("it is a list");
    for case in cases {
        let path = case["value"].as_str().expect("a case has a value");
        let wanted = if case["notes"].is_string() { &json!(true) } else { &case["is"] };
        let found = outcome(case, &case["set"]).unwrap_or_else(|why| panic!("{case}: {why}"));
        assert_eq!(&found, wanted, "{case}");
        // A chart that does not take it without the value depends on it as well.
        let without = outcome(case, &without(&case["set"], path));
        assert_ne!(without.as_ref(), Ok(wanted), "{path} has nothing to do with it: {case}");
    }
    let covered: BTreeSet<_> = cases.iter().filter_map(|case| case["value"].as_str()).collect();
    let documented = values::documented(&read("charts/catalyst-operator/values.yaml"));
    let documented = documented.expect("every value is documented");
    for value in documented {
        let path = &*value.path;
        assert!(value.comment.ends_with('.'), "{path} is explained in sentences");
        let elsewhere = ELSEWHERE.iter().any(|it| path.starts_with(it));
        assert!(elsewhere || covered.contains(path), "no case shows what {path} does");
    }
}

#[test]
fn the_release_of_the_flux_example_is_one_of_this_chart() {
    let release = manifests(&read("examples/flux/catalyst-operator/release.yaml"));
    let release = release.iter().find(|manifest| manifest["kind"] == "HelmRelease");
    let values = &release.expect("there is a release")["spec"]["values"];
    let rendered = manifests(&helm(&["template"], values).expect("the chart takes its values"));
    let secret = "spec/template/spec/volumes/name=database/secret/secretName";
    let found = look(&rendered, "Deployment/catalyst-operator", secret);
    assert_eq!(found, values["postgres"]["existingSecret"]["name"]);
}

#[test]
fn a_wrong_value_is_refused_with_a_sentence() {
    let cases: Value = serde_yaml::from_str(&read("tests/chart/refused.yaml")).expect("it is YAML");
    for case in cases.as_array().expect("it is a list") {
        let why = render(&case["set"]).expect_err("it is refused");
        assert!(why.contains(case["says"].as_str().expect("it says something")), "{case}: {why}");
    }
}

/// Compares a schema with the defaults, and all below.
fn walk(root: &Value, schema: &Value, values: &Value, path: &str) {
    let name = schema["$ref"].as_str().and_then(|it| it.rsplit('/').next());
    let schema = name.map_or(schema, |name| &root["definitions"][name]);
    let Some(properties) = schema["properties"].as_object() else { return };
    let keys = values.as_object().expect("it is a map").keys().collect::<BTreeSet<_>>();
    assert_eq!(keys, properties.keys().collect(), "{path}: values.yaml and the schema differ");
    let named = schema["additionalProperties"]["const"].as_str();
    let named = named.and_then(|said| said.strip_prefix("under one of these keys: "));
    // The values of an umbrella are not ours to know.
    assert_eq!(named.is_none(), path == ".global", "{path}: who may add keys");
    let named = named.map(|named| named.split(", ").map(str::to_owned).collect::<BTreeSet<_>>());
    let is_so = named.as_ref().is_none_or(|named| named.iter().eq(keys));
    assert!(is_so, "{path}: an unknown key is answered with other keys than are there");
    // A value that is null takes its default away, and would be read as nothing at all.
    let required = schema["required"].as_array().into_iter().flatten();
    let required = required.filter_map(Value::as_str).map(str::to_owned).collect::<BTreeSet<_>>();
    let has_all = named.is_none() || required.iter().eq(properties.keys());
    assert!(has_all, "{path}: a key may be null");
    for (key, schema) in properties {
        walk(root, schema, &values[key], &format!("{path}.{key}"));
    }
}

#[test]
fn an_umbrella_may_have_no_secrets_to_pull_with() {
    let text = render(&json!({"global": {"imagePullSecrets": null}})).expect("it renders");
    assert!(!text.contains("imagePullSecrets"));
}

#[test]
fn no_key_is_unknown_to_the_schema_at_any_depth() {
    let schema = read("charts/catalyst-operator/values.schema.json");
    let schema: Value = serde_json::from_str(&schema).expect("it is JSON");
    let defaults: Value =
        serde_yaml::from_str(&read("charts/catalyst-operator/values.yaml")).expect("it is YAML");
    walk(&schema, &schema, &defaults, "");
}

/// Fails where a text of some form is refused with the form alone, which few can read.
fn in_words(schema: &Value, path: &str) {
    assert_eq!(schema.get("pattern"), None, "{path}: say it in words, as the others do");
    if !schema["if"]["not"]["pattern"].is_null() {
        assert!(schema["then"]["const"].is_string(), "{path}: say what it takes");
        return;
    }
    let below = schema.as_object().into_iter().flatten();
    below.for_each(|(key, schema)| in_words(schema, &format!("{path}.{key}")));
}

#[test]
fn the_form_of_every_text_is_said_in_words() {
    let schema = read("charts/catalyst-operator/values.schema.json");
    in_words(&serde_json::from_str(&schema).expect("it is JSON"), "");
}

#[test]
fn it_renders_the_same_every_time() {
    let values = json!({"postgres": {"existingSecret": {"name": ""}, "cnpg": {"enabled": true}}});
    assert_eq!(render(&values), render(&values));
    let folder = fs::read_dir(chart("charts/catalyst-operator/templates")).expect("it is there");
    for file in folder.map_while(Result::ok).filter(|file| file.path().is_file()) {
        let text = fs::read_to_string(file.path()).expect("it is text");
        for word in ["lookup", "helm.sh/hook", "rand", "genCA", "genSigned", "uuidv4", " now"] {
            assert!(!text.contains(word), "{} has {word}", file.path().display());
        }
    }
}

#[test]
fn people_get_roles_of_our_own_and_kubernetes_roles_get_nothing() {
    let text = render(&json!({})).expect("it renders");
    assert!(!text.contains("rbac.authorization.k8s.io/aggregate-to"), "it is in our roles alone");
    let all = manifests(&text);
    for (role, gathered) in [("admin", 3), ("edit", 2), ("view", 1)] {
        let label = format!("catalyst.openova.io/aggregate-to-{role}");
        let selectors = look(&all, &format!("ClusterRole/catalyst-{role}"), "aggregationRule");
        assert_eq!(
            selectors,
            json!({"clusterRoleSelectors": [{"matchLabels": {label.clone(): "true"}}]})
        );
        let labelled = all.iter().filter(|it| it["metadata"]["labels"][&label] == "true");
        assert_eq!(labelled.count(), gathered, "{role}");
    }
}

#[test]
fn lint_and_checkov_find_nothing() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let values = json!({"image": {"digest": digest}});
    let path = chart("charts/catalyst-operator");
    Helm::alone().must(&["lint", "--strict", path.to_str().expect("it is text")], &with(&values));
    let file = std::env::temp_dir().join(format!("catalyst-chart-{}.yaml", std::process::id()));
    fs::write(&file, render(&values).expect("it renders")).expect("it can be written");
    let mut checkov = Command::new(tool("checkov"));
    checkov.arg("--file").arg(&file).args(["--framework", "kubernetes", "--skip-download"]);
    let output = checkov.args(["--output", "json", "--quiet"]).output().expect("it can be started");
    fs::remove_file(&file).expect("it is ours");
    let report: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    let summary = &report["summary"];
    assert_eq!(summary["failed"], 0, "{}", report["results"]["failed_checks"]);
    assert_eq!(summary["skipped"], 0, "nothing is suppressed");
    assert_eq!(summary["parsing_errors"], 0);
    assert!(summary["passed"].as_u64().is_some_and(|passed| passed > 200), "{summary}");
}
