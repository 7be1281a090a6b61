//! The life of a Tenant under an operator that may be killed once, and what there is at its end.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use catalyst_operator::{
    api::{MANAGED_BY_LABEL, MANAGER, Sovereign, Tenant, Voucher},
    cluster,
    domain::object::Kind,
};
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, ResourceExt as _,
    api::{DynamicObject, ListParams},
};
use serde_json::Value;

use crate::support::{
    Cluster, Database, Franchise, HttpRelay, Installed, Manifest, Operator, Plan, PostgresRelay,
    Recorder, client, database, quiet_world,
};

/// Hands a kubeconfig over to the operator of a franchise.
pub(super) type HandOver = for<'a> fn(&'a Franchise, String) -> BoxFuture<'a, ()>;

/// A Sovereign, and where its Tenants live.
pub(super) struct Place {
    pub(super) cluster: &'static Cluster,
    /// Its manifest in a franchise.
    pub(super) sovereign: fn(&Franchise) -> Manifest,
    /// Where the cluster is not the hub: the token for it, and what is done with the kubeconfig
    /// that leads to it through a relay of its own.
    pub(super) elsewhere: Option<(String, HandOver)>,
}

/// What there is at the end, in words that are the same in every franchise.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct End {
    /// The organization's account, when the Tenant was ready and when it was gone.
    entries: [Vec<(String, i64)>; 2],
    credit: Option<String>,
    /// What stood.
    objects: Vec<String>,
    /// What was ever made.
    made: Vec<String>,
    /// Rows of the inventory, Tenants that are awake, and money that is held, when it was gone.
    left: (i64, i64, i64),
}

/// How a life went.
pub(super) struct Run {
    pub(super) writes: Vec<String>,
    pub(super) is_struck: bool,
    pub(super) end: End,
}

/// The ledger of a group of lives, and where their Tenants live.
pub(super) struct Group {
    place: Place,
    ledger: Database,
    installed: Installed,
    home: Client,
}

/// An operator that can be killed from elsewhere, and started again.
#[derive(Clone)]
struct Process {
    installed: Installed,
    env: Vec<(&'static str, String)>,
    running: Arc<Mutex<Option<Operator>>>,
}

impl Process {
    fn start(&self) {
        let env: Vec<(&str, &str)> =
            self.env.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut running = self.running.lock().expect("nobody panicked");
        *running = Some(self.installed.start(&env));
    }

    fn kill(&self) {
        drop(self.running.lock().expect("nobody panicked").take());
    }
}

/// A franchise in which one life is lived, behind relays of its own.
struct Stage<'a> {
    group: &'a Group,
    franchise: Franchise,
    process: Process,
    recorder: Arc<Recorder>,
    _relays: (Vec<HttpRelay>, PostgresRelay),
}

impl Group {
    pub(super) async fn new(place: Place) -> Self {
        let world = quiet_world();
        let ledger = database(world).await;
        let installed = Installed::on(world, &ledger).await;
        let home = client(place.cluster).await;
        Self { place, ledger, installed, home }
    }

    /// One life, with a crash if there is a plan. Tells how many writes there were when the Tenant
    /// was ready.
    pub(super) async fn run(&self, plan: Option<Plan>, settled: impl Fn(usize)) -> Run {
        let stage = self.stage().await;
        if let Some(plan) = plan {
            let process = stage.process.clone();
            stage.recorder.plan(plan, move || process.kill());
        }
        stage.process.start();
        let revive = async {
            stage.recorder.struck().await;
            stage.process.start();
            std::future::pending().await
        };
        let (writes, end) = tokio::select! {
            lived = stage.lived(settled) => lived,
            never = revive => match never {},
        };
        let is_struck = stage.recorder.is_struck();
        Run { writes, is_struck, end }
    }

    async fn stage(&self) -> Stage<'_> {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let recorder = Recorder::new();
        let hub = HttpRelay::plain(quiet_world().hub(), &recorder).await;
        let postgres = PostgresRelay::new(&self.installed.login_url, &recorder);
        let mut installed = self.installed.clone();
        let folder = installed.log.parent().expect("it is in a folder");
        let (number, folder) = (COUNT.fetch_add(1, Ordering::Relaxed), folder.to_owned());
        installed.log = folder.join(format!("life-{number}.log"));
        installed.kubeconfig = folder.join(format!("life-{number}.kubeconfig"));
        let kubeconfig = hub.kubeconfig(&token(&self.installed));
        fs::write(&installed.kubeconfig, kubeconfig).expect("the folder can be written");
        let franchise = Franchise::found(quiet_world(), &installed).await;
        let mut ways = vec![hub];
        if let Some((token, hand_over)) = &self.place.elsewhere {
            let way = HttpRelay::tls(self.place.cluster, &recorder).await;
            hand_over(&franchise, way.kubeconfig(token)).await;
            ways.push(way);
        }
        let process = Process {
            env: vec![
                ("DATABASE_URL", postgres.url(&self.installed.login_url)),
                ("CATALYST_NAMESPACES", franchise.namespace.clone()),
                ("CATALYST_LEADER_ELECT", "false".to_owned()),
            ],
            installed,
            running: Arc::default(),
        };
        Stage { group: self, franchise, process, recorder, _relays: (ways, postgres) }
    }
}

/// The token of an operator.
pub(super) fn token(installed: &Installed) -> String {
    let kubeconfig = fs::read_to_string(&installed.kubeconfig).expect("it is there");
    let kubeconfig: Value = serde_yaml::from_str(&kubeconfig).expect("it is YAML");
    kubeconfig["users"][0]["user"]["token"].as_str().expect("it has one").to_owned()
}

impl Stage<'_> {
    /// The writes of a life and its end, where whoever runs then finds nothing more to do.
    async fn lived(&self, settled: impl Fn(usize)) -> (Vec<String>, End) {
        let end = self.live(settled).await;
        let writes = self.said(self.recorder.writes());
        // A plan for the last write may still be on its way.
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.franchise.visit::<Sovereign>("catalyst-zero").await;
        assert_eq!(self.left().await, end.left, "somebody went on");
        (writes, end)
    }

    /// From nothing to ready, and back. Each step waits for what it says elsewhere, too, so that
    /// every run makes the same writes.
    async fn live(&self, settled: impl Fn(usize)) -> End {
        let franchise = &self.franchise;
        franchise.apply((self.group.place.sovereign)(franchise)).await;
        franchise.until::<Sovereign>("catalyst-zero", "Ready=True").await;
        franchise.issue(franchise.voucher("launch")).await;
        let tenant = franchise.tenant("kestrel").code("LAUNCH").owner("User", "amal", "Owner");
        let tenant = franchise.settle(tenant).await;
        self.counted(1).await;
        settled(self.recorder.writes().len());
        let (ready, objects) = (franchise.entries("kestrel").await, self.objects().await);
        franchise.remove::<Tenant>("kestrel").await;
        self.counted(0).await;
        let violations = self.group.ledger.store.verify().await.expect("the ledger serves");
        assert!(violations.is_empty(), "{violations:?}");
        let mut made = Franchise::made(self.group.place.cluster, &franchise.home("kestrel"));
        made.sort();
        End {
            entries: [ready, franchise.entries("kestrel").await],
            credit: tenant.status.and_then(|status| status.credit),
            objects: self.said(objects),
            made: self.said(made),
            left: self.left().await,
        }
    }

    /// Until Sovereign and Voucher have heard of it.
    async fn counted(&self, tenants: i64) {
        let franchise = &self.franchise;
        let has = |found: &Sovereign| {
            found.status.as_ref().and_then(|status| status.tenants) == Some(tenants)
        };
        let (sovereigns, vouchers) = (franchise.api(), franchise.api());
        franchise.until_object(&sovereigns, "catalyst-zero", "counting Tenants", has).await;
        let redeemed =
            |found: &Voucher| found.status.as_ref().and_then(|status| status.redeemed) == Some(1);
        franchise.until_object(&vouchers, "launch", "redeemed", redeemed).await;
    }

    /// What stands of the Tenant: just what the inventory says, by UID.
    async fn objects(&self) -> Vec<String> {
        let home = self.franchise.home("kestrel");
        let ours = ListParams::default().labels(&format!("{MANAGED_BY_LABEL}={MANAGER}"));
        let mut found = BTreeSet::new();
        for kind in Kind::ALL {
            let (client, resource) = (self.group.home.clone(), cluster::resource(kind));
            let is_home = kind == Kind::Namespace;
            let api: Api<DynamicObject> = if is_home {
                Api::all_with(client, &resource)
            } else {
                Api::namespaced_with(client, &home, &resource)
            };
            let list = api.list(&ours).await.expect("the cluster serves").items;
            let list = list.into_iter().filter(|object| !is_home || object.name_any() == home);
            let name = |object: &DynamicObject| format!("{} {}", kind.name(), object.name_any());
            found.extend(list.map(|object| (name(&object), object.uid().unwrap_or_default())));
        }
        let rows = format!(
            "select coalesce(json_object_agg(kind || ' ' || name, uid), '{{}}') from inventory \
             where organization = '{}'",
            self.franchise.organization("kestrel")
        );
        let rows: sqlx::types::Json<BTreeMap<String, Option<String>>> =
            self.group.ledger.one(&rows).await;
        let written = rows.0.into_iter().map(|(name, uid)| (name, uid.unwrap_or_default()));
        assert_eq!(found, written.collect(), "the inventory is not what stands");
        found.into_iter().map(|(name, _)| name).collect()
    }

    /// Rows of the inventory, Tenants that are awake, and what is held.
    async fn left(&self) -> (i64, i64, i64) {
        let organization = self.franchise.organization("kestrel");
        let home = Api::<Namespace>::all(self.group.home.clone());
        let stands = home.get_opt(&self.franchise.home("kestrel")).await.expect("it serves");
        assert!(stands.is_none(), "{stands:?}");
        let count = async |what: &str| {
            let count = format!("select {what} = '{organization}'");
            self.group.ledger.one::<i64>(&count).await
        };
        (
            count("count(*) from inventory where organization").await,
            count("count(tenant) from organization where organization").await,
            count("coalesce(sum(held), 0)::bigint from account where organization").await,
        )
    }

    /// Without the names of this franchise.
    fn said(&self, mut words: Vec<String>) -> Vec<String> {
        let organization = self.franchise.organization("kestrel");
        for word in &mut words {
            *word = word.replace(&self.franchise.namespace, "FRANCHISE");
            *word = word.replace(&organization, "ORGANIZATION");
        }
        words
    }
}
