//! A franchise in Git, as `examples/flux` shows it: the files are applied by the real controller of
//! Flux under the rights that the example grants, and after each change it is looked at what a
//! person sees, in Flux and in our objects.

mod git;
mod prune;
mod trouble;

use std::process::Command;

use catalyst_operator::api::{Sovereign, Tenant, Voucher};
use kube::ResourceExt as _;
use serde_json::Value;

use crate::support::{Flux, Franchise, Installed, Operator, Repository, World, database};

/// The namespace of the example.
const OMANTEL: &str = "omantel";
const SOVEREIGNS: &str = "omantel/sovereigns";
const VOUCHERS: &str = "omantel/vouchers";
const TENANTS: &str = "omantel/tenants";
const VOUCHER: &str = "omantel-launch-100";
/// What protects against deletions, as the chart installs it.
const POLICIES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/charts/catalyst-operator/files/policies.yaml");
/// The Tenants of the example, and what each pays for a month.
const PLANS: [(&str, i64); 4] =
    [("bakkal", 5000), ("falcon-media", 5000), ("kestrel-rx", 9000), ("oryx-air", 9000)];

/// A hub with Flux on it. The operator is installed, and is started by the test.
struct Hub {
    world: World,
    installed: Installed,
    flux: Flux,
}

/// The two repositories, and the franchise that comes of them.
struct Scene<'a> {
    hub: &'a Hub,
    platform: Repository<'a>,
    files: Repository<'a>,
    franchise: Franchise,
}

impl Hub {
    async fn new() -> Self {
        let world = World::private(&[]);
        let ledger = database(&world).await;
        let installed = Installed::on(&world, &ledger).await;
        let flux = Flux::start(&world).await;
        let hub = Self { world, installed, flux };
        // The chart brings them, so they are in force long before anything is deleted.
        hub.kubectl(&["apply", "-f", POLICIES]);
        hub
    }

    fn operator(&self) -> Operator {
        self.installed.start(&[])
    }

    /// Pushes the example for the first time, and gives the revision of the franchise's own files.
    async fn bootstrap(&self) -> (Scene<'_>, String) {
        self.bootstrap_with(|_| {}).await
    }

    /// The same with other files in the platform's repository.
    async fn bootstrap_with(&self, prepare: impl Fn(&Repository<'_>)) -> (Scene<'_>, String) {
        self.flux.bootstrap().await;
        let platform = self.flux.repository("flux-system", "flux-system", ".");
        prepare(&platform);
        let files = self.flux.repository(OMANTEL, "franchise", "omantel");
        platform.push().await;
        let revision = files.push().await;
        let franchise = Franchise::found(&self.world, &self.installed).await;
        let franchise = franchise.moved_to(OMANTEL.to_owned());
        (Scene { hub: self, platform, files, franchise }, revision)
    }

    /// The example, when all of it stands.
    async fn settled(&self) -> Scene<'_> {
        let (scene, revision) = self.bootstrap().await;
        self.charts_are_installed().await;
        scene.all_green(&revision).await;
        scene
    }

    /// What source-controller and helm-controller say when the chart is installed.
    async fn charts_are_installed(&self) {
        for kind in ["OCIRepository", "HelmRelease"] {
            self.flux.says_ready(kind, "catalyst-system", "catalyst-operator").await;
        }
    }

    /// What a person types, as an administrator.
    fn kubectl(&self, args: &[&str]) {
        let output = Command::new(World::program("kubectl"))
            .arg("--kubeconfig")
            .arg(&self.world.hub().kubeconfig)
            .args(["-n", OMANTEL])
            .args(args)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {told}");
    }
}

impl Scene<'_> {
    fn flux(&self) -> &Flux {
        &self.hub.flux
    }

    async fn all_green(&self, revision: &str) {
        for path in [SOVEREIGNS, VOUCHERS, TENANTS] {
            self.flux().green(path, revision).await;
        }
        self.all_stands().await;
    }

    /// Green means that it is so, and not that it will be.
    async fn all_stands(&self) {
        assert_eq!(self.phase::<Sovereign>("catalyst-zero").await, "Ready");
        for (name, _) in PLANS {
            assert_eq!(self.phase::<Tenant>(name).await, "Ready", "{name}");
        }
        let voucher: Voucher = self.franchise.read(VOUCHER).await;
        assert_eq!(
            voucher.status.and_then(|status| status.code).as_deref(),
            Some("OMANTEL-LAUNCH-100")
        );
    }

    async fn phase<K: crate::support::Told>(&self, name: &str) -> String {
        let object = serde_json::to_value(self.franchise.read::<K>(name).await).unwrap();
        object["status"]["phase"].as_str().unwrap_or_default().to_owned()
    }

    /// UIDs of the namespaces that the Tenants live in.
    async fn homes(&self) -> Vec<Option<String>> {
        let mut homes = vec![];
        for (name, _) in PLANS {
            let home = self.franchise.namespaces().get_opt(&format!("tenant-{name}")).await;
            let home = home.unwrap().filter(|home| home.metadata.deletion_timestamp.is_none());
            homes.push(home.and_then(|home| home.uid()));
        }
        homes
    }

    async fn money(&self) -> Vec<Vec<(String, i64)>> {
        let mut all = vec![];
        for (name, _) in PLANS {
            all.push(self.franchise.entries_of(name).await);
        }
        all
    }
}

/// How each attempt of a Kustomization ended, as it keeps them.
fn attempts(kustomization: &Value) -> Vec<(&str, i64)> {
    let history = kustomization["status"]["history"].as_array().unwrap().iter();
    history.map(outcome).collect()
}

fn outcome(attempt: &Value) -> (&str, i64) {
    let count = attempt["totalReconciliations"].as_i64().unwrap();
    (attempt["lastReconciledStatus"].as_str().unwrap(), count)
}
