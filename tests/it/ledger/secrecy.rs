//! What a stranger cannot learn: whether a code ever existed, and a thief: what a secret one is.

use catalyst_operator::{
    domain::{
        code::{Code, Given},
        reason::Reason,
    },
    store::{Answer, Refusal},
};

use crate::support::{books, word};

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

const SECRET: &str = "K7QX-93MP-T2WV-8RLD";

#[tokio::test]
async fn a_dump_of_the_ledger_does_not_tell_a_secret_code() {
    let books = books().await;
    books.organization("kestrel").await;
    books.secret_voucher("launch", SECRET).issued().await;
    let code = books.secret_voucher("launch", SECRET).voucher.code.code().unwrap().clone();
    let customer = ("kestrel", "catalyst-zero", "m");
    let key = format!("redeem/kestrel/{}", code.digest());
    let answer = books.door.redeem("omantel", &key, code.digest(), customer).await.unwrap();
    assert_eq!(word(&answer), "Redeemed");

    let dump = books.database.dump().await;
    assert!(dump.contains("K7QX…") && dump.contains(&code.digest().to_string()), "{dump}");
    for part in [SECRET, "K7QX-", "93MP", "T2WV", "8RLD"] {
        assert!(!dump.to_uppercase().contains(part), "{part} is in {dump}");
    }
    let statement = books.database.store.statement("omantel", "kestrel", None).await.unwrap();
    assert_eq!(statement.accounts[0].lines[0].cause.as_deref(), Some("voucher K7QX…"));
}

#[tokio::test]
async fn an_object_speaks_for_the_first_secret_code_that_was_accepted_of_it() {
    let books = books().await;
    books.organization("kestrel").await;
    books.secret_voucher("launch", SECRET).issued().await;
    let other = "M4HZ-93MP-T2WV-8RLD";
    assert_eq!(books.secret_voucher("launch", other).accept().await, "CodeChanged");
    assert_eq!(books.count("voucher").await, 1);
    assert_eq!(books.redeem(other, "kestrel").await, "NotFound");
    assert_eq!(books.redeem(SECRET, "kestrel").await, "Redeemed");

    books.retire("launch").await;
    books.secret_voucher("launch", other).issued().await;
    assert_eq!(books.redeem(other, "kestrel").await, "Redeemed");
    books.assert_sound().await;
}

#[tokio::test]
async fn a_voucher_without_its_secret_finds_what_was_accepted_of_it() {
    let books = books().await;
    books.secret_voucher("launch", SECRET).issued().await;
    let mut voucher = books.secret_voucher("launch", SECRET).voucher;
    let Given::Kept { at, code } = &mut voucher.code else { panic!("it is kept") };
    *code = at.open(None);
    let facts = books.database.store.observe_voucher(&voucher).await.unwrap();
    assert!(facts.lineage.is_none());
    let subject = voucher.subject(&facts).unwrap();
    assert_eq!(subject.code.digest(), Code::parse(SECRET).unwrap().digest());
    assert_eq!((subject.code.hint(), subject.differs), ("K7QX…", None));
}
