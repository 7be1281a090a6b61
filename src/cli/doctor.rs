//! Whether an installation can work: what `catalyst-operator doctor` looks at. Reads only.

use serde_json::json;

use super::Scope;
use crate::{
    api,
    cluster::{Cluster, Host},
    controllers::permissions,
    domain::sentence::chain,
    run,
    store::Store,
};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// Which.
    pub what: &'static str,
    /// What was found, or what is wrong and what to do.
    pub found: Result<String, String>,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (sign, text) = match &self.found {
            Ok(text) => ('+', text),
            Err(text) => ('-', text),
        };
        writeln!(formatter, "[{sign}] {}: {text}", self.what)
    }
}

/// Looks at everything; what cannot be looked at because of something else is left out.
pub(super) async fn examine(database_url: &str, scope: Scope) -> Vec<Finding> {
    let mut findings = vec![Finding { what: "database", found: database(database_url).await }];
    let (host, cluster) = match run::hub("doctor").await {
        Ok(hub) => hub,
        Err(why) => {
            findings.push(Finding { what: "cluster", found: Err(chain(&why)) });
            return findings;
        }
    };
    findings.push(Finding { what: "cluster", found: version(&cluster) });
    findings.push(Finding { what: "rights", found: rights(&cluster, &scope).await });
    findings.push(Finding { what: "definitions", found: definitions(&host).await });
    findings.push(Finding { what: "admission", found: admission(&host, &cluster).await });
    findings.push(Finding { what: "a Tenant", found: tenant(&host, &scope.namespace).await });
    findings
}

async fn database(url: &str) -> Result<String, String> {
    let store = Store::new(url, 1).map_err(|why| chain(&why))?;
    let checked = store.check().await;
    store.close().await;
    checked.map_err(|why| chain(&why))?;
    Ok("it serves, keeps what it acknowledges, and the operator may not write it directly".into())
}

fn version(cluster: &Cluster) -> Result<String, String> {
    let version = cluster.version();
    match cluster.outdated() {
        None => Ok(format!("it is Kubernetes {version}")),
        Some(least) => {
            Err(format!("it is Kubernetes {version}; the operator needs {least} or newer"))
        }
    }
}

async fn rights(cluster: &Cluster, scope: &Scope) -> Result<String, String> {
    let own = permissions::own(&scope.namespace, &scope.namespaces);
    match run::denied(&cluster.missing(&own).await.map_err(|why| chain(&why))?) {
        None => Ok(format!("all {} that the operator needs are granted", own.len())),
        Some(denied) => Err(denied),
    }
}

async fn definitions(host: &Host) -> Result<String, String> {
    match run::wrong_definition(host).await {
        None => Ok("all three know every field of this program".to_owned()),
        Some(wrong) => Err(wrong),
    }
}

async fn admission(host: &Host, cluster: &Cluster) -> Result<String, String> {
    let account = cluster.account().await.map_err(|why| chain(&why))?;
    // A person who runs this is judged by none of them.
    let is_a_person = !account.starts_with("system:serviceaccount:");
    for name in permissions::POLICIES {
        let Some(policy) = host.policy(name).await.map_err(|why| chain(&why))? else {
            return Err(format!(
                "the policy {name} is not installed, or not bound: upgrade the chart with \
                 admission.enabled=true"
            ));
        };
        if !is_a_person && !permissions::judges(&policy, &account) {
            return Err(format!(
                "the policy {name} judges another account than {account}, so nothing keeps that \
                 to Tenants: put its name into the condition {}, as the chart does",
                permissions::JUDGED
            ));
        }
    }
    Ok("what is protected cannot be deleted, and the operator keeps to Tenants".to_owned())
}

async fn tenant(host: &Host, namespace: &str) -> Result<String, String> {
    let manifest = json!({
        "metadata": {"name": "doctor", "namespace": namespace},
        "spec": {"sovereignRef": {"name": "doctor"}, "plan": "s"},
    });
    let tenant: api::Tenant = serde_json::from_value(manifest).map_err(|why| chain(&why))?;
    host.try_out(&tenant).await.map_err(|why| chain(&why))?;
    Ok("the API server would take one; it was not kept".to_owned())
}
