//! Files that vanish by mistake.

use catalyst_operator::api::{Sovereign, Tenant, Voucher};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;

use super::{Hub, OMANTEL, PLANS, SOVEREIGNS, Scene, TENANTS, VOUCHER, VOUCHERS};
use crate::support::{Terminal, blocks, message};

const HELD: &str = "Ready=False MassDeletionHeld";
const FOLDERS: [&str; 2] = ["tenants", "vouchers"];

#[tokio::test]
async fn a_mistaken_prune_tears_nothing_down() {
    let hub = Hub::new().await;
    let _operator = hub.operator();
    let scene = hub.settled().await;
    a_folder_that_is_gone_is_no_prune(&scene).await;
    a_protected_sovereign_stays(&scene).await;
    a_franchise_that_is_taken_out_stays(&scene).await;
    an_emptied_folder_is_held_and_comes_back(&scene).await;
    what_was_meant_is_carried_out(&scene).await;
    scene.franchise.assert_sound().await;
}

/// Flux asks for the folder and does nothing without it.
async fn a_folder_that_is_gone_is_no_prune(scene: &Scene<'_>) {
    scene.files.remove("tenants");
    let revision = scene.files.push().await;
    scene.flux().green(VOUCHERS, &revision).await;
    let told = scene.flux().told(TENANTS, "Ready=False ArtifactFailed", None).await;
    assert!(told.contains("kustomization path not found"), "{told}");
    all_are_there(scene).await;
    scene.files.restore("omantel", "tenants");
    let revision = scene.files.push().await;
    scene.all_green(&revision).await;
}

async fn a_protected_sovereign_stays(scene: &Scene<'_>) {
    scene.files.remove("sovereigns/catalyst-zero.yaml");
    scene.files.write("sovereigns/README.md", "Empty.\n");
    let revision = scene.files.push().await;
    let told = scene.flux().told(SOVEREIGNS, "Ready=False PruneFailed", Some(&revision)).await;
    assert!(told.contains("catalyst-zero is protected: set spec.deletionProtection"), "{told}");
    // It is said once: Flux has no more to do with what it tried to delete.
    scene.flux().reconcile(SOVEREIGNS).await;
    scene.flux().green(SOVEREIGNS, &revision).await;
    assert_eq!(scene.phase::<Sovereign>("catalyst-zero").await, "Ready");
    scene.files.restore("omantel", "sovereigns/catalyst-zero.yaml");
    let revision = scene.files.push().await;
    scene.all_green(&revision).await;
}

/// The platform's people remove the one file that names the franchise.
async fn a_franchise_that_is_taken_out_stays(scene: &Scene<'_>) {
    let (homes, money) = (scene.homes().await, scene.money().await);
    scene.platform.remove("clusters/hub/omantel.yaml");
    scene.platform.push().await;
    let accounts: Api<ServiceAccount> = Api::namespaced(scene.franchise.client.clone(), OMANTEL);
    scene.franchise.until_gone(&accounts, "franchise").await;
    for path in ["flux-system/omantel", SOVEREIGNS, VOUCHERS, TENANTS] {
        let is_gone = async || scene.flux().kustomization(path).await.is_none();
        scene.franchise.until_true(&format!("{path} is gone"), is_gone).await;
    }
    all_are_there(scene).await;

    scene.platform.restore(".", "clusters/hub/omantel.yaml");
    scene.platform.push().await;
    let revision = scene.files.push().await;
    scene.all_green(&revision).await;
    assert_eq!((scene.homes().await, scene.money().await), (homes, money));
}

async fn all_are_there(scene: &Scene<'_>) {
    let namespace = scene.franchise.namespaces().get(OMANTEL).await.unwrap();
    assert!(namespace.metadata.deletion_timestamp.is_none());
    for (name, _) in PLANS {
        let tenant: Tenant = scene.franchise.read(name).await;
        assert!(tenant.metadata.deletion_timestamp.is_none(), "{name}");
    }
}

/// What the page of the example says to type, somebody types who works on the repository.
async fn an_emptied_folder_is_held_and_comes_back(scene: &Scene<'_>) {
    let [keep, put_back, clear, _] = words();
    let terminal = Terminal::on(scene.hub.world.hub()).inside(&scene.files.folder);
    let (homes, money) = (scene.homes().await, scene.money().await);
    empty_the_folders(scene).await;
    assert_eq!(scene.homes().await, homes, "nothing is torn down");
    terminal.run(&keep).await;
    nothing_is_held(scene).await;
    terminal.run(&put_back).await;
    let revision = scene.files.fetched().await;
    scene.all_green(&revision).await;
    terminal.run(&clear).await;
    assert_eq!(scene.homes().await, homes, "nothing is torn down");
    assert_eq!(scene.money().await, money, "nothing is paid again");
}

/// The last thing that the page says to type.
async fn what_was_meant_is_carried_out(scene: &Scene<'_>) {
    let [.., proceed] = words();
    empty_the_folders(scene).await;
    Terminal::on(scene.hub.world.hub()).run(&proceed).await;
    for (name, _) in PLANS {
        scene.franchise.gone::<Tenant>(name).await;
    }
    scene.franchise.gone::<Voucher>(VOUCHER).await;
    assert_eq!(scene.homes().await, PLANS.map(|_| None), "all of it is torn down");
}

/// What the page says to type about what is held.
fn words() -> [String; 4] {
    blocks("examples/flux/README.md", "## What is deleted", "sh").try_into().unwrap()
}

/// Empties both in one commit, of which Flux has a part before the rest.
async fn empty_the_folders(scene: &Scene<'_>) {
    empty(scene, "tenants");
    let revision = scene.files.push().await;
    // To Flux all is well: it deleted what it was to delete, and waits for none of it.
    scene.flux().green(TENANTS, &revision).await;
    for (name, _) in PLANS {
        let tenant: Tenant = scene.franchise.until(name, HELD).await;
        let told = message(&tenant, "Ready");
        assert!(told.contains("catalyst.openova.io/mass-deletion=keep"), "{told}");
    }
    // One Voucher is few by itself; it goes with many Tenants.
    empty(scene, "vouchers");
    let revision = scene.files.push_again().await;
    scene.flux().green(VOUCHERS, &revision).await;
    scene.franchise.until::<Voucher>(VOUCHER, HELD).await;
}

fn empty(scene: &Scene<'_>, folder: &str) {
    scene.files.remove(folder);
    scene.files.write(&format!("{folder}/README.md"), "Empty.\n");
}

/// Waits until what was held is gone, so that it can come back.
async fn nothing_is_held(scene: &Scene<'_>) {
    let is_leaving = |tenant: Tenant| tenant.metadata.deletion_timestamp.is_some();
    for (name, _) in PLANS {
        let is_gone = async || {
            let found = scene.franchise.api::<Tenant>().get_opt(name).await.unwrap();
            !found.is_some_and(is_leaving)
        };
        scene.franchise.until_true(&format!("{name} is not held"), is_gone).await;
    }
}

#[tokio::test]
async fn what_is_put_back_before_the_answer_comes_back_after_it() {
    let hub = Hub::new().await;
    let _operator = hub.operator();
    let scene = hub.settled().await;
    let (homes, money) = (scene.homes().await, scene.money().await);
    // The same in less time.
    let file = "franchises/omantel/kustomizations.yaml";
    scene.platform.edit(file, "timeout: 3m", "timeout: 30s");
    scene.platform.edit(file, "retryInterval: 1m", "retryInterval: 5s");
    let revision = scene.platform.push().await;
    scene.flux().green("flux-system/omantel", &revision).await;

    empty_the_folders(&scene).await;
    for folder in FOLDERS {
        scene.files.restore("omantel", folder);
    }
    let revision = scene.files.push().await;
    let failed = "Ready=False HealthCheckFailed";
    let told = scene.flux().told(TENANTS, failed, Some(&revision)).await;
    for (name, _) in PLANS {
        let leaving = format!("Tenant/omantel/{name} status: 'Terminating'");
        assert!(told.contains("timeout waiting for") && told.contains(&leaving), "{told}");
    }
    scene.hub.kubectl(&[
        "annotate",
        "namespace",
        OMANTEL,
        "catalyst.openova.io/mass-deletion=keep",
    ]);
    nothing_is_held(&scene).await;
    scene.all_green(&revision).await;
    assert_eq!(scene.homes().await, homes, "nothing is torn down");
    assert_eq!(scene.money().await, money, "nothing is paid again");
    scene.franchise.assert_sound().await;
}
