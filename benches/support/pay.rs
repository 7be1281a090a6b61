//! Periods that are paid, and the statement of an account with a long history.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use catalyst_operator::store::{Door, Store};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::{
    Only, Outcome,
    ledger::{self, FRANCHISE},
    report::{Spread, record, say},
    verify,
};

const CALLERS: [usize; 3] = [1, 8, 32];
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(1);
/// Customers with credit and an order, each for one period.
const PAYERS: usize = 20_000;
const STATEMENTS: usize = 5;
const ORDERS: &str = "
    with ordered as materialized (
        select ledger.order_v1('omantel', null, organization, 'catalyst-zero', 'm')
        from ledger.organization where organization = any ($1))
    select count(*) from ordered";
const NUMBERS: &str = "select organization, ord from ledger.orders order by ord";
/// A customer who redeemed a hundred thousand vouchers, entered as they would have been.
const HISTORY: &str = "
    set search_path = ledger;
    create temporary table past as
        select f.franchise, s.account as source, c.account, n
        from franchise f
        join account s on s.franchise = f.franchise and s.kind = 'promotion'
        join account c on c.franchise = f.franchise and c.organization = 'org-79999',
        generate_series(1, 100000) as n;
    with made as (
        insert into voucher (franchise, digest, hint, secret, sovereign, currency, amount, source,
            holder_uid, holder_generation)
        select franchise, sha256(('PAST-' || n)::bytea), 'PAST-' || n, false, 'catalyst-zero',
            'OMR', 1, source, 'uid', 1 from past
        returning franchise, voucher, source),
    revised as (
        insert into voucher_revision (franchise, voucher, revision, currency, amount, source,
            state, accepted_at)
        select franchise, voucher, 1, 'OMR', 1, source, 'Active', now() from made)
    insert into voucher_counter (franchise, voucher, revision, open, used, spent)
        select franchise, voucher, 1, true, 1, 1 from made;
    insert into transfer (franchise, kind, debit, credit, currency, amount, at, key, response,
        voucher, revision, priority, expires_at)
    select p.franchise, 'redeem', p.source, p.account, 'OMR', 1, now(), 'past/' || n,
        concat('{\"api\":\"v1\",\"outcome\":\"Redeemed\",\"organization\":\"org-79999\",',
            '\"amount\":1,\"currency\":\"OMR\"}'),
        v.voucher, 1, 10, 'infinity'
    from past p join voucher v on v.hint = 'PAST-' || n;
    update account set posted = posted + 100000 where account = (select max(account) from past);
    analyze";

/// Measures both.
pub(crate) async fn measure(url: &str, connections: u32, only: &Only) -> Outcome<()> {
    if only.wants("pay") {
        pay(url, connections).await?;
    }
    if only.wants("statement") {
        statement(url).await?;
    }
    verify(url).await
}

async fn pay(url: &str, connections: u32) -> Outcome<()> {
    let mut admin = PgConnection::connect(url).await?;
    let store = Store::new(url, connections)?;
    let door = store.door();
    let mut customers = ledger::customers(&mut admin).await?;
    customers.truncate(PAYERS);
    let credit = ("PAYERS", ledger::make_voucher(&door, "PAYERS", None).await?);
    let redeemed = stream::iter(&customers).map(|customer| ledger::redeem(&door, credit, customer));
    redeemed.buffer_unordered(256).try_collect::<()>().await?;
    sqlx::query(ORDERS).bind(customers).execute(&mut admin).await?;
    let orders: Arc<Vec<(String, i64)>> =
        Arc::new(sqlx::query_as(NUMBERS).fetch_all(&mut admin).await?);
    say("\nPeriods that are held and captured\n\n| figure | periods/s (range) |\n|---|---|")?;
    let next = Arc::new(AtomicUsize::new(0));
    for callers in CALLERS {
        let mut rates = vec![];
        for _ in 0..=ROUNDS {
            rates.push(round(&door, callers, &orders, &next).await?);
        }
        let (figure, rate) = (format!("pay.{callers}.rate"), Spread::of(rates.split_off(1))?);
        record(&figure, rate)?;
        say(&format!("| {figure} | {} |", rate.text(0)))?;
    }
    store.close().await;
    Ok(())
}

/// Periods per second.
async fn round(
    door: &Door,
    callers: usize,
    orders: &Arc<Vec<(String, i64)>>,
    next: &Arc<AtomicUsize>,
) -> Outcome<f64> {
    let begun = Instant::now();
    let each = (0..callers).map(|_| {
        let (door, orders, next) = (door.clone(), orders.clone(), next.clone());
        tokio::spawn(async move {
            let mut paid = 0_u32;
            while begun.elapsed() < ROUND {
                let order = orders.get(next.fetch_add(1, Ordering::Relaxed));
                let (organization, order) = order.ok_or("there are no orders left")?;
                ledger::pay(&door, organization, *order).await?;
                paid += 1;
            }
            Outcome::Ok(paid)
        })
    });
    let mut paid = 0;
    for caller in each.collect::<Vec<_>>() {
        paid += caller.await??;
    }
    Ok(f64::from(paid) / begun.elapsed().as_secs_f64())
}

async fn statement(url: &str) -> Outcome<()> {
    PgConnection::connect(url).await?.execute(sqlx::raw_sql(HISTORY)).await?;
    let store = Store::new(url, 1)?;
    let mut took = vec![];
    for _ in 0..=STATEMENTS {
        let asked = Instant::now();
        let statement = store.statement(FRANCHISE, "org-79999", None).await?;
        took.push(asked.elapsed().as_secs_f64() * 1e3);
        if statement.accounts.first().is_none_or(|account| account.lines.len() < 100_000) {
            return Err("the statement is not whole".into());
        }
    }
    let took = Spread::of(took.split_off(1))?;
    record("statement.100000.ms", took)?;
    say(&format!("\nstatement.100000.ms, an account with so many entries: {}", took.text(0)))
}
