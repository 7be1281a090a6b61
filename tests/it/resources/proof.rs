//! The proof of the ledger as people meet it: a database that went back, or a row that somebody
//! changed, stops the money of its franchise until a person decides.

use std::{fs, time::Duration};

use catalyst_operator::api::{Sovereign, Tenant};
use k8s_openapi::api::{core::v1::ConfigMap, events::v1::Event};
use kube::{
    Api,
    api::{DeleteParams, ListParams},
};

use crate::support::{
    Database, Franchise, Installed, Operator, SYSTEM, copy, database, message, quiet_world,
};

/// A franchise with a ledger of its own, whose operators the test starts.
async fn franchise() -> (Database, Installed, Franchise) {
    let world = quiet_world();
    let ledger = database(world).await;
    let installed = Installed::on(world, &ledger).await;
    let franchise = Franchise::found(world, &installed).await;
    (ledger, installed, franchise)
}

impl Franchise {
    fn anchors(&self) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), SYSTEM)
    }

    fn anchor_name(&self) -> String {
        format!("catalyst-ledger-{}", self.namespace)
    }

    /// Waits until so many entries are sealed and the last block is anchored.
    async fn anchored(&self, entries: &str) -> ConfigMap {
        let is_so = |anchor: &ConfigMap| {
            anchor.data.as_ref().is_some_and(|data| data["entries"] == entries)
        };
        let wanted = format!("anchored with {entries} entries");
        self.until_object(&self.anchors(), &self.anchor_name(), &wanted, is_so).await
    }

    /// A tenant that redeems a voucher and pays for a period: two entries.
    async fn buy(&self, name: &str) {
        self.settle(self.tenant(name).code("LAUNCH")).await;
    }
}

async fn says(operator: &Operator, metric: &str) {
    for _ in 0..1200 {
        if operator.answers("/metrics", 200).await.contains(metric) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no {metric} in {}", operator.answers("/metrics", 200).await);
}

#[tokio::test]
async fn a_database_that_went_back_is_noticed_at_start_and_waits_for_a_person() {
    let (ledger, installed, franchise) = franchise().await;
    let operator = installed.start(&franchise.alone());
    franchise.open().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.buy("kestrel").await;
    franchise.anchored("2").await;
    operator.kill();
    let backup = copy(quiet_world(), &ledger).await;
    let operator = installed.start(&franchise.alone());
    franchise.buy("bakkal").await;
    let anchor = franchise.anchored("4").await.data.unwrap();
    operator.kill();

    let restored = Installed::on(quiet_world(), &backup).await;
    let operator = restored.start(&franchise.alone());
    franchise.apply(franchise.tenant("falcon").code("LAUNCH")).await;
    let falcon = franchise.until::<Tenant>("falcon", "Ready=Unknown LedgerFrozen").await;
    let told = message(&falcon, "Ready");
    let block = format!("block {} ({})", anchor["block"], &anchor["hash"][..12]);
    assert!(told.contains("went back in time") && told.contains(&block), "{told}");
    franchise.until::<Sovereign>("catalyst-zero", "Ready=Unknown LedgerFrozen").await;
    let frozen = format!("catalyst_frozen{{franchise=\"{}\"}}", franchise.namespace);
    says(&operator, &format!("{frozen} 1")).await;
    let events: Api<Event> = Api::namespaced(franchise.client.clone(), &franchise.namespace);
    franchise
        .until_true("an event tells of it", async || {
            let told = events.list(&ListParams::default()).await.unwrap();
            told.items.iter().any(|event| {
                event.reason.as_deref() == Some("LedgerFrozen")
                    && event.regarding.as_ref().unwrap().kind.as_deref() == Some("Sovereign")
            })
        })
        .await;
    assert_eq!(backup.one::<i64>("select count(*) from transfer").await, 2);
    assert_eq!(franchise.anchored("4").await.data.unwrap(), anchor);

    // What a person decided holds from then on, also for a process that starts later.
    backup.store.door().thaw(&franchise.namespace, "restored", "amal").await.unwrap();
    for name in ["falcon", "kestrel"] {
        franchise.until::<Tenant>(name, "Ready=True").await;
    }
    // What the ledger forgot it made is a stranger's now; only its voucher is redeemed again.
    franchise.until::<Tenant>("bakkal", "Stalled=True NamespaceConflict").await;
    let anchor = franchise.anchored("5").await.data.unwrap();
    let hash = "select encode(hash, 'hex') from block order by block desc limit 1";
    assert_eq!(anchor["hash"], backup.one::<String>(hash).await);
    says(&operator, &format!("{frozen} 0")).await;
    operator.kill();
    let operator = restored.start(&franchise.alone());
    franchise.buy("gulf").await;
    says(&operator, &format!("{frozen} 0")).await;
}

#[tokio::test]
async fn another_database_is_not_taken_for_the_ledger_that_was_anchored() {
    let (_ledger, installed, franchise) = franchise().await;
    let operator = installed.start(&franchise.alone());
    franchise.open().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.buy("kestrel").await;
    franchise.anchored("2").await;
    operator.kill();

    let empty = database(quiet_world()).await;
    let _operator = Installed::on(quiet_world(), &empty).await.start(&franchise.alone());
    franchise.apply(franchise.tenant("falcon").code("LAUNCH")).await;
    franchise.until::<Tenant>("falcon", "Ready=Unknown LedgerFrozen").await;
    assert_eq!(empty.one::<i64>("select count(*) from sovereign").await, 0);
}

#[tokio::test]
async fn a_row_that_was_edited_is_named_and_stops_the_money_of_its_franchise() {
    let (ledger, installed, franchise) = franchise().await;
    let [serves, alone] = franchise.alone();
    let operator = installed.start(&[serves, alone, ("CATALYST_AUDIT_EVERY", "1")]);
    franchise.open().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.buy("kestrel").await;
    franchise.anchored("2").await;
    says(&operator, "catalyst_ledger_violations 0").await;
    let damage = "set session_replication_role = replica; \
                  update transfer set at = at + interval '1 day' where kind = 'redeem'; \
                  reset session_replication_role";
    ledger.mutate(damage).await;
    says(&operator, "catalyst_ledger_violations 1").await;
    let kestrel = franchise.until::<Tenant>("kestrel", "Ready=Unknown LedgerFrozen").await;
    let told = message(&kestrel, "Ready");
    assert!(told.contains("transfer 1 of block") && told.contains("was edited"), "{told}");
    says(&operator, &format!("catalyst_frozen{{franchise=\"{}\"}} 1", franchise.namespace)).await;

    // The row stays what it is; nothing stops for it a second time.
    ledger.store.door().thaw(&franchise.namespace, "it is known", "amal").await.unwrap();
    franchise.until::<Tenant>("kestrel", "Ready=True").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    franchise.buy("bakkal").await;
}

#[tokio::test]
async fn an_anchor_is_written_when_the_ledger_moves_and_left_alone_when_not() {
    let (_ledger, installed, franchise) = franchise().await;
    let _operator = installed.start(&franchise.alone());
    franchise.open().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.buy("kestrel").await;
    franchise.anchored("2").await;
    let name = format!("\"{}\"", franchise.anchor_name());
    let writes = || {
        let log = fs::read_to_string(&quiet_world().hub().audit).unwrap();
        log.lines().filter(|line| line.contains(&name)).count()
    };
    // A write is seen a moment before it is in the log.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = writes();
    assert!((1..=2).contains(&before), "{before}");
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(writes(), before);

    // One that a person deleted is written again with the next block.
    let (anchors, name) = (franchise.anchors(), franchise.anchor_name());
    anchors.delete(&name, &DeleteParams::default()).await.unwrap();
    franchise.buy("bakkal").await;
    franchise.anchored("4").await;
}

#[tokio::test]
async fn while_the_anchors_cannot_be_read_nothing_acts() {
    let (ledger, installed, franchise) = franchise().await;
    let [serves, alone] = franchise.alone();
    // Where it has no rights.
    let operator = installed.start(&[serves, alone, ("POD_NAMESPACE", "default")]);
    franchise.apply(franchise.sovereign()).await;
    franchise.apply(franchise.voucher("launch")).await;
    franchise.apply(franchise.tenant("kestrel").code("LAUNCH")).await;
    let kestrel = franchise.until::<Tenant>("kestrel", "Ready=Unknown").await;
    let told = message(&kestrel, "Ready");
    assert!(told.contains("cannot get ConfigMap default/catalyst-ledger-"), "{told}");
    assert_eq!(ledger.one::<i64>("select count(*) from franchise").await, 0);
    operator.kill();
    let _operator = installed.start(&franchise.alone());
    franchise.until::<Tenant>("kestrel", "Ready=True").await;
}
