//! The ledger does what a model of it in plain Rust does: random sequences of every operation are
//! played to both, and one that tells them apart is made as short as it can be.

mod correct;
mod ledger;
mod op;
mod pay;
mod run;

use op::Op;
use run::Pair;

use crate::support::{Random, effort};

const LENGTH: usize = 120;

/// The first difference between the two, with the number of the operation after which it shows.
async fn difference(ops: &[Op]) -> Option<(usize, String)> {
    let mut pair = Pair::new().await;
    let mut found = None;
    for (n, op) in ops.iter().enumerate() {
        let (ledger, model) = pair.step(op).await;
        if ledger != model {
            found = Some((n, format!("the ledger says {ledger}, the model {model}")));
            break;
        }
    }
    if found.is_none() {
        let (ledger, model) = (pair.found().await, pair.wanted());
        let differ = ledger.iter().filter(|line| !model.contains(line)).map(|it| format!("+ {it}"));
        let missing =
            model.iter().filter(|line| !ledger.contains(line)).map(|it| format!("- {it}"));
        let lines: Vec<_> = differ.chain(missing).collect();
        found = (!lines.is_empty()).then(|| (ops.len().saturating_sub(1), lines.join("\n")));
    }
    pair.end().await;
    found
}

/// Drops what is not needed to tell the two apart: halves first, single operations last.
async fn shrink(mut ops: Vec<Op>) -> (Vec<Op>, String) {
    let (last, mut what) = difference(&ops).await.expect("it differs");
    ops.truncate(last + 1);
    let mut size = ops.len().div_ceil(2);
    loop {
        let (mut start, before) = (0, ops.len());
        while start < ops.len() {
            let mut fewer = ops.clone();
            fewer.drain(start..(start + size).min(ops.len()));
            match difference(&fewer).await {
                Some((last, still)) if !fewer.is_empty() => {
                    fewer.truncate(last + 1);
                    (ops, what) = (fewer, still);
                }
                _ => start += size,
            }
        }
        if size == 1 && ops.len() == before {
            return (ops, what);
        }
        size = size.div_ceil(2);
    }
}

#[tokio::test]
async fn the_ledger_does_what_its_model_does() {
    let first = effort("SEED", 1);
    for seed in first..first + effort("CASES", 8) {
        let ops = op::sequence(&mut Random::new(seed), LENGTH);
        if difference(&ops).await.is_some() {
            let (ops, what) = shrink(ops).await;
            let ops: Vec<_> = ops.iter().map(|op| format!("{op:?}")).collect();
            panic!("seed {seed}:\n{}\n{what}", ops.join("\n"));
        }
    }
}
