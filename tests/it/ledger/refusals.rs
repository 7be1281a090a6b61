//! Refusals come in a fixed order, and the rules in Rust say the same as those in SQL.

use catalyst_operator::{
    domain::voucher::{Customer, State, redeemable},
    store::Refusal,
};
use jiff::ToSpan as _;

use crate::support::{Books, books};

/// Why a redemption can be refused, in the order in which it is.
const CAUSES: [Refusal; 8] = [
    Refusal::NotFound,
    Refusal::NotActive,
    Refusal::NotStarted,
    Refusal::Expired,
    Refusal::NotEligible,
    Refusal::LimitReached,
    Refusal::BudgetExhausted,
    Refusal::AlreadyRedeemed,
];

#[tokio::test]
async fn of_several_causes_the_earliest_in_the_order_is_told() {
    let books = books().await;
    books.organization("kestrel").await;
    books.organization("rival").await;
    books.organization("spender").await;
    books.sell("salalah", "OMR", "cluster-salalah").await;
    let mut told_otherwise = vec![];
    for set in 0..1_usize << CAUSES.len() {
        let causes: Vec<_> =
            CAUSES.into_iter().enumerate().filter(|(n, _)| set & (1 << n) != 0).collect();
        let causes: Vec<Refusal> = causes.into_iter().map(|(_, cause)| cause).collect();
        let code = format!("CODE-{set}");
        arrange(&books, &code, &causes).await;
        let wanted = causes.first().map_or("Redeemed", |cause| cause.name());
        let (sql, rust) = tell(&books, &code, &causes).await;
        if (sql.as_str(), rust.as_str()) != (wanted, wanted) {
            told_otherwise.push(format!("{causes:?}: SQL says {sql}, Rust says {rust}"));
        }
    }
    assert!(told_otherwise.is_empty(), "{}", told_otherwise.join("\n"));
    books.assert_sound().await;
}

/// Makes a code that `kestrel` cannot redeem, for all of these causes at once.
async fn arrange(books: &Books, code: &str, causes: &[Refusal]) {
    books.voucher(code).issued().await;
    let has = |cause| causes.contains(&cause);
    for (cause, organization) in [
        (Refusal::AlreadyRedeemed, "kestrel"),
        (Refusal::LimitReached, "rival"),
        (Refusal::BudgetExhausted, "spender"),
    ] {
        if has(cause) {
            assert_eq!(books.redeem(code, organization).await, "Redeemed");
        }
    }
    let now = books.now().await;
    let mut terms = books.voucher(code).generation(2);
    if has(Refusal::NotActive) {
        terms = terms.state(State::Paused);
    }
    if has(Refusal::NotStarted) {
        terms = terms.valid_from(now + 1.hour());
    }
    if has(Refusal::Expired) {
        terms = terms.expires_at(now - 1.hour());
    }
    if has(Refusal::LimitReached) {
        terms = terms.cap(1);
    }
    if has(Refusal::BudgetExhausted) {
        terms = terms.budget("100.000 OMR");
    }
    terms.issued().await;
    if has(Refusal::NotFound) {
        books.retire(&code.to_lowercase()).await;
    }
}

/// What SQL and Rust say to `kestrel`.
async fn tell(books: &Books, code: &str, causes: &[Refusal]) -> (String, String) {
    let eligible = !causes.contains(&Refusal::NotEligible);
    let sovereign = if eligible { "catalyst-zero" } else { "salalah" };
    let tenant = books.tenant("kestrel", &[code]);
    let facts = books.database.store.observe_tenant(&tenant).await.unwrap();
    let lineage = facts.by_code[0].as_ref();
    let customer = Customer { sovereign, plan: "m", is_new: facts.is_new };
    let rust = match redeemable(lineage, customer, facts.standing.now) {
        Err(reason) => reason.name(),
        Ok(()) if lineage.unwrap().redeemed_at.is_some() => "AlreadyRedeemed",
        Ok(()) => "Redeemed",
    };
    let digest = facts.by_code[0].as_ref().unwrap().digest;
    let key = format!("another key for {code}");
    let answer =
        books.door.redeem("omantel", &key, digest, ("kestrel", sovereign, "m")).await.unwrap();
    (crate::support::word(&answer).to_owned(), rust.to_owned())
}

#[tokio::test]
async fn a_suspended_account_is_not_eligible() {
    let books = books().await;
    books.voucher("LAUNCH").issued().await;
    books.organization("kestrel").await;
    books.database.mutate("update account set suspended = true where kind = 'customer'").await;
    assert_eq!(books.redeem("LAUNCH", "kestrel").await, "NotEligible");
    books.database.mutate("update account set suspended = false").await;
    assert_eq!(books.redeem("LAUNCH", "kestrel").await, "Redeemed");
}

#[tokio::test]
async fn a_refusal_stores_nothing_and_is_judged_anew() {
    let books = books().await;
    books.organization("kestrel").await;
    assert_eq!(books.redeem("LAUNCH", "kestrel").await, "NotFound");
    books.voucher("LAUNCH").issued().await;
    assert_eq!(books.redeem("LAUNCH", "kestrel").await, "Redeemed");
}
