//! A ledger belongs to one hub and a franchise to one namespace, until an administrator says that
//! it is another.

use catalyst_operator::{
    domain::{
        facts::Item,
        object::{Identity, Kind},
        reason::Reason,
    },
    store::Error,
};

use crate::support::{books, plan, word};

#[tokio::test]
async fn the_first_hub_keeps_the_ledger_and_another_is_told_what_to_do() {
    let books = books().await;
    books.door.pin_hub("hub-one").await.unwrap();
    books.door.pin_hub("hub-one").await.unwrap();
    let refused = books.door.pin_hub("hub-two").await.unwrap_err();
    let said = refused.to_string();
    assert!(matches!(refused, Error::HubChanged { .. }), "{said}");
    assert!(said.contains("ledger adopt-hub hub-two"), "{said}");
    assert_eq!(books.count("hub").await, 1);
}

#[tokio::test]
async fn a_hub_that_adopts_the_ledger_fences_the_one_before() {
    let books = books().await;
    books.rich_organization("kestrel").await;
    books.door.pin_hub("hub-one").await.unwrap();
    let first = books.door.under(books.door.begin_leadership().await.unwrap());
    assert_eq!(word(&books.door.adopt_hub("hub-two").await.unwrap()), "Pinned");

    let late = first.order("omantel", "kestrel", "catalyst-zero", "m").await;
    assert!(matches!(late, Err(Error::Fenced)), "{late:?}");
    books.door.pin_hub("hub-two").await.unwrap();
    let back = books.door.pin_hub("hub-one").await;
    assert!(matches!(back, Err(Error::HubChanged { .. })), "{back:?}");
    assert_eq!(books.count("orders").await, 0);
}

#[tokio::test]
async fn two_hubs_that_come_first_at_once_are_not_both_first() {
    let books = books().await;
    let (one, two) = (books.door.clone(), books.database.another_store(1).door());
    let (one, two) = tokio::join!(one.pin_hub("hub-one"), two.pin_hub("hub-two"));
    assert_ne!(one.is_ok(), two.is_ok(), "{one:?} {two:?}");
}

#[tokio::test]
async fn a_hub_that_was_built_anew_takes_its_sovereigns_along_and_charges_nothing_again() {
    let books = books().await;
    books.sell("nizwa", "OMR", "cluster-nizwa").await;
    books.rich_organization("kestrel").await;
    books.paid("kestrel", "m").await;
    let home = Identity { kind: Kind::Namespace, namespace: String::new(), name: "home".into() };
    let cluster = "cluster-zero".to_owned();
    let made = Item { identity: home, cluster: cluster.clone(), uid: Some("uid-home".to_owned()) };
    books.door.journal("omantel", "kestrel", &cluster, &[made]).await.unwrap();
    books.door.pin_hub("cluster-zero").await.unwrap();

    books.door.adopt_hub("cluster-two").await.unwrap();
    books.door.adopt_hub("cluster-two").await.unwrap();

    let anew = ("omantel", "uid-of-omantel-rebuilt");
    books.door.accept_franchise(anew.0, anew.1).await.unwrap();
    let plans = [plan("m", 9_000)];
    for (sovereign, cluster) in [("catalyst-zero", "cluster-two"), ("nizwa", "cluster-nizwa")] {
        let place = ("OMR", cluster);
        let answer = books.door.accept_sovereign(anew, sovereign, place, &plans).await;
        assert_eq!(word(&answer.unwrap()), "Accepted", "{sovereign}");
    }
    assert_eq!(books.voucher("WELCOME").generation(1).accept().await, "Accepted");
    books.organization("kestrel").await;
    assert_eq!(books.redeem("WELCOME", "kestrel").await, "Redeemed", "as it was before");
    assert_eq!(books.order("kestrel", "m").await, "Paid");
    let facts = books.facts("kestrel").await;
    assert_eq!(facts.sovereign.unwrap().cluster, "cluster-two");
    let known = (facts.inventory[0].cluster.as_str(), facts.inventory[0].uid.as_deref());
    assert_eq!(known, ("cluster-two", None));
    assert_eq!(books.credit("kestrel").await, 91_000);
    books.assert_sound().await;
}

#[tokio::test]
async fn a_namespace_that_was_made_anew_moves_no_money_until_it_is_accepted() {
    let books = books().await;
    let (anew, place) = (("omantel", "uid-two"), ("OMR", "cluster-zero"));
    let plans = [plan("m", 9_000)];
    let accept = || books.door.accept_sovereign(anew, "catalyst-zero", place, &plans);
    assert_eq!(word(&accept().await.unwrap()), "FranchiseIdentityChanged");
    let standing = books.facts("kestrel").await.standing;
    let reason = standing.trouble("omantel", Some("uid-two")).unwrap();
    assert_eq!(reason.name(), "FranchiseIdentityChanged");
    assert!(reason.to_string().contains("accept-franchise-uid=uid-two"), "{reason}");

    let accepted = books.door.accept_franchise("omantel", "uid-two").await.unwrap();
    assert_eq!(word(&accepted), "Accepted");
    assert_eq!(word(&accept().await.unwrap()), "Accepted");
    let standing = books.facts("kestrel").await.standing;
    assert_eq!(standing.trouble("omantel", Some("uid-two")), None::<Reason>);
    let old = standing.trouble("omantel", Some("uid-of-omantel"));
    assert_eq!(old.unwrap().name(), "FranchiseIdentityChanged", "and the old one is a stranger");
}

#[tokio::test]
async fn a_franchise_that_is_not_in_the_ledger_cannot_be_accepted() {
    let books = books().await;
    let answer = books.door.accept_franchise("batelco", "uid").await.unwrap();
    assert_eq!(word(&answer), "NoFranchise");
}
