//! A franchisee lends a cluster to a hub and takes it back, word for word as the README of the
//! chart that they apply says.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use catalyst_operator::api::{Sovereign, Tenant, Voucher};

use crate::support::{
    Franchise, Installed, Operator, Terminal, World, blocks, commands_of_notes, database, message,
};

const README: &str = "charts/catalyst-sovereign-access/README.md";
const FILE: &str = "charts/catalyst-sovereign-access/files/access.yaml";

/// The commands of the README, by what they are for.
struct Readme {
    with_kubectl: String,
    with_helm: String,
    log_in: String,
    hand_over: String,
    replace: String,
    end: String,
    revoke: String,
    forget: String,
    /// The manifests between them.
    grant: String,
}

impl Readme {
    fn read() -> Self {
        let blocks = |language| blocks(README, "## Install it", language);
        let commands: [String; 8] = blocks("sh").try_into().expect("each of them is run here");
        let [with_kubectl, with_helm, log_in, hand_over, replace, end, revoke, forget] = commands;
        let [grant] = blocks("yaml").try_into().expect("there is one");
        Self { with_kubectl, with_helm, log_in, hand_over, replace, end, revoke, forget, grant }
    }
}

/// The two people, each at a cluster of their own.
struct Scene {
    readme: Readme,
    franchisee: Terminal,
    admin: Terminal,
    franchise: Franchise,
    _operator: Operator,
    _world: World,
}

impl Scene {
    async fn new() -> Self {
        let world = World::private(&["--cluster", "hub", "--cluster", "muscat"]);
        let installed = Installed::on(&world, &database(&world).await).await;
        let franchise = Franchise::found(&world, &installed).await.moved_to("omantel".to_owned());
        Self {
            readme: Readme::read(),
            franchisee: Terminal::on(world.cluster("muscat")),
            admin: Terminal::on(world.hub()),
            franchise,
            _operator: installed.start(&[]),
            _world: world,
        }
    }

    /// The franchisee makes a kubeconfig and hands it to the sovereign-admin.
    async fn log_in(&self, login: &str) {
        let commands = self.readme.log_in.replace("catalyst-login-1", login);
        let printed = self.franchisee.run(&commands).await;
        assert_eq!(printed.lines().last(), Some("yes"), "{printed}");
        let path = self.franchisee.file("hub.kubeconfig");
        let mode = fs::metadata(&path).expect("it is made").permissions().mode();
        assert_eq!(mode & 0o077, 0, "nobody else on that machine reads it");
        fs::rename(&path, self.admin.file("hub.kubeconfig")).expect("it can be moved");
    }

    /// Waits until the Sovereign is ready with credentials that end at another time than this.
    async fn renewed(&self, last: Option<String>) -> Option<String> {
        let ends = |sovereign: &Sovereign| {
            sovereign.status.as_ref().and_then(|status| status.credentials.clone())
        };
        let api = self.franchise.api::<Sovereign>();
        let is_other = |sovereign: &Sovereign| ends(sovereign) != last;
        self.franchise.until_object(&api, "muscat", "with other credentials", is_other).await;
        ends(&self.franchise.until("muscat", "Ready=True").await)
    }

    /// What there is of a kind of object in the namespace of the Tenant.
    async fn at_home(&self, kind: &str) -> String {
        let get =
            format!("kubectl get {kind} -n tenant-oryx-air -o jsonpath={{.items[*].metadata.uid}}");
        self.franchisee.run(&get).await
    }

    /// The UID of a namespace of the franchisee's.
    async fn namespace(&self, name: &str) -> Option<String> {
        let get = format!("kubectl get namespace {name} -o jsonpath={{.metadata.uid}}");
        match self.franchisee.attempt(&get).await {
            Ok(uid) => Some(uid),
            Err(why) if why.contains("NotFound") => None,
            Err(why) => panic!("{name}: {why}"),
        }
    }
}

#[tokio::test]
async fn a_cluster_is_lent_to_a_hub_and_taken_back_as_its_readme_says() {
    let scene = Scene::new().await;
    let notes = it_is_granted_by_kubectl_and_by_helm(&scene).await;
    it_is_handed_to_the_hub(&scene).await;
    a_login_is_followed_by_another(&scene).await;
    all_is_revoked_and_granted_again(&scene).await;
    the_rest_is_removed(&scene, &notes).await;
}

/// Gives the commands that Helm says in its notes.
async fn it_is_granted_by_kubectl_and_by_helm(scene: &Scene) -> String {
    scene.franchisee.run(&scene.readme.with_kubectl).await;
    assert!(scene.namespace("catalyst-system").await.is_some());
    scene.franchisee.run(&format!("kubectl delete -f {FILE}")).await;
    assert_eq!(scene.namespace("catalyst-system").await, None);
    let printed = scene.franchisee.run(&scene.readme.with_helm).await;
    assert!(scene.namespace("catalyst-system").await.is_some());
    commands_of_notes(&printed)
}

async fn it_is_handed_to_the_hub(scene: &Scene) {
    scene.log_in("catalyst-login-1").await;
    scene.admin.run("kubectl apply -f examples/1-franchise.yaml").await;
    scene.admin.run(&scene.readme.hand_over).await;
    fs::write(scene.admin.file("grant.yaml"), &scene.readme.grant).expect("it can be written");
    scene.admin.run("kubectl apply -f grant.yaml").await;
    let names = "kubectl apply -f examples/franchised/2-sovereign.yaml";
    scene.admin.run(names).await;
    scene.franchise.until::<Sovereign>("muscat", "Ready=True").await;
    scene.admin.run("kubectl apply -f examples/franchised/3-tenant.yaml").await;
    scene.franchise.until::<Tenant>("oryx-air", "Ready=True").await;
    assert!(scene.namespace("tenant-oryx-air").await.is_some());
}

async fn a_login_is_followed_by_another(scene: &Scene) {
    let first = scene.renewed(None).await;
    let old = scene.admin.file("old.kubeconfig");
    fs::copy(scene.admin.file("hub.kubeconfig"), old).expect("it can be copied");
    scene.log_in("catalyst-login-2").await;
    scene.admin.run(&scene.readme.replace).await;
    scene.renewed(first).await;
    let ask = "kubectl --kubeconfig old.kubeconfig get namespace kube-system";
    scene.admin.run(ask).await;
    scene.franchisee.run(&scene.readme.end).await;
    let is_refused = async || {
        let answer = scene.admin.attempt(ask).await;
        answer.is_err_and(|why| why.contains("Unauthorized"))
    };
    scene.franchise.until_true("the old token is worth nothing", is_refused).await;
    let sovereign: Sovereign = scene.franchise.visit("muscat").await;
    assert!(message(&sovereign, "CredentialsValid").contains("good until"), "{sovereign:?}");
    scene.franchise.until::<Sovereign>("muscat", "Ready=True").await;
}

async fn all_is_revoked_and_granted_again(scene: &Scene) {
    let home = scene.namespace("tenant-oryx-air").await;
    scene.franchisee.run(&scene.readme.revoke).await;
    let refused = "CredentialsValid=False CredentialsRejected";
    scene.franchise.until::<Sovereign>("muscat", refused).await;
    scene.franchise.until::<Tenant>("oryx-air", "Ready=Unknown").await;
    scene.franchisee.run("kubectl delete resourcequotas --all -n tenant-oryx-air").await;
    // It puts back at once what it may.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(scene.at_home("resourcequotas").await, "", "nobody repairs it");
    assert_eq!(scene.namespace("tenant-oryx-air").await, home);

    scene.franchisee.run(&scene.readme.with_kubectl).await;
    // As if the cluster had been lent to another hub, which is lost.
    let other = r#"{"data": {"hub": "7a0c1d1e-0000-4000-8000-000000000000"}}"#;
    let note = "kubectl patch configmap catalyst-hub -n catalyst-system --type merge";
    scene.franchisee.run(&format!("{note} -p '{other}'")).await;
    scene.log_in("catalyst-login-3").await;
    scene.admin.run(&scene.readme.replace).await;
    let owned = "IdentityVerified=False OwnedByAnotherHub";
    scene.franchise.until::<Sovereign>("muscat", owned).await;
    assert_eq!(scene.at_home("resourcequotas").await, "", "it does nothing there");
    scene.franchisee.run(&scene.readme.forget).await;
    scene.franchise.until::<Sovereign>("muscat", "Ready=True").await;
    scene.franchise.until::<Tenant>("oryx-air", "Ready=True").await;
    let is_repaired = async || !scene.at_home("resourcequotas").await.is_empty();
    scene.franchise.until_true("the quota is back", is_repaired).await;
    assert_eq!(scene.namespace("tenant-oryx-air").await, home);
}

async fn the_rest_is_removed(scene: &Scene, notes: &str) {
    scene.franchise.remove::<Tenant>("oryx-air").await;
    assert_eq!(scene.namespace("tenant-oryx-air").await, None);
    scene.franchise.remove::<Voucher>("muscat-opening").await;
    scene.franchise.remove::<Sovereign>("muscat").await;
    // The first login was ended, so that the notes can make it, and revoke it as well.
    let shown = scene.franchisee.run(notes).await;
    assert!(shown.contains("## Make the kubeconfig"), "the notes show the page: {shown}");
    let accounts = "kubectl get serviceaccounts -n catalyst-system -o name";
    assert!(!scene.franchisee.run(accounts).await.contains("catalyst-operator"));
    scene.franchisee.run("helm uninstall catalyst-sovereign-access --namespace kube-system").await;
    let is_gone = async || scene.namespace("catalyst-system").await.is_none();
    scene.franchise.until_true("nothing of the hub's is left", is_gone).await;
    let roles = "kubectl get clusterroles,clusterrolebindings,validatingadmissionpolicies -o name";
    let left = scene.franchisee.run(roles).await;
    assert!(!left.contains("catalyst"), "{left}");
}
