//! What a franchisee grants: enough for everything that the operator does on a cluster of theirs,
//! and nothing beyond, neither by roles nor past the policy.

use std::{
    fmt::{Debug, Display},
    process::Command,
    time::Duration,
};

use catalyst_operator::{
    api::{ACCESS_NAMESPACE, HUB_NOTE, MANAGED_BY_LABEL, MANAGER, Sovereign},
    cluster::Cluster,
    controllers::permissions,
    desired,
    domain::{
        facts::PlanTerms,
        object::{Kind, LiveObjects, Object},
        right::Right,
        tenant::Tenant,
    },
};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
    config::Kubeconfig,
};
use serde_json::{Value, json};

use crate::support::{
    Access, GRANTED, Manifest, Operator, World, client_of, may, shared_franchise,
};

/// Everything that a Tenant with an owner is made of.
fn objects(organization: &str) -> Vec<Object> {
    let manifest = Manifest::tenant("omantel", organization, organization);
    let manifest = manifest.owner("User", "amal", "Owner").owner("User", "vera", "Viewer");
    let tenant = Tenant::parse(&serde_json::from_value(manifest.0).unwrap()).unwrap();
    let plan = Manifest::sovereign("omantel").0["spec"]["plans"][1].clone();
    let terms: PlanTerms = serde_json::from_value(plan).unwrap();
    desired::tenant(&tenant, &terms)
}

async fn live(cluster: &Cluster, objects: &[Object]) -> LiveObjects {
    cluster.live(objects.iter().map(|object| object.identity.clone()).collect()).await.unwrap()
}

/// Merges as a person does who has every right.
async fn edit(client: &Client, namespace: &str, patch: Value) {
    let api: Api<Namespace> = Api::all(client.clone());
    api.patch(namespace, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
}

fn named<K: serde::de::DeserializeOwned>(name: &str) -> K {
    serde_json::from_value(json!({"metadata": {"name": name}})).unwrap()
}

#[tokio::test]
async fn all_that_the_operator_asks_of_a_cluster_is_granted() {
    let access = Access::granted(World::muscat()).await;
    let client = access.client().await;
    let required = permissions::required();
    assert!(required.len() > 30, "{}", required.len());
    for right in required {
        let Right { group, resource, verb, namespace, name } = right;
        let asked = json!({
            "group": group, "resource": resource, "verb": verb, "namespace": namespace,
            "name": name,
        });
        assert!(may(&client, &asked).await, "{right}");
    }
    client.apiserver_version().await.expect("everybody may read it");
}

#[tokio::test]
async fn nothing_is_granted_on_a_franchised_cluster_that_would_make_the_operator_more() {
    let access = Access::granted(World::muscat()).await;
    let client = access.client().await;
    let rbac = "rbac.authorization.k8s.io";
    for (group, resource, verb, namespace, name) in [
        ("", "secrets", "get", "", ""),
        ("", "secrets", "list", "catalyst-system", ""),
        ("", "secrets", "create", "tenant-x", ""),
        ("", "pods", "list", "", ""),
        ("", "pods", "create", "tenant-x", ""),
        ("", "pods/exec", "create", "tenant-x", ""),
        ("", "nodes", "get", "", ""),
        ("", "users", "impersonate", "", ""),
        ("", "serviceaccounts", "impersonate", "", ""),
        ("", "serviceaccounts", "create", "catalyst-system", ""),
        ("", "serviceaccounts/token", "create", "catalyst-system", "catalyst-operator"),
        ("", "configmaps", "get", "", ""),
        ("", "configmaps", "get", "kube-system", "catalyst-hub"),
        ("", "configmaps", "create", "kube-system", ""),
        ("", "configmaps", "get", "catalyst-system", "kube-root-ca.crt"),
        ("", "configmaps", "patch", "catalyst-system", "other"),
        ("", "configmaps", "list", "catalyst-system", ""),
        ("", "configmaps", "delete", "catalyst-system", "catalyst-hub"),
        ("", "namespaces", "update", "", ""),
        ("", "namespaces", "deletecollection", "", ""),
        ("", "namespaces/finalize", "update", "", ""),
        (rbac, "clusterroles", "create", "", ""),
        (rbac, "clusterroles", "patch", "", "catalyst-tenant-owner"),
        (rbac, "clusterroles", "escalate", "", ""),
        (rbac, "clusterroles", "bind", "", "cluster-admin"),
        (rbac, "clusterroles", "bind", "", "catalyst-sovereign-access"),
        (rbac, "roles", "bind", "catalyst-system", ""),
        (rbac, "roles", "create", "tenant-x", ""),
        (rbac, "clusterrolebindings", "create", "", ""),
        ("apiextensions.k8s.io", "customresourcedefinitions", "create", "", ""),
        ("admissionregistration.k8s.io", "validatingadmissionpolicies", "patch", "", ""),
        ("admissionregistration.k8s.io", "validatingadmissionpolicybindings", "delete", "", ""),
        ("*", "*", "get", "", ""),
    ] {
        let asked = json!({
            "group": group, "resource": resource, "verb": verb, "namespace": namespace,
            "name": name,
        });
        assert!(!may(&client, &asked).await, "{asked}");
    }
}

#[test]
fn no_role_that_a_franchisee_applies_has_a_wildcard_or_grows_by_aggregation() {
    let mut lists = 0;
    for document in serde_yaml::Deserializer::from_str(GRANTED) {
        let manifest: Value = serde::Deserialize::deserialize(document).unwrap();
        let text = manifest.to_string();
        assert!(!text.contains("aggregat"), "{text}");
        let rules = manifest["rules"].as_array().into_iter().flatten();
        for list in rules.flat_map(|rule| rule.as_object().unwrap().values()) {
            assert!(list.as_array().unwrap().iter().all(|part| part != "*"), "{text}");
            lists += 1;
        }
    }
    assert!(lists > 0, "there are rules");
}

/// The policy refused it, and said what to do.
fn refused<T: Debug>(what: &str, answer: Result<T, impl Display>) {
    let why = answer.err().unwrap_or_else(|| panic!("{what} is allowed")).to_string();
    assert!(why.contains("ValidatingAdmissionPolicy"), "{what}: {why}");
    assert!(why.contains("the hub writes"), "{what}: {why}");
}

#[tokio::test]
async fn the_policy_keeps_the_hub_from_namespaces_of_others() {
    let access = Access::granted(World::muscat()).await;
    let theirs: Api<Namespace> = Api::all(access.admin.clone());
    theirs.create(&PostParams::default(), &named("bakery")).await.unwrap();

    let namespaces: Api<Namespace> = Api::all(access.client().await);
    for name in ["bakery", "kube-node-lease", ACCESS_NAMESPACE] {
        refused(name, namespaces.delete(name, &DeleteParams::default()).await);
        // As it would have to begin to make them its own.
        let label = json!({"metadata": {"labels": {MANAGED_BY_LABEL: MANAGER}}});
        let label = Patch::Merge(label);
        refused(name, namespaces.patch(name, &PatchParams::default(), &label).await);
    }
    // Nobody may, and Kubernetes says so first.
    namespaces.delete("default", &DeleteParams::default()).await.unwrap_err();

    refused("POST", namespaces.create(&PostParams::default(), &named("stranger")).await);
    let stranger =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "stranger"}});
    let apply = PatchParams::apply(MANAGER).force();
    refused("PATCH", namespaces.patch("stranger", &apply, &Patch::Apply(stranger)).await);
    let nameless = json!({"metadata": {"generateName": "stranger-"}});
    let nameless = serde_json::from_value(nameless).unwrap();
    refused("a name of the server", namespaces.create(&PostParams::default(), &nameless).await);
}

#[tokio::test]
async fn the_policy_keeps_the_hub_from_what_is_in_namespaces_of_others() {
    let access = Access::granted(World::muscat()).await;
    let theirs: Api<Namespace> = Api::all(access.admin.clone());
    theirs.create(&PostParams::default(), &named("pottery")).await.unwrap();
    let (theirs, ours) = (access.admin.clone(), access.client().await);
    let theirs = Cluster::identify(theirs).await.unwrap();
    let cluster = Cluster::identify(ours.clone()).await.unwrap();
    for namespace in ["default", "pottery", ACCESS_NAMESPACE] {
        for mut object in objects("kestrel").into_iter().skip(1) {
            object.identity.namespace = namespace.to_owned();
            object.manifest["metadata"]["namespace"] = json!(namespace);
            let title = format!("{:?}", object.identity);
            refused(&title, cluster.create(&object).await);
            refused(&title, cluster.apply(&object).await);
            if namespace == "pottery" {
                let stands = theirs.apply(&object).await.unwrap();
                refused(&title, cluster.delete(&stands).await);
            }
        }
    }
    let notes: Api<ConfigMap> = Api::namespaced(ours.clone(), ACCESS_NAMESPACE);
    refused("another note", notes.create(&PostParams::default(), &named("other")).await);
    let elsewhere: Api<ConfigMap> = Api::namespaced(ours, "pottery");
    elsewhere.create(&PostParams::default(), &named(HUB_NOTE)).await.unwrap_err();
}

#[tokio::test]
async fn a_tenant_lives_its_whole_life_on_a_franchised_cluster() {
    let access = Access::granted(World::muscat()).await;
    let cluster = Cluster::identify(access.client().await).await.unwrap();
    assert!(!cluster.uid().is_empty() && cluster.version().starts_with('v'));

    let objects = objects("falcon");
    let (namespace, rest) = objects.split_first().unwrap();
    cluster.create(namespace).await.unwrap();
    cluster.apply(namespace).await.unwrap();
    cluster.apply_all(rest).await.unwrap();
    assert_eq!(live(&cluster, &objects).await.len(), objects.len());

    // Somebody takes the label off, and deletes and edits what is in it.
    let name = &namespace.identity.name;
    edit(&access.admin, name, json!({"metadata": {"labels": {MANAGED_BY_LABEL: null}}})).await;
    for found in live(&cluster, &objects).await.values() {
        if found.identity.kind != Kind::Namespace {
            cluster.delete(found).await.unwrap();
        }
    }
    cluster.apply_all(rest).await.unwrap();
    cluster.apply(namespace).await.unwrap();
    let found = live(&cluster, &objects).await;
    assert!(objects.iter().all(|object| found[&object.identity].satisfies(object)), "{found:?}");

    // It goes with its label off, while a finalizer keeps it, and is deleted once more.
    edit(&access.admin, name, json!({"metadata": {"labels": {MANAGED_BY_LABEL: null}}})).await;
    let holders: Api<ConfigMap> = Api::namespaced(access.admin.clone(), name);
    let holder = json!({"metadata": {"name": "holder", "finalizers": ["example.om/hold"]}});
    let holder: ConfigMap = serde_json::from_value(holder).unwrap();
    holders.create(&PostParams::default(), &holder).await.unwrap();
    cluster.delete(&found[&namespace.identity]).await.unwrap();
    let leaving = live(&cluster, &objects).await;
    assert!(leaving[&namespace.identity].leaving);
    for object in leaving.values() {
        cluster.delete(object).await.unwrap();
    }
    let release = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    holders.patch("holder", &PatchParams::default(), &release).await.unwrap();
    while !live(&cluster, &objects).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn the_hub_writes_down_that_the_cluster_is_its_own_and_nothing_else() {
    let access = Access::granted(World::muscat()).await;
    let notes: Api<ConfigMap> = Api::namespaced(access.client().await, ACCESS_NAMESPACE);
    // Dry runs: operators of other tests go by what stands there.
    let create = PostParams { dry_run: true, ..PostParams::default() };
    let made = notes.create(&create, &named(HUB_NOTE)).await;
    assert!(made.is_ok() || made.is_err_and(|why| why.to_string().contains("already exists")));
    let apply = PatchParams::apply(MANAGER).force().dry_run();
    let note = |name: &str| {
        let metadata = json!({"name": name});
        Patch::Apply(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"hub": "one"},
        }))
    };
    let written = notes.patch(HUB_NOTE, &apply, &note(HUB_NOTE)).await.unwrap();
    assert_eq!(written.data.unwrap()["hub"], "one");
    notes.get_opt(HUB_NOTE).await.unwrap();
    notes.patch("another", &apply, &note("another")).await.unwrap_err();
}

#[tokio::test]
async fn credentials_that_are_revoked_are_refused_and_new_ones_serve() {
    let access = Access::granted(World::muscat()).await;
    let other = Access::granted(World::muscat()).await;
    let old = access.client().await;
    access.revoke().await;
    Cluster::identify(old).await.expect_err("the token is worth nothing");
    Cluster::identify(other.client().await).await.expect("others are as they were");
    access.grant().await;
    // By another name of the same server.
    let server = World::muscat().server.replace("127.0.0.1", "localhost");
    let kubeconfig = Kubeconfig::from_yaml(&access.kubeconfig_to(&server)).unwrap();
    Cluster::identify(client_of(kubeconfig).await).await.expect("the new token serves");
}

#[tokio::test]
async fn the_script_for_franchisees_makes_a_kubeconfig_that_serves() {
    const README: &str = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/charts/catalyst-sovereign-access/README.md"
    ));
    let access = Access::granted(World::muscat()).await;
    let (_, rest) = README.split_once("## Make the kubeconfig").unwrap();
    let (_, rest) = rest.split_once("```sh\n").unwrap();
    let (script, _) = rest.split_once("```\n").unwrap();
    let admin = &World::muscat().kubeconfig;
    let folder = admin.parent().unwrap();
    let kubectl = World::program("kubectl");
    let path = format!("{}:{}", kubectl.parent().unwrap().display(), env!("PATH"));
    let mut command = Command::new("sh");
    let command = command.args(["-c", script]).current_dir(folder);
    let ran = command.env("PATH", path).env("KUBECONFIG", admin).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    assert!(String::from_utf8_lossy(&ran.stdout).ends_with("yes\n"), "{ran:?}");

    let kubeconfig = Kubeconfig::read_from(folder.join("hub.kubeconfig")).unwrap();
    let cluster = Cluster::identify(client_of(kubeconfig).await).await.unwrap();
    let same = Cluster::identify(access.client().await).await.unwrap();
    assert_eq!(cluster.uid(), same.uid());
}

#[tokio::test]
async fn the_operator_may_have_the_kubeconfig_of_a_franchise_and_no_other_secret() {
    let franchise = shared_franchise().await;
    let access = Access::granted(World::muscat()).await;
    franchise.keep_kubeconfig("muscat", &access.kubeconfig()).await;
    let sovereign = Manifest::franchised(&franchise.namespace, "muscat", "muscat");
    franchise.apply(sovereign).await;
    franchise.apply(franchise.voucher("welcome").on("muscat")).await;
    franchise.read::<Sovereign>("muscat").await;

    let kubeconfig = &Operator::shared().await.installed.kubeconfig;
    let operator = client_of(Kubeconfig::read_from(kubeconfig).unwrap()).await;
    for (verb, name, allowed) in [
        ("get", "muscat", true),
        ("list", "muscat", true),
        ("watch", "muscat", true),
        ("patch", "muscat", true),
        ("delete", "muscat", false),
        ("update", "muscat", false),
        ("get", "other", false),
        ("list", "", false),
    ] {
        let asked = json!({
            "resource": "secrets", "verb": verb, "namespace": franchise.namespace, "name": name,
        });
        assert_eq!(may(&operator, &asked).await, allowed, "{asked}");
    }
    let secrets: Api<Secret> = Api::namespaced(operator, &franchise.namespace);
    let found = secrets.list(&ListParams::default().fields("metadata.name=muscat")).await.unwrap();
    let kept = found.items[0].data.as_ref().unwrap()["value"].0.clone();
    assert_eq!(kept, access.kubeconfig().into_bytes());
}
