//! The servers of a test run, owned by one supervisor that ends them when its input closes: by
//! whatever way this process goes, nothing of it stays behind.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Mutex, OnceLock},
};

use serde::Deserialize;
use serde_json::Value;

use super::{kubernetes, postgres};

/// A `PostgreSQL` server and some clusters, one of them the hub.
pub(crate) struct World {
    access: Access,
    /// None where the servers were there before us.
    supervisor: Option<Mutex<Supervisor>>,
}

/// Where a cluster is, and how to get in as its administrator.
#[derive(Deserialize)]
pub(crate) struct Cluster {
    /// URL of the API server.
    pub(crate) server: String,
    /// A kubeconfig with every right.
    pub(crate) kubeconfig: PathBuf,
    /// The audit log: one JSON object a line for each write.
    pub(crate) audit: PathBuf,
}

#[derive(Deserialize)]
struct Access {
    postgres: String,
    clusters: BTreeMap<String, Cluster>,
}

/// Where the servers are that `tests/mutants/run` started before this process: a supervisor's line.
const STARTED: &str = "WORLD";

struct Supervisor {
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl World {
    /// The world that all tests of this process share. It is never stopped in part: a test that
    /// wants an outage starts a private one.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<World, String>> = OnceLock::new();
        // A failure is kept too, so that the tests fail one after the other without a new attempt.
        // Many tests hold many connections at once.
        // A database that sets synchronous_commit to on waits after each commit for a standby that
        // there is not, which is where a test can find a backend that has not answered yet.
        let options = [
            "--postgres-setting",
            "max_connections=900",
            "--postgres-setting",
            "synchronous_standby_names=nobody",
            "--postgres-setting",
            "synchronous_commit=local",
        ];
        let world = SHARED.get_or_init(|| match std::env::var(STARTED) {
            Ok(line) => Self::join(&line),
            Err(_) => Self::launch(&options),
        });
        world.as_ref().unwrap_or_else(|why| panic!("there is no world to test in: {why}"))
    }

    /// A cluster that is not the hub, as a franchisee has one: nothing of ours is on it. It starts
    /// when the first test wants it, under a supervisor of its own, so that no other test waits.
    /// It is never stopped either; a private world may have two clusters.
    pub(crate) fn muscat() -> &'static Cluster {
        const NAME: &str = "muscat";
        static MUSCAT: OnceLock<Result<World, String>> = OnceLock::new();
        let world = MUSCAT.get_or_init(|| Self::bare(&["--cluster", NAME]));
        let world = world.as_ref().unwrap_or_else(|why| panic!("there is no {NAME}: {why}"));
        world.cluster(NAME)
    }

    /// A program of those that the servers are.
    pub(crate) fn program(name: &str) -> PathBuf {
        assets().expect("the servers are there").join(name)
    }

    /// A world for one test, with the supervisor's own options; it ends with the value.
    pub(crate) fn private(options: &[&str]) -> Self {
        Self::launch(options).unwrap_or_else(|why| panic!("there is no private world: {why}"))
    }

    /// The same with nothing of ours on it.
    pub(crate) fn untouched(options: &[&str]) -> Self {
        Self::bare(options).unwrap_or_else(|why| panic!("there is no private world: {why}"))
    }

    /// The hub.
    pub(crate) fn hub(&self) -> &Cluster {
        self.cluster("hub")
    }

    /// Another cluster, by the name that the supervisor was given.
    pub(crate) fn cluster(&self, name: &str) -> &Cluster {
        self.access.clusters.get(name).unwrap_or_else(|| panic!("there is no cluster {name}"))
    }

    /// URL of a database on the world's server, as its superuser.
    pub(crate) fn database_url(&self, database: &str) -> String {
        let (server, _) = self.access.postgres.rsplit_once('/').expect("it ends with a database");
        format!("{server}/{database}")
    }

    /// Starts a stopped server again, on the same port and data: `postgres` or a cluster's name.
    pub(crate) fn start(&self, name: &str) {
        self.command(&format!("start {name}"));
    }

    /// Ends a server in good order.
    pub(crate) fn stop(&self, name: &str) {
        self.command(&format!("stop {name}"));
    }

    /// Ends a server as a crash does.
    pub(crate) fn kill(&self, name: &str) {
        self.command(&format!("kill {name}"));
    }

    fn command(&self, command: &str) {
        let supervisor = self.supervisor.as_ref().expect("who shares a world leaves it as it is");
        let mut supervisor = supervisor.lock().expect("no command panicked");
        let answer = supervisor.ask(command).expect("the supervisor lives");
        let done = Value::from(command);
        assert_eq!(answer.get("done"), Some(&done), "the supervisor said {answer}");
    }

    fn launch(options: &[&str]) -> Result<Self, String> {
        Self::bare(options)?.prepare(async |world| {
            let definitions = async {
                if !world.access.clusters.is_empty() {
                    kubernetes::install_definitions(world).await;
                }
            };
            tokio::join!(postgres::make_template(world), definitions);
        })
    }

    /// Servers with nothing on them.
    fn bare(options: &[&str]) -> Result<Self, String> {
        let (supervisor, access) = Supervisor::start(&assets()?, options)
            .map_err(|why| format!("the supervisor did not start its servers: {why}"))?;
        Ok(Self { access, supervisor: Some(Mutex::new(supervisor)) })
    }

    /// A world whose servers are there already, for tests of the ledger alone.
    fn join(access: &str) -> Result<Self, String> {
        let access = serde_json::from_str(access).map_err(|why| format!("{STARTED}: {why}"))?;
        Self { access, supervisor: None }.prepare(postgres::make_template)
    }

    /// Makes what every test takes for granted. The caller has a runtime already, and this work
    /// must not belong to it.
    fn prepare(self, make: impl AsyncFnOnce(&Self) + Send) -> Result<Self, String> {
        let prepare = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be made").block_on(make(&self));
        };
        std::thread::scope(|scope| scope.spawn(prepare).join())
            .map_err(|_panic| "it could not be prepared; why is said above".to_owned())?;
        Ok(self)
    }
}

impl Supervisor {
    fn start(assets: &Path, options: &[&str]) -> std::io::Result<(Self, Access)> {
        let mut child = Command::new(assets.join("supervisor"))
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let commands = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut supervisor = Self { child, commands, answers };
        let access = supervisor.read()?;
        Ok((supervisor, serde_json::from_value(access)?))
    }

    fn ask(&mut self, command: &str) -> std::io::Result<Value> {
        let commands = self.commands.as_mut().expect("it is open until the end");
        writeln!(commands, "{command}")?;
        self.read()
    }

    fn read(&mut self) -> std::io::Result<Value> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.commands.take());
        // It says on standard error what it could not do; a test has no use for it.
        let _ended = self.child.wait();
    }
}

/// The folder with the servers.
fn assets() -> Result<PathBuf, String> {
    built("tests/controlplane/assets")
}

/// The folder with programs, which a script builds at the first use on a machine.
pub(super) fn built(script: &str) -> Result<PathBuf, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
    let output = Command::new(&script)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|why| format!("{} does not run: {why}", script.display()))?;
    if !output.status.success() {
        return Err(format!("{} failed; why is said above", script.display()));
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}
