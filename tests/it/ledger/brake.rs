//! What the ledger keeps of deletions: as long as the object is there, and no longer than needed.

use catalyst_operator::domain::brake::{Judgement, Word};
use jiff::Timestamp;

use crate::support::{Books, books, word};

/// What is known of the deletion of one object.
async fn judged(books: &Books, uid: &str, at: Timestamp) -> Option<Judgement> {
    books.database.store.observe_deletions(&books.namespace, uid, at).await.unwrap().judged
}

async fn judge(books: &Books, uid: &str, at: Timestamp, held: (bool, Option<Word>)) -> String {
    let named = ("Tenant", uid);
    let answer = books.door.judge_deletion(&books.namespace, named, at, held).await.unwrap();
    word(&answer).to_owned()
}

#[tokio::test]
async fn what_was_judged_stays_as_long_as_the_object_is_there() {
    let books = books().await;
    let at = catalyst_operator::clock::now();
    assert_eq!(judge(&books, "held", at, (true, Some(Word::Proceed))).await, "DeletionHeld");
    assert_eq!(judge(&books, "going", at, (false, None)).await, "DeletionAdmitted");
    assert_eq!(judge(&books, "gone", at, (false, None)).await, "DeletionAdmitted");
    let held = Judgement { held: true, stood: Some(Word::Proceed), answer: None, fades: false };
    assert_eq!(judged(&books, "held", at).await, Some(held));
    for _ in 0..5 {
        books.advance("31 days").await;
        for (uid, is_held) in [("held", true), ("going", false)] {
            let known = judged(&books, uid, at).await.expect("it is there");
            assert!(known.held == is_held && known.fades, "{known:?}");
            judge(&books, uid, at, (is_held, None)).await;
            assert!(!judged(&books, uid, at).await.expect("it is there").fades);
        }
    }
    assert_eq!(judged(&books, "held", at).await, Some(held), "what stood then is kept, too");
    assert_eq!(judged(&books, "gone", at).await, None);
}

#[tokio::test]
async fn a_word_that_was_taken_away_is_forgotten_in_its_franchise_alone() {
    let books = books().await;
    let other = books.franchise("oryx").await;
    let at = catalyst_operator::clock::now();
    for franchise in [&books, &other] {
        judge(franchise, "held", at, (true, Some(Word::Keep))).await;
    }
    books.door.forget_word(&books.namespace).await.unwrap();
    assert_eq!(judged(&books, "held", at).await.expect("it is there").stood, None);
    let stood = judged(&other, "held", at).await.expect("it is there").stood;
    assert_eq!(stood, Some(Word::Keep));
}

#[tokio::test]
async fn a_deletion_is_answered_once_and_only_where_it_is_held() {
    let books = books().await;
    let at = catalyst_operator::clock::now();
    judge(&books, "held", at, (true, None)).await;
    judge(&books, "going", at, (false, None)).await;
    for (uid, said) in
        [("held", Word::Proceed), ("held", Word::Keep), ("going", Word::Keep), ("none", Word::Keep)]
    {
        let answer = books.door.answer_deletion(&books.namespace, uid, said).await.unwrap();
        assert_eq!(word(&answer), "DeletionAnswered");
    }
    let answer = judged(&books, "held", at).await.expect("it is there").answer;
    assert_eq!(answer, Some(Word::Proceed));
    assert_eq!(judged(&books, "going", at).await.expect("it is there").answer, None);
    assert_eq!(judged(&books, "none", at).await, None);
}

#[tokio::test]
async fn only_what_was_meant_counts_for_no_other() {
    let books = books().await;
    let at = catalyst_operator::clock::now();
    for (uid, said) in
        [("meant", Some(Word::Proceed)), ("mistaken", Some(Word::Keep)), ("waiting", None)]
    {
        judge(&books, uid, at, (true, None)).await;
        if let Some(said) = said {
            books.door.answer_deletion(&books.namespace, uid, said).await.unwrap();
        }
    }
    judge(&books, "going", at, (false, None)).await;
    let facts = books.database.store.observe_deletions(&books.namespace, "next", at).await.unwrap();
    let counted = facts.others.iter().filter(|other| !other.meant);
    let mut counted: Vec<_> = counted.map(|other| other.uid.as_str()).collect();
    counted.sort_unstable();
    assert_eq!(counted, ["going", "mistaken", "waiting"]);
}
