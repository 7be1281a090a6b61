//! The documents, word for word: every command that they give is run, in their order, as somebody
//! does who copies them.

use std::time::Duration;

use catalyst_operator::api::{Tenant, Voucher};
use kube::{Api, runtime::wait::await_condition};

use super::site::Site;
use crate::support::{Operator, Terminal, blocks, commands_of_notes, hub_client};

/// A terminal on a cluster that runs what is installed there.
struct Desk<'a> {
    site: &'a Site,
    terminal: Terminal,
    operator: Option<Operator>,
}

impl<'a> Desk<'a> {
    /// Of somebody who knows where the database is.
    fn new(site: &'a Site, ledger: String, migrator: String) -> Self {
        let terminal = Terminal::on(site.world.hub());
        let terminal = terminal.knowing("LEDGER_URL", ledger).knowing("MIGRATOR_URL", migrator);
        Self { site, terminal, operator: None }
    }

    /// Runs a block, and what the cluster would run after it.
    async fn run(&mut self, block: &str) -> String {
        let shown = tokio::select! {
            shown = self.terminal.run(block) => shown,
            () = self.site.run_tests() => unreachable!("it never ends"),
        };
        if block.contains("helm install") {
            self.operator = Some(self.site.run(&self.site.pod(2).await).await);
        }
        shown
    }
}

#[tokio::test]
async fn the_readme_leads_from_helm_install_to_a_redeemed_voucher() {
    let site = Site::bare().await;
    let url = format!("{}?sslmode=disable", site.ledger.url);
    let mut desk = Desk::new(&site, url.clone(), url);
    let blocks = blocks("README.md", "## Run it on a cluster", "sh");
    assert!(blocks.iter().any(|block| block.contains("helm install")), "{blocks:?}");
    let mut shown = String::new();
    for block in blocks {
        shown = desk.run(&block).await;
    }
    assert!(shown.contains("kestrel-rx") && shown.contains("omantel-launch-100"), "{shown}");
    let client = hub_client(&site.world).await;
    let vouchers: Api<Voucher> = Api::namespaced(client.clone(), "omantel");
    let is_counted = |voucher: Option<&Voucher>| {
        let status = voucher.and_then(|voucher| voucher.status.as_ref());
        status.and_then(|status| status.redeemed) >= Some(1)
    };
    let counted = await_condition(vouchers, "omantel-launch-100", is_counted);
    let counted = tokio::time::timeout(Duration::from_mins(1), counted).await;
    counted.expect("the redemption is counted").expect("it can be watched");
    let tenants: Api<Tenant> = Api::namespaced(client, "omantel");
    let tenant = tenants.get("kestrel-rx").await.expect("it was applied");
    assert!(tenant.status.and_then(|status| status.paid_until).is_some());
}

#[tokio::test]
async fn the_chart_lives_as_its_readme_says() {
    let site = Site::bare().await;
    for sql in blocks("charts/catalyst-operator/README.md", "## Install", "sql") {
        // The database of this test has another name.
        let (_, database) = site.ledger.url.rsplit_once('/').expect("it ends with a database");
        let named = sql.replace("on database catalyst", &format!("on database {database}"));
        assert_ne!(named, sql, "it names its database");
        site.ledger.mutate(&named).await;
    }
    let (_, server) = site.ledger.url.split_once('@').expect("it names a user");
    let url = format!("postgresql://catalyst_login:...@{server}?sslmode=disable");
    let migrator = format!("postgresql://catalyst_migrator:...@{server}?sslmode=disable");
    let mut desk = Desk::new(&site, url, migrator);
    let blocks = blocks("charts/catalyst-operator/README.md", "## Install", "sh");
    for word in ["helm install", "helm test", "helm upgrade", "helm rollback", "helm uninstall"] {
        assert!(blocks.iter().any(|block| block.contains(word)), "{word} is not in {blocks:?}");
    }
    for block in blocks {
        let printed = desk.run(&block).await;
        if block.contains("helm install") {
            desk.run(&commands_of_notes(&printed)).await;
            let ready =
                "kubectl wait --for=condition=Ready --timeout=1m sovereigns --all -n omantel";
            assert!(desk.run(ready).await.contains("catalyst-zero"), "the notes lead to one");
        }
    }
    assert_eq!(site.definitions().await.len(), 3, "an uninstall keeps the definitions");
}
