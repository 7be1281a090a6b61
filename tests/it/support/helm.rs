//! Helm as people use it, and the charts of this repository.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use serde_json::Value;

use super::World;

/// A folder or a program of the tools that a script of `tests/tools` provides.
pub(crate) fn tool(script: &str) -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools").join(script);
    let output = Command::new(&script).stderr(Stdio::inherit()).output();
    let output = output.unwrap_or_else(|why| panic!("{}: {why}", script.display()));
    assert!(output.status.success(), "{} failed; why is said above", script.display());
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

/// The folder with helm, kwok and its stages.
pub(crate) fn tools() -> &'static Path {
    static TOOLS: OnceLock<PathBuf> = OnceLock::new();
    TOOLS.get_or_init(|| tool("assets"))
}

/// A chart of this repository.
pub(crate) fn chart(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Helm on a cluster, or on none where it only renders.
pub(crate) struct Helm {
    kubeconfig: Option<PathBuf>,
    home: PathBuf,
}

impl Helm {
    /// Helm that only renders.
    pub(crate) fn alone() -> Self {
        Self { kubeconfig: None, home: std::env::temp_dir().join("catalyst-helm") }
    }

    /// Helm as the administrator of a cluster.
    pub(crate) fn on(world: &World) -> Self {
        let kubeconfig = world.hub().kubeconfig.clone();
        let home = kubeconfig.with_extension("helm");
        Self { kubeconfig: Some(kubeconfig), home }
    }

    /// Runs a command with these values; gives what it prints, or what it says against it.
    pub(crate) fn run(&self, arguments: &[&str], values: &Value) -> Result<String, String> {
        let Output { status, stdout, stderr } = self.output(arguments, values);
        let said = String::from_utf8_lossy(&stderr).into_owned();
        if !status.success() {
            return Err(said);
        }
        // The API server's warnings come this way, of a pod that a namespace would not take, say.
        // A watch of Helm's own that was cut short is none of them.
        let warns =
            |line: &str| line.to_lowercase().contains("warn") && !line.contains("reflector");
        assert!(!said.lines().any(warns), "helm {arguments:?}: {said}");
        Ok(String::from_utf8_lossy(&stdout).into_owned())
    }

    /// The same where it must work.
    pub(crate) fn must(&self, arguments: &[&str], values: &Value) -> String {
        let done = self.run(arguments, values);
        done.unwrap_or_else(|why| panic!("helm {arguments:?}: {why}"))
    }

    fn output(&self, arguments: &[&str], values: &Value) -> Output {
        let mut command = Command::new(tools().join("helm"));
        // What it keeps, and what it learns of the cluster, is under its home.
        command.env_clear().env("HOME", &self.home).args(arguments);
        if let Some(kubeconfig) = &self.kubeconfig {
            command.arg("--kubeconfig").arg(kubeconfig);
        }
        if !values.is_null() {
            command.args(["--values", "-"]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("helm can be started");
        let mut input = child.stdin.take().expect("it is piped");
        // Helm may end without reading it.
        let _read = input.write_all(values.to_string().as_bytes());
        drop(input);
        child.wait_with_output().expect("helm ends")
    }
}

/// The manifests in what Helm prints.
pub(crate) fn manifests(text: &str) -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(text);
    let read = |document| serde::Deserialize::deserialize(document).expect("it is YAML");
    documents.map(read).filter(|manifest: &Value| !manifest.is_null()).collect()
}
