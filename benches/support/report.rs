//! What was measured, for people and for programs.

use std::{fs::OpenOptions, io::Write as _, path::Path};

use serde::Serialize;

use super::Outcome;

/// A figure of several rounds: the one in the middle, the least and the greatest.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) value: f64,
    low: f64,
    high: f64,
}

impl Spread {
    /// A figure that was measured once.
    pub(crate) fn once(value: f64) -> Self {
        Self { value, low: value, high: value }
    }

    pub(crate) fn of(rounds: impl IntoIterator<Item = f64>) -> Outcome<Self> {
        let mut rounds: Vec<f64> = rounds.into_iter().collect();
        rounds.sort_by(f64::total_cmp);
        match (rounds.first(), rounds.get(rounds.len() / 2), rounds.last()) {
            (Some(low), Some(value), Some(high)) => {
                Ok(Self { value: *value, low: *low, high: *high })
            }
            _ => Err("nothing was measured".into()),
        }
    }

    /// Such as `2.41 (2.20 to 2.77)`.
    pub(crate) fn text(self, decimals: usize) -> String {
        let Self { value, low, high } = self;
        format!("{value:.decimals$} ({low:.decimals$} to {high:.decimals$})")
    }
}

/// Writes a figure down for programs: one more line of `target/bench.jsonl`.
pub(crate) fn record(figure: &str, spread: Spread) -> Outcome<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        figure: &'a str,
        #[serde(flatten)]
        spread: Spread,
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("bench.jsonl");
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    writeln!(file, "{}", serde_json::to_string(&Line { figure, spread })?)?;
    Ok(())
}

/// Writes a figure down for programs and prints it for people, as a row of their table.
pub(crate) fn tell(figure: &str, what: &str, spread: Spread) -> Outcome<()> {
    record(figure, spread)?;
    say(&format!("| {figure}: {what} | {} |", spread.text(2)))
}

/// Prints a line for people. They read along while it is measured.
pub(crate) fn say(line: &str) -> Outcome<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
