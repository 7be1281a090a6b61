//! The lists against each other: what is granted is what is asked for.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ACCESS, access, manifests, own, required};
use crate::{api::GROUP, domain::right::Right};

/// Everything that the roles of the manifests grant to the operator, one by one.
fn granted() -> BTreeSet<String> {
    let mut granted = BTreeSet::new();
    for role in access() {
        let is_role = role["kind"].as_str().is_some_and(|kind| kind.ends_with("Role"));
        if !is_role || role["metadata"]["name"] != ACCESS {
            continue;
        }
        let namespace = role["metadata"]["namespace"].as_str().unwrap_or_default();
        for rule in role["rules"].as_array().unwrap() {
            let each = |part: &str| texts(&rule[part]).into_iter();
            let names = if rule["resourceNames"].is_null() {
                vec![String::new()]
            } else {
                texts(&rule["resourceNames"])
            };
            let resources = each("apiGroups")
                .flat_map(|group| each("resources").map(move |it| format!("{group} {it}")));
            for resource in resources {
                for verb in each("verbs") {
                    let said = |name: &String| format!("{resource} {verb} {name} {namespace}");
                    granted.extend(names.iter().map(said));
                }
            }
        }
    }
    granted
}

fn texts(list: &Value) -> Vec<String> {
    let texts = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

#[test]
fn what_is_asked_of_a_cluster_is_what_its_owner_was_asked_to_grant() {
    let asked = required().into_iter().map(|required| {
        let Right { group, resource, verb, namespace, name } = required;
        format!("{group} {resource} {verb} {name} {namespace}")
    });
    assert_eq!(asked.collect::<BTreeSet<String>>(), granted());
    assert_eq!(required().len(), granted().len(), "nothing is asked twice");
}

#[test]
fn a_right_is_called_as_kubectl_would_be_asked_for_it() {
    let said: Vec<String> = required().iter().map(ToString::to_string).collect();
    for expected in [
        "delete namespaces",
        "patch networkpolicies.networking.k8s.io",
        "bind clusterroles.rbac.authorization.k8s.io catalyst-tenant-owner",
        "patch configmaps catalyst-hub in namespace catalyst-system",
        "create configmaps in namespace catalyst-system",
    ] {
        assert!(said.iter().any(|said| said == expected), "{expected}: {said:?}");
    }
}

#[test]
fn of_franchises_that_are_named_nothing_is_asked_elsewhere() {
    let named = ["omantel", "oryx"].map(str::to_owned);
    let places = |franchises: &[String]| -> BTreeSet<&str> {
        let asked = own("catalyst-system", franchises).into_iter();
        asked.filter(|right| right.group == GROUP).map(|right| right.namespace).collect()
    };
    assert_eq!(places(&[]), BTreeSet::from(["", "catalyst-system"]));
    assert_eq!(places(&named), BTreeSet::from(["catalyst-system", "omantel", "oryx"]));
    let each = own("catalyst-system", &named[..1]).len();
    assert_eq!(own("catalyst-system", &[]).len(), each, "the same rights, in one place");
}

#[test]
fn nothing_is_granted_that_would_make_the_operator_more() {
    for manifest in access().iter().chain(&manifests()) {
        let text = manifest.to_string();
        for word in ["\"*\"", "escalate", "impersonate", "token"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
        for rule in manifest["rules"].as_array().into_iter().flatten() {
            if rule.to_string().contains("customresourcedefinitions") {
                assert_eq!(rule["verbs"], json!(["get"]));
                assert_eq!(rule["resourceNames"].as_array().map(Vec::len), Some(3));
            }
        }
    }
    let of_secrets = required().into_iter().find(|right| right.resource == "secrets");
    assert_eq!(of_secrets, None);
}
