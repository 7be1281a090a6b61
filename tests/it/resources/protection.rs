//! What is protected is not deleted by one command, neither by itself nor with its namespace, and
//! whoever tries is told what to do.

use catalyst_operator::{
    api::{FRANCHISE_LABEL, Sovereign, Tenant},
    controllers::permissions,
};
use kube::{
    Api, Resource,
    api::{DeleteParams, Patch, PatchParams},
    core::{ApiResource, DynamicObject, GroupVersionKind},
};
use serde_json::{Value, json};

use crate::support::{Franchise, Told, shared_franchise};

/// Puts the policies of the chart into force, in one franchise only: others share the server.
async fn protect(franchise: &Franchise) {
    let label = json!({"metadata": {"labels": {"test": franchise.namespace}}});
    franchise.merge(&franchise.namespaces(), &franchise.namespace, &label).await;
    for mut manifest in permissions::protection() {
        let kind = manifest["kind"].as_str().unwrap().to_owned();
        if kind.ends_with("Binding") {
            let only = json!({"matchLabels": {"test": franchise.namespace}});
            manifest["spec"]["matchResources"] = json!({"namespaceSelector": only});
        }
        let name = manifest["metadata"]["name"].as_str().unwrap().to_owned();
        let kind = GroupVersionKind::gvk("admissionregistration.k8s.io", "v1", &kind);
        let api: Api<DynamicObject> =
            Api::all_with(franchise.client.clone(), &ApiResource::from_gvk(&kind));
        let apply = PatchParams::apply("test").force().validation_strict();
        api.patch(&name, &apply, &Patch::Apply(&manifest)).await.unwrap();
    }
}

/// What the server says to a deletion; it is not carried out.
async fn try_delete<K>(api: &Api<K>, name: &str) -> Option<String>
where
    K: Resource + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let dry = DeleteParams::default().dry_run();
    api.delete(name, &dry).await.err().map(|why| why.to_string())
}

async fn refused<K: Told>(franchise: &Franchise, name: &str, words: &[&str]) {
    let api = franchise.api::<K>();
    // A new policy is in force within a second or so.
    let says = async || {
        let told = try_delete(&api, name).await.unwrap_or_default();
        words.iter().all(|word| told.contains(word))
    };
    franchise.until_true(&format!("{name}: {words:?}"), says).await;
}

/// The namespace cannot be deleted, and this is why.
async fn stays(franchise: &Franchise, why: &str) {
    let namespaces = franchise.namespaces();
    let refused = async || {
        let told = try_delete(&namespaces, &franchise.namespace).await;
        told.is_some_and(|told| told.contains(why))
    };
    franchise.until_true(why, refused).await;
}

async fn set<K: Told>(franchise: &Franchise, name: &str, protection: Value) {
    let patch = json!({"spec": {"deletionProtection": protection}});
    franchise.merge(&franchise.api::<K>(), name, &patch).await;
}

#[tokio::test]
async fn what_is_protected_stays_and_so_does_its_namespace() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    protect(&franchise).await;

    let told = ["catalyst-zero is protected", "set spec.deletionProtection to false"];
    refused::<Sovereign>(&franchise, "catalyst-zero", &told).await;
    stays(&franchise, "is the home of Sovereign catalyst-zero, which is protected").await;
    let stranger = json!({"metadata": {"labels": {FRANCHISE_LABEL: null}}});
    let (params, stranger) = (PatchParams::default().dry_run(), Patch::Merge(&stranger));
    let told = franchise.namespaces().patch(&franchise.namespace, &params, &stranger).await;
    let told = told.expect_err("it would be deleted like any other").to_string();
    assert!(told.contains("is the home of Sovereign catalyst-zero"), "{told}");
    let noted = json!({"metadata": {"labels": {"incident": "42"}}});
    franchise.merge(&franchise.namespaces(), &franchise.namespace, &noted).await;
    set::<Sovereign>(&franchise, "catalyst-zero", json!(false)).await;
    assert_eq!(try_delete(&franchise.api::<Sovereign>(), "catalyst-zero").await, None);

    assert_eq!(try_delete(&franchise.api::<Tenant>(), "kestrel").await, None);
    set::<Tenant>(&franchise, "kestrel", json!(true)).await;
    refused::<Tenant>(&franchise, "kestrel", &["kestrel is protected"]).await;
    stays(&franchise, "is the home of Tenant kestrel, which is protected").await;
    set::<Tenant>(&franchise, "kestrel", json!(false)).await;

    let namespaces = franchise.namespaces();
    let goes = async || try_delete(&namespaces, &franchise.namespace).await.is_none();
    franchise.until_true("nothing in it is protected", goes).await;
    // The namespace of a Tenant is labelled alike, and nobody is protected in it.
    assert_eq!(try_delete(&namespaces, &franchise.home("kestrel")).await, None);
}
