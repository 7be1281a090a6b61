//! What kubectl prints to a person who never saw the code, as files to read: `UPDATE=1` rewrites
//! them.

use std::{env, fs, path::Path, process::Command};

use catalyst_operator::{
    api::{Tenant, Voucher},
    domain::reason,
};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::PostParams;
use regex::Regex;
use serde_json::json;

use crate::support::{Franchise, World, message, shared_franchise};

/// What kubectl prints, without what differs from run to run.
struct Printed<'a> {
    franchise: &'a Franchise,
}

impl Printed<'_> {
    fn kubectl(&self, args: &[&str]) -> String {
        let mut command = Command::new(World::program("kubectl"));
        command.arg("--kubeconfig").arg(&World::shared().hub().kubeconfig);
        command.args(["-n", &self.franchise.namespace]).args(args);
        let output = command.output().expect("there is a kubectl");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.plain(&String::from_utf8_lossy(&output.stdout))
    }

    /// Without numbers of this run, UIDs and times.
    fn plain(&self, text: &str) -> String {
        let mut text = text.replace(&self.franchise.namespace, "omantel");
        let uid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
        for (varies, stands) in [
            (uid, "<uid>"),
            (r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", "<time>"),
            (r"(?m)^(  Resource Version: +)\d+", "${1}<version>"),
        ] {
            let varies = Regex::new(varies).expect("it is an expression");
            text = varies.replace_all(&text, stands).into_owned();
        }
        text.replace(&self.franchise.organization(""), "")
    }

    /// `kubectl describe`, and of the events those that speak of how it is now: which others there
    /// are depends on how fast the machine is.
    fn describe(&self, tenant: &str) -> String {
        let text = self.kubectl(&["describe", "tenant", tenant]);
        let (object, events) = text.split_once("\nEvents:").expect("it has events");
        let reasons: Vec<&str> = object
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Reason:"))
            .map(str::trim)
            .collect();
        let row = |line: &str| {
            let gap = Regex::new(" {2,}").expect("it is an expression");
            let cells: Vec<&str> = gap.splitn(line.trim(), 5).collect();
            let [kind, reason, _age, from, message] = cells[..] else { return None };
            let is_now = reasons.contains(&reason);
            // What Kubernetes adds in brackets comes a moment later.
            let message = message.split(" (").next().unwrap_or_default();
            is_now.then(|| format!("  {kind}  {reason}  <age>  {from}  {message}\n"))
        };
        let mut rows: Vec<String> = events.lines().filter_map(row).collect();
        rows.sort_unstable();
        rows.dedup();
        format!("{object}\nEvents:\n{}", rows.concat())
    }

    /// `kubectl get`, with the ages of nobody.
    fn get(&self) -> String {
        let text = self.kubectl(&["get", "sovereigns,vouchers,tenants"]);
        let age = Regex::new(r"\b(\d+[smh]){1,2}( *)(\n|  )").expect("it is an expression");
        let text = age.replace_all(&text, |found: &regex::Captures<'_>| {
            let width = found[0].trim_end_matches('\n').len();
            let end = if found[0].ends_with('\n') { "\n" } else { "" };
            if end.is_empty() { format!("{:width$}", "1s") } else { format!("1s{end}") }
        });
        text.into_owned()
    }
}

/// Compares what was printed with the file, or writes it.
fn golden(name: &str, printed: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, printed).expect("it can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == printed,
        "{} is stale: read what follows, and run the test with UPDATE=1 if it is well said\n\
         {printed}",
        path.display()
    );
}

#[tokio::test]
async fn a_person_who_never_saw_the_code_reads_what_is_the_matter() {
    let franchise = shared_franchise().await;
    franchise.issue(franchise.voucher("launch").with("maxRedemptions", 50)).await;
    let has_use = |tenant: &Tenant| {
        let status = tenant.status.as_ref();
        status.is_some_and(|status| status.cpu.as_deref() == Some("0/4"))
    };
    let owner = |tenant: &str| franchise.tenant(tenant).code("LAUNCH");
    franchise.settle(owner("healthy").owner("User", "amal@kestrel.example", "Owner")).await;
    franchise.settle(owner("leaving")).await;
    let tenants = franchise.api::<Tenant>();
    for tenant in ["healthy", "leaving"] {
        franchise.until_object(&tenants, tenant, "use is known", has_use).await;
    }
    franchise.apply(franchise.tenant("poor").plan("l").code("LAUNCH")).await;
    franchise.until::<Tenant>("poor", "Entitled=False CreditShort").await;
    franchise.apply(franchise.tenant("stuck").on("muskat").code("LAUNCH")).await;
    franchise.until::<Tenant>("stuck", "Ready=False SovereignNotFound").await;

    let held = json!({"metadata": {"name": "held", "finalizers": ["example.com/backup"]}});
    let held: ConfigMap = serde_json::from_value(held).unwrap();
    let objects = franchise.at_home::<ConfigMap>("leaving");
    objects.create(&PostParams::default(), &held).await.unwrap();
    franchise.delete::<Tenant>("leaving").await;
    let told = |tenant: &Tenant| message(tenant, "Ready").contains("example.com/backup");
    franchise.until_object(&tenants, "leaving", "told what holds it", told).await;
    let counted = |voucher: &Voucher| {
        voucher.status.as_ref().is_some_and(|status| status.redeemed == Some(3))
    };
    franchise.until_object(&franchise.api(), "launch", "3 redeemed", counted).await;

    let printed = Printed { franchise: &franchise };
    let page = reason::page();
    for tenant in ["healthy", "poor", "stuck", "leaving"] {
        let text = printed.describe(tenant);
        let reasons = text.lines().filter_map(|line| line.trim().strip_prefix("Reason:"));
        for reason in reasons.map(str::trim) {
            assert!(page.contains(&format!("`{reason}`")), "{reason} is not in docs/reasons.md");
        }
        golden(&format!("describe-{tenant}.txt"), &text);
    }
    golden("get.txt", &printed.get());

    let free = json!({"metadata": {"finalizers": null}});
    franchise.merge(&objects, "held", &free).await;
    franchise.gone::<Tenant>("leaving").await;
}
