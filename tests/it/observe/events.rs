//! Events: where one is published if it cannot be one of the object that it is about.

use std::time::Duration;

use catalyst_operator::{
    api::Tenant,
    cluster::{Host, Notice},
};
use k8s_openapi::api::{
    core::v1::Namespace,
    events::v1::Event,
    rbac::v1::{Role, RoleBinding},
};
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
    config::Kubeconfig,
};
use serde_json::json;

use crate::support::{client_of, found_franchise, hub_client, quiet_world};

/// Lets a user tell events in a namespace, by a grant that outlives the namespace's deletion.
async fn may_tell(client: &Client, user: &str, namespace: &str) {
    let meta = json!({"name": "teller", "finalizers": ["example.com/hold"]});
    let right = json!({
        "apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"],
    });
    let role = serde_json::from_value(json!({"metadata": meta, "rules": [right]})).unwrap();
    let of = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "teller"});
    let whom = json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}]);
    let binding = json!({"metadata": meta, "roleRef": of, "subjects": whom});
    let binding = serde_json::from_value(binding).unwrap();
    let params = PostParams::default();
    Api::<Role>::namespaced(client.clone(), namespace).create(&params, &role).await.unwrap();
    let bindings: Api<RoleBinding> = Api::namespaced(client.clone(), namespace);
    bindings.create(&params, &binding).await.unwrap();
}

#[tokio::test]
async fn who_serves_some_franchises_only_tells_of_its_pod_what_goes_with_a_namespace() {
    const TELLER: &str = "teller-of-some";
    let world = quiet_world();
    let client = hub_client(world).await;
    let (home, going) = (found_franchise(&client).await, found_franchise(&client).await);
    for namespace in [&home, &going] {
        may_tell(&client, TELLER, namespace).await;
    }
    let namespaces: Api<Namespace> = Api::all(client.clone());
    namespaces.delete(&going, &DeleteParams::default()).await.unwrap();
    let mut teller = Kubeconfig::read_from(&world.hub().kubeconfig).unwrap();
    teller.auth_infos[0].auth_info.as_mut().unwrap().impersonate = Some(TELLER.to_owned());
    let host = Host::new(client_of(teller).await, "test", Some((&home, "operator-0")));
    let tenant = json!({
        "metadata": {"namespace": going, "name": "heron", "uid": "uid-of-heron"},
        "spec": {"organization": "heron", "sovereignRef": {"name": "muscat"}, "plan": "m"},
    });
    let tenant: Tenant = serde_json::from_value(tenant).unwrap();
    let reason = "MassDeletionHeld".to_owned();
    // The first may come before the API server has heard of the grants or of the deletion.
    let events: Api<Event> = Api::namespaced(client.clone(), &home);
    let about = format!("Tenant {going}/heron: it waits");
    let told = async || {
        let notice = Notice { reason: reason.clone(), message: "it waits".into(), warning: true };
        host.tell(&tenant, notice).await;
        let told = events.list(&ListParams::default()).await.unwrap();
        told.iter().any(|event| {
            let of = event.regarding.as_ref().and_then(|of| of.name.as_deref());
            of == Some("operator-0") && event.note.as_ref() == Some(&about)
        })
    };
    let waiting = async { while !told().await {} };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("the pod has the event");
    let free = json!({"metadata": {"finalizers": null}});
    let (params, free) = (PatchParams::default(), Patch::Merge(&free));
    let bindings: Api<RoleBinding> = Api::namespaced(client.clone(), &going);
    bindings.patch("teller", &params, &free).await.unwrap();
    let roles: Api<Role> = Api::namespaced(client, &going);
    roles.patch("teller", &params, &free).await.unwrap();
}
