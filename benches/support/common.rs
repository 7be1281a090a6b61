//! What benches have in common: how they begin, the servers, the program with its rights, and how
//! figures are told.

pub(crate) mod audit;
pub(crate) mod customers;
pub(crate) mod objects;
pub(crate) mod operator;
pub(crate) mod report;
pub(crate) mod world;

use std::error::Error;

pub(crate) type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Which figures are wanted: those with the argument of the command in their name, or all.
pub(crate) struct Only(Option<String>);

impl Only {
    pub(crate) fn asked() -> Self {
        Self(std::env::args().skip(1).find(|argument| !argument.starts_with("--")))
    }

    pub(crate) fn wants(&self, figure: &str) -> bool {
        self.0.as_ref().is_none_or(|part| figure.contains(part))
    }

    pub(crate) fn wants_all(&self) -> bool {
        self.0.is_none()
    }
}

/// Runs a bench, if this is to be one.
pub(crate) fn run(measure: impl AsyncFnOnce() -> Outcome<()>) -> Outcome<()> {
    // `cargo test --all-targets` runs the program, too, and has nothing to measure.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure())
}
