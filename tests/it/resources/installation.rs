//! An installation that is not finished yet: the process stays up, is not ready, and says why.

use std::{
    collections::BTreeMap,
    process::{Command, Output},
};

use catalyst_operator::{
    api::{self, Tenant},
    controllers::permissions,
};
use k8s_openapi::{
    api::admissionregistration::v1::ValidatingAdmissionPolicy,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, Patch, PatchParams},
    core::{ApiResource, DynamicObject, GroupVersionKind},
};
use serde_json::{Value, json};

use crate::support::{
    Franchise, Installed, SYSTEM, World, database, empty_database, found_franchise, hub_client,
    quiet_world, told_of_pod,
};

#[tokio::test]
async fn an_operator_makes_its_own_ledger_where_it_may() {
    let world = quiet_world();
    let ledger = empty_database(world).await;
    let installed = Installed::on(world, &ledger).await;
    let franchise = Franchise::found(world, &installed).await;
    let namespaces = franchise.alone();
    let pod = format!("pod-of-{}", franchise.namespace);
    let alone: BTreeMap<_, _> = namespaces.into_iter().chain([("POD_NAME", &*pod)]).collect();
    let env: Vec<_> = alone.iter().map(|(name, value)| (*name, *value)).collect();
    let operator = installed.start(&env);
    operator.logs("the ledger does not serve").await;
    let page = operator.answers("/readyz", 503).await;
    assert!(page.contains("[-] ledger:") && page.contains("catalyst-operator migrate"), "{page}");
    operator.answers("/livez", 200).await;
    let told = async || {
        let told = told_of_pod(&franchise.client, &pod).await;
        told.iter().any(|note| note.contains("catalyst-operator migrate"))
    };
    franchise.until_true("an event of the pod says so", told).await;
    operator.kill();

    let mut env = env;
    env.push(("CATALYST_MIGRATE_DATABASE_URL", &ledger.url));
    let first = installed.start(&env);
    let second = installed.twin().start(&env);
    first.answers("/readyz", 200).await;
    second.answers("/readyz", 200).await;
    franchise.open().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    assert!(!first.logged().contains(&ledger.url), "what the URL holds is nobody's to read");
    franchise.assert_sound().await;
}

#[tokio::test]
async fn a_database_that_takes_no_writes_or_no_login_is_told_from_one_that_serves() {
    let world = quiet_world();
    let ledger = database(world).await;
    let installed = Installed::on(world, &ledger).await;
    let name: String = ledger.one("select current_database()::text").await;
    let read_only = format!("alter database {name} set default_transaction_read_only = ");
    ledger.mutate(&format!("{read_only} on")).await;
    let franchise = Franchise::found(world, &installed).await;
    let operator = installed.start(&franchise.alone());
    operator.logs("the ledger does not serve").await;
    let page = operator.answers("/readyz", 503).await;
    assert!(page.contains("takes no writes") && page.contains("the primary"), "{page}");
    operator.kill();

    let (_, server) = ledger.url.rsplit_once('@').expect("it names a user");
    let url = format!("postgresql://nobody@{server}");
    let mut env = franchise.alone().to_vec();
    env.push(("DATABASE_URL", &url));
    let operator = installed.start(&env);
    operator.logs("the ledger does not serve").await;
    let page = operator.answers("/readyz", 503).await;
    assert!(page.contains("nobody") && page.contains("[-] ledger:"), "{page}");
    operator.answers("/livez", 200).await;
}

async fn apply(client: &Client, manifest: &Value) {
    let kind = manifest["kind"].as_str().unwrap();
    let (group, version) = manifest["apiVersion"].as_str().unwrap().split_once('/').unwrap();
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    let apply = PatchParams::apply("test").force();
    let name = manifest["metadata"]["name"].as_str().unwrap();
    api.patch(name, &apply, &Patch::Apply(manifest)).await.unwrap();
}

fn doctor(installed: &Installed) -> (Output, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_catalyst-operator"));
    command.arg("doctor").env_clear().env("KUBECONFIG", &installed.kubeconfig);
    let output = command.env("DATABASE_URL", &installed.login_url).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output, said)
}

/// Runs the doctor until it says so: policies and definitions are in force a little later.
async fn diagnosed(franchise: &Franchise, installed: &Installed, wanted: &[&str]) {
    let says = async || {
        let (output, said) = doctor(installed);
        let is_well = !wanted.iter().any(|line| line.starts_with("[-]"));
        output.status.success() == is_well && wanted.iter().all(|line| said.contains(line))
    };
    franchise.until_true(&format!("{wanted:?} of\n{}", doctor(installed).1), says).await;
}

#[tokio::test]
async fn an_operator_that_lacks_a_right_is_not_ready_and_names_it() {
    let world = quiet_world();
    let ledger = database(world).await;
    let installed = Installed::on(world, &ledger).await;
    let franchise = Franchise::found(world, &installed).await;
    // The chart bound the role of a leader somewhere else.
    let place = found_franchise(&franchise.client).await;
    let mut env = franchise.alone().to_vec();
    env.push(("POD_NAMESPACE", &place));
    let operator = installed.start(&env);
    let lease = format!("create leases.coordination.k8s.io in namespace {place}");
    operator.logs("a right is not granted").await;
    let page = operator.answers("/readyz", 503).await;
    assert!(page.contains(&format!("[-] rights: not granted: {lease}")), "{page}");
    assert!(page.contains("rbac.create=true"), "{page}");
    operator.answers("/livez", 200).await;
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "leader", "namespace": place},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin",
        },
        "subjects": [
            {"kind": "ServiceAccount", "name": "catalyst-operator", "namespace": SYSTEM},
        ],
    });
    crate::support::apply(&franchise.client, &binding).await;
    operator.logs("all rights are granted").await;
    operator.answers("/readyz", 200).await;
}

#[tokio::test]
async fn a_password_is_changed_without_a_restart() {
    let world = quiet_world();
    let ledger = database(world).await;
    let mut installed = Installed::on(world, &ledger).await;
    let franchise = Franchise::found(world, &installed).await;
    // A user of this test alone, since users belong to the whole server.
    let user = franchise.namespace.replace('-', "_");
    ledger.mutate(&format!("create role {user} login password 'one' in role catalyst_app")).await;
    let (_, server) = ledger.url.split_once('@').unwrap();
    let path = installed.kubeconfig.with_extension("uri");
    let write = |password: &str| {
        std::fs::write(&path, format!("postgresql://{user}:{password}@{server}\n")).unwrap();
    };
    std::fs::write(&path, format!("postgresql://{user}:o#ne@{server}")).unwrap();
    installed.login_url = format!("file:{}", path.display());
    let operator = installed.start(&franchise.alone());
    let refused = async || {
        let says = async || {
            let (code, page) = operator.get("/readyz").await;
            code == 503 && page.contains("password authentication failed")
        };
        franchise.until_true("/readyz says that the password is refused", says).await;
    };
    operator.logs("the URL of the database cannot be read").await;
    operator.logs("%23 stands for #").await;
    operator.answers("/readyz", 503).await;
    write("none");
    refused().await;
    write("one");
    operator.answers("/readyz", 200).await;
    franchise.open().await;
    franchise.issue(franchise.voucher("launch")).await;

    ledger.mutate(&format!("alter role {user} password 'two'")).await;
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where usename";
    ledger.mutate(&format!("{end} = '{user}'")).await;
    refused().await;
    write("two");
    operator.answers("/readyz", 200).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;

    // With connections to both, money would be in two.
    let other = empty_database(world).await;
    let (_, server) = other.url.split_once('@').unwrap();
    std::fs::write(&path, format!("postgresql://{user}:two@{server}")).unwrap();
    assert!(!operator.ended().await.success());
    operator.logs("the URL leads to another database than before").await;
}

#[tokio::test]
async fn an_older_definition_is_named_with_the_fields_that_it_lacks_and_so_is_all_else() {
    let world = World::private(&[]);
    let client = hub_client(&world).await;
    let ledger = database(&world).await;
    let installed = Installed::on(&world, &ledger).await;
    let franchise = Franchise::found(&world, &installed).await;
    for manifest in permissions::policies() {
        apply(&client, &manifest).await;
    }
    let well = ["database", "cluster", "rights", "definitions", "admission", "a Tenant"]
        .map(|what| format!("[+] {what}: "));
    let well: Vec<&str> = well.iter().map(String::as_str).collect();
    diagnosed(&franchise, &installed, &well).await;
    assert_eq!(
        franchise.api::<Tenant>().list(&ListParams::default()).await.unwrap().items.len(),
        0
    );

    let policies: Api<ValidatingAdmissionPolicy> = Api::all(client.clone());
    policies.delete(permissions::POLICIES[0], &DeleteParams::default()).await.unwrap();
    let admission = "[-] admission: the policy catalyst-deletion-protection is not installed, or";
    diagnosed(&franchise, &installed, &[admission, "admission.enabled=true"]).await;

    let whole = permissions::policies();
    apply(&client, &whole[0]).await;
    diagnosed(&franchise, &installed, &well).await;
    let confinement = |it: &&Value| it["metadata"]["name"] == "catalyst-tenants-only";
    let mut another = whole.iter().find(confinement).unwrap().clone();
    another["spec"]["matchConditions"][0]["expression"] = json!("request.userInfo.username == 'x'");
    apply(&client, &another).await;
    let judged = "judges another account than system:serviceaccount:catalyst-system:";
    diagnosed(&franchise, &installed, &["[-] admission: ", judged]).await;

    let ours = api::crds().swap_remove(1);
    let mut older = serde_json::to_value(&ours).unwrap();
    let fields = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
    older.pointer_mut(fields).and_then(Value::as_object_mut).unwrap().remove("deletionProtection");
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let name = "tenants.catalyst.openova.io";
    let known = definitions.get(name).await.unwrap();
    older["metadata"]["resourceVersion"] = json!(known.metadata.resource_version);
    let older: CustomResourceDefinition = serde_json::from_value(older).unwrap();
    definitions.replace(name, &kube::api::PostParams::default(), &older).await.unwrap();
    let lacks = "tenants.catalyst.openova.io is older than this program and lacks \
                 spec.deletionProtection";
    diagnosed(&franchise, &installed, &["[-] definitions: ", lacks]).await;
    let operator = installed.start(&[]);
    operator.logs(lacks).await;
    let page = operator.answers("/readyz", 503).await;
    assert!(page.contains("[-] definitions:") && page.contains(lacks), "{page}");
    let manifest = serde_json::to_value(&ours).unwrap();
    apply(&client, &manifest).await;
    operator.answers("/readyz", 200).await;

    definitions.delete(name, &DeleteParams::default()).await.unwrap();
    let missing = "the definition tenants.catalyst.openova.io is not installed";
    diagnosed(&franchise, &installed, &[missing, "[-] a Tenant: "]).await;
}
