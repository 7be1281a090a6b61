//! Which cluster a Sovereign lives on, that it is its alone, and that it answers.

use std::time::Duration;

use catalyst_operator::{
    domain::facts::Item,
    store::{Change, Followed},
};

use super::clusters::{Abroad, CLUSTER, abroad, said, things};
use crate::support::plan;

async fn accept_cluster(abroad: &Abroad, cluster: &str) -> String {
    let Abroad(books) = abroad;
    said(books.door.accept_cluster(&books.namespace, "muscat", cluster).await)
}

#[tokio::test]
async fn a_sovereign_moves_to_another_cluster_with_its_organizations_and_what_they_have() {
    let abroad = abroad().await;
    abroad.settled("oryx").await;
    assert_eq!(accept_cluster(&abroad, "cluster-anew").await, "Accepted");
    assert_eq!(accept_cluster(&abroad, "cluster-anew").await, "Accepted");
    let facts = abroad.facts("oryx", "muscat").await;
    let anew = |item: Item| Item { cluster: "cluster-anew".to_owned(), uid: None, ..item };
    let wanted: Vec<Item> = things("oryx").into_iter().map(anew).collect();
    assert_eq!(facts.inventory, wanted, "it is known there by its labels");
    assert_eq!(facts.sovereign.unwrap().cluster, "cluster-anew");
    assert!(facts.claimed);
    let moved = "organization where organization = 'oryx' and cluster = 'cluster-anew'";
    assert_eq!(abroad.0.count(moved).await, 1);
    let said = abroad.accept("muscat", CLUSTER).await;
    assert_eq!(said, "ClusterIdentityChanged", "it does not move back by itself");
    let unknown = abroad.0.door.accept_cluster("omantel", "nizwa", "cluster-anew").await.unwrap();
    assert_eq!(crate::support::word(&unknown), "SovereignNotFound");
}

#[tokio::test]
async fn what_was_abandoned_on_the_last_cluster_stays_behind() {
    let abroad = abroad().await;
    abroad.settled("oryx").await;
    abroad.reach(false).await;
    assert_eq!(abroad.abandon("oryx").await, "Abandoned");
    assert_eq!(accept_cluster(&abroad, "cluster-anew").await, "Accepted");
    abroad.reach(true).await;
    assert_eq!(abroad.sovereign().await.tombstones, []);
    assert_eq!(abroad.claim("oryx", "muscat").await, "Claimed");
    assert_eq!(abroad.facts("oryx", "muscat").await.inventory, []);
    abroad.0.advance("2 hours").await;
    assert_eq!(abroad.condemn().await, "Condemned");
    let left = format!("inventory where cluster = '{CLUSTER}' and not condemned");
    assert_eq!(abroad.0.count(&left).await, 8);
}

#[tokio::test]
async fn what_it_abandoned_on_a_cluster_that_it_moves_to_is_its_own_again_or_goes_whole() {
    for condemned in [false, true] {
        let abroad = abroad().await;
        // It left more there than it has now: a policy that is not made any more.
        abroad.settled("oryx").await;
        let more = Item { cluster: CLUSTER.to_owned(), ..things("oryx").remove(2) };
        let mut old = more.clone();
        old.identity.name = "catalyst-old".to_owned();
        let kept = abroad.0.door.journal("omantel", "oryx", CLUSTER, &[old]).await;
        assert_eq!(said(kept), "Journaled");
        abroad.reach(false).await;
        assert_eq!(abroad.abandon("oryx").await, "Abandoned");
        assert_eq!(accept_cluster(&abroad, "cluster-anew").await, "Accepted");
        abroad.reach(true).await;
        abroad.settled_on("oryx", "cluster-anew").await;
        if condemned {
            abroad
                .0
                .database
                .mutate("update inventory set condemned = abandoned_at is not null")
                .await;
        }
        assert_eq!(accept_cluster(&abroad, CLUSTER).await, "Accepted");
        let facts = abroad.facts("oryx", "muscat").await;
        let torn = facts.condemned && !facts.inventory.is_empty();
        assert!(!torn, "condemned {condemned}: {:?}", facts.inventory);
        let zombies = "inventory where abandoned_at is not null and not condemned";
        assert_eq!(abroad.0.count(zombies).await, 0, "condemned {condemned}");
    }
}

#[tokio::test]
async fn a_cluster_that_another_sovereign_has_is_not_accepted() {
    let abroad = abroad().await;
    assert_eq!(abroad.accept("nizwa", "cluster-nizwa").await, "Accepted");
    assert_eq!(accept_cluster(&abroad, "cluster-nizwa").await, "ClusterTaken");
    assert_eq!(abroad.accept("sohar", CLUSTER).await, "ClusterTaken");
    assert_eq!(abroad.sovereign().await.sovereign.unwrap().cluster, CLUSTER);

    // A Sovereign that is the hub itself is another matter, and so is another franchise.
    abroad.0.sell("hub-one", "OMR", CLUSTER).await;
    abroad.0.sell("hub-two", "OMR", CLUSTER).await;
    let other = Abroad(abroad.0.franchise("ooredoo").await);
    assert_eq!(other.accept("muscat", CLUSTER).await, "Accepted");

    let closed = abroad.0.door.close_sovereign("omantel", "nizwa").await;
    assert_eq!(said(closed), "Closed");
    assert_eq!(accept_cluster(&abroad, "cluster-nizwa").await, "Accepted");
    assert_eq!(abroad.accept("nizwa", "cluster-nizwa").await, "ClusterTaken");
    abroad.0.assert_sound().await;
}

#[tokio::test]
async fn a_cluster_where_an_organization_is_another_franchises_is_not_accepted() {
    let abroad = abroad().await;
    let other = Abroad(abroad.0.franchise("ooredoo").await);
    assert_eq!(other.accept("muscat", "cluster-anew").await, "Accepted");
    assert_eq!(other.claim("oryx", "muscat").await, "Claimed");
    abroad.settled("oryx").await;
    assert_eq!(accept_cluster(&abroad, "cluster-anew").await, "OrganizationTaken");
    assert_eq!(abroad.facts("oryx", "muscat").await.inventory, things("oryx"));
    assert_eq!(said(other.0.door.leave("ooredoo", "oryx", "oryx").await), "Left");
    assert_eq!(accept_cluster(&abroad, "cluster-anew").await, "Accepted");
}

#[tokio::test]
async fn a_cluster_that_goes_dark_or_comes_back_wakes_its_tenants_once() {
    let abroad = abroad().await;
    let mut follower = abroad.0.database.store.follow().await.unwrap();
    assert_eq!(follower.next().await.unwrap(), Followed::Anything);
    let wanted = Change::Sovereign("omantel".to_owned(), "muscat".to_owned());
    let mut last = None;
    for (is_reached, word) in [(false, "Darkened"), (true, "Reached")] {
        assert_eq!(abroad.reach(is_reached).await, word);
        let told = async {
            loop {
                if let Followed::Changes(changes) = follower.next().await.unwrap()
                    && changes.contains(&wanted)
                {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(15), told).await.expect("it is told");
        let row = "select s::text from sovereign s where sovereign = 'muscat'";
        let before: String = abroad.0.database.one(row).await;
        assert_ne!(last.replace(before.clone()), Some(before.clone()));
        abroad.0.advance("1 minute").await;
        assert_eq!(abroad.reach(is_reached).await, word);
        let after: String = abroad.0.database.one(row).await;
        assert_eq!(after, before, "who says it again says nothing, and the hour goes on");
    }
}

#[tokio::test]
async fn a_sovereign_that_comes_back_has_only_begun_to_answer() {
    let abroad = abroad().await;
    abroad.settled("oryx").await;
    abroad.reach(false).await;
    assert_eq!(abroad.abandon("oryx").await, "Abandoned");
    assert_eq!(said(abroad.0.door.close_sovereign("omantel", "muscat").await), "Closed");
    // As after another Sovereign of that name, which was closed while all was well.
    abroad.0.database.mutate("update sovereign set dark_since = null").await;
    abroad.0.advance("2 hours").await;
    assert_eq!(abroad.accept("muscat", CLUSTER).await, "Accepted");
    assert_eq!(abroad.condemn().await, "TooEarly");
    let facts = abroad.sovereign().await;
    assert!(facts.sweep_at.unwrap() > facts.standing.now);
}

#[tokio::test]
async fn plans_that_are_sold_no_more_are_kept_for_those_who_have_them() {
    let abroad = abroad().await;
    let kept = async || {
        abroad
            .0
            .database
            .one::<Option<String>>(
                "select string_agg(plan, ',') from kept_plans(1, 'catalyst-zero')",
            )
            .await
    };
    let withdraw = async || {
        let place = ("OMR", "cluster-zero");
        let said = abroad.0.accept_sovereign("catalyst-zero", place, &[plan("s", 5_000)]).await;
        assert_eq!(said, "Accepted");
    };
    withdraw().await;
    assert_eq!(kept().await, None, "nobody has them");
    abroad.0.sell("catalyst-zero", "OMR", "cluster-zero").await;
    abroad.0.rich_organization("kestrel").await;
    abroad.0.paid("kestrel", "m").await;
    assert_eq!(kept().await, None, "they are sold");
    withdraw().await;
    assert_eq!(kept().await.as_deref(), Some("m"));
    abroad.0.advance("35 days").await;
    assert_eq!(kept().await.as_deref(), Some("m"), "the week of grace counts");
    abroad.0.advance("10 days").await;
    assert_eq!(kept().await, None);
}
