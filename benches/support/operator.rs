//! The real program, as the chart would run it: its own account, its own rights, its own user of
//! the database.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    Outcome,
    world::{Cluster, World},
};

/// As whom the API server knows the operator.
pub(crate) const USER: &str = "system:serviceaccount:catalyst-system:catalyst-operator";
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_catalyst-operator");
pub(crate) const NAMESPACE: &str = "catalyst-system";
pub(crate) const NAME: &str = "catalyst-operator";
const DATABASE: &str = "bench";
const STOP_MAX: Duration = Duration::from_secs(25);
const START_MAX: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The command, with every right.
pub(crate) struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    folder: PathBuf,
}

impl Kubectl {
    pub(crate) fn of(world: &World, cluster: &Cluster) -> Self {
        let (kubeconfig, folder) = (cluster.kubeconfig.clone(), world.directory().to_owned());
        Self { program: world.assets.join("kubectl"), kubeconfig, folder }
    }

    pub(crate) fn apply(&self, manifest: &Path) -> Outcome<()> {
        self.run(&["apply", "-f", &manifest.to_string_lossy()]).map(drop)
    }

    pub(crate) fn apply_all(&self, objects: &[Value]) -> Outcome<()> {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        let path = self.folder.join("list.json");
        std::fs::write(&path, list.to_string())?;
        self.apply(&path)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome<String> {
        let mut command = Command::new(&self.program);
        command.arg("--kubeconfig").arg(&self.kubeconfig).args(arguments);
        let output = command.stdin(Stdio::null()).output()?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(format!("kubectl {}: {why}", arguments.join(" ")).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// All that the program needs: definitions, account, rights and a ledger.
pub(crate) struct Installed {
    database: String,
    kubeconfig: PathBuf,
    logs: PathBuf,
}

impl Installed {
    pub(crate) async fn on(world: &World, kubectl: &Kubectl) -> Outcome<Self> {
        let database = prepare_database(world).await?;
        install(world, kubectl)?;
        let kubeconfig = kubeconfig(world, kubectl)?;
        Ok(Self { database, kubeconfig, logs: world.directory().to_owned() })
    }

    /// The same with another database, in which there is nothing.
    pub(crate) fn with_empty_database(&self, name: &str) -> Outcome<Self> {
        let (server, _) = self.database.rsplit_once('/').ok_or("no database in the URL")?;
        let (kubeconfig, logs) = (self.kubeconfig.clone(), self.logs.clone());
        Ok(Self { database: format!("{server}/{name}"), kubeconfig, logs })
    }

    /// Starts a process, which has a log of its own and is told this besides.
    pub(crate) fn start(&self, name: &str, settings: &[(&str, &str)]) -> Outcome<Operator> {
        let path = self.logs.join(format!("{name}.log"));
        let log = File::create(&path)?;
        let child = Command::new(PROGRAM)
            .arg("run")
            .env("DATABASE_URL", &self.database)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("POD_NAMESPACE", NAMESPACE)
            // Every cluster of a bench is on this machine.
            .env("CATALYST_REMOTE_ALLOW_CIDRS", "127.0.0.0/8")
            .env("CATALYST_METRICS_ADDR", "127.0.0.1:0")
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Operator { child, log: path })
    }
}

/// The operator's process.
pub(crate) struct Operator {
    child: Child,
    log: PathBuf,
}

impl Operator {
    /// Installs what the program needs and starts it.
    pub(crate) async fn start(world: &World, kubectl: &Kubectl) -> Outcome<Self> {
        Installed::on(world, kubectl).await?.start("operator", &[])
    }

    /// Waits until the process says that it is ready, as the kubelet asks it.
    pub(crate) async fn await_ready(&self) -> Outcome<()> {
        let log = self.await_logged("serving probes and metrics").await?;
        let (_, rest) = log.split_once("127.0.0.1:").ok_or("it serves nowhere")?;
        let port = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        let (address, until) = (format!("127.0.0.1:{port}"), Instant::now() + START_MAX);
        while !answers_ready(&address).await? {
            if Instant::now() > until {
                return Err(format!("{} does not get ready", self.log.display()).into());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Waits until the log has a text; gives all of the log.
    pub(crate) async fn await_logged(&self, text: &str) -> Outcome<String> {
        let until = Instant::now() + START_MAX;
        loop {
            let log = std::fs::read_to_string(&self.log)?;
            if log.contains(text) {
                return Ok(log);
            }
            if Instant::now() > until {
                return Err(format!("{} never says {text}", self.log.display()).into());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Asks the process to stop and does not wait.
    pub(crate) fn terminate(&self) -> Outcome<()> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        Ok(())
    }

    /// Ends the process as a crash does: it can do nothing about it.
    pub(crate) fn crash(mut self) -> Outcome<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// A line of what the kernel says of the process, in MiB.
    #[allow(clippy::cast_precision_loss, reason = "thousands")]
    pub(crate) fn memory(&self, name: &str) -> Outcome<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with(name)).ok_or("it has ended")?;
        let kib: u64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
        Ok(kib as f64 / 1024.0)
    }

    /// Asks the process to stop, which it does in good order.
    pub(crate) async fn stop(mut self) -> Outcome<()> {
        self.terminate()?;
        let until = Instant::now() + STOP_MAX;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait()? {
                let ended = format!("the operator ended with {status}");
                return if status.success() { Ok(()) } else { Err(ended.into()) };
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("the operator did not stop when it was asked to".into())
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        // It has ended in good order unless the measurement failed.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

async fn answers_ready(address: &str) -> Outcome<bool> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /readyz HTTP/1.0\r\n\r\n").await?;
    let mut answer = vec![];
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).lines().next().is_some_and(|line| line.contains(" 200 ")))
}

/// A ledger, and a user who may only become the application role.
async fn prepare_database(world: &World) -> Outcome<String> {
    let mut admin = PgConnection::connect(&world.database_url("postgres")?).await?;
    admin.execute("create database bench").await?;
    let url = world.database_url(DATABASE)?;
    let migrated = Command::new(PROGRAM).arg("migrate").env("DATABASE_URL", &url).output()?;
    if !migrated.status.success() {
        return Err(String::from_utf8_lossy(&migrated.stderr).into_owned().into());
    }
    let user = "create role operator login noinherit password 'operator' in role catalyst_app";
    admin.execute(user).await?;
    let (_, address) = url.rsplit_once('@').ok_or("no address in the URL")?;
    Ok(format!("postgresql://operator:operator@{address}"))
}

/// The definitions, the account and the chart's rights.
fn install(world: &World, kubectl: &Kubectl) -> Outcome<()> {
    let crds = world.directory().join("crds.yaml");
    std::fs::write(&crds, Command::new(PROGRAM).arg("crds").output()?.stdout)?;
    kubectl.apply(&crds)?;
    let metadata = json!({"name": NAME, "namespace": NAMESPACE});
    kubectl.apply_all(&[
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}),
        binding("ClusterRoleBinding", "ClusterRole", NAME),
        binding("ClusterRoleBinding", "ClusterRole", "catalyst-operator-franchise"),
        binding("RoleBinding", "Role", "catalyst-operator-leader"),
    ])?;
    let roles = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/catalyst-operator/files/roles.yaml");
    kubectl.run(&["apply", "-n", NAMESPACE, "-f", roles])?;
    let established = ["wait", "--for=condition=Established", "--timeout=30s", "crd", "--all"];
    kubectl.run(&established).map(drop)
}

fn binding(kind: &str, role_kind: &str, role: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": role, "namespace": NAMESPACE},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    })
}

/// A kubeconfig with the token of the operator's account in place of the administrator's key.
fn kubeconfig(world: &World, kubectl: &Kubectl) -> Outcome<PathBuf> {
    let token = kubectl.run(&["create", "token", NAME, "-n", NAMESPACE, "--duration=1h"])?;
    let text = std::fs::read_to_string(&world.hub()?.kubeconfig)?;
    let mut kubeconfig: Value = serde_yaml::from_str(&text)?;
    let user = kubeconfig.pointer_mut("/users/0/user").ok_or("the kubeconfig names no user")?;
    *user = json!({"token": token.trim()});
    let path = world.directory().join("operator.kubeconfig");
    std::fs::write(&path, kubeconfig.to_string())?;
    Ok(path)
}
