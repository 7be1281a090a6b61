//! What a stranger cannot learn: whether a code ever existed.

use catalyst_operator::{
    domain::reason::Reason,
    store::{Answer, Refusal},
};

use crate::support::books;

#[tokio::test]
async fn a_code_that_is_gone_answers_exactly_as_one_that_never_was() {
    let books = books().await;
    books.organization("kestrel").await;
    books.voucher("RETIRED").issued().await;
    books.retire("retired").await;
    books.voucher("REVOKED").revoked().issued().await;

    for organization in ["kestrel", "nobody"] {
        for code in ["RETIRED", "REVOKED", "NEVER"] {
            let answer = books.redeem_under(code, code, organization).await.unwrap();
            assert_eq!(answer, Answer::Refused(Refusal::NotFound), "{code} {organization}");
        }
    }
}

#[tokio::test]
async fn not_even_the_rows_of_the_ledger_tell_them_apart() {
    let books = books().await;
    books.organization("kestrel").await;
    books.voucher("RETIRED").issued().await;
    books.retire("retired").await;

    let row = |code: &str| {
        format!(
            "select concat(outcome, ' ', detail) from redeem_v1('omantel', null, 'key', \
             sha256('{code}'), 'kestrel', 'catalyst-zero', 'm')"
        )
    };
    let never: String = books.database.one(&row("NEVER")).await;
    assert_eq!(books.database.one::<String>(&row("RETIRED")).await, never);
}

#[tokio::test]
async fn a_tenant_that_names_a_gone_code_is_told_that_there_is_none() {
    let books = books().await;
    books.organization("kestrel").await;
    books.voucher("RETIRED").issued().await;
    books.retire("retired").await;
    books.voucher("REVOKED").revoked().issued().await;

    let tenant = books.tenant("kestrel", &["RETIRED", "REVOKED", "NEVER"]);
    let facts = books.database.store.observe_tenant(&tenant).await.unwrap();
    for judged in tenant.judge(&facts) {
        assert_eq!(judged.refusal, Some(Reason::NotFound {}), "{:?}", judged.named);
    }
}
