//! The ledger does not serve for a while: nothing is refused, nobody is torn down, and all of it
//! goes on by itself.

use catalyst_operator::api::{Tenant, Voucher};

use crate::support::{Franchise, Installed, World, database, message, quiet_world};

async fn stands(franchise: &Franchise, tenant: &str) -> bool {
    let home = franchise.namespaces().get_opt(&franchise.home(tenant)).await.unwrap();
    home.is_some_and(|home| home.metadata.deletion_timestamp.is_none())
}

#[tokio::test]
async fn an_outage_of_postgresql_refuses_nothing_and_heals_by_itself() {
    let world = World::private(&[]);
    let installed = Installed::on(&world, &database(&world).await).await;
    let operator = installed.start(&[]);
    let franchise = Franchise::found(&world, &installed).await;
    franchise.open().await;
    franchise.issue(franchise.voucher("launch")).await;
    for name in ["kestrel", "bakkal"] {
        franchise.settle(franchise.tenant(name).code("LAUNCH")).await;
    }
    operator.answers("/readyz", 200).await;

    world.stop("postgres");
    let page = operator.answers("/readyz", 503).await;
    assert!(page.contains("[-] ledger: "), "{page}");
    let edit = franchise.tenant("kestrel").code("LAUNCH").owner("User", "amal", "Owner");
    franchise.apply(edit).await;
    let touched = franchise.until::<Tenant>("kestrel", "Entitled=Unknown LedgerUnavailable").await;
    assert!(message(&touched, "Ready").contains("resumes by itself"), "{touched:?}");
    assert!(message(&touched, "NamespacesReady").contains("stand"), "{touched:?}");
    franchise.apply(franchise.tenant("falcon").code("LAUNCH")).await;
    franchise.until::<Tenant>("falcon", "Ready=Unknown LedgerUnavailable").await;
    franchise.apply(franchise.voucher("later")).await;
    franchise.until::<Voucher>("later", "Ready=Unknown LedgerUnavailable").await;
    franchise.delete::<Tenant>("bakkal").await;
    franchise.until::<Tenant>("bakkal", "Ready=Unknown LedgerUnavailable").await;
    assert!(stands(&franchise, "kestrel").await && stands(&franchise, "bakkal").await);

    world.start("postgres");
    operator.answers("/readyz", 200).await;
    franchise.until::<Tenant>("kestrel", "Ready=True").await;
    franchise.until::<Tenant>("falcon", "Ready=True").await;
    franchise.until::<Voucher>("later", "Ready=True").await;
    franchise.gone::<Tenant>("bakkal").await;
    assert_eq!(franchise.entries("kestrel").await.len(), 2);
    franchise.assert_sound().await;
}

#[tokio::test]
async fn an_operator_that_starts_before_its_database_waits_for_it() {
    let world = World::private(&[]);
    let installed = Installed::on(&world, &database(&world).await).await;
    world.stop("postgres");
    let operator = installed.start(&[]);
    operator.answers("/readyz", 503).await;
    operator.answers("/livez", 200).await;
    let franchise = Franchise::found(&world, &installed).await;
    franchise.apply(franchise.sovereign()).await;
    franchise.apply(franchise.voucher("launch")).await;
    franchise.apply(franchise.tenant("kestrel").code("LAUNCH")).await;
    franchise.until::<Tenant>("kestrel", "Ready=Unknown LedgerUnavailable").await;
    franchise.until::<Tenant>("kestrel", "Reconciling=True").await;

    world.start("postgres");
    operator.answers("/readyz", 200).await;
    franchise.until::<Tenant>("kestrel", "Ready=True").await;
    franchise.assert_sound().await;
}

#[tokio::test]
async fn a_program_that_is_too_old_for_its_database_moves_no_money_until_it_may() {
    let world = quiet_world();
    let ledger = database(world).await;
    let installed = Installed::on(world, &ledger).await;
    let franchise = Franchise::found(world, &installed).await;
    let operator = installed.start(&franchise.alone());
    franchise.open().await;
    franchise.issue(franchise.voucher("launch")).await;
    franchise.settle(franchise.tenant("kestrel").code("LAUNCH")).await;

    ledger.mutate("update ledger.program set least_program = 99").await;
    let page = operator.answers("/readyz", 503).await;
    assert!(page.contains("level 99"), "{page}");
    franchise.apply(franchise.tenant("bakkal").code("LAUNCH")).await;
    let bakkal = franchise.until::<Tenant>("bakkal", "Ready=Unknown SchemaUnsupported").await;
    let told = message(&bakkal, "Ready");
    assert!(told.contains("level 99") && told.contains("level 1;"), "{told}");
    let kestrel: Tenant = franchise.visit("kestrel").await;
    assert!(message(&kestrel, "Entitled").contains("level 99"), "{kestrel:?}");
    assert!(stands(&franchise, "kestrel").await);

    ledger.mutate("update ledger.program set least_program = 1").await;
    operator.answers("/readyz", 200).await;
    franchise.woken().until::<Tenant>("bakkal", "Ready=True").await;
    franchise.woken().until::<Tenant>("kestrel", "Ready=True").await;
    franchise.assert_sound().await;
}
