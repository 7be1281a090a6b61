//! The operator as people run it: the built program in a process of its own, with the rights that
//! the chart gives it and no others, on the cluster and in the database.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    time::Duration,
};

use catalyst_operator::controllers::permissions;
use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::ServiceAccount,
};
use kube::{
    Api, Client,
    api::{DynamicObject, Patch, PatchParams, PostParams},
    core::{ApiResource, GroupVersionKind},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::OnceCell,
};

use super::{Database, World, database, hub_client};

/// Where the chart installs the operator, and where its Lease is.
pub(crate) const SYSTEM: &str = "catalyst-system";
/// Its service account, and its field manager.
pub(crate) const NAME: &str = "catalyst-operator";
/// Its user in the database, which may become the application role and nothing else.
const LOGIN: &str = "catalyst_login";
const ROLES: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/charts/catalyst-operator/files/roles.yaml"));
const LOGS: &str = "info,catalyst_operator=debug,kube_client=off,kube_runtime=warn";

/// What `setpriv` is told, so that what it becomes ends with whoever started it.
pub(super) const ENDS_WITH_ITS_PARENT: [&str; 2] = ["--pdeathsig", "KILL"];
const PROGRAM: &str = env!("CARGO_BIN_EXE_catalyst-operator");
const OPERATOR: [&str; 2] = [PROGRAM, "run"];

/// An operator that can be started, and started again.
#[derive(Clone)]
pub(crate) struct Installed {
    /// Its ledger, as its own user.
    pub(crate) login_url: String,
    /// The database of its ledger, as the superuser.
    pub(crate) database_url: String,
    /// Its credentials on the cluster.
    pub(crate) kubeconfig: PathBuf,
    /// What it logs.
    pub(crate) log: PathBuf,
}

/// A running operator. It ends with the value, or with the test process.
pub(crate) struct Operator {
    process: Mutex<Child>,
    pub(crate) installed: Installed,
    /// Where its part of the log begins.
    begins: u64,
}

impl Operator {
    /// The operator of the shared world, with all defaults. It is never stopped.
    pub(crate) async fn shared() -> &'static Self {
        static SHARED: OnceCell<Operator> = OnceCell::const_new();
        let start = async {
            let world = World::shared();
            Installed::on(world, &database(world).await).await.start(&[])
        };
        SHARED.get_or_init(|| start).await
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(&self) {
        let mut process = self.process.lock().expect("nobody panicked");
        // It may have ended by itself, which is as good.
        let _gone = process.kill();
        process.wait().expect("it is our child");
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.lock().expect("nobody panicked").id()
    }

    /// How it ended by itself, which it must do in time.
    pub(crate) async fn ended(&self) -> ExitStatus {
        for _ in 0..1800 {
            let ended = self.process.lock().expect("nobody panicked").try_wait();
            if let Some(status) = ended.expect("it is our child") {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the operator goes on:\n{}", self.tail());
    }

    /// Asks it to end, as a cluster does that takes a pod away.
    pub(crate) fn terminate(&self) {
        let id = self.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status();
        assert!(asked.expect("there is a kill").success());
    }

    /// Everything that it logged since its start.
    pub(crate) fn logged(&self) -> String {
        let log = fs::read_to_string(&self.installed.log).expect("it has a log");
        log[usize::try_from(self.begins).expect("it is short")..].to_owned()
    }

    fn tail(&self) -> String {
        tail(&self.installed.log, "")
    }

    /// Waits until a line of its log has these words.
    pub(crate) async fn logs(&self, words: &str) {
        for _ in 0..600 {
            if self.logged().contains(words) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the operator does not log {words:?}:\n{}", self.tail());
    }

    /// What it answers to a probe: the code and the page.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address().await).await.expect("it serves");
        let request = format!("GET {path} HTTP/1.0\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers");
        let (head, page) = answer.split_once("\r\n\r\n").expect("it is HTTP");
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        (code.expect("it is HTTP"), page.to_owned())
    }

    /// Waits until it answers a probe with this code.
    pub(crate) async fn answers(&self, path: &str, wanted: u16) -> String {
        let mut last = (0, String::new());
        for _ in 0..900 {
            last = self.get(path).await;
            if last.0 == wanted {
                return last.1;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{path} says {} {}", last.0, last.1);
    }

    /// Where it serves probes and metrics.
    pub(crate) async fn address(&self) -> String {
        self.logs("serving probes and metrics").await;
        let logged = self.logged();
        let (_, rest) = logged.split_once("\"Some(").expect("the address is in that line");
        rest.split_once(')').expect("the address ends").0.to_owned()
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Installed {
    /// What the chart and an administrator of the database make for an operator.
    pub(crate) async fn on(world: &World, ledger: &Database) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let client = hub_client(world).await;
        install(&client).await;
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = world.hub().kubeconfig.parent().expect("it is in a folder");
        let kubeconfig = folder.join(format!("operator-{number}.kubeconfig"));
        write_kubeconfig(&world.hub().kubeconfig, &kubeconfig, &token(&client).await);
        Self {
            login_url: login(ledger).await,
            database_url: ledger.url.clone(),
            kubeconfig,
            log: folder.join(format!("operator-{number}.log")),
        }
    }

    /// Another operator on the same ledger, with a log of its own.
    pub(crate) fn twin(&self) -> Self {
        Self { log: self.log.with_extension("twin.log"), ..self.clone() }
    }

    /// Starts it. Its log goes on where the last one ended.
    pub(crate) fn start(&self, env: &[(&str, &str)]) -> Operator {
        // It becomes the operator, which then ends with the thread that started it.
        let mut command = Command::new("setpriv");
        command.args(ENDS_WITH_ITS_PARENT).args(OPERATOR);
        self.launch(command, env)
    }

    /// Starts the program with arguments of its own.
    pub(crate) fn start_with(&self, arguments: &[String], env: &[(&str, &str)]) -> Operator {
        let mut command = Command::new("setpriv");
        command.args(ENDS_WITH_ITS_PARENT).arg(PROGRAM).args(arguments);
        self.launch(command, env)
    }

    /// Starts it with a look at what it runs and opens, which is written to a file.
    pub(crate) fn start_traced(&self, env: &[(&str, &str)], trace: &Path) -> Operator {
        let mut command = Command::new("setpriv");
        command.args(ENDS_WITH_ITS_PARENT);
        command.args(["strace", "--seccomp-bpf", "-f", "-e"]);
        command.args(["trace=execve,execveat,open,openat,openat2", "-o"]).arg(trace);
        // Who is traced outlives who traces it, unless it is told.
        command.arg("setpriv").args(ENDS_WITH_ITS_PARENT).args(OPERATOR);
        self.launch(command, env)
    }

    fn launch(&self, mut command: Command, env: &[(&str, &str)]) -> Operator {
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.expect("the log can be made");
        let begins = log.metadata().expect("it is a file").len();
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("DATABASE_URL", &self.login_url)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("CATALYST_METRICS_ADDR", "127.0.0.1:0")
            // Franchised clusters are on loopback here, which it would not call otherwise.
            .env("CATALYST_REMOTE_ALLOW_CIDRS", "127.0.0.0/8")
            .env("RUST_LOG", LOGS)
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let process = Mutex::new(launch(command).expect("the operator can be started"));
        Operator { process, installed: self.clone(), begins }
    }
}

/// Starts a process that ends with this one, however it ends: the kernel signals when the thread
/// that started it is gone, so one thread starts all of them and never ends.
pub(super) fn launch(command: Command) -> io::Result<Child> {
    type Order = (Command, mpsc::Sender<io::Result<Child>>);
    static LAUNCHER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let launcher = LAUNCHER.get_or_init(|| {
        let (sender, orders) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in orders {
                // Whoever ordered it waits for the answer.
                let _waits = answer.send(command.spawn());
            }
        });
        sender
    });
    let (sender, answer) = mpsc::channel();
    launcher.send((command, sender)).expect("the launcher never ends");
    answer.recv().expect("the launcher answers")
}

/// The last lines of a log with this word in them.
pub(crate) fn tail(log: &Path, word: &str) -> String {
    const LINES: usize = 30;
    let logged = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = logged.lines().filter(|line| line.contains(word)).collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

/// What the chart installs beside the operator itself: its identity and its rights.
async fn install(client: &Client) {
    apply(
        client,
        &json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM},
        }),
    )
    .await;
    apply(
        client,
        &json!({
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": NAME, "namespace": SYSTEM},
        }),
    )
    .await;
    for document in serde_yaml::Deserializer::from_str(ROLES) {
        let mut role: Value = serde::Deserialize::deserialize(document).expect("it is YAML");
        if role["kind"] == "Role" {
            role["metadata"]["namespace"] = json!(SYSTEM);
        }
        apply(client, &role).await;
    }
    apply(client, &binding("ClusterRole", NAME)).await;
    apply(client, &binding("ClusterRole", "catalyst-operator-franchise")).await;
    // The others would keep what tests delete.
    let policies = permissions::policies().into_iter();
    for policy in policies.filter(|policy| policy["metadata"]["name"] == "catalyst-tenants-only") {
        apply(client, &policy).await;
    }
    apply(client, &binding("Role", "catalyst-operator-leader")).await;
}

fn binding(kind: &str, role: &str) -> Value {
    let mut binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": format!("{kind}Binding"),
        "metadata": {"name": role},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": SYSTEM}],
    });
    if kind == "Role" {
        binding["metadata"]["namespace"] = json!(SYSTEM);
    }
    binding
}

/// Applies a manifest of any kind as Helm does.
pub(crate) async fn apply(client: &Client, manifest: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (version, kind) = (text(&manifest["apiVersion"]), text(&manifest["kind"]));
    let (group, version) = version.split_once('/').unwrap_or(("", &version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &kind));
    let namespace = manifest["metadata"]["namespace"].as_str();
    let api: Api<DynamicObject> = match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    let params = PatchParams::apply("helm").force();
    let name = text(&manifest["metadata"]["name"]);
    let applied = api.patch(&name, &params, &Patch::Apply(manifest)).await;
    applied.unwrap_or_else(|why| panic!("{kind} {name}: {why}"));
}

async fn token(client: &Client) -> String {
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), SYSTEM);
    let request = TokenRequest { spec: TokenRequestSpec::default(), ..TokenRequest::default() };
    let made = accounts.create_token_request(NAME, &PostParams::default(), &request).await;
    made.expect("a token can be had").status.expect("it is in the answer").token
}

/// The administrator's way to the cluster, with another identity.
pub(super) fn write_kubeconfig(admin: &Path, path: &Path, token: &str) {
    let admin = fs::read_to_string(admin).expect("the kubeconfig is there");
    let admin: Value = serde_yaml::from_str(&admin).expect("it is YAML");
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "hub", "cluster": admin["clusters"][0]["cluster"]}],
        "users": [{"name": NAME, "user": {"token": token}}],
        "contexts": [{"name": "hub", "context": {"cluster": "hub", "user": NAME}}],
        "current-context": "hub",
    });
    fs::write(path, kubeconfig.to_string()).expect("the folder can be written");
}

/// The URL of a ledger for a user who owns nothing in it.
async fn login(ledger: &Database) -> String {
    // Roles belong to the whole server, which refuses two changes of one at a time.
    static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _turn = ONE_AT_A_TIME.lock().await;
    let make = format!(
        "do $$ begin create role {LOGIN} login password 'login'; \
         exception when duplicate_object then null; end $$; grant catalyst_app to {LOGIN}"
    );
    ledger.mutate(&make).await;
    let (_, server) = ledger.url.split_once('@').expect("it names a user");
    format!("postgresql://{LOGIN}:login@{server}")
}
