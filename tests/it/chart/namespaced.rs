//! The chart for some franchises only: what the operator may do is bound in their namespaces.

use catalyst_operator::api::{Sovereign, Tenant};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::{Api, Client, ResourceExt as _, api::DeleteParams, config::Kubeconfig};
use serde_json::json;

use super::site::{RELEASE, Site, values};
use crate::support::{
    Franchise, Prometheus, Terminal, blocks, chart, client_of, found_franchise, hub_client, may,
    told_of_pod,
};

#[tokio::test]
async fn it_serves_the_franchises_that_are_named_with_no_right_on_others() {
    let site = Site::new().await;
    let client = hub_client(&site.world).await;
    let (first, second) = (found_franchise(&client).await, found_franchise(&client).await);
    let mut values = values();
    values["watchNamespaces"] = json!([first, second]);
    let path = chart("charts/catalyst-operator");
    let install = [RELEASE, path.to_str().expect("it is text"), "--install", "--wait"];
    site.helm(&[&["upgrade"], &install[..]].concat(), &values);
    // Somebody of the second franchise takes its right away.
    let bindings: Api<RoleBinding> = Api::namespaced(client.clone(), &second);
    let binding = format!("{RELEASE}-catalyst-operator-franchise");
    bindings.delete(&binding, &DeleteParams::default()).await.expect("the chart has it");
    let pod = site.pod(2).await;
    let operator = site.run(&pod).await;

    // This one is founded now, and named nowhere.
    let stranger = Franchise::found(&site.world, &operator.installed).await;
    stranger.apply(stranger.sovereign()).await;
    let served = stranger.moved_to(first.clone());
    served.open().await;
    served.issue(served.voucher("launch")).await;
    served.settle(served.tenant("kestrel").voucher_ref("launch")).await;
    let left_out = stranger.moved_to(second.clone());
    left_out.apply(left_out.sovereign()).await;
    operator.logs(&format!("in the namespace \\\"{second}\\\"")).await;
    // Who looks at the pod is told so, too.
    operator.logs("a franchise that was named is not served").await;
    let told = format!("not granted: list sovereigns.catalyst.openova.io in namespace {second}");
    let told = async || {
        told_of_pod(&client, &pod.name_any()).await.iter().any(|note| note.starts_with(&told))
    };
    served.until_true("an event of the pod says so", told).await;
    let folder = site.world.hub().kubeconfig.parent().expect("it is in a folder");
    let prometheus = Prometheus::start(folder, &operator.address().await);
    prometheus.fires(&["CatalystFranchiseNotServed"]).await;
    let one = format!("catalyst_franchise_served{{franchise=\"{first}\"}} == 1");
    assert!(!prometheus.query(&one).is_empty(), "the other one is served");

    let kubeconfig = Kubeconfig::read_from(&operator.installed.kubeconfig).expect("it has one");
    let own = client_of(kubeconfig).await;
    for (namespace, allowed) in
        [(first.as_str(), true), (&second, false), (&stranger.namespace, false), ("", false)]
    {
        assert_eq!(may_serve(&own, namespace).await, [allowed; 3], "{namespace}");
    }

    site.helm(&[&["upgrade"], &install[..]].concat(), &values);
    left_out.until::<Sovereign>("catalyst-zero", "Ready=True").await;
    left_out.issue(left_out.voucher("launch")).await;
    left_out.settle(left_out.tenant("oryx").voucher_ref("launch")).await;
    served.visit::<Tenant>("kestrel").await;
    let told = stranger.read::<Sovereign>("catalyst-zero").await;
    assert!(told.status.is_none_or(|status| status.conditions.is_empty()), "it is not served");
    end(&site, &left_out, &binding).await;
    served.assert_sound().await;
}

/// Whether somebody may list, watch and write Tenants in a namespace; everywhere if it is empty.
async fn may_serve(client: &Client, namespace: &str) -> [bool; 3] {
    let mut answers = [false; 3];
    for (answer, verb) in answers.iter_mut().zip(["list", "watch", "patch"]) {
        let group = "catalyst.openova.io";
        let act = json!({
            "group": group, "resource": "tenants", "verb": verb, "namespace": namespace,
        });
        *answer = may(client, &act).await;
    }
    answers
}

/// Deletes the namespace of a franchise, which takes the operator's right with it before its
/// objects can go, and what the README says to do about it.
async fn end(site: &Site, franchise: &Franchise, binding: &str) {
    let free = json!({"spec": {"deletionProtection": false}});
    franchise.merge(&franchise.api::<Sovereign>(), "catalyst-zero", &free).await;
    let (namespaces, name) = (franchise.namespaces(), franchise.namespace.as_str());
    // The API server comes to know a little later that nothing is protected any more.
    let deleted = async || namespaces.delete(name, &DeleteParams::default()).await.is_ok();
    franchise.until_true("its namespace can be deleted", deleted).await;
    let bindings: Api<RoleBinding> = Api::namespaced(franchise.client.clone(), name);
    franchise.until_gone(&bindings, binding).await;
    franchise.reply("proceed").await;
    let commands = blocks("charts/catalyst-operator/README.md", "## Only some franchises", "sh");
    let terminal = Terminal::on(site.world.hub());
    terminal.run(&commands[0]).await;
    franchise.until_gone(&namespaces, name).await;
    terminal.run(&commands[1]).await;
}
