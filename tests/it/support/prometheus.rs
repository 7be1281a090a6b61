//! A real Prometheus with the alerts of the chart, in a hurry.

use std::{
    collections::BTreeSet,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use regex::Regex;
use serde_json::{Value, json};

/// The rules as they are shipped.
pub(crate) const ALERTS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/charts/catalyst-operator/files/alerts.yaml"
));
/// How far back an expression looks here.
pub(crate) const WINDOW: &str = "20s";

/// The folder with prometheus and promtool.
pub(crate) fn programs() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/prometheus");
    let output = Command::new(script).stderr(Stdio::inherit()).output().expect("it runs");
    assert!(output.status.success(), "there is no Prometheus; why is said above");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

/// The alerts for somebody in a hurry: what waits before it fires waits ten seconds, what looks
/// back looks back [`WINDOW`], and a minute of an age is two seconds.
fn hurried() -> String {
    let mut rules = ALERTS.to_owned();
    let window = format!("[{WINDOW}]");
    for (slow, quick) in
        [(r"for: \d+[mh]", "for: 10s"), (r"\[\d+[mhd]\]", &window), (r"\* 60\b", "* 2")]
    {
        let slow = Regex::new(slow).expect("it is an expression");
        assert!(slow.is_match(&rules), "{slow} is in no rule");
        rules = slow.replace_all(&rules, quick).into_owned();
    }
    rules
}

/// Where a server can listen.
pub(crate) fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has one").to_string()
}

/// A Prometheus that ends with the value, or with the test.
pub(crate) struct Prometheus {
    process: Child,
    address: String,
    promtool: PathBuf,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _gone = self.process.kill();
        self.process.wait().expect("it is our child");
    }
}

impl Prometheus {
    /// Looks at an operator every second.
    pub(crate) fn start(folder: &Path, target: &str) -> Self {
        let folder = folder.join("prometheus");
        fs::create_dir_all(&folder).expect("the folder can be made");
        let config = json!({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["alerts.yaml"],
            "scrape_configs": [{
                "job_name": "catalyst-operator", "static_configs": [{"targets": [target]}],
            }],
        });
        fs::write(folder.join("prometheus.yaml"), config.to_string()).expect("it can be written");
        fs::write(folder.join("alerts.yaml"), hurried()).expect("it can be written");
        let (programs, address) = (programs(), free_address());
        let log = fs::File::create(folder.join("log")).expect("it can be written");
        let process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(programs.join("prometheus"))
            .arg(format!("--config.file={}", folder.join("prometheus.yaml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("Prometheus can be started");
        Self { process, address, promtool: programs.join("promtool") }
    }

    /// The series that an expression gives now; none while it starts.
    pub(crate) fn query(&self, expression: &str) -> Vec<Value> {
        let server = format!("http://{}", self.address);
        let output = Command::new(&self.promtool)
            .args(["query", "instant", "--format=json", &server, expression])
            .output()
            .expect("there is a promtool");
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    /// The alerts that fire now, or did in the last minutes.
    pub(crate) fn fired(&self) -> BTreeSet<String> {
        let fired = self.query("max_over_time(ALERTS{alertstate=\"firing\"}[1h])");
        fired
            .iter()
            .map(|series| series["metric"]["alertname"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    pub(crate) async fn fires(&self, names: &[&str]) {
        let wanted: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
        for _ in 0..180 {
            if self.fired().is_superset(&wanted) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        panic!("{wanted:?} do not all fire: {:?}", self.fired());
    }
}
