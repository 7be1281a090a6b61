//! A caller may go away at any moment: what was acknowledged stands, and nothing is left behind.

use std::{ops::Range, time::Duration};

use catalyst_operator::store::Answer;
use futures::{StreamExt as _, stream};

use crate::support::{Books, Random, books, effort, word};

/// Callers at a time, so that many of them take little time.
const AT_ONCE: usize = 16;
/// Rounds of this many callers are looked at each for itself.
const ROUND: u64 = 10_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_caller_loses_no_acknowledgement_and_poisons_no_connection() {
    let books = books().await;
    books.voucher("LAUNCH").issued().await;
    let store = books.database.another_store(3);
    let hasty = Books { door: store.door(), ..books.clone() };
    let (mut first, callers) = (0, effort("CALLERS", 1_000));
    while first < callers {
        let last = callers.min(first + ROUND);
        cancel(&hasty, first..last).await;
        let used = books.lineage("LAUNCH").await.unwrap().used;
        assert_eq!(u64::try_from(used).unwrap(), last);
        first = last;
    }
    books.assert_sound().await;
}

/// Every caller of these goes away at a moment of its own, and asks again later.
async fn cancel(books: &Books, callers: Range<u64>) {
    let heard: Vec<_> = stream::iter(callers.clone())
        .map(async |caller| {
            let organization = format!("caller-{caller}");
            books.organization(&organization).await;
            // Some go before they are served, on a machine that is idle or busy, and some do not.
            let mut random = Random::new(caller);
            let longest = [3_000, 30_000, 1_000_000][random.index(3)];
            let patience = Duration::from_micros(random.below(longest));
            let redeem = books.redeem_under(&organization, "LAUNCH", &organization);
            let answer = tokio::time::timeout(patience, redeem).await.ok()?.unwrap();
            assert_eq!(word(&answer), "Redeemed");
            Some((organization, answer))
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(async |heard| heard)
        .collect()
        .await;
    let (count, all) = (heard.len() as u64, callers.end - callers.start);
    assert!(0 < count && count < all, "{count} of {all} callers heard the answer");

    // What nobody waited for was done all the same, and every connection serves.
    let again = async |organization: String| {
        let answer = books.redeem_under(&organization, "LAUNCH", &organization).await.unwrap();
        assert!(matches!(answer, Answer::Done(_)), "{organization}: {answer:?}");
        answer
    };
    let organizations = callers.map(|caller| format!("caller-{caller}"));
    stream::iter(organizations).map(again).buffer_unordered(AT_ONCE).count().await;
    stream::iter(heard)
        .for_each_concurrent(AT_ONCE, async |(organization, answer)| {
            assert_eq!(again(organization).await, answer);
        })
        .await;
    let idle = "pg_stat_activity where datname = current_database() and state like 'idle in%'";
    assert_eq!(books.count(idle).await, 0);
}
