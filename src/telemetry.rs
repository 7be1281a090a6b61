//! Logs: one line per thing that happened.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Logs to standard error at the level of `RUST_LOG`, by default what people want to read. On a
/// terminal as text, else as JSON.
pub fn start() {
    let quiet = "info,kube_runtime=warn,tower=warn,sqlx=warn".to_owned();
    let mut wanted = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or(quiet);
    // It logs whole answers that it does not understand, which a cluster of others may make large.
    if !wanted.contains("kube_client") {
        wanted.push_str(",kube_client=off");
    }
    let filter = EnvFilter::new(wanted);
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        logs.with_target(false).init();
    } else {
        logs.json().flatten_event(true).init();
    }
}
