//! A franchise whose money waits for a person, and the decision that ends it.

use catalyst_operator::store::{Answer, Refusal};

use crate::support::{Books, books, word};

/// Books with an entry that is sealed, whatever other tests do.
async fn with_a_block() -> Books {
    let books = books().await;
    books.rich_organization("kestrel").await;
    books.database.mutate("select seal_v1(1)").await;
    if books.count("block").await == 0 {
        books.database.mutate("select seal_range(1, 0, 0, 9223372036854775807)").await;
    }
    books
}

#[tokio::test]
async fn a_franchise_is_frozen_until_a_person_decides_and_not_again_for_the_same() {
    let books = with_a_block().await;
    let door = &books.door;
    assert!(door.freeze(("omantel", None), "transfer 2 was edited").await.unwrap());
    assert!(door.freeze(("omantel", None), "something else").await.unwrap());
    let refused = books.redeem_under("key", "WELCOME", "kestrel").await;
    let why = format!("{}", refused.unwrap_err());
    assert!(why.contains("frozen: transfer 2 was edited"), "{why}");
    let other = books.franchise("muscat").await;
    other.rich_organization("falcon").await;

    let thawed = door.thaw("omantel", "it was me", "amal").await.unwrap();
    let Answer::Done(done) = thawed else { panic!("{thawed:?}") };
    assert!(done.response.unwrap().contains("transfer 2 was edited"));
    assert_eq!(
        word(&books.redeem_under("key", "WELCOME", "kestrel").await.unwrap()),
        "AlreadyRedeemed"
    );
    let decided = "decision where frozen = 'transfer 2 was edited' and reason = 'it was me' \
                   and actor = 'amal' and block = 1 and octet_length(hash) = 32";
    assert_eq!(books.count(decided).await, 1);
    assert!(!door.freeze(("omantel", None), "transfer 2 was edited").await.unwrap());
    assert!(door.freeze(("omantel", None), "transfer 3 was edited").await.unwrap());

    let said = door.thaw("muscat", "why not", "amal").await.unwrap();
    assert_eq!(said, Answer::Refused(Refusal::NotFrozen));
    let said = door.thaw("nowhere", "why not", "amal").await.unwrap();
    assert_eq!(said, Answer::Refused(Refusal::NoFranchise));
    assert!(door.thaw("omantel", " ", "amal").await.is_err(), "a decision has a reason");
}

#[tokio::test]
async fn a_franchise_that_the_ledger_does_not_know_is_founded_frozen() {
    let books = books().await;
    assert!(books.door.freeze(("muscat", Some("uid-of-muscat")), "it is empty").await.unwrap());
    let place = ("OMR", "cluster-zero");
    let franchise = ("muscat", "uid-of-muscat");
    let said = books.door.accept_sovereign(franchise, "catalyst-zero", place, &[]).await;
    assert!(said.unwrap_err().to_string().contains("it is empty"));
}

#[tokio::test]
async fn a_fenced_leader_freezes_nothing() {
    let books = books().await;
    let old = books.door.under(books.door.begin_leadership().await.unwrap());
    books.door.begin_leadership().await.unwrap();
    assert!(old.freeze(("omantel", None), "an old view").await.is_err());
    books.rich_organization("kestrel").await;
}
