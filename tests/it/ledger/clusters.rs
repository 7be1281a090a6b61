//! What an organization leaves on a cluster that does not answer: written down, given back to who
//! comes again in time, and condemned before it is taken away.

use std::time::Duration;

use catalyst_operator::{
    domain::{
        facts::{Item, SovereignFacts, TenantFacts, Tombstone},
        object::{Identity, Kind},
    },
    store::{Answer, Error, Home, Refusal, Store},
};
use futures::future::join_all;
use tokio::sync::Barrier;

use crate::support::{Books, GRACE, books, plan, word};

/// The cluster of the Sovereign `muscat`.
pub(super) const CLUSTER: &str = "cluster-muscat";

/// Books with a Sovereign on a cluster that is not the hub.
#[derive(Clone)]
pub(super) struct Abroad(pub(super) Books);

pub(super) async fn abroad() -> Abroad {
    let abroad = Abroad(books().await);
    assert_eq!(abroad.accept("muscat", CLUSTER).await, "Accepted");
    abroad
}

pub(super) fn said(answer: Result<Answer, Error>) -> String {
    word(&answer.expect("the ledger serves")).to_owned()
}

/// An object that was made under a UID.
fn made(kind: Kind, namespace: &str, name: &str) -> Item {
    let identity = Identity { kind, namespace: namespace.to_owned(), name: name.to_owned() };
    let uid = Some(format!("uid-of-{namespace}-{name}"));
    Item { identity, cluster: CLUSTER.to_owned(), uid }
}

/// What stands for an organization on a cluster, in the order of the ledger.
pub(super) fn things(organization: &str) -> Vec<Item> {
    let home = format!("tenant-{organization}");
    let mut things = vec![made(Kind::LimitRange, &home, "catalyst-limits")];
    things.push(made(Kind::Namespace, "", &home));
    let policies = ["catalyst-a", "catalyst-b", "catalyst-c", "catalyst-d", "catalyst-e"];
    things.extend(policies.map(|name| made(Kind::NetworkPolicy, &home, name)));
    things.push(made(Kind::ResourceQuota, &home, "catalyst-plan"));
    things
}

impl Abroad {
    /// Accepts a Sovereign that is reached by a kubeconfig.
    pub(super) async fn accept(&self, sovereign: &str, cluster: &str) -> String {
        let Self(books) = self;
        let home =
            Home { currency: "OMR", cluster, secret: Some(sovereign), abandon_after: Some(3600) };
        let plans = [plan("m", 9_000)];
        let franchise = (books.namespace.as_str(), books.uid());
        let door = &books.door;
        said(door.accept_sovereign((franchise.0, &franchise.1), sovereign, home, &plans).await)
    }

    pub(super) async fn claim(&self, organization: &str, sovereign: &str) -> String {
        let Self(books) = self;
        let home = (sovereign, GRACE);
        said(books.door.claim(&books.namespace, organization, organization, home).await)
    }

    pub(super) async fn reach(&self, is_reached: bool) -> String {
        let Self(books) = self;
        said(books.door.reach_sovereign(&books.namespace, "muscat", is_reached).await)
    }

    pub(super) async fn abandon(&self, organization: &str) -> String {
        let Self(books) = self;
        said(books.door.abandon(&books.namespace, organization, organization).await)
    }

    pub(super) async fn condemn(&self) -> String {
        said(self.0.door.condemn(&self.0.namespace, "muscat").await)
    }

    /// The organization is awake on `muscat`, and everything of it stands.
    pub(super) async fn settled(&self, organization: &str) {
        self.settled_on(organization, CLUSTER).await;
    }

    /// The same where that is another cluster now.
    pub(super) async fn settled_on(&self, organization: &str, cluster: &str) {
        let Self(books) = self;
        assert_eq!(self.claim(organization, "muscat").await, "Claimed");
        let things = things(organization);
        let kept = books.door.journal(&books.namespace, organization, cluster, &things).await;
        assert_eq!(said(kept), "Journaled");
    }

    /// It has given up what stands there, and the cluster is back.
    async fn given_up(&self, organization: &str) {
        self.settled(organization).await;
        self.reach(false).await;
        assert_eq!(self.abandon(organization).await, "Abandoned");
        self.reach(true).await;
    }

    pub(super) async fn facts(&self, organization: &str, sovereign: &str) -> TenantFacts {
        let Self(books) = self;
        let mut tenant = books.tenant(organization, &[]);
        sovereign.clone_into(&mut tenant.sovereign);
        books.database.store.observe_tenant(&tenant).await.expect("the ledger serves")
    }

    pub(super) async fn sovereign(&self) -> SovereignFacts {
        let Self(books) = self;
        let store = &books.database.store;
        let facts = store.observe_sovereign(&books.namespace, "muscat", Some(CLUSTER)).await;
        facts.expect("the ledger serves")
    }

    async fn tombstones(&self) -> Vec<Tombstone> {
        self.sovereign().await.tombstones
    }
}

/// Tombstones as what they stand for.
fn items(tombstones: &[Tombstone]) -> Vec<Item> {
    tombstones.iter().map(|tombstone| tombstone.item.clone()).collect()
}

#[tokio::test]
async fn nothing_is_abandoned_while_the_cluster_answers() {
    let abroad = abroad().await;
    abroad.settled("oryx").await;
    assert_eq!(abroad.abandon("oryx").await, "SovereignAnswers");
    assert_eq!(abroad.facts("oryx", "muscat").await.inventory, things("oryx"));
    assert_eq!(abroad.tombstones().await, []);
    assert_eq!(abroad.abandon("nobody").await, "Abandoned", "there is nothing to give up");

    assert_eq!(abroad.reach(false).await, "Darkened");
    let Abroad(books) = &abroad;
    let stranger = books.door.abandon(&books.namespace, "oryx", "another-tenant").await;
    assert_eq!(said(stranger), "Abandoned", "it has no part in it");
    assert!(abroad.facts("oryx", "muscat").await.claimed);
}

#[tokio::test]
async fn what_is_abandoned_is_a_tombstone_and_the_money_stays() {
    let abroad = abroad().await;
    let Abroad(books) = &abroad;
    abroad.settled("oryx").await;
    assert_eq!(books.grant("oryx", "20.000 OMR", "4711").await, "Credited");
    let (namespace, customer) = (&books.namespace, ("oryx", "muscat", "m"));
    let ordered = books.door.order(namespace, "oryx", "muscat", "m").await;
    assert_eq!(said(ordered), "Ordered");
    let order = abroad.facts("oryx", "muscat").await.order.unwrap().order;
    let held = books.door.redeem_and_hold(namespace, customer, (order, 1), &[]).await;
    assert_eq!(said(held), "Held");

    abroad.reach(false).await;
    for _ in 0..2 {
        assert_eq!(abroad.abandon("oryx").await, "Abandoned");
        let facts = abroad.facts("oryx", "muscat").await;
        let account = facts.account.unwrap();
        assert_eq!((account.spendable, account.held), (20_000, 0), "the hold is given back");
        assert!(!facts.claimed && facts.order.is_none() && facts.inventory.is_empty());
        assert_eq!(items(&abroad.tombstones().await), things("oryx"));
    }
    assert_eq!(books.capture(order).await, "NoOrder", "what was ordered is off");
    assert!(!abroad.tombstones().await.iter().any(|tombstone| tombstone.condemned));
    books.assert_sound().await;
}

#[tokio::test]
async fn who_comes_back_in_time_has_its_things_back_and_on_another_sovereign_has_not() {
    let abroad = abroad().await;
    assert_eq!(abroad.accept("nizwa", "cluster-nizwa").await, "Accepted");
    abroad.given_up("oryx").await;
    assert_eq!(abroad.claim("oryx", "nizwa").await, "Claimed");
    assert_eq!(abroad.facts("oryx", "nizwa").await.inventory, []);
    assert_eq!(items(&abroad.tombstones().await), things("oryx"), "they wait there all the same");
    assert_eq!(said(abroad.0.door.leave("omantel", "oryx", "oryx").await), "Left");

    assert_eq!(abroad.claim("oryx", "muscat").await, "Claimed");
    let facts = abroad.facts("oryx", "muscat").await;
    assert_eq!((facts.inventory, facts.condemned), (things("oryx"), false));
    assert_eq!(abroad.tombstones().await, []);
    abroad.0.advance("2 hours").await;
    assert_eq!(abroad.condemn().await, "Condemned");
    assert_eq!(abroad.facts("oryx", "muscat").await.inventory, things("oryx"));
}

#[tokio::test]
async fn what_is_condemned_too_early_stays_and_in_time_is_not_given_back() {
    let abroad = abroad().await;
    abroad.given_up("oryx").await;
    assert_eq!(abroad.condemn().await, "TooEarly");
    abroad.0.advance("59 minutes").await;
    assert_eq!(abroad.condemn().await, "TooEarly");
    abroad.reach(false).await;
    abroad.0.advance("2 hours").await;
    assert_eq!(abroad.condemn().await, "TooEarly", "it does not answer");
    abroad.reach(true).await;
    assert_eq!(abroad.condemn().await, "TooEarly", "it has only begun to");
    assert!(!abroad.tombstones().await.iter().any(|tombstone| tombstone.condemned));

    abroad.0.advance("1 hour").await;
    assert_eq!(abroad.condemn().await, "Condemned");
    assert_eq!(abroad.claim("oryx", "muscat").await, "Claimed");
    let facts = abroad.facts("oryx", "muscat").await;
    assert_eq!((facts.inventory, facts.condemned), (vec![], true));
    let announced: Vec<Item> =
        things("oryx").into_iter().map(|item| Item { uid: None, ..item }).collect();
    let kept = abroad.0.door.journal("omantel", "oryx", CLUSTER, &announced).await;
    assert_eq!(said(kept), "Journaled");
    let condemned = abroad.tombstones().await;
    assert_eq!(items(&condemned), things("oryx"), "and under the UIDs that it had");
    assert!(condemned.iter().all(|tombstone| tombstone.condemned));

    let gone: Vec<Identity> = things("oryx").into_iter().map(|item| item.identity).collect();
    let buried = abroad.0.door.forget("omantel", "oryx", CLUSTER, &gone).await;
    assert_eq!(said(buried), "Forgotten");
    assert!(!abroad.facts("oryx", "muscat").await.condemned);
}

/// How many organizations have something of both: back, and condemned.
pub(super) async fn torn(books: &Books) -> i64 {
    let each = "(select organization from inventory group by organization \
                having count(*) filter (where not condemned) > 0 \
                and count(*) filter (where condemned or abandoned_at is not null) > 0) as torn";
    books.count(each).await
}

#[tokio::test]
async fn of_many_organizations_each_is_condemned_whole() {
    let abroad = abroad().await;
    let organizations: Vec<String> = (10..80).map(|number| format!("oryx-{number}")).collect();
    for organization in &organizations {
        abroad.settled(organization).await;
    }
    abroad.reach(false).await;
    for organization in &organizations {
        assert_eq!(abroad.abandon(organization).await, "Abandoned");
    }
    abroad.reach(true).await;
    abroad.0.advance("1 hour").await;
    assert_eq!(abroad.condemn().await, "Condemned");
    for organization in &organizations {
        assert_eq!(abroad.claim(organization, "muscat").await, "Claimed");
    }
    assert_eq!(torn(&abroad.0).await, 0);
}

#[tokio::test]
async fn what_an_organization_is_given_back_is_not_condemned_meanwhile() {
    let abroad = abroad().await;
    abroad.given_up("oryx").await;
    abroad.given_up("falcon").await;
    abroad.0.advance("1 hour").await;
    let claim = "select claim_v1('omantel', null, 'oryx', 'oryx', 'muscat', '7 days')";
    assert_eq!(abroad.0.behind(claim, abroad.condemn()).await, "Condemned");
    let facts = abroad.facts("oryx", "muscat").await;
    assert_eq!((facts.inventory, facts.condemned), (things("oryx"), false));
    assert_eq!(items(&abroad.tombstones().await), things("falcon"));
}

#[tokio::test]
async fn what_is_condemned_meanwhile_is_not_given_back() {
    let abroad = abroad().await;
    abroad.given_up("oryx").await;
    abroad.0.advance("1 hour").await;
    let condemn = "select condemn_v1('omantel', null, 'muscat')";
    assert_eq!(abroad.0.behind(condemn, abroad.claim("oryx", "muscat")).await, "Claimed");
    let facts = abroad.facts("oryx", "muscat").await;
    assert_eq!((facts.inventory, facts.condemned), (vec![], true));
}

#[tokio::test]
async fn whoever_wins_the_race_each_organization_has_all_of_its_things_or_none() {
    const ROUNDS: usize = 40;
    let abroad = abroad().await;
    let organizations: Vec<String> = (0..6).map(|number| format!("oryx-{number}")).collect();
    let stores: Vec<Store> =
        organizations.iter().map(|_| abroad.0.database.another_store(1)).collect();
    let (mut back, mut condemned) = (0, 0);
    for round in 0..ROUNDS {
        abroad
            .0
            .database
            .mutate("delete from inventory; update organization set tenant = null")
            .await;
        for organization in &organizations {
            abroad.settled(organization).await;
        }
        let abandon = "update inventory set abandoned_at = now(); \
                       update organization set tenant = null; \
                       update sovereign set reached_at = '-infinity'";
        abroad.0.database.mutate(abandon).await;
        let barrier = Barrier::new(organizations.len() + 1);
        // One side is late in every other round, so that each comes first at times.
        let late = |side: usize| Duration::from_millis(if round % 4 == side { 30 } else { 0 });
        let claims = organizations.iter().zip(&stores).map(|(organization, store)| {
            let books = Books { door: store.door(), ..abroad.0.clone() };
            let barrier = &barrier;
            async move {
                barrier.wait().await;
                tokio::time::sleep(late(0)).await;
                assert_eq!(Abroad(books).claim(organization, "muscat").await, "Claimed");
            }
        });
        let condemn = async {
            barrier.wait().await;
            tokio::time::sleep(late(1)).await;
            assert_eq!(abroad.condemn().await, "Condemned");
        };
        tokio::join!(join_all(claims), condemn);
        assert_eq!(torn(&abroad.0).await, 0, "in round {round}");
        back += abroad.0.count("inventory where not condemned").await;
        condemned += abroad.0.count("inventory where condemned").await;
    }
    assert!(back > 0 && condemned > 0, "both came first at times: {back} and {condemned}");
}

#[tokio::test]
async fn a_fenced_or_frozen_caller_does_nothing_to_clusters() {
    let abroad = abroad().await;
    abroad.given_up("oryx").await;
    abroad.settled("falcon").await;
    abroad.reach(false).await;
    let door = &abroad.0.door;
    let calls = async |door: &catalyst_operator::store::Door| {
        [
            door.reach_sovereign("omantel", "muscat", true).await,
            door.accept_cluster("omantel", "muscat", "another").await,
            door.abandon("omantel", "falcon", "falcon").await,
            door.condemn("omantel", "muscat").await,
        ]
    };
    let fenced = door.under(door.begin_leadership().await.unwrap());
    door.begin_leadership().await.unwrap();
    let before = abroad.0.database.dump().await;
    for answer in calls(&fenced).await {
        assert!(matches!(answer, Err(Error::Fenced)), "{answer:?}");
    }
    assert_eq!(abroad.0.database.dump().await, before);
    let freeze = "update franchise set frozen = 'an audit' where namespace = 'omantel'";
    abroad.0.database.mutate(freeze).await;
    let before = abroad.0.database.dump().await;
    for answer in calls(door).await {
        assert!(matches!(&answer, Err(Error::Frozen(why)) if why == "an audit"), "{answer:?}");
    }
    assert_eq!(abroad.0.database.dump().await, before);
    let nowhere = door.condemn("nowhere", "muscat").await.unwrap();
    assert_eq!(nowhere, Answer::Refused(Refusal::NoFranchise));
}
