//! The documents, word for word: every command that they give is run, in their order, as somebody
//! does who copies them.

use std::{fs, path::Path, process::Stdio, time::Duration};

use catalyst_operator::api::{Tenant, Voucher};
use kube::{Api, runtime::wait::await_condition};

use super::site::Site;
use crate::support::{Operator, World, hub_client, tools};

/// The fenced blocks of a language, from a heading on.
fn blocks(document: &str, heading: &str, language: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = fs::read_to_string(path).expect("the document is there");
    let (_, text) = text.split_once(heading).expect("it has that heading");
    let fence = format!("```{language}\n");
    let blocks = text.split(&fence).skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// A terminal in the folder of the repository, of somebody who may do everything.
struct Terminal<'a> {
    site: &'a Site,
    environment: [(&'static str, String); 2],
    operator: Option<Operator>,
}

impl Terminal<'_> {
    /// Runs a block, and what the cluster would run after it.
    async fn run(&mut self, block: &str) -> String {
        let folder = |program: &Path| program.parent().expect("it is in a folder").to_owned();
        let kubectl = folder(&World::program("kubectl"));
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = tokio::process::Command::new("bash");
        command.args(["-euo", "pipefail", "-c", block]).current_dir(env!("CARGO_MANIFEST_DIR"));
        command.env("PATH", format!("{}:{}:{path}", tools().display(), kubectl.display()));
        let kubeconfig = &self.site.world.hub().kubeconfig;
        command.env("KUBECONFIG", kubeconfig).env("HOME", folder(kubeconfig));
        command.envs(self.environment.iter().cloned()).stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::select! {
            output = command.output() => output.expect("bash can be started"),
            () = self.site.run_tests() => unreachable!("it never ends"),
        };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{block}\n{said}");
        if block.contains("helm install") {
            self.operator = Some(self.site.run(&self.site.pod(2).await).await);
        }
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

#[tokio::test]
async fn the_readme_leads_from_helm_install_to_a_redeemed_voucher() {
    let site = Site::bare().await;
    let url = format!("{}?sslmode=disable", site.ledger.url);
    let environment = [("LEDGER_URL", url.clone()), ("MIGRATOR_URL", url)];
    let mut terminal = Terminal { site: &site, environment, operator: None };
    let blocks = blocks("README.md", "## Run it on a cluster", "sh");
    assert!(blocks.iter().any(|block| block.contains("helm install")), "{blocks:?}");
    let mut shown = String::new();
    for block in blocks {
        shown = terminal.run(&block).await;
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
        site.ledger.mutate(&sql).await;
    }
    let (_, server) = site.ledger.url.split_once('@').expect("it names a user");
    let url = format!("postgresql://catalyst_login:...@{server}?sslmode=disable");
    let migrator = format!("{}?sslmode=disable", site.ledger.url);
    let environment = [("LEDGER_URL", url), ("MIGRATOR_URL", migrator)];
    let mut terminal = Terminal { site: &site, environment, operator: None };
    let blocks = blocks("charts/catalyst-operator/README.md", "## Install", "sh");
    for word in ["helm install", "helm test", "helm upgrade", "helm rollback", "helm uninstall"] {
        assert!(blocks.iter().any(|block| block.contains(word)), "{word} is not in {blocks:?}");
    }
    for block in blocks {
        terminal.run(&block).await;
    }
    assert_eq!(site.definitions().await.len(), 3, "an uninstall keeps the definitions");
}
