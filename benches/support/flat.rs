//! Whether redemption stays as fast when much has happened: the same rounds in a ledger that was
//! begun just now and in one with a long history.

use std::{sync::Arc, time::Instant};

use catalyst_operator::store::Store;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::{
    Copies, Only, Outcome,
    report::{Spread, record, say},
    rounds::{Shared, Side, Workload},
    verify,
};

const CALLERS: usize = 32;
const PAIRS: usize = 5;
/// How many transfers there are, unless `FLAT` says it; a tenth of them are redemptions.
const TRANSFERS: i64 = 1_000_000;
/// Customers of the past, each with ten redemptions, of which each lost some of its credit nine
/// times.
const HISTORY: &str = "
    set search_path = ledger;
    set session_replication_role = replica;
    create temporary table size as select N / 100 as customers;
    create temporary table past as
        with made as (
            insert into organization (franchise, organization, sovereign, cluster, awake_since)
            select 1, 'past-' || n, 'catalyst-zero', 'cluster-zero', now()
            from generate_series(1, (select customers from size)) as n
            returning franchise, organization)
        select franchise, organization, row_number() over () as n from made;
    insert into account (franchise, kind, organization, currency, posted)
        select franchise, 'customer', organization, 'OMR', 10 * (100000 - 9000) from past
        order by n;
    create temporary table code as
        with made as (
            insert into voucher (franchise, digest, hint, secret, sovereign, currency, amount,
                source, holder_uid, holder_generation)
            select s.franchise, sha256(('PAST-' || n)::bytea), 'PAST-' || n, false,
                'catalyst-zero', 'OMR', 100000, s.account, 'uid', 1
            from account s, generate_series(1, 1000) as n where s.kind = 'promotion'
            returning franchise, voucher, source)
        select franchise, voucher, source, row_number() over () as n from made;
    insert into voucher_revision (franchise, voucher, revision, currency, amount, source, state,
        accepted_at)
    select franchise, voucher, 1, 'OMR', 100000, source, 'Active', now() from code;
    insert into transfer (franchise, kind, debit, credit, currency, amount, at, key, response,
        voucher, revision, priority, expires_at)
    select a.franchise, 'redeem', c.source, a.account, 'OMR', 100000, now(),
        'redeem/' || a.organization || '/' || c.n,
        concat('{\"api\":\"v1\",\"outcome\":\"Redeemed\",\"organization\":\"', a.organization,
            '\",\"amount\":100000,\"currency\":\"OMR\"}'),
        c.voucher, 1, 10, 'infinity'
    from generate_series(0, 9) as g
    join past p on true join account a using (franchise, organization)
    join code c on c.n = 1 + (p.n * 10 + g) % 1000;
    insert into voucher_counter (franchise, voucher, revision, open, used, spent)
        select c.franchise, c.voucher, 1, true, count(x.transfer), 100000 * count(x.transfer)
        from code c
        left join transfer x on x.franchise = c.franchise and x.voucher = c.voucher group by 1, 2;
    insert into lot_use (franchise, lot, granted, gone)
        select franchise, transfer, amount, 9000 from transfer where voucher is not null;
    insert into transfer (franchise, kind, debit, credit, currency, amount, at, key, response, lot)
    select l.franchise, 'expire', l.credit, e.account, 'OMR', 1000, now(),
        concat('expire/', l.transfer, '/', 1000 * g), '', l.transfer
    from generate_series(0, 8) as g
    cross join transfer l join account e on e.franchise = l.franchise and e.kind = 'expired'
    where l.voucher is not null;
    set session_replication_role = origin";
const SETTLE: &str = "vacuum analyze ledger.transfer, ledger.account, ledger.organization, \
                      ledger.voucher, ledger.voucher_counter, ledger.voucher_revision";

/// Measures a ledger with and one without a history, in turns.
pub(crate) async fn measure(copies: &Copies<'_>, connections: u32, only: &Only) -> Outcome<()> {
    if !only.wants("flat") {
        return Ok(());
    }
    let transfers = match std::env::var("FLAT") {
        Ok(text) => text.parse()?,
        Err(_) => TRANSFERS,
    };
    let (old, new) = (copies.make("old").await?, copies.make("new").await?);
    let begun = Instant::now();
    let mut admin = PgConnection::connect(&old).await?;
    let history = HISTORY.replace("N / 100", &format!("{transfers} / 100"));
    sqlx::raw_sql(AssertSqlSafe(history)).execute(&mut admin).await?;
    // It cannot share a transaction with anything.
    sqlx::query(SETTLE).execute(&mut admin).await?;
    say(&format!("\n{transfers} transfers were loaded in {:.0} s", begun.elapsed().as_secs_f64()))?;
    verify(&old).await?;
    sqlx::query("checkpoint").execute(&mut admin).await?;

    let mut sides = vec![];
    for url in [&old, &new] {
        let store = Store::new(url, connections)?;
        sides.push((Shared::open(url).await?, Arc::new(Side::ours(store.door(), CALLERS))));
    }
    let (mut p50, mut p99) = (vec![], vec![]);
    for _ in 0..=PAIRS {
        let mut rounds = vec![];
        for (shared, side) in &mut sides {
            rounds.push(shared.round(Workload::Spread, side).await?);
        }
        let [old, new] = rounds.as_slice() else { return Err("two sides".into()) };
        p50.push(old.p50() / new.p50());
        p99.push(old.p99() / new.p99());
    }
    say("\nWith a history, against a new ledger\n\n| figure | ratio (range) |\n|---|---|")?;
    for (figure, mut ratios) in [("flat.p50_ratio", p50), ("flat.p99_ratio", p99)] {
        let ratio = Spread::of(ratios.split_off(1))?;
        record(figure, ratio)?;
        say(&format!("| {figure} | {} |", ratio.text(2)))?;
    }
    verify(&old).await
}
