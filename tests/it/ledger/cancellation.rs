//! A caller may go away at any moment: what was acknowledged stands, and nothing is left behind.

use std::time::Duration;

use catalyst_operator::store::Answer;

use crate::support::{Books, books, word};

const CALLS: u64 = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_caller_loses_no_acknowledgement_and_poisons_no_connection() {
    let books = books().await;
    books.voucher("LAUNCH").issued().await;
    let store = books.database.another_store(3);
    let hasty = Books { door: store.door(), ..books.clone() };
    let mut acknowledged = vec![];
    for call in 0..CALLS {
        let organization = format!("caller-{call}");
        books.organization(&organization).await;
        let patience = Duration::from_micros(scatter(call) % 6_000);
        let redeem = hasty.redeem_under(&organization, "LAUNCH", &organization);
        if let Ok(answer) = tokio::time::timeout(patience, redeem).await {
            assert_eq!(word(answer.as_ref().unwrap()), "Redeemed");
            acknowledged.push((organization, answer.unwrap()));
        }
    }
    let heard = acknowledged.len() as u64;
    assert!(0 < heard && heard < CALLS, "{heard} of {CALLS} callers heard the answer");

    // What nobody waited for was done all the same, and every connection serves.
    for caller in 0..CALLS {
        let organization = format!("caller-{caller}");
        let again = hasty.redeem_under(&organization, "LAUNCH", &organization).await.unwrap();
        assert!(matches!(again, Answer::Done(_)), "{organization}: {again:?}");
    }
    for (organization, answer) in acknowledged {
        let again = hasty.redeem_under(&organization, "LAUNCH", &organization).await.unwrap();
        assert_eq!(again, answer);
    }
    let idle = "pg_stat_activity where datname = current_database() and state like 'idle in%'";
    assert_eq!(books.count(idle).await, 0);
    assert_eq!(books.lineage("LAUNCH").await.unwrap().used, 300);
    books.assert_sound().await;
}

/// The same for every run, and scattered enough (the finalizer of `SplitMix64`).
fn scatter(seed: u64) -> u64 {
    let mixed = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 31)
}
