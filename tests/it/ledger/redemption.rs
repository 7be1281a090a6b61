//! From a code to credit, once.

use catalyst_operator::store::{Answer, Refusal};
use futures::future::join_all;

use crate::support::{Books, books, word};

#[tokio::test]
async fn a_redeemed_voucher_is_credit_a_counter_and_a_row_that_agree() {
    let books = books().await;
    books.voucher("LAUNCH").cap(50).worth("100.000 OMR").issued().await;
    books.organization("kestrel").await;

    assert_eq!(books.redeem("LAUNCH", "kestrel").await, "Redeemed");

    assert_eq!(books.credit("kestrel").await, 100_000);
    assert_eq!(books.lineage("LAUNCH").await.unwrap().used, 1);
    let row = "transfer t join account a on a.franchise = t.franchise and a.account = t.credit \
               where t.kind = 'redeem' and t.amount = 100000 and a.organization = 'kestrel' \
               and a.posted = 100000";
    assert_eq!(books.count(row).await, 1);
    let statement = books.database.store.statement("omantel", "kestrel", None).await.unwrap();
    let account = &statement.accounts[0];
    assert_eq!((account.closing, account.spendable, account.lines.len()), (100_000, 100_000, 1));
    assert_eq!(account.lines[0].cause.as_deref(), Some("voucher LAUNCH"));
    books.assert_sound().await;
}

#[tokio::test]
async fn an_account_redeems_a_voucher_once() {
    let books = books().await;
    books.voucher("LAUNCH").issued().await;
    books.organization("kestrel").await;
    assert_eq!(books.redeem("LAUNCH", "kestrel").await, "Redeemed");

    let again = books.redeem_under("another key", "LAUNCH", "kestrel").await.unwrap();
    assert_eq!(again, Answer::Refused(Refusal::AlreadyRedeemed));

    books.retire("launch").await;
    books.voucher("LAUNCH").object("relaunch").issued().await;
    let again = books.redeem_under("a third key", "LAUNCH", "kestrel").await.unwrap();
    assert_eq!(again, Answer::Refused(Refusal::AlreadyRedeemed));

    assert_eq!(books.credit("kestrel").await, 100_000);
    assert_eq!(books.lineage("LAUNCH").await.unwrap().used, 1);
    books.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_redeems_twenty_times_at_once_gets_one_credit() {
    let books = books().await;
    books.voucher("LAUNCH").issued().await;
    books.organization("kestrel").await;
    books.database.open_all(&[(&books.database.store, 8)]).await;

    let callers = (0..20).map(|caller| {
        let books = books.clone();
        tokio::spawn(async move {
            books.redeem_under(&format!("key {caller}"), "LAUNCH", "kestrel").await.unwrap()
        })
    });
    let answers = join_all(callers).await;

    let said = |wanted| answers.iter().filter(|it| word(it.as_ref().unwrap()) == wanted).count();
    assert_eq!((said("Redeemed"), said("AlreadyRedeemed")), (1, 19));
    assert_eq!(books.credit("kestrel").await, 100_000);
    books.assert_sound().await;
}

#[tokio::test]
async fn accounts_redeem_the_same_voucher_independently() {
    let books = books().await;
    books.voucher("LAUNCH").issued().await;
    for organization in ["kestrel", "falcon", "osprey"] {
        books.organization(organization).await;
        assert_eq!(books.redeem("LAUNCH", organization).await, "Redeemed");
    }
    for organization in ["kestrel", "falcon", "osprey"] {
        assert_eq!(books.credit(organization).await, 100_000);
    }
    assert_eq!(books.lineage("LAUNCH").await.unwrap().used, 3);
}

#[tokio::test]
async fn the_same_key_answers_the_same_bytes_whatever_happened_since() {
    let books = books().await;
    books.voucher("LAUNCH").cap(1).issued().await;
    books.organization("kestrel").await;
    let first = books.redeem_under("key", "LAUNCH", "kestrel").await.unwrap();
    assert_eq!(word(&first), "Redeemed");

    books.voucher("LAUNCH").cap(1).paused().generation(2).issued().await;
    assert_eq!(books.redeem_under("key", "LAUNCH", "kestrel").await.unwrap(), first);
    books.retire("launch").await;
    assert_eq!(books.redeem_under("key", "LAUNCH", "kestrel").await.unwrap(), first);
    let Answer::Done(done) = first else { panic!("{first:?}") };
    assert!(done.response.unwrap().contains("\"amount\":100000"));
}

#[tokio::test]
async fn the_same_key_with_other_input_is_refused() {
    let books = books().await;
    books.voucher("LAUNCH").issued().await;
    books.voucher("SPRING").issued().await;
    books.organization("kestrel").await;
    books.organization("falcon").await;
    let first = books.redeem_under("key", "LAUNCH", "kestrel").await.unwrap();
    assert_eq!(word(&first), "Redeemed");

    for (code, organization) in [("SPRING", "kestrel"), ("LAUNCH", "falcon"), ("NEVER", "falcon")] {
        let answer = books.redeem_under("key", code, organization).await.unwrap();
        assert_eq!(answer, Answer::Refused(Refusal::KeyReused), "{code} {organization}");
    }
    assert_eq!(books.count("transfer").await, 1);
}

#[tokio::test]
async fn franchises_do_not_see_each_others_codes() {
    let omantel = books().await;
    let ooredoo = omantel.franchise("ooredoo").await;
    omantel.voucher("LAUNCH").issued().await;
    ooredoo.organization("kestrel").await;
    assert_eq!(ooredoo.redeem("LAUNCH", "kestrel").await, "NotFound");
    assert!(ooredoo.lineage("LAUNCH").await.is_none());

    ooredoo.voucher("LAUNCH").worth("7.000 OMR").issued().await;
    assert_eq!(ooredoo.redeem("LAUNCH", "kestrel").await, "Redeemed");
    assert_eq!(ooredoo.credit("kestrel").await, 7_000);
    assert_eq!(omantel.lineage("LAUNCH").await.unwrap().used, 0);
}

#[tokio::test]
async fn a_key_whose_first_call_is_still_on_its_way_is_answered_with_the_same_bytes() {
    let books = books().await;
    books.voucher("LAUNCH").issued().await;
    books.organization("kestrel").await;
    // Each call is judged, then dawdles; the first commits while the second does.
    let part = "outcome := j.outcome;";
    let slow = format!("perform pg_sleep(0.4); {part}");
    books.database.mutate_function("redeem_one", part, &slow).await;
    let doors = [books.database.another_store(1).door(), books.database.another_store(1).door()];
    let [first, second] = doors.map(|door| Books { door, ..books.clone() });
    let later = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        second.redeem_under("key", "LAUNCH", "kestrel").await.unwrap()
    };
    let (first, second) = tokio::join!(first.redeem_under("key", "LAUNCH", "kestrel"), later);
    assert_eq!((word(&second), &second), ("Redeemed", &first.unwrap()));
    assert_eq!(books.credit("kestrel").await, 100_000);
}
