//! Whose an organization is: its money in a franchise, its objects on a cluster.

use catalyst_operator::{
    domain::{
        facts::Item,
        object::{Identity, Kind},
    },
    store::{Answer, Error, Refusal},
};

use crate::support::{GRACE, books, word};

#[tokio::test]
async fn the_first_tenant_has_the_organization_and_the_next_waits_until_it_is_free() {
    let books = books().await;
    assert_eq!(books.claim("kestrel", "first").await, "Claimed");
    assert_eq!(books.claim("kestrel", "first").await, "Claimed");
    assert_eq!(books.claim("kestrel", "second").await, "OrganizationTaken");
    let mut second = books.tenant("kestrel", &[]);
    second.name = "second".to_owned();
    let facts = books.database.store.observe_tenant(&second).await.unwrap();
    assert_eq!((facts.claimed, facts.taken_by.as_deref()), (false, Some("Tenant first")));

    assert_eq!(books.leave("kestrel", "second").await, "Left", "it had nothing to leave");
    assert_eq!(books.claim("kestrel", "second").await, "OrganizationTaken");
    assert_eq!(books.leave("kestrel", "first").await, "Left");
    assert_eq!(books.claim("kestrel", "second").await, "Claimed");
}

#[tokio::test]
async fn on_one_cluster_an_organization_belongs_to_one_franchise() {
    let omantel = books().await;
    let ooredoo = omantel.franchise("ooredoo").await;
    omantel.organization("kestrel").await;
    assert_eq!(ooredoo.claim("kestrel", "kestrel").await, "OrganizationTaken");
    let facts = ooredoo.facts("kestrel").await;
    assert_eq!(facts.taken_by.as_deref(), Some("a Tenant of another franchise"));

    ooredoo.sell("muscat", "OMR", "another-cluster").await;
    let there =
        ooredoo.door.claim("ooredoo", "kestrel", "kestrel", ("muscat", GRACE)).await.unwrap();
    assert_eq!(word(&there), "Claimed");
}

#[tokio::test]
async fn of_two_franchises_that_wake_one_name_at_once_the_first_has_it() {
    let omantel = books().await;
    let ooredoo = omantel.franchise("ooredoo").await;
    for books in [&omantel, &ooredoo] {
        books.organization("kestrel").await;
        assert_eq!(books.leave("kestrel", "kestrel").await, "Left");
    }
    let first = "select claim_v1('omantel', null, 'kestrel', 'kestrel', 'catalyst-zero', '7 days')";

    let second = ooredoo.behind(first, ooredoo.claim("kestrel", "kestrel")).await;

    assert_eq!(second, "OrganizationTaken");
}

#[tokio::test]
async fn a_tenant_that_asks_for_two_organizations_at_once_has_the_later_one() {
    let books = books().await;
    let first = "select claim_v1('omantel', null, 'kestrel', 'same', 'catalyst-zero', '7 days')";

    assert_eq!(books.behind(first, books.claim("falcon", "same")).await, "Claimed");

    let all = "select string_agg(organization, ' ') from organization where tenant = 'same'";
    assert_eq!(books.database.one::<String>(all).await, "falcon");
}

#[tokio::test]
async fn an_organization_sleeps_with_its_money_and_wakes_with_it() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    assert_eq!(books.leave("kestrel", "kestrel").await, "Left");
    assert_eq!(books.claim("kestrel", "reborn").await, "Claimed");
    assert_eq!(books.credit("kestrel").await, 100_000);
}

#[tokio::test]
async fn an_organization_does_not_sleep_while_something_of_it_stands() {
    let books = books().await;
    books.organization("kestrel").await;
    let identity = Identity {
        kind: Kind::Namespace,
        namespace: String::new(),
        name: "tenant-kestrel".to_owned(),
    };
    let cluster = "cluster-zero".to_owned();
    let planned = Item { identity: identity.clone(), cluster, uid: None };
    let made = Item { uid: Some("uid-1".to_owned()), ..planned.clone() };
    for item in [&planned, &made] {
        let items = std::slice::from_ref(item);
        let kept = books.door.journal("omantel", "kestrel", "cluster-zero", items).await.unwrap();
        assert_eq!(word(&kept), "Journaled");
    }
    assert_eq!(books.facts("kestrel").await.inventory, [made]);
    assert_eq!(books.leave("kestrel", "kestrel").await, "ObjectsRemain");

    let gone = books.door.forget("omantel", "kestrel", "cluster-zero", &[identity]).await;
    assert_eq!(word(&gone.unwrap()), "Forgotten");
    assert_eq!(books.leave("kestrel", "kestrel").await, "Left");
}

#[tokio::test]
async fn nothing_is_done_where_there_is_no_franchise() {
    let books = books().await;
    let stranger = crate::support::Books { namespace: "nowhere".to_owned(), ..books };
    assert_eq!(stranger.claim("kestrel", "kestrel").await, "NoFranchise");
    assert_eq!(stranger.redeem("LAUNCH", "kestrel").await, "NoFranchise");
    assert_eq!(stranger.order("kestrel", "m").await, "NoFranchise");
    assert!(stranger.facts("kestrel").await.standing.franchise.is_none());
}

#[tokio::test]
async fn a_namespace_with_another_uid_does_not_get_the_franchise() {
    let books = books().await;
    let impostor = ("omantel", "uid-of-a-new-namespace");
    let place = ("OMR", "cluster-zero");
    let answer = books.door.accept_sovereign(impostor, "catalyst-zero", place, &[]).await.unwrap();
    assert_eq!(answer, Answer::Refused(Refusal::FranchiseIdentityChanged));
    let standing = books.facts("kestrel").await.standing;
    let trouble = standing.trouble("omantel", Some("uid-of-a-new-namespace")).unwrap();
    assert_eq!(trouble.name(), "FranchiseIdentityChanged");
}

#[tokio::test]
async fn a_frozen_franchise_moves_no_money_and_the_others_do() {
    let omantel = books().await;
    let ooredoo = omantel.franchise("ooredoo").await;
    for books in [&omantel, &ooredoo] {
        books.voucher("LAUNCH").issued().await;
    }
    omantel.organization("kestrel").await;
    ooredoo.organization("falcon").await;
    let freeze = "update franchise set frozen = 'an audit' where namespace = 'omantel'";
    omantel.database.mutate(freeze).await;
    let refused = omantel.redeem_under("key", "LAUNCH", "kestrel").await.unwrap_err();
    assert!(matches!(&refused, Error::Frozen(why) if why == "an audit"), "{refused:?}");
    assert_eq!(ooredoo.redeem("LAUNCH", "falcon").await, "Redeemed");
}

#[tokio::test]
async fn a_tenant_that_was_removed_by_force_comes_back_with_another_organization() {
    let books = books().await;
    assert_eq!(books.claim("kestrel", "first").await, "Claimed");
    assert_eq!(books.claim("falcon", "first").await, "Claimed");
    assert_eq!(books.claim("kestrel", "second").await, "Claimed", "the first has let go of it");
}

#[tokio::test]
async fn a_tenant_that_was_removed_by_force_comes_back_on_another_sovereign() {
    let books = books().await;
    books.organization("kestrel").await;
    books.sell("muscat", "OMR", "cluster-zero").await;
    let there = books.door.claim("omantel", "kestrel", "kestrel", ("muscat", GRACE)).await.unwrap();
    assert_eq!(word(&there), "Claimed");
    let mut tenant = books.tenant("kestrel", &[]);
    tenant.sovereign = "muscat".to_owned();
    assert!(books.database.store.observe_tenant(&tenant).await.unwrap().claimed);
}
