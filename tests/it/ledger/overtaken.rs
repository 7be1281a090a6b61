//! Calls that others overtake while they wait: what they answer is what they would have answered
//! after them, and not what was so when they began to look.

use catalyst_operator::{
    domain::code::Code,
    store::{Answer, Refusal},
};
use sqlx::Executor as _;

use super::clusters::{Abroad, CLUSTER, abroad, said, things, torn};
use crate::support::{Books, GRACE, books};

const CLAIM: &str = "select claim_v1('omantel', null, 'oryx', 'oryx', 'catalyst-zero', '7 days')";
/// The cluster of another Sovereign, `sohar`.
const OTHER: &str = "cluster-sohar";

async fn moved(Abroad(books): &Abroad) -> String {
    said(books.door.accept_cluster("omantel", "muscat", OTHER).await)
}

/// The organization has left its things on another cluster, which anybody may come to.
async fn left_on_the_other(Abroad(books): &Abroad) {
    books.sell("sohar", "OMR", OTHER).await;
    let door = &books.door;
    door.claim("omantel", "oryx", "oryx", ("sohar", GRACE)).await.unwrap();
    door.journal("omantel", "oryx", OTHER, &things("oryx")).await.unwrap();
    for is_reached in [false, true] {
        door.reach_sovereign("omantel", "sohar", is_reached).await.unwrap();
        if !is_reached {
            assert_eq!(said(door.abandon("omantel", "oryx", "oryx").await), "Abandoned");
        }
    }
}

/// The call that accepts a Voucher object with a code.
fn accept(object: &str, code: &str, generation: i64) -> String {
    format!(
        "select accept_voucher_v1('omantel', null, '{object}', 'uid-of-{object}', {generation}, \
         '\\x{}', '{code}', false, 'catalyst-zero', 'OMR', 100000, null, null, '-infinity', \
         'infinity', null, null, false, 'Active')",
        Code::parse(code).unwrap().digest()
    )
}

/// The object that holds a code, and whether it can be redeemed.
async fn holder(books: &Books, code: &str) -> String {
    let holder = format!(
        "select concat(holder, ' ', open) from voucher join voucher_counter \
         using (franchise, voucher) where hint = '{code}'"
    );
    books.database.one(&holder).await
}

#[tokio::test]
async fn a_sovereign_that_moves_while_another_franchise_takes_a_name_there_is_told_so() {
    let abroad = abroad().await;
    abroad.settled("kestrel").await;
    let ooredoo = abroad.0.franchise("ooredoo").await;
    ooredoo.sell("sohar", "OMR", OTHER).await;
    let claim = "select claim_v1('ooredoo', null, 'kestrel', 'kestrel', 'sohar', '7 days')";
    assert_eq!(abroad.0.behind(claim, moved(&abroad)).await, "OrganizationTaken");
}

#[tokio::test]
async fn what_is_condemned_while_its_organization_moves_there_goes_whole() {
    let abroad = abroad().await;
    left_on_the_other(&abroad).await;
    abroad.settled("oryx").await;
    // It has something here that it did not have there.
    abroad
        .0
        .database
        .mutate(
            "update inventory set name = 'anew' where name = 'catalyst-a' \
                              and abandoned_at is null",
        )
        .await;
    abroad.0.advance("1 hour").await;
    let condemn = "select condemn_v1('omantel', null, 'sohar')";
    assert_eq!(abroad.0.behind(condemn, moved(&abroad)).await, "Accepted");
    assert_eq!(torn(&abroad.0).await, 0);
}

#[tokio::test]
async fn an_organization_that_sleeps_moves_to_where_it_left_something_too() {
    let abroad = abroad().await;
    left_on_the_other(&abroad).await;
    abroad.settled("oryx").await;
    // Its Tenant was removed by force, and speaks for another one.
    let door = &abroad.0.door;
    door.claim("omantel", "falcon", "oryx", ("muscat", GRACE)).await.unwrap();
    assert_eq!(moved(&abroad).await, "Accepted");
    let there = format!("inventory where organization = 'oryx' and cluster = '{OTHER}'");
    assert_eq!(abroad.0.count(&there).await, 8);
    let left = format!("inventory where organization = 'oryx' and cluster = '{CLUSTER}'");
    assert_eq!(abroad.0.count(&left).await, 0);
}

#[tokio::test]
async fn who_leaves_while_it_is_given_something_back_has_it_still() {
    let abroad = abroad().await;
    left_on_the_other(&abroad).await;
    assert_eq!(abroad.claim("oryx", "muscat").await, "Claimed");
    let back = CLAIM.replace("catalyst-zero", "sohar");
    let left = abroad.0.leave("oryx", "oryx");
    assert_eq!(abroad.0.behind(&back, left).await, "ObjectsRemain");
}

#[tokio::test]
async fn who_moves_away_from_a_dark_cluster_is_not_put_to_sleep_on_it() {
    let abroad = abroad().await;
    abroad.settled("oryx").await;
    abroad.reach(false).await;
    assert_eq!(abroad.0.behind(CLAIM, abroad.abandon("oryx")).await, "SovereignAnswers");
}

#[tokio::test]
async fn of_two_codes_of_one_object_the_later_one_is_its_code() {
    let books = books().await;
    let second = || books.voucher("SECOND").object("spring").generation(2).accept();
    assert_eq!(books.behind(&accept("spring", "FIRST", 1), second()).await, "Accepted");
    assert_eq!(holder(&books, "FIRST").await, " f");
    assert_eq!(holder(&books, "SECOND").await, "spring t");
    let first = books.voucher("FIRST").object("spring").accept();
    assert_eq!(books.behind(&accept("spring", "THIRD", 3), first).await, "StaleSpec");
    assert_eq!(holder(&books, "THIRD").await, "spring t");
}

#[tokio::test]
async fn a_code_that_another_object_holds_meanwhile_is_not_retired() {
    let books = books().await;
    books.voucher("LAUNCH").object("spring").issued().await;
    let mut retire = books.database.admin.begin().await.unwrap();
    retire.execute("select retire_v1('omantel', null, 'spring')").await.unwrap();
    let next = books.voucher("LAUNCH").object("summer").accept();
    let again = async {
        books.database.await_waiting(1).await;
        books.retire("spring").await;
    };
    let commit = async {
        books.database.await_waiting(2).await;
        retire.commit().await.unwrap();
    };
    assert_eq!(tokio::join!(next, again, commit).0, "Accepted");
    assert_eq!(holder(&books, "LAUNCH").await, "summer t");
}

#[tokio::test]
async fn nothing_is_noted_of_a_cluster_that_was_left_meanwhile() {
    let abroad = abroad().await;
    abroad.settled("oryx").await;
    let Abroad(books) = &abroad;
    let mut more = things("oryx").remove(2);
    more.identity.name = "catalyst-more".to_owned();
    let more = [more];
    let moves = format!("select accept_cluster_v1('omantel', null, 'muscat', '{OTHER}')");
    let noted = books.behind(&moves, books.door.journal("omantel", "oryx", CLUSTER, &more)).await;
    assert_eq!(noted.unwrap(), Answer::Refused(Refusal::ClusterIdentityChanged));
    let left = format!("inventory where cluster = '{CLUSTER}'");
    assert_eq!(books.count(&left).await, 0);
}

#[tokio::test]
async fn what_a_person_accepts_meanwhile_does_not_stop_the_money() {
    let books = books().await;
    let both = "select freeze_v1('omantel', null, null, 'an edit'); \
                select thaw_v1('omantel', 'it was me', 'amal')";
    let frozen = books.behind(both, books.door.freeze(("omantel", None), "an edit")).await;
    assert!(!frozen.unwrap());
}

#[tokio::test]
async fn a_cluster_where_a_sovereign_is_by_a_kubeconfig_does_not_become_the_hub() {
    let Abroad(books) = abroad().await;
    books.door.pin_hub("cluster-zero").await.unwrap();
    let leader = books.door.under(books.door.begin_leadership().await.unwrap());
    let adopted = books.door.adopt_hub(CLUSTER).await.unwrap();
    assert_eq!(adopted, Answer::Refused(Refusal::ClusterTaken));
    books.door.pin_hub("cluster-zero").await.unwrap();
    let acts = leader.forget_word("omantel").await;
    assert!(acts.is_ok(), "whoever leads is not fenced by it: {acts:?}");
    let said = books.database.command(&["adopt-hub", CLUSTER]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("delete that Sovereign first"));
}
