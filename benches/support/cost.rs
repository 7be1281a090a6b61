//! What each guarantee costs: the rate without it, against the rate with all of them. It is taken
//! away in a copy of the bench's database and nowhere else.

use std::sync::Arc;

use catalyst_operator::store::Store;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use super::{
    Copies, Only, Outcome,
    report::{Spread, record, say},
    rounds::{Shared, Side, Workload},
};

const CALLERS: usize = 256;
const PAIRS: usize = 3;
/// Takes a part of the function that redeems or of the one that judges away.
const WITHOUT: &str = "
    do $do$ declare f text; part text := $part$PART$part$; begin
        f := pg_get_functiondef('ledger.FUNCTION'::regproc);
        if strpos(f, part) = 0 then raise 'FUNCTION has no part %', part; end if;
        execute replace(f, part, $by$BY$by$);
    end $do$;";
const HEAD: &str = "
What a guarantee costs

| figure | rate without it, against all (range) |
|---|---|";
const BATCH: &str = "redeem_batch_v1";

/// A guarantee, the statements that end it, and the parts of functions that ask for it.
struct Guarantee {
    name: &'static str,
    statements: &'static str,
    parts: &'static [(&'static str, &'static str, &'static str)],
}

const GUARANTEES: [Guarantee; 7] = [
    Guarantee {
        name: "parents",
        statements: "drop trigger transfer_parents on ledger.transfer",
        parts: &[],
    },
    Guarantee {
        name: "key",
        statements: "drop index ledger.transfer_key",
        parts: &[("judge", "y.key = q.key", "false")],
    },
    Guarantee {
        name: "claim",
        statements: "drop index ledger.transfer_claim",
        parts: &[("judge", "y.credit = a.account and y.voucher = v.voucher", "false")],
    },
    Guarantee {
        name: "append_only",
        statements: "drop trigger transfer_append_only on ledger.transfer",
        parts: &[],
    },
    Guarantee {
        name: "response",
        statements: "",
        parts: &[(BATCH, "j.key, j.detail, j.voucher", "j.key, '', j.voucher")],
    },
    Guarantee {
        name: "balance",
        statements: "",
        parts: &[
            (BATCH, "and a.account = e.credit", "and a.account = e.credit and false"),
            (BATCH, "if hit <> meant then", "if false then"),
        ],
    },
    Guarantee { name: "outbox", statements: "drop index ledger.transfer_xid", parts: &[] },
];

/// Measures each against a database in which nothing is missing.
pub(crate) async fn measure(copies: &Copies<'_>, connections: u32, only: &Only) -> Outcome<()> {
    let mut told = false;
    for guarantee in GUARANTEES {
        let figure = format!("redeem.cost.{}", guarantee.name);
        if !only.wants(&figure) {
            continue;
        }
        let name = guarantee.name;
        let with = copies.make(&format!("with_{name}")).await?;
        let without = copies.make(&format!("without_{name}")).await?;
        take_away(&without, &guarantee).await?;
        let mut sides = vec![];
        for url in [&with, &without] {
            let store = Store::new(url, connections)?;
            sides.push((Shared::open(url).await?, Arc::new(Side::ours(store.door(), CALLERS))));
        }
        let mut ratios = vec![];
        for _ in 0..=PAIRS {
            let mut rates = [0.0; 2];
            for ((shared, side), rate) in sides.iter_mut().zip(&mut rates) {
                *rate = shared.round(Workload::Hot, side).await?.rate();
            }
            let [with, without] = rates;
            ratios.push(without / with);
        }
        if !std::mem::replace(&mut told, true) {
            say(HEAD)?;
        }
        let ratio = Spread::of(ratios.split_off(1))?;
        record(&figure, ratio)?;
        say(&format!("| {figure} | {} |", ratio.text(2)))?;
    }
    Ok(())
}

async fn take_away(url: &str, guarantee: &Guarantee) -> Outcome<()> {
    let mut admin = PgConnection::connect(url).await?;
    for (function, part, by) in guarantee.parts {
        let without = WITHOUT.replace("FUNCTION", function).replace("PART", part);
        let without = without.replace("BY", by);
        admin.execute(sqlx::raw_sql(AssertSqlSafe(without))).await?;
    }
    admin.execute(guarantee.statements).await?;
    Ok(())
}
