//! Redemptions that share a commit come to what they would come to alone.

use futures::future::join_all;

use crate::support::{Books, books, word};

/// What the callers are told who call at the same moment.
async fn told(books: &Books, calls: &[(&str, &str)]) -> Vec<String> {
    join_all(calls.iter().map(|(code, organization)| books.redeem(code, organization))).await
}

async fn shop(books: &Books) {
    for organization in ["kestrel", "falcon", "osprey"] {
        books.organization(organization).await;
    }
    books.voucher("OPEN").issued().await;
    books.voucher("PAUSED").paused().issued().await;
    books.voucher("REVOKED").revoked().issued().await;
    books.voucher("SINGLE").cap(1).issued().await;
    assert_eq!(books.redeem("SINGLE", "osprey").await, "Redeemed");
}

#[tokio::test]
async fn a_batch_answers_each_item_as_if_it_came_alone() {
    let calls = [
        ("OPEN", "kestrel"),
        ("NEVER-WAS", "kestrel"),
        ("PAUSED", "kestrel"),
        ("OPEN", "falcon"),
        ("REVOKED", "falcon"),
        ("SINGLE", "falcon"),
        ("OPEN", "stranger"),
        ("SINGLE", "osprey"),
        ("OPEN", "osprey"),
    ];
    let (together, alone) = (books().await, books().await);
    shop(&together).await;
    shop(&alone).await;
    let mut one_by_one = vec![];
    for (code, organization) in calls {
        one_by_one.push(alone.redeem(code, organization).await);
    }
    assert_eq!(told(&together, &calls).await, one_by_one);
    for organization in ["kestrel", "falcon", "osprey"] {
        assert_eq!(together.credit(organization).await, alone.credit(organization).await);
    }
    together.assert_sound().await;
}

#[tokio::test]
async fn callers_that_wait_together_share_commits() {
    let books = books().await;
    books.voucher("OPEN").issued().await;
    let organizations: Vec<String> = (0..100).map(|n| format!("caller-{n}")).collect();
    for organization in &organizations {
        books.organization(organization).await;
    }
    let answers =
        join_all(organizations.iter().map(|organization| books.redeem("OPEN", organization))).await;
    assert!(answers.iter().all(|answer| answer == "Redeemed"));
    let commits = books.count("(select distinct xid from transfer) as commits").await;
    assert!((1..100).contains(&commits), "{commits} commits");
    books.assert_sound().await;
}

#[tokio::test]
async fn one_key_twice_in_a_batch_is_one_redemption() {
    let books = books().await;
    books.organization("kestrel").await;
    books.voucher("OPEN").issued().await;
    let twice = (0..20).map(|_| books.redeem_under("same", "OPEN", "kestrel"));
    let answers: Vec<_> = join_all(twice).await.into_iter().map(Result::unwrap).collect();
    assert!(answers.iter().all(|answer| answer == &answers[0] && word(answer) == "Redeemed"));
    assert_eq!(books.credit("kestrel").await, 100_000);
}

#[tokio::test]
async fn a_batch_that_waits_for_a_lock_goes_on_one_by_one() {
    let books = books().await;
    books.voucher("OPEN").issued().await;
    books.voucher("BUSY").issued().await;
    for organization in ["kestrel", "falcon"] {
        books.organization(organization).await;
    }
    let mut gate = books.database.admin.begin().await.unwrap();
    let busy = "select from voucher_counter c join voucher v using (franchise, voucher) \
                where v.hint = 'BUSY' for update of c";
    sqlx::query(busy).execute(&mut *gate).await.unwrap();
    let release = async {
        // Longer than a call waits for a lock, so that the first try of the batch fails.
        tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
        gate.rollback().await.unwrap();
    };
    let calls = [("OPEN", "kestrel"), ("BUSY", "kestrel"), ("OPEN", "falcon"), ("BUSY", "falcon")];
    let (answers, ()) = tokio::join!(told(&books, &calls), release);
    assert!(answers.iter().all(|answer| answer == "Redeemed"), "{answers:?}");
    books.assert_sound().await;
}
