//! The servers that are measured: the same that the tests use, owned by one supervisor that ends
//! them when its input closes.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde::Deserialize;
use serde_json::Value;

use super::Outcome;

/// A `PostgreSQL` server with fsync on, and the clusters that are asked for: the hub if none are.
pub(crate) struct World {
    /// The folder with the servers' programs, kubectl among them.
    pub(crate) assets: PathBuf,
    access: Access,
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

#[derive(Deserialize)]
struct Access {
    directory: PathBuf,
    postgres: String,
    clusters: BTreeMap<String, Cluster>,
}

/// Where a cluster is.
#[derive(Deserialize)]
pub(crate) struct Cluster {
    /// A kubeconfig with every right.
    pub(crate) kubeconfig: PathBuf,
    /// One JSON object a line for each request that is recorded.
    pub(crate) audit: PathBuf,
}

impl World {
    pub(crate) fn start(options: &[&str]) -> Outcome<Self> {
        let assets = assets()?;
        let mut child = Command::new(assets.join("supervisor"))
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let commands = child.stdin.take();
        let mut answers = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let access = serde_json::from_str(&line)?;
        Ok(Self { assets, access, child, commands, answers })
    }

    /// A folder that goes with the world.
    pub(crate) fn directory(&self) -> &Path {
        &self.access.directory
    }

    pub(crate) fn hub(&self) -> Outcome<&Cluster> {
        self.cluster("hub")
    }

    pub(crate) fn cluster(&self, name: &str) -> Outcome<&Cluster> {
        Ok(self.access.clusters.get(name).ok_or_else(|| format!("there is no {name}"))?)
    }

    /// URL of a database, as the superuser.
    pub(crate) fn database_url(&self, database: &str) -> Outcome<String> {
        let (server, _) = self.access.postgres.rsplit_once('/').ok_or("no database in the URL")?;
        Ok(format!("{server}/{database}"))
    }

    /// Ends a server that would only disturb what is measured.
    pub(crate) fn stop(&mut self, name: &str) -> Outcome<()> {
        let command = format!("stop {name}");
        writeln!(self.commands.as_mut().ok_or("the world has ended")?, "{command}")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let answer: Value = serde_json::from_str(&line)?;
        let done = answer.get("done").and_then(Value::as_str) == Some(&command);
        if done { Ok(()) } else { Err(format!("the supervisor said {answer}").into()) }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.commands.take());
        // It says on standard error what it could not do.
        let _ended = self.child.wait();
    }
}

/// The folder with the servers, which the script builds at the first use on a machine.
fn assets() -> Outcome<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/controlplane/assets");
    let output = Command::new(script).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err("the servers could not be built; why is said above".into());
    }
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
}
