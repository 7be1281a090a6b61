//! Logs: one line per thing that happened.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object, for machines.
    Json,
}

impl Format {
    /// Text where a person looks on, else JSON.
    #[must_use]
    pub fn of_stderr() -> Self {
        if std::io::stderr().is_terminal() { Self::Text } else { Self::Json }
    }
}

/// Logs to standard error at the level of `RUST_LOG`, by default what people want to read.
pub fn start(format: Format) {
    let quiet = "info,kube_runtime=warn,tower=warn,sqlx=warn".to_owned();
    let mut wanted = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or(quiet);
    // It logs whole answers that it does not understand, which a cluster of others may make large.
    if !wanted.contains("kube_client") {
        wanted.push_str(",kube_client=off");
    }
    let filter = EnvFilter::new(wanted);
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        Format::Text => {
            logs.with_target(false).with_ansi(std::io::stderr().is_terminal()).init();
        }
        Format::Json => logs.json().flatten_event(true).init(),
    }
}
