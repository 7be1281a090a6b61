//! A cluster that is not ours goes dark: nothing is lost, nothing is charged twice, and the other
//! Sovereigns do not notice.

use std::{collections::BTreeSet, fs, time::Duration};

use catalyst_operator::api::{Sovereign, Tenant};
use k8s_openapi::api::core::v1::{Namespace, ResourceQuota};
use kube::{Api, ResourceExt as _, api::ListParams};
use serde_json::json;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::support::{
    Access, Database, Franchise, Installed, Manifest, Operator, Told, World, database, message,
};

/// Each of these worlds needs the memory of two clusters.
static WORLDS: Semaphore = Semaphore::const_new(3);

/// A hub and a franchised cluster, with a Sovereign on each and an operator that serves both.
pub(super) struct Hub {
    pub(super) world: World,
    pub(super) ledger: Database,
    pub(super) installed: Installed,
    pub(super) operator: Operator,
    pub(super) access: Access,
    pub(super) franchise: Franchise,
    /// Ends after the world.
    _turn: SemaphorePermit<'static>,
}

impl Hub {
    pub(super) async fn open() -> Self {
        let turn = WORLDS.acquire().await.expect("it is never closed");
        let world = World::private(&["--cluster", "hub", "--cluster", "muscat"]);
        let ledger = database(&world).await;
        let installed = Installed::on(&world, &ledger).await;
        let operator = installed.start(&[]);
        let access = Access::granted(world.cluster("muscat")).await;
        let franchise = Franchise::found(&world, &installed).await;
        franchise.open().await;
        franchise.keep_kubeconfig("muscat", &access.kubeconfig()).await;
        franchise.apply(franchise.franchised()).await;
        franchise.until::<Sovereign>("muscat", "Ready=True").await;
        for voucher in [franchise.voucher("launch"), franchise.voucher("abroad").on("muscat")] {
            franchise.issue(voucher).await;
        }
        Self { world, ledger, installed, operator, access, franchise, _turn: turn }
    }

    /// A Tenant on the franchised cluster.
    pub(super) fn abroad(&self, name: &str) -> Manifest {
        self.franchise.tenant(name).on("muscat").code("ABROAD")
    }

    /// The franchised cluster is away, and the operator believes it. It ends as in a crash: in good
    /// order an API server waits half a minute for those who watch.
    pub(super) async fn darken(&self) {
        self.world.kill("muscat");
        // Who is visited notices at once, and not when the link asks the next time.
        let tenants = self.franchise.api::<Tenant>();
        for tenant in tenants.list(&ListParams::default()).await.expect("the hub serves") {
            let asked = json!({"metadata": {"annotations": {
                "reconcile.fluxcd.io/requestedAt": "in the dark",
            }}});
            self.franchise.merge(&tenants, &tenant.name_any(), &asked).await;
        }
        self.franchise.until::<Sovereign>("muscat", "Connected=False").await;
    }

    /// Sends a signal to the API server of the franchised cluster.
    fn signal(&self, signal: &str) {
        let folder = self.world.cluster("muscat").kubeconfig.parent().expect("it is in a folder");
        let folder = folder.to_str().expect("it is text");
        let is_it = |process: &fs::DirEntry| {
            let words = fs::read_to_string(process.path().join("cmdline")).unwrap_or_default();
            words.starts_with("kube-apiserver\0") && words.contains(folder)
        };
        let mut processes = fs::read_dir("/proc").expect("this is Linux").flatten();
        let process = processes.find(is_it).expect("it runs").file_name();
        let sent = std::process::Command::new("kill").arg(signal).arg(process).status();
        assert!(sent.expect("there is a kill").success());
    }

    /// The namespace of a Tenant on the franchised cluster, if it stands.
    pub(super) async fn home(&self, tenant: &str) -> Option<Namespace> {
        let namespaces: Api<Namespace> = Api::all(self.access.admin.clone());
        namespaces.get_opt(&self.franchise.home(tenant)).await.unwrap()
    }
}

#[tokio::test]
async fn a_tenant_lives_on_a_cluster_that_is_not_ours_and_outlives_its_outage() {
    let hub = Hub::open().await;
    let franchise = &hub.franchise;
    franchise.settle(hub.abroad("oryx")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    let before = hub.home("oryx").await.expect("it stands");

    hub.darken().await;
    let sovereign: Sovereign = franchise.read("muscat").await;
    assert!(message(&sovereign, "Ready").contains("nothing is taken down"), "{sovereign:?}");
    let tenant: Tenant = franchise.until("oryx", "Ready=Unknown SovereignUnreachable").await;
    assert!(message(&tenant, "Synced").contains("since"), "{tenant:?}");
    franchise.until::<Tenant>("oryx", "Entitled=True Paid").await;
    franchise.settle(franchise.tenant("falcon").code("LAUNCH")).await;
    franchise.delete::<Tenant>("oryx").await;
    let waiting: Tenant = franchise.until("oryx", "Ready=Unknown TeardownUnreachable").await;
    assert!(message(&waiting, "Ready").contains("catalyst.openova.io/abandon="), "{waiting:?}");

    hub.world.start("muscat");
    franchise.until::<Sovereign>("muscat", "Connected=True").await;
    franchise.gone::<Tenant>("oryx").await;
    assert_eq!(hub.home("oryx").await.map(|home| home.metadata.uid), None, "{before:?}");
    assert_eq!(franchise.entries("oryx").await.len(), 2);
    franchise.remove::<Sovereign>("muscat").await;
    franchise.assert_sound().await;
    let _kept = (&hub.ledger, &hub.installed, &hub.operator);
}

/// What the condition Ready of an object says, such as `True Ready`.
fn ready(object: &impl Told) -> String {
    let mut conditions = object.conditions().iter();
    let ready = conditions.find(|condition| condition.type_ == "Ready");
    ready.map(|ready| format!("{} {}", ready.status, ready.reason)).unwrap_or_default()
}

#[tokio::test]
async fn what_falls_due_in_the_dark_is_set_aside_then_and_spent_once_after_it() {
    let hub = Hub::open().await;
    let franchise = &hub.franchise;
    franchise.settle(hub.abroad("oryx")).await;

    hub.darken().await;
    franchise.until::<Tenant>("oryx", "Ready=Unknown SovereignUnreachable").await;
    hub.ledger.mutate("select ledger.advance_clock('32 days')").await;
    franchise.apply(hub.abroad("falcon")).await;
    franchise.until::<Tenant>("falcon", "Ready=Unknown SovereignUnreachable").await;
    for _ in 0..2 {
        for tenant in ["oryx", "falcon"] {
            franchise.visit::<Tenant>(tenant).await;
            let organization = franchise.organization(tenant);
            let held = format!(
                "select sum(held)::bigint from account where organization = '{organization}'"
            );
            assert_eq!(hub.ledger.one::<i64>(&held).await, 9_000, "{tenant}");
        }
        assert_eq!(franchise.entries("oryx").await.len(), 2, "nothing is spent");
        assert_eq!(franchise.entries("falcon").await.len(), 1);
    }
    franchise.delete::<Sovereign>("muscat").await;

    hub.world.start("muscat");
    // It is not believed to be back yet, and nobody tells what happens there.
    let home = franchise.home("oryx");
    let quotas: Api<ResourceQuota> = Api::namespaced(hub.access.admin.clone(), &home);
    let drift = json!({"spec": {"hard": {"pods": "99"}}});
    franchise.merge(&quotas, "catalyst-plan", &drift).await;
    for tenant in ["oryx", "falcon"] {
        franchise.until::<Tenant>(tenant, "Ready=True").await;
    }
    let is_mended = |quota: &ResourceQuota| {
        let hard = quota.spec.clone().and_then(|spec| spec.hard).unwrap_or_default();
        hard["pods"].0 == "4"
    };
    franchise.until_object(&quotas, "catalyst-plan", "mended", is_mended).await;
    assert_eq!(franchise.entries("oryx").await.len(), 3);
    assert_eq!(franchise.entries("falcon").await.len(), 2);
    let next = "select count(*) from period a join period b using (franchise, organization) \
                where b.starts_at = a.ends_at";
    assert_eq!(hub.ledger.one::<i64>(next).await, 1, "there is no gap between its periods");
    for tenant in ["oryx", "falcon"] {
        franchise.delete::<Tenant>(tenant).await;
    }
    franchise.gone::<Sovereign>("muscat").await;
    franchise.assert_sound().await;
}

#[tokio::test]
async fn a_cluster_that_never_answers_holds_up_nobody_and_a_restart_says_the_same_as_before() {
    let hub = Hub::open().await;
    let franchise = &hub.franchise;
    franchise.settle(hub.abroad("oryx")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    hub.signal("-STOP");
    for number in 0..20 {
        franchise.apply(hub.abroad(&format!("oryx-{number}"))).await;
    }
    for number in 0..3 {
        let tenant = franchise.tenant(&format!("falcon-{number}")).code("LAUNCH");
        franchise.woken().settle(tenant).await;
    }
    hub.operator.kill();
    // The next one acts at once, and not when the Lease has run out.
    let alone = [("CATALYST_LEADER_ELECT", "false")];
    let second = hub.installed.start(&alone);
    franchise.until::<Sovereign>("muscat", "Connected=False").await;
    franchise.until::<Tenant>("oryx", "Ready=Unknown SovereignUnreachable").await;
    franchise.visit::<Tenant>("kestrel").await;

    second.kill();
    let third = hub.installed.start(&alone);
    let mut seen = BTreeSet::new();
    let from = std::time::Instant::now();
    while from.elapsed() < Duration::from_secs(9) {
        for tenant in ["kestrel", "oryx"] {
            seen.insert((tenant, ready(&franchise.read::<Tenant>(tenant).await)));
        }
        seen.insert(("muscat", ready(&franchise.read::<Sovereign>("muscat").await)));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let visited = format!("Sovereign {}/muscat", franchise.namespace);
    assert!(third.logged().contains(&visited), "it acts");
    let wanted = [
        ("kestrel", "True Ready"),
        ("muscat", "Unknown ClusterUnavailable"),
        ("oryx", "Unknown SovereignUnreachable"),
    ];
    let wanted = wanted.map(|(name, ready)| (name, ready.to_owned()));
    assert_eq!(seen, BTreeSet::from(wanted), "a restart is no news");
    hub.signal("-CONT");
    franchise.until::<Sovereign>("muscat", "Ready=True").await;
    for tenant in ["oryx", "oryx-0", "oryx-19"] {
        franchise.until::<Tenant>(tenant, "Ready=True").await;
        assert_eq!(franchise.entries(tenant).await.len(), 2, "{tenant} paid once");
    }
    franchise.assert_sound().await;
    drop(third);
}
