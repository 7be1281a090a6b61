//! Logs: one line per thing that happened.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Logs to standard error at the level of `RUST_LOG`, by default what people want to read. On a
/// terminal as text, else as JSON.
pub fn start() {
    let quiet = "info,kube_client=off,kube_runtime=warn,tower=warn,sqlx=warn";
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(quiet));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        logs.with_target(false).init();
    } else {
        logs.json().flatten_event(true).init();
    }
}
