//! A real Prometheus looks at a real operator: it is silent while all is well, each alert fires on
//! its fault, and the dashboard has data.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use catalyst_operator::api::{ABANDON_ANNOTATION, ACCESS_NAMESPACE, Sovereign, Tenant, Voucher};
use k8s_openapi::api::{authentication::v1::TokenRequest, core::v1::ServiceAccount};
use kube::{Api, ResourceExt as _, api::PostParams};
use serde_json::{Value, json};

use super::dashboard::{alerts, queries, text};
use crate::support::{
    Access, Database, Franchise, Installed, Operator, Prometheus, WINDOW, World, database,
    free_address, programs,
};

/// Alerts on what no server here can be brought to do in time: promtool tries them on made-up
/// series.
const MADE_UP: [&str; 2] = ["CatalystMassDeletionHeld", "CatalystVisitsWait"];
/// Alerts on what the chart's own scenes bring about.
const OF_THE_CHART: [&str; 1] = ["CatalystFranchiseNotServed"];
/// A hub and another cluster, with an operator that somebody looks at.
struct Watched {
    world: World,
    ledger: Database,
    installed: Installed,
    franchise: Franchise,
    access: Access,
    address: String,
}

impl Watched {
    async fn new() -> Self {
        let world = World::private(&["--cluster", "hub", "--cluster", "muscat"]);
        let ledger = database(&world).await;
        let installed = Installed::on(&world, &ledger).await;
        let franchise = Franchise::found(&world, &installed).await;
        let access = Access::granted(world.cluster("muscat")).await;
        Self { world, ledger, installed, franchise, access, address: free_address() }
    }

    fn start(&self, env: &[(&str, &str)]) -> Operator {
        let address = ("CATALYST_METRICS_ADDR", self.address.as_str());
        let [serves, alone] = self.franchise.alone();
        let all = [&[serves, alone, address, ("CATALYST_AUDIT_EVERY", "1")], env].concat();
        self.installed.start(&all)
    }

    /// Keeps a kubeconfig for the other cluster that is good for so many hours.
    async fn keep_kubeconfig(&self, hours: u32) {
        let spec = json!({"audiences": [], "expirationSeconds": hours * 3600});
        let request = json!({"metadata": {}, "spec": spec});
        let request: TokenRequest = serde_json::from_value(request).unwrap();
        let accounts: Api<ServiceAccount> =
            Api::namespaced(self.access.admin.clone(), ACCESS_NAMESPACE);
        let name = "catalyst-operator";
        let made = accounts.create_token_request(name, &PostParams::default(), &request).await;
        let mut kubeconfig: Value = serde_yaml::from_str(&self.access.kubeconfig()).unwrap();
        kubeconfig["users"][0]["user"]["token"] = made.unwrap().status.unwrap().token.into();
        self.franchise.keep_kubeconfig("muscat", &kubeconfig.to_string()).await;
    }

    /// Sovereigns, Vouchers and Tenants with nothing the matter.
    async fn live(&self) {
        let franchise = &self.franchise;
        franchise.open().await;
        self.keep_kubeconfig(60 * 24).await;
        franchise.apply(franchise.franchised()).await;
        franchise.until::<Sovereign>("muscat", "Ready=True").await;
        franchise.issue(franchise.voucher("launch")).await;
        franchise.issue(franchise.voucher("abroad").on("muscat")).await;
        franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
        franchise.settle(franchise.tenant_abroad("oryx")).await;
    }

    /// A Tenant on the dark cluster is given up, and the cluster comes back.
    async fn abandon(&self) {
        let (franchise, tenants) = (&self.franchise, self.franchise.api::<Tenant>());
        let uid = franchise.read::<Tenant>("oryx").await.uid();
        let abandon = json!({"metadata": {"annotations": {ABANDON_ANNOTATION: uid}}});
        franchise.merge(&tenants, "oryx", &abandon).await;
        franchise.remove::<Tenant>("oryx").await;
        self.world.start("muscat");
    }

    /// Asks for visits, which fail while there is no database.
    async fn visit(&self) {
        let asked =
            json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": "now"}}});
        for tenant in ["kestrel", "poor"] {
            self.franchise.merge(&self.franchise.api::<Tenant>(), tenant, &asked).await;
        }
    }
}

#[tokio::test]
async fn each_alert_fires_on_its_fault_and_is_silent_before_it() {
    let watched = Watched::new().await;
    let Watched { world, ledger, franchise, .. } = &watched;
    let operator = watched.start(&[]);
    watched.live().await;
    let folder = world.hub().kubeconfig.parent().expect("it is in a folder");
    let prometheus = Prometheus::start(folder, &watched.address);
    let looks = async || !prometheus.query("count_over_time(catalyst_leader[1m]) > 40").is_empty();
    franchise.until_true("Prometheus looks for a while", looks).await;
    assert_eq!(prometheus.fired(), BTreeSet::new());

    franchise.apply(franchise.tenant("poor").plan("l")).await;
    franchise.until::<Tenant>("poor", "Entitled=False CreditShort").await;
    franchise.apply(franchise.voucher("twin").with("code", "LAUNCH")).await;
    franchise.until::<Voucher>("twin", "Ready=False CodeTaken").await;
    for number in 0..=10 {
        franchise.apply(franchise.tenant(&format!("lost{number}")).code("NOWHERE")).await;
    }
    watched.keep_kubeconfig(2).await;
    prometheus.fires(&["CatalystRedemptionsRefused"]).await;
    prometheus.fires(&["CatalystTenantNotReady", "CatalystVoucherNotReady"]).await;
    prometheus.fires(&["CatalystCredentialsExpire", "CatalystCredentialsExpireSoon"]).await;
    assert_eq!(prometheus.fired().len(), 5, "{:?}", prometheus.fired());
    for (title, expression) in queries() {
        let expression = expression.replace("$__rate_interval", WINDOW);
        assert!(!prometheus.query(&expression).is_empty(), "{title} is empty: {expression}");
    }

    world.kill("muscat");
    prometheus.fires(&["CatalystSovereignDisconnected"]).await;
    watched.abandon().await;
    prometheus.fires(&["CatalystTombstonesRemain"]).await;
    // Somebody removes one by force, which nobody charges or sees any more.
    let (lost, bare) = (franchise.api::<Tenant>(), json!({"metadata": {"finalizers": null}}));
    franchise.delete::<Tenant>("lost0").await;
    franchise.merge(&lost, "lost0", &bare).await;
    franchise.gone::<Tenant>("lost0").await;
    prometheus.fires(&["CatalystTenantsWithoutObject"]).await;
    let damage = "set session_replication_role = replica; \
                  update transfer set at = at + interval '1 day' where kind = 'redeem'; \
                  reset session_replication_role";
    ledger.mutate(damage).await;
    prometheus.fires(&["CatalystLedgerViolated", "CatalystMoneyWaits"]).await;
    world.stop("postgres");
    watched.visit().await;
    prometheus.fires(&["CatalystLedgerDown", "CatalystVisitsFail"]).await;
    prometheus.fires(&["CatalystLedgerNotSealed"]).await;
    operator.kill();
    prometheus.fires(&["CatalystNoLeader"]).await;
    world.start("postgres");
    let unsafely = "do $$ begin execute format('alter database %I set synchronous_commit = off', \
                    current_database()); end $$";
    ledger.mutate(unsafely).await;
    let _operator = watched.start(&[("CATALYST_ALLOW_UNSAFE_DURABILITY", "true")]);
    prometheus.fires(&["CatalystUnsafeDurability"]).await;

    let all: BTreeSet<String> =
        alerts().iter().map(|alert| text(&alert["alert"]).to_owned()).collect();
    let mut tried = prometheus.fired();
    tried.extend(MADE_UP.iter().chain(&OF_THE_CHART).map(|name| (*name).to_owned()));
    assert_eq!(tried, all);
}

#[test]
fn each_alert_waits_as_long_as_it_says() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/observe/alerts_test.yaml");
    let written = fs::read_to_string(&cases).expect("it is there");
    for alert in alerts() {
        let name = text(&alert["alert"]);
        assert!(written.contains(&format!("- name: {name}\n")), "{name} has no case");
    }
    let mut promtool = Command::new(programs().join("promtool"));
    let tried = promtool.args(["test", "rules"]).arg(&cases).output().expect("it runs");
    let said = [tried.stdout, tried.stderr].concat();
    assert!(tried.status.success(), "{}", String::from_utf8_lossy(&said));
}
