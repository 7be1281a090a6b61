//! The predecessor's redemption: its tables and its transaction, as they were. A statement at a
//! time, each a round trip, with the voucher's row locked from the first to the last of them.

use sqlx::{Connection as _, Executor as _, PgConnection};

use super::{Outcome, ledger::CREDIT};

const TABLES: &str = "
    create schema predecessor;
    set search_path = predecessor;
    create table customers (
        id uuid primary key default gen_random_uuid(), user_id text unique not null,
        tenant_id text not null, stripe_customer_id text unique, email text not null,
        created_at timestamptz not null default now());
    create table promo_codes (
        code text primary key, credit_omr int not null, description text not null default '',
        active boolean not null default true, max_redemptions int not null default 0,
        times_redeemed int not null default 0, created_at timestamptz not null default now(),
        deleted_at timestamptz);
    create table credit_ledger (
        id uuid primary key default gen_random_uuid(),
        customer_id uuid not null references customers (id), amount_omr int not null,
        reason text not null, order_id text, created_at timestamptz not null default now(),
        status text not null default 'active');
    create table promo_redemptions (
        customer_id uuid not null references customers (id),
        code text not null references promo_codes (code),
        created_at timestamptz not null default now(), primary key (customer_id, code));
";
const CUSTOMERS: &str = "
    insert into predecessor.customers (id, user_id, tenant_id, email)
    select md5(n::text)::uuid, 'u' || n, 't' || n, n || '@example.com'
    from generate_series(0, $1 - 1) as n order by n";
const NAMES: &str = "select id::text from predecessor.customers order by created_at, user_id";
const VOUCHER: &str = "insert into predecessor.promo_codes (code, credit_omr, max_redemptions) \
                       values ($1, $2, $3)";
const LOCK: &str = "select credit_omr, active, max_redemptions, times_redeemed, deleted_at is null \
                    from predecessor.promo_codes where code = $1 for update";
const TWICE: &str = "select count(*) from predecessor.promo_redemptions \
                     where customer_id = $1::uuid and code = $2";
const REDEEM: &str = "insert into predecessor.promo_redemptions (customer_id, code) \
                      values ($1::uuid, $2)";
const COUNT: &str = "update predecessor.promo_codes set times_redeemed = times_redeemed + 1 \
                     where code = $1";
const CREDIT_ENTRY: &str = "insert into predecessor.credit_ledger \
                            (customer_id, amount_omr, reason) \
                            values ($1::uuid, $2, 'promo/' || $3)";
/// Redemptions that are counted, made and entered; the three must be one number.
const TOTALS: &str = "select (select sum(times_redeemed) from predecessor.promo_codes), \
                      (select count(*) from predecessor.promo_redemptions), \
                      (select count(*) from predecessor.credit_ledger)";

/// Makes the tables and this many customers.
pub(crate) async fn prepare(admin: &mut PgConnection, customers: usize) -> Outcome<()> {
    admin.execute(TABLES).await?;
    let customers = i32::try_from(customers)?;
    sqlx::query(CUSTOMERS).bind(customers).execute(admin).await?;
    Ok(())
}

/// Their ids.
pub(crate) async fn customers(admin: &mut PgConnection) -> Outcome<Vec<String>> {
    Ok(sqlx::query_scalar(NAMES).fetch_all(admin).await?)
}

/// A cap of zero is none.
pub(crate) async fn make_voucher(
    admin: &mut PgConnection,
    code: &str,
    cap: Option<i32>,
) -> Outcome<()> {
    let voucher = sqlx::query(VOUCHER).bind(code).bind(CREDIT).bind(cap.unwrap_or(0));
    voucher.execute(admin).await?;
    Ok(())
}

/// One redemption, which must succeed.
pub(crate) async fn redeem(
    connection: &mut PgConnection,
    code: &str,
    customer: &str,
) -> Outcome<()> {
    let mut transaction = connection.begin().await?;
    let terms = sqlx::query_as(LOCK).bind(code).fetch_one(&mut *transaction).await?;
    let (credit, active, cap, redeemed, exists): (i32, bool, i32, i32, bool) = terms;
    if !active || !exists || (cap > 0 && redeemed >= cap) {
        return Err(format!("the predecessor refused {code}").into());
    }
    let already = sqlx::query_scalar(TWICE).bind(customer).bind(code);
    let already: i64 = already.fetch_one(&mut *transaction).await?;
    if already > 0 {
        return Err(format!("{customer} had redeemed {code}").into());
    }
    sqlx::query(REDEEM).bind(customer).bind(code).execute(&mut *transaction).await?;
    sqlx::query(COUNT).bind(code).execute(&mut *transaction).await?;
    let entry = sqlx::query(CREDIT_ENTRY).bind(customer).bind(credit).bind(code);
    entry.execute(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

/// Counters, redemptions and entries agree with each other and with what the callers saw.
pub(crate) async fn check(admin: &mut PgConnection, expected: usize) -> Outcome<()> {
    let totals: (i64, i64, i64) = sqlx::query_as(TOTALS).fetch_one(admin).await?;
    let expected = i64::try_from(expected)?;
    if totals == (expected, expected, expected) {
        Ok(())
    } else {
        Err(format!("the predecessor's totals are {totals:?}, {expected} redeemed").into())
    }
}
