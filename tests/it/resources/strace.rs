//! What a kubeconfig names is neither run nor read: the kernel is asked.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use catalyst_operator::api::Sovereign;
use serde_json::{Value, json};

use crate::support::{Franchise, Installed, Manifest, database, quiet_world};

/// Kubeconfigs that name a command or a file, each with the name that it is refused under.
fn dangerous(folder: &Path) -> Vec<(String, &'static str)> {
    let canary = |name: &str| {
        let path = folder.join(name);
        fs::write(&path, "#!/bin/sh\necho '{}'\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let with = |cluster: Value, user: Value| {
        json!({
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        })
        .to_string()
    };
    let server = json!({"server": "https://127.0.0.1:1", "certificate-authority-data": "eA=="});
    let user = |field: &str, value: Value| with(server.clone(), json!({field: value}));
    let exec = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "command": canary("canary-exec"),
        "interactiveMode": "Never",
    });
    let provider = json!({"name": "gcp", "config": {"cmd-path": canary("canary-provider")}});
    let mut authority = server.clone();
    authority["certificate-authority-data"] = Value::Null;
    authority["certificate-authority"] = json!(canary("canary-authority"));
    let mut both = server.clone();
    both["certificate-authority"] = json!(canary("canary-both"));
    let token = json!({"token": "t"});
    vec![
        (user("exec", exec), "KubeconfigExec"),
        (user("auth-provider", provider), "KubeconfigAuthProvider"),
        (user("tokenFile", json!(canary("canary-token"))), "KubeconfigTokenFile"),
        (user("client-certificate", json!(canary("canary-client"))), "KubeconfigFilePath"),
        (user("client-key", json!(canary("canary-key"))), "KubeconfigFilePath"),
        (with(authority, token.clone()), "KubeconfigFilePath"),
        (with(both, token), "KubeconfigFilePath"),
    ]
}

/// The calls to the kernel that one program made since it began to run, with an end.
fn calls(trace: &Path) -> Vec<String> {
    let traced = fs::read_to_string(trace).unwrap();
    let lines: Vec<&str> = traced.lines().collect();
    let begins = lines.iter().rposition(|line| line.contains("catalyst-operator\", [")).unwrap();
    lines[begins..].iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn no_command_is_run_and_no_file_is_read_that_a_kubeconfig_names() {
    if Command::new("strace").arg("-V").output().is_err() {
        eprintln!("strace is missing, so the kernel was not asked: run make setup");
        return;
    }
    let world = quiet_world();
    let ledger = database(world).await;
    let installed = Installed::on(world, &ledger).await;
    let franchise = Franchise::found(world, &installed).await;
    let trace = installed.log.with_extension("strace");
    let operator = installed.start_traced(&franchise.alone(), &trace);
    let folder = trace.with_extension("canaries");
    fs::create_dir(&folder).unwrap();
    let mut reasons = vec![];
    for (number, (kubeconfig, reason)) in dangerous(&folder).into_iter().enumerate() {
        let name = format!("trap-{number}");
        franchise.keep_kubeconfig(&name, &kubeconfig).await;
        franchise.apply(Manifest::franchised(&franchise.namespace, &name, &name)).await;
        reasons.push((name, reason));
    }
    for (name, reason) in reasons {
        franchise.until::<Sovereign>(&name, &format!("Ready=False {reason}")).await;
        franchise.visit::<Sovereign>(&name).await;
    }
    operator.kill();

    let calls = calls(&trace);
    // Paths are shown whole, or what follows would prove nothing.
    let known = installed.kubeconfig.to_str().unwrap();
    assert!(calls.iter().any(|call| call.contains(known)), "{calls:#?}");
    let runs: Vec<_> = calls.iter().filter(|call| call.contains("exec")).skip(1).collect();
    assert!(runs.is_empty(), "{runs:#?}");
    let reads: Vec<_> = calls.iter().filter(|call| call.contains("canar")).collect();
    assert!(reads.is_empty(), "{reads:#?}");
}
