//! What may be done to the ledger, at random. An operation names things by small numbers, so that
//! any part of a sequence is a sequence too.

use crate::support::Random;

/// How many of each there are.
pub(super) const ORGANIZATIONS: usize = 3;
pub(super) const CODES: usize = 4;
pub(super) const OBJECTS: usize = 3;
pub(super) const KEYS: usize = 4;
/// Names of plans; the last is never sold.
pub(super) const PLANS: [&str; 5] = ["free", "s", "m", "l", "xl"];
/// What is sold in turn: the price of each plan, and none where it is not on sale.
pub(super) const SALES: [[Option<i64>; 4]; 3] = [
    [Some(0), Some(5_000), Some(9_000), Some(16_000)],
    [Some(0), Some(5_001), None, Some(16_000)],
    [Some(0), Some(5_001), Some(9_007), Some(8_000)],
];
/// What a code is worth.
pub(super) const WORTH: [i64; CODES] = [100_000, 6_007, 6_007, 20_000];

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// Around every limit of time that the ledger knows.
const WAITS: [i64; 10] =
    [1, 299, 2, 20 * HOUR, 72 * HOUR - 1, 73 * HOUR, 7 * DAY - 1, 27 * DAY, 31 * DAY, 38 * DAY];

/// Terms of a voucher on their way to the ledger.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub(super) object: usize,
    pub(super) code: usize,
    pub(super) is_stale: bool,
    pub(super) other_worth: bool,
    pub(super) cap: Option<i64>,
    pub(super) budget: Option<i64>,
    /// From and until how many seconds after the beginning.
    pub(super) from: Option<i64>,
    pub(super) until: Option<i64>,
    pub(super) credit_lasts: Option<i64>,
    pub(super) plans: Option<Vec<usize>>,
    pub(super) new_accounts_only: bool,
    pub(super) state: usize,
}

/// An operation, as a caller would ask for it. `back` counts the orders of an organization or the
/// entries that grant credit from the newest.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Accept(Offer),
    Retire { object: usize },
    Sell { sale: usize },
    Claim { org: usize },
    Leave { org: usize },
    Redeem { org: usize, code: usize, plan: usize, key: usize },
    Order { org: usize, plan: usize },
    Hold { org: usize, back: usize, attempt: i32, codes: Vec<usize>, plan: usize },
    Capture { org: usize, back: usize },
    Release { org: usize, back: usize },
    Credit { org: usize, amount: i64, lasts: Option<i64>, key: usize },
    Reverse { back: usize, key: usize },
    Close { org: usize, key: usize },
    Wait { seconds: i64 },
}

/// A sequence that begins with something to sell and to redeem.
pub(super) fn sequence(random: &mut Random, length: usize) -> Vec<Op> {
    let mut ops: Vec<Op> = (0..ORGANIZATIONS).map(|org| Op::Claim { org }).collect();
    ops.extend((0..2).map(|code| Op::Accept(Offer { state: 0, ..offer(random, code, code) })));
    while ops.len() < length {
        ops.push(op(random));
    }
    ops
}

fn some<T>(random: &mut Random, percent: u64, value: impl FnOnce(&mut Random) -> T) -> Option<T> {
    random.percent(percent).then(|| value(random))
}

fn offer(random: &mut Random, object: usize, code: usize) -> Offer {
    Offer {
        object,
        code,
        is_stale: random.percent(5),
        other_worth: random.percent(4),
        cap: some(random, 40, |random| 1 + random.count::<i64>(3)),
        budget: some(random, 30, |random| 6_007 * (1 + random.count::<i64>(40))),
        from: some(random, 15, |random| WAITS[random.index(WAITS.len())]),
        until: some(random, 15, |random| 40 * WAITS[random.index(WAITS.len())]),
        credit_lasts: some(random, 50, |random| WAITS[3 + random.index(WAITS.len() - 3)]),
        plans: some(random, 20, |random| vec![1 + random.index(2), 3]),
        new_accounts_only: random.percent(15),
        state: [0, 0, 0, 0, 0, 1, 2][random.index(7)],
    }
}

fn op(random: &mut Random) -> Op {
    let org = random.index(ORGANIZATIONS);
    let code = random.index(CODES);
    let plan = [0, 1, 1, 2, 2, 3, 3, 4][random.index(8)];
    let back = [0, 0, 0, 0, 1, 2][random.index(6)];
    let key = random.index(KEYS);
    match random.below(100) {
        0..=9 => {
            let object = random.index(OBJECTS);
            Op::Accept(offer(random, object, code))
        }
        10 | 11 => Op::Retire { object: random.index(OBJECTS) },
        12..=14 => Op::Sell { sale: random.index(SALES.len()) },
        15..=17 => Op::Claim { org },
        18 | 19 => Op::Leave { org },
        20..=35 => Op::Redeem { org, code, plan, key },
        36..=49 => Op::Order { org, plan },
        50..=63 => {
            let codes = (0..random.index(3)).map(|_| random.index(CODES)).collect();
            Op::Hold { org, back, attempt: 1 + random.count::<i32>(3), codes, plan }
        }
        64..=77 => Op::Capture { org, back },
        78..=80 => Op::Release { org, back },
        81..=84 => {
            let amount = [1, 5_000, 5_000, 0][random.index(4)];
            let lasts = some(random, 50, |random| WAITS[random.index(WAITS.len())]);
            Op::Credit { org, amount, lasts, key }
        }
        85..=88 => Op::Reverse { back: random.index(4), key },
        89 => Op::Close { org, key },
        _ => Op::Wait { seconds: WAITS[random.index(WAITS.len())] },
    }
}
