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

use super::{
    Outcome,
    world::{Cluster, World},
};

/// As whom the API server knows the operator.
pub(crate) const USER: &str = "system:serviceaccount:catalyst-system:catalyst-operator";
const PROGRAM: &str = env!("CARGO_BIN_EXE_catalyst-operator");
pub(crate) const NAMESPACE: &str = "catalyst-system";
pub(crate) const NAME: &str = "catalyst-operator";
const DATABASE: &str = "bench";
const STOP_MAX: Duration = Duration::from_secs(25);

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

/// The operator's process.
pub(crate) struct Operator(Child);

impl Operator {
    /// Installs what the program needs and starts it.
    pub(crate) async fn start(world: &World, kubectl: &Kubectl) -> Outcome<Self> {
        let database = prepare_database(world).await?;
        install(world, kubectl)?;
        let kubeconfig = kubeconfig(world, kubectl)?;
        let log = File::create(world.directory().join("operator.log"))?;
        let child = Command::new(PROGRAM)
            .arg("run")
            .env("DATABASE_URL", database)
            .env("KUBECONFIG", kubeconfig)
            .env("POD_NAMESPACE", NAMESPACE)
            // Every cluster of a bench is on this machine.
            .env("CATALYST_REMOTE_ALLOW_CIDRS", "127.0.0.0/8")
            .env("CATALYST_METRICS_ADDR", "127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Self(child))
    }

    /// A line of what the kernel says of the process, in MiB.
    #[allow(clippy::cast_precision_loss, reason = "thousands")]
    pub(crate) fn memory(&self, name: &str) -> Outcome<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find(|line| line.starts_with(name)).ok_or("it has ended")?;
        let kib: u64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
        Ok(kib as f64 / 1024.0)
    }

    /// Asks the process to stop, which it does in good order.
    pub(crate) async fn stop(mut self) -> Outcome<()> {
        Command::new("kill").arg(self.0.id().to_string()).status()?;
        let until = Instant::now() + STOP_MAX;
        while Instant::now() < until {
            if let Some(status) = self.0.try_wait()? {
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
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
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
