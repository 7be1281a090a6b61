//! Our ledger with many customers, made at once: how they come to be is not measured.

use catalyst_operator::{
    domain::{
        code::{Code, Digest, Given},
        facts::{Plan, PlanTerms},
        money::Money,
        voucher::{State, Terms, Voucher},
    },
    store::{Answer, Door, VoucherTerms},
};
use sqlx::PgConnection;

use super::Outcome;

/// What every voucher is worth, in the predecessor's unit and in ours.
pub(crate) const CREDIT: i32 = 100;
const CREDIT_OMR: &str = "100.000 OMR";

pub(crate) const FRANCHISE: &str = "omantel";
const SOVEREIGN: &str = "catalyst-zero";
const CLUSTER: &str = "cluster-zero";
const PLAN: &str = "m";

const ORGANIZATIONS: &str = "
    with made as (
        insert into ledger.organization (franchise, organization, tenant, sovereign, cluster,
            awake_since)
        select f.franchise, 'org-' || n, 'org-' || n, s.sovereign, s.cluster, ledger.now()
        from ledger.franchise f join ledger.sovereign s using (franchise),
            generate_series(0, $1 - 1) as n
        returning franchise, organization)
    insert into ledger.account (franchise, kind, organization, currency)
    select franchise, 'customer', organization, 'OMR' from made order by organization";
const NAMES: &str = "select organization from ledger.account \
                     where kind = 'customer' and organization like 'org-%' order by account";
/// Redemptions that are counted, made and credited, the last in vouchers; and counters that
/// disagree with their rows.
const TOTALS: &str = "
    with made as (select voucher, count(*) as n from ledger.transfer group by voucher)
    select (select sum(used)::bigint from ledger.voucher_counter),
        (select sum(n)::bigint from made),
        (select (sum(posted) / 100000)::bigint from ledger.account),
        (select count(*) from ledger.voucher_counter c left join made using (voucher)
            where c.used <> coalesce(made.n, 0))";

/// Founds a franchise with this many customers.
pub(crate) async fn prepare(
    admin: &mut PgConnection,
    door: &Door,
    organizations: usize,
) -> Outcome<()> {
    let plans = [Plan { name: PLAN.to_owned(), amount: 9_000, terms: PlanTerms::default() }];
    let place = ("OMR", CLUSTER);
    let founded = door.accept_sovereign((FRANCHISE, "uid"), SOVEREIGN, place, &plans).await?;
    expect("Accepted", &founded)?;
    let organizations = i32::try_from(organizations)?;
    sqlx::query(ORGANIZATIONS).bind(organizations).execute(admin).await?;
    Ok(())
}

/// Their names.
pub(crate) async fn customers(admin: &mut PgConnection) -> Outcome<Vec<String>> {
    Ok(sqlx::query_scalar(NAMES).fetch_all(admin).await?)
}

/// Accepts a Voucher and gives what its code is known by.
pub(crate) async fn make_voucher(door: &Door, code: &str, cap: Option<i32>) -> Outcome<Digest> {
    let code = Code::parse(code)?;
    let digest = code.digest();
    let voucher = Voucher {
        namespace: FRANCHISE.to_owned(),
        name: code.hint().to_lowercase(),
        uid: "uid".to_owned(),
        generation: 1,
        sovereign: SOVEREIGN.to_owned(),
        credit: Money::parse(CREDIT_OMR).map_err(|why| format!("{why:?}"))?,
        terms: Terms {
            cap: cap.map(i64::from),
            budget: None,
            credit_expires_after: None,
            plans: None,
            new_accounts_only: false,
            valid_from: None,
            expires_at: None,
            state: State::Active,
        },
        code: Given::Written(code.clone()),
    };
    expect("Accepted", &door.accept_voucher(VoucherTerms(&voucher, &code)).await?)?;
    Ok(digest)
}

/// One redemption, which must succeed.
pub(crate) async fn redeem(
    door: &Door,
    (code, digest): (&str, Digest),
    organization: &str,
) -> Outcome<()> {
    let key = format!("redeem/{organization}/{code}");
    let answer = door.redeem(FRANCHISE, &key, digest, (organization, SOVEREIGN, "m")).await?;
    expect("Redeemed", &answer)
}

/// A period that is paid: what it costs is set aside, and then spent.
pub(crate) async fn pay(door: &Door, organization: &str, order: i64) -> Outcome<()> {
    let customer = (organization, SOVEREIGN, "m");
    let held = door.redeem_and_hold(FRANCHISE, customer, (order, 1), &[]).await?;
    expect("Held", &held)?;
    expect("Captured", &door.capture(FRANCHISE, order).await?)
}

/// Counters, redemptions and balances agree with each other and with what the callers saw.
pub(crate) async fn check(admin: &mut PgConnection, expected: usize) -> Outcome<()> {
    let totals: (i64, i64, i64, i64) = sqlx::query_as(TOTALS).fetch_one(admin).await?;
    let expected = i64::try_from(expected)?;
    if totals == (expected, expected, expected, 0) {
        Ok(())
    } else {
        Err(format!("our totals are {totals:?}, {expected} redeemed").into())
    }
}

fn expect(word: &str, answer: &Answer) -> Outcome<()> {
    match answer {
        Answer::Done(done) if done.outcome == word => Ok(()),
        other => Err(format!("expected {word}, but the ledger answered {other:?}").into()),
    }
}
