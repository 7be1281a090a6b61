//! Nodes that are not there, and the scheduler: pods are placed and become ready, and run nothing.

use std::{
    fs::File,
    process::{Child, Command, Stdio},
};

use serde_json::json;

use super::{World, helm::tools, hub_client, operator};

/// A node of a cluster, for as long as the value lives.
pub(crate) struct Nodes(Vec<Child>);

impl Nodes {
    /// Gives the hub a node that takes whatever is scheduled to it.
    pub(crate) async fn start(world: &World) -> Self {
        let capacity = json!({"cpu": "64", "memory": "256Gi", "pods": "500"});
        let node = json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": "node-1", "labels": {"topology.kubernetes.io/zone": "a"}},
        });
        let client = hub_client(world).await;
        operator::apply(&client, &node).await;
        let status = json!({"status": {"allocatable": capacity, "capacity": capacity}});
        let nodes: kube::Api<k8s_openapi::api::core::v1::Node> = kube::Api::all(client);
        let params = kube::api::PatchParams::default();
        let patch = kube::api::Patch::Merge(&status);
        nodes.patch_status("node-1", &params, &patch).await.expect("the node is there");
        // Each begins with a taint, which a controller takes away that test clusters do without.
        let patch = kube::api::Patch::Merge(json!({"spec": {"taints": null}}));
        nodes.patch("node-1", &params, &patch).await.expect("the node is there");
        let kubeconfig = world.hub().kubeconfig.to_str().expect("it is text");
        let mut scheduler = vec!["--leader-elect=false".into(), "--secure-port=0".into()];
        for flag in ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"] {
            scheduler.push(format!("--{flag}={kubeconfig}"));
        }
        let mut kwok: Vec<String> = vec![
            format!("--kubeconfig={kubeconfig}"),
            "--manage-all-nodes=true".into(),
            "--server-address=127.0.0.1:0".into(),
        ];
        let stages = std::fs::read_dir(tools().join("stages")).expect("the stages are there");
        for stage in stages.map_while(Result::ok) {
            kwok.push(format!("--config={}", stage.path().display()));
        }
        let start = |program: &std::path::Path, arguments: &[String]| {
            let name = program.file_name().expect("it has a name");
            let log = world.hub().kubeconfig.with_file_name(name).with_extension("log");
            let log = File::create(log).expect("the folder can be written");
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "KILL"]).arg(program).args(arguments);
            command.stdin(Stdio::null()).stdout(log.try_clone().expect("it is open")).stderr(log);
            operator::launch(command).expect("it can be started")
        };
        Self(vec![
            start(&World::program("kube-scheduler"), &scheduler),
            start(&tools().join("kwok"), &kwok),
        ])
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // It may have ended by itself, which a test that waits for pods has seen.
            let _gone = child.kill();
            child.wait().expect("it is our child");
        }
    }
}
