//! Whether an installation can work: what `catalyst-operator doctor` looks at. Reads only.

use serde_json::json;

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

/// The least Kubernetes that has everything the operator uses.
const MINOR_MIN: u32 = 30;

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
pub(super) async fn examine(database_url: &str, namespace: String) -> Vec<Finding> {
    let mut findings = vec![Finding { what: "database", found: database(database_url).await }];
    let (host, cluster) = match run::hub("doctor").await {
        Ok(hub) => hub,
        Err(why) => {
            findings.push(Finding { what: "cluster", found: Err(chain(&why)) });
            return findings;
        }
    };
    findings.push(Finding { what: "cluster", found: version(cluster.version()) });
    // A list of rights is made for a whole process.
    let rights = rights(&cluster, String::leak(namespace.clone())).await;
    findings.push(Finding { what: "rights", found: rights });
    findings.push(Finding { what: "definitions", found: definitions(&host).await });
    findings.push(Finding { what: "admission", found: admission(&host).await });
    findings.push(Finding { what: "a Tenant", found: tenant(&host, &namespace).await });
    findings
}

async fn database(url: &str) -> Result<String, String> {
    let store = Store::new(url, 1).map_err(|why| chain(&why))?;
    let checked = store.check().await;
    store.close().await;
    checked.map_err(|why| chain(&why))?;
    Ok("it serves, keeps what it acknowledges, and the operator may not write it directly".into())
}

/// Kubernetes says `v1.36.3`; others append more.
fn version(version: &str) -> Result<String, String> {
    let minor = version.trim_start_matches("v1.").split(|c: char| !c.is_ascii_digit()).next();
    match minor.and_then(|minor| minor.parse::<u32>().ok()) {
        Some(minor) if minor < MINOR_MIN => {
            Err(format!("it is Kubernetes {version}; the operator needs 1.{MINOR_MIN} or newer"))
        }
        _ => Ok(format!("it is Kubernetes {version}")),
    }
}

async fn rights(cluster: &Cluster, namespace: &'static str) -> Result<String, String> {
    let own = permissions::own(namespace);
    let missing = cluster.missing(&own).await.map_err(|why| chain(&why))?;
    if missing.is_empty() {
        return Ok(format!("all {} that the operator needs are granted", own.len()));
    }
    let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
    Err(format!("not granted: {}; upgrade the chart with rbac.create=true", missing.join(", ")))
}

async fn definitions(host: &Host) -> Result<String, String> {
    match run::wrong_definition(host).await {
        None => Ok("all three know every field of this program".to_owned()),
        Some(wrong) => Err(wrong),
    }
}

async fn admission(host: &Host) -> Result<String, String> {
    for policy in permissions::POLICIES {
        if !host.has_policy(policy).await.map_err(|why| chain(&why))? {
            return Err(format!(
                "the policy {policy} is not installed, so spec.deletionProtection protects \
                 nothing: upgrade the chart with admission.enabled=true"
            ));
        }
    }
    Ok("what is protected cannot be deleted".to_owned())
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
