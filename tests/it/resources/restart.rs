//! Restarts, crashes and two processes at once: the ledger and the cluster say where to go on.

use std::time::Duration;

use catalyst_operator::{
    api::{FRANCHISE_LABEL, MANAGED_BY_LABEL, MANAGER, Tenant},
    store::Error,
};
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, api::ListParams};
use sqlx::{AssertSqlSafe, Executor as _};

use crate::support::{Database, Franchise, Installed, SYSTEM, database, hub_client, quiet_world};

/// A franchise with a ledger of its own, whose operators the test starts.
async fn franchise() -> (Database, Installed, Franchise) {
    let world = quiet_world();
    let ledger = database(world).await;
    let installed = Installed::on(world, &ledger).await;
    let franchise = Franchise::found(world, &installed).await;
    (ledger, installed, franchise)
}

#[tokio::test]
async fn an_operator_that_is_started_again_moves_no_money() {
    let (_ledger, installed, franchise) = franchise().await;
    let first = installed.start(&franchise.alone());
    franchise.open().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    let told = franchise.read::<Tenant>("kestrel").await.status;
    first.kill();

    let second = installed.start(&franchise.alone());
    second.logs("\"acting\"").await;
    let mut again = franchise.visit::<Tenant>("kestrel").await.status.unwrap();
    again.last_handled_reconcile_at = None;
    assert_eq!(Some(again), told);
    assert_eq!(franchise.entries("kestrel").await.len(), 2);
    franchise.assert_sound().await;
}

/// Waits until a statement of the operator waits for a lock.
async fn await_blocked(franchise: &Franchise, ledger: &Database) {
    let blocked = "select exists (select from pg_stat_activity \
                   where datname = current_database() and usename = 'catalyst_login' \
                   and wait_event_type = 'Lock')";
    franchise.until_true("nothing waits for the lock", || ledger.one::<bool>(blocked)).await;
}

#[tokio::test]
async fn a_crash_at_any_moment_loses_nothing_and_charges_nothing_twice() {
    const TENANTS: usize = 10;
    let (ledger, installed, franchise) = franchise().await;
    franchise.apply(franchise.sovereign()).await;
    franchise.apply(franchise.voucher("launch")).await;
    let names: Vec<String> = (0..TENANTS).map(|number| format!("t{number}x")).collect();
    let tenants = names.iter().map(|name| franchise.tenant(name).code("LAUNCH"));
    franchise.apply_all(tenants.collect()).await;
    // Each table is written at another moment: what waits for it is cut off there, and commits
    // when the lock is gone although nobody hears of it.
    for table in ["sovereign", "organization", "orders", "transfer", "inventory", "period"] {
        let mut gate = ledger.admin.begin().await.unwrap();
        let lock = AssertSqlSafe(format!("lock table {table} in exclusive mode"));
        gate.execute(lock).await.unwrap();
        let operator = installed.start(&franchise.alone());
        await_blocked(&franchise, &ledger).await;
        operator.kill();
        gate.rollback().await.unwrap();
    }
    // And some more at moments that nobody chose.
    for pause in [20, 90, 250] {
        let operator = installed.start(&franchise.alone());
        operator.logs("\"acting\"").await;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        operator.kill();
    }

    let _operator = installed.start(&franchise.alone());
    for name in &names {
        franchise.until::<Tenant>(name, "Ready=True").await;
        let paid = [("redeem".to_owned(), 100_000), ("capture".to_owned(), -9_000)];
        assert_eq!(franchise.entries(name).await, paid, "{name}");
    }
    let ours = ListParams::default()
        .labels(&format!("{FRANCHISE_LABEL}={},{MANAGED_BY_LABEL}={MANAGER}", franchise.namespace));
    let homes = franchise.namespaces().list(&ours).await.unwrap();
    assert_eq!(homes.items.len(), TENANTS, "{homes:?}");
    let unknown: i64 = ledger.one("select count(*) from inventory where uid is null").await;
    assert_eq!(unknown, 0, "objects in the inventory have no UID");
    franchise.assert_sound().await;
}

#[tokio::test]
async fn one_process_acts_at_a_time_and_another_takes_over_from_one_that_crashed() {
    let (ledger, installed, franchise) = franchise().await;
    let env = [("CATALYST_NAMESPACES", franchise.namespace.as_str())];
    let first = installed.start(&env);
    first.logs("\"acting\"").await;
    let second = installed.twin().start(&env);
    franchise.open().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;
    assert!(first.answers("/metrics", 200).await.contains("catalyst_leader 1"));
    assert!(second.answers("/metrics", 200).await.contains("catalyst_leader 0"));
    assert!(!second.logged().contains("organization is paid"), "{}", second.logged());
    let epoch = ledger.store.door().current_epoch().await.unwrap();

    first.kill();
    franchise.apply(franchise.tenant("bakkal").code("LAUNCH")).await;
    franchise.woken().until::<Tenant>("bakkal", "Ready=True").await;
    assert!(second.logged().contains("\"acting\""));
    assert!(ledger.store.door().current_epoch().await.unwrap() > epoch);
    // What the first one may still have on its way comes too late.
    let late = ledger.store.door().under(epoch);
    let retired = late.retire(&franchise.namespace, "launch").await;
    assert!(matches!(retired, Err(Error::Fenced)), "{retired:?}");

    // A process that is asked to end gives the Lease back, and nobody waits for it to run out.
    let third = installed.start(&env);
    third.answers("/readyz", 200).await;
    let leases: Api<Lease> = Api::namespaced(hub_client(quiet_world()).await, SYSTEM);
    let holder =
        async || leases.get("catalyst-operator").await.unwrap().spec.unwrap().holder_identity;
    let before = holder().await;
    second.terminate();
    assert!(second.ended().await.success());
    assert_ne!(holder().await, before, "it held the Lease until the end");
    franchise.apply(franchise.tenant("falcon").code("LAUNCH")).await;
    franchise.until::<Tenant>("falcon", "Ready=True").await;
    franchise.assert_sound().await;
}

#[tokio::test]
async fn a_process_that_is_fenced_ends() {
    let (ledger, installed, franchise) = franchise().await;
    let operator = installed.start(&franchise.alone());
    franchise.open().await;
    ledger.store.door().begin_leadership().await.unwrap();
    franchise.apply(franchise.voucher("launch")).await;
    assert!(!operator.ended().await.success());
    assert!(operator.logged().contains("another process leads"), "{}", operator.logged());
    let accepted: i64 = ledger.one("select count(*) from voucher").await;
    assert_eq!(accepted, 0);
}
