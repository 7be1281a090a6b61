//! A Tenant's turns, as sentences. Facts are built as the ledger answers them
//! (`migrations/0011_observe.sql`), so that the contract between the two is tested as well.

mod exhaustive;
mod leaving;
mod money;
mod objects;
mod paid;
mod prices;
mod reports;
mod way;

use prices::{order, period, renewal};
use serde_json::{Value, json};

use super::{
    Visit,
    decide::{Step, decide, item},
    observe::{Seen, terms_in_force},
};
use crate::{
    api,
    controllers::{FranchiseNamespace, TURNS_MAX, object::ObjectState},
    desired,
    domain::{
        brake::Ruling,
        code::{Code, Digest},
        facts::{Account, Entitlement, Item, Order, TenantFacts},
        object::{Identity, Kind, Live, Object},
        reason::Reason,
        tenant::Tenant,
        verdict::Verdict,
        voucher::Lineage,
    },
};

const NOW: &str = "2026-09-01T00:00:00.000000Z";
const LATER: &str = "2026-10-01T00:00:00.000000Z";
const CODE: &str = "OMANTEL-LAUNCH-100";
const PRICE: i64 = 25_000;
const CREDIT: i64 = 100_000;

/// The world as one Tenant sees it: what the ledger and the cluster say, and what they do when a
/// step is taken.
#[derive(Clone)]
struct World {
    wanted: Tenant,
    state: ObjectState,
    seen: Seen,
    /// Whether the cluster is done with what it is given: namespaces active, quotas counting.
    is_prompt: bool,
    /// UIDs given so far.
    made: u32,
}

/// Kestrel wants plan m on catalyst-zero, names one code, and nothing has happened yet.
fn world() -> World {
    let facts = serde_json::from_value(answer()).expect("the ledger answers like this");
    let franchise = FranchiseNamespace {
        uid: "uid-omantel".to_owned(),
        in_cluster: true,
        is_accepted: false,
        is_leaving: false,
    };
    World {
        wanted: Tenant::parse(&object()).unwrap(),
        state: ObjectState::default(),
        seen: Seen {
            franchise: Some(franchise),
            facts,
            cluster: "cluster-one".to_owned(),
            dark: None,
            desired: None,
            live: [].into(),
        },
        is_prompt: true,
        made: 0,
    }
}

/// What stands in Git.
fn object() -> api::Tenant {
    let object = json!({
        "apiVersion": "catalyst.openova.io/v1alpha1", "kind": "Tenant",
        "metadata": {"namespace": "omantel", "name": "kestrel-rx", "generation": 3,
            "uid": "uid-kestrel-rx", "creationTimestamp": "2026-09-01T00:00:00Z"},
        "spec": {"organization": "kestrel", "plan": "m",
            "sovereignRef": {"name": "catalyst-zero"},
            "owners": [{"kind": "User", "name": "amal@kestrel.example", "role": "Owner"}],
            "vouchers": [{"code": CODE}]},
    });
    serde_json::from_value(object).unwrap()
}

/// `observe_tenant_v1` before the organization is claimed.
fn answer() -> Value {
    json!({
        "now": NOW, "least_program": 1, "schema_version": 1,
        "franchise": {"uid": "uid-omantel", "frozen": null},
        "sovereign": {"currency": "OMR", "cluster": "cluster-one"},
        "offers": ["m", "s"],
        "offer": {"plan": "m", "revision": 1, "amount": PRICE, "terms": plan()},
        "claimed": false, "taken_by": null, "account": null, "entitlement": "New",
        "period": null, "renewal": null, "quote": null, "order": null, "is_new": true,
        "by_code": [lineage()], "by_holder": [], "inventory": [],
    })
}

fn plan() -> Value {
    json!({
        "quota": {"requests.cpu": "8", "requests.memory": "16Gi", "pods": "20"},
        "limits": [{"type": "Container", "default": {"cpu": "500m"}}],
    })
}

/// A code that can be redeemed, as `named` shows it to an account that has not.
fn lineage() -> Value {
    json!({
        "digest": Code::parse(CODE).unwrap().digest().to_string(), "hint": CODE,
        "holder": "launch", "sovereign": "catalyst-zero", "currency": "OMR", "amount": CREDIT,
        "state": "Active", "cap": 50, "used": 12, "budget": null,
        "spent": 1_200_000, "credit_expires_after": null, "plans": null,
        "new_accounts_only": false, "valid_from": null, "expires_at": null,
        "generation": 1, "uid": "uid-launch", "redeemed_at": null,
    })
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the ledger answers like this")
}

impl World {
    /// The organization is this Tenant's, and its finalizer is on.
    fn claimed(mut self) -> Self {
        self.take(Step::Hold);
        self.take(Step::Claim);
        self
    }

    /// Claimed, with the code redeemed and this much credit left.
    fn with_credit(self, spendable: i64) -> Self {
        let mut world = self.claimed();
        world.code().redeemed_at = Some(NOW.parse().unwrap());
        world.seen.facts.account = Some(read(json!(
            {"posted": CREDIT, "held": 0, "spendable": spendable, "suspended": false})));
        world
    }

    fn ordered(mut self) -> Self {
        self.price();
        self.take(Step::Order);
        self
    }

    /// With credit that is set aside for plan m.
    fn held(self) -> Self {
        let mut world = self.with_credit(CREDIT).ordered();
        world.take(Step::RedeemAndHold { order: 1, attempt: 1, codes: vec![] });
        world
    }

    /// Held, and everything stands.
    fn standing(self) -> Self {
        let mut world = self.held();
        let objects = world.look();
        world.take(Step::Apply(objects));
        world
    }

    /// Everything stands and is paid for.
    fn paid(self) -> Self {
        let mut world = self.standing();
        world.take(Step::Capture(1));
        world
    }

    fn leaving(mut self) -> Self {
        self.state.is_leaving = true;
        self
    }

    /// Changes what the ledger says.
    fn told(mut self, change: impl FnOnce(&mut TenantFacts)) -> Self {
        change(&mut self.seen.facts);
        self
    }

    /// The one code that the Tenant names.
    fn code(&mut self) -> &mut Lineage {
        self.seen.facts.by_code[0].as_mut().unwrap()
    }

    /// A live object by kind and the end of its name.
    fn live(&mut self, kind: Kind, name: &str) -> &mut Live {
        let found = self.seen.live.values_mut().find(|live| is_called(&live.identity, kind, name));
        found.expect("it stands")
    }

    fn namespace(&mut self) -> &mut Live {
        self.live(Kind::Namespace, "tenant-kestrel")
    }

    /// Brings what should stand up to what the ledger says, as a new observation does.
    fn look(&mut self) -> Vec<Object> {
        self.price();
        let terms = terms_in_force(&self.wanted, &self.seen.facts);
        self.seen.desired = terms.map(|terms| desired::tenant(&self.wanted, terms));
        self.seen.desired.clone().unwrap_or_default()
    }

    /// Observes and decides.
    fn decide(&mut self) -> (Vec<Step>, Verdict) {
        self.look();
        decide(&self.wanted, self.state, &self.seen)
    }

    /// Observes, decides and acts.
    fn turn(&mut self) -> (Vec<Step>, Verdict) {
        let (steps, verdict) = self.decide();
        steps.iter().cloned().for_each(|step| self.take(step));
        (steps, verdict)
    }

    /// Turn after turn, as a visit does it: what it comes to.
    fn visit(&mut self) -> Verdict {
        for _ in 0..TURNS_MAX {
            let (_, verdict) = self.turn();
            if verdict != Verdict::Again {
                self.look();
                return verdict;
            }
        }
        panic!("unsettled: {:?}", self.decide());
    }

    /// Why it waits now; it takes no step meanwhile.
    fn waits(&mut self) -> Reason {
        match self.decide() {
            (steps, Verdict::Waiting(reason)) if steps.is_empty() => reason,
            other => panic!("it does not wait: {other:?}"),
        }
    }

    /// What a step does, as far as the next observation shows it.
    fn take(&mut self, step: Step) {
        match step {
            Step::Hold => self.state.is_held = true,
            Step::LetGo => self.state.is_held = false,
            Step::Redeem(code) => self.redeem(code),
            Step::RedeemAndHold { attempt, codes, .. } => {
                for code in codes {
                    self.redeem(code);
                }
                self.hold(attempt);
            }
            Step::Record(items) => items.into_iter().for_each(|item| self.journal(item)),
            Step::Apply(objects) => objects.iter().for_each(|object| self.apply(object)),
            Step::Remove(objects) => objects.iter().for_each(|object| self.remove(object)),
            Step::Forget(gone) => {
                self.seen.facts.inventory.retain(|item| !gone.contains(&item.identity));
            }
            Step::Abandon => {
                self.seen.facts.inventory.clear();
                self.book(Step::Leave);
            }
            Step::Claim | Step::Order | Step::Capture(_) | Step::Release(_) | Step::Leave => {
                self.book(step);
            }
        }
    }

    fn book(&mut self, step: Step) {
        let facts = &mut self.seen.facts;
        match step {
            Step::Claim => {
                facts.claimed = true;
                facts.account.get_or_insert(Account {
                    spendable: 0,
                    held: 0,
                    suspended: false,
                    expires_at: None,
                });
            }
            Step::Order => facts.order = facts.quote.as_ref().map(order),
            Step::Capture(_) => {
                let order = facts.order.take().unwrap();
                facts.account.as_mut().unwrap().held -= order.amount;
                facts.period = Some(period(order));
                facts.entitlement = Entitlement::Paid;
                facts.renewal = Some(renewal());
            }
            Step::Release(_) => {
                let order = facts.order.take().unwrap();
                let account = facts.account.as_mut().unwrap();
                if order.held {
                    account.held -= order.amount;
                    account.spendable += order.amount;
                }
            }
            Step::Leave => facts.claimed = false,
            other => panic!("{other:?} is not in the books"),
        }
    }

    fn redeem(&mut self, code: Digest) {
        let lineage = self.code();
        assert_eq!((lineage.digest, lineage.redeemed_at), (code, None));
        lineage.redeemed_at = Some(NOW.parse().unwrap());
        lineage.used += 1;
        self.seen.facts.account.as_mut().unwrap().spendable += CREDIT;
    }

    fn hold(&mut self, attempt: i32) {
        let account = self.seen.facts.account.as_mut().unwrap();
        let order = self.seen.facts.order.as_mut().unwrap();
        if account.spendable >= order.amount {
            account.spendable -= order.amount;
            account.held += order.amount;
            (order.held, order.attempts) = (true, attempt);
        }
    }

    fn journal(&mut self, new: Item) {
        let inventory = &mut self.seen.facts.inventory;
        match inventory.iter_mut().find(|known| known.identity == new.identity) {
            Some(known) => known.uid = new.uid.or(known.uid.take()),
            None => inventory.push(new),
        }
    }

    /// Announces one object without making it, as a crash in the middle would leave it.
    fn announce(&mut self, identity: &Identity) {
        let cluster = self.seen.cluster.clone();
        self.journal(Item { identity: identity.clone(), cluster, uid: None });
    }

    /// Makes an object without writing it down.
    fn make(&mut self, object: &Object) {
        let identity = object.identity.clone();
        let known = self.seen.live.get(&identity).map(|live| live.uid.clone());
        let uid = known.unwrap_or_else(|| {
            self.made += 1;
            format!("uid-{}", self.made)
        });
        let mut manifest = object.manifest.clone();
        match identity.kind {
            Kind::Namespace => manifest["status"] = json!({"phase": "Active"}),
            Kind::ResourceQuota if self.is_prompt => {
                manifest["status"] = json!({"hard": manifest["spec"]["hard"],
                    "used": {"requests.cpu": "3", "requests.memory": "6Gi", "pods": "4"}});
            }
            _ => {}
        }
        self.seen.live.insert(identity.clone(), Live { identity, uid, leaving: false, manifest });
    }

    fn apply(&mut self, object: &Object) {
        self.announce(&object.identity);
        self.make(object);
        let live = &self.seen.live[&object.identity];
        self.journal(item(&self.seen, live));
    }

    /// Deletes by UID; a namespace takes along what lies in it.
    fn remove(&mut self, object: &Live) {
        self.seen.live.retain(|identity, live| {
            let is_inside = object.identity.kind == Kind::Namespace
                && identity.namespace == object.identity.name;
            live.uid != object.uid && !is_inside
        });
    }
}

fn is_called(identity: &Identity, kind: Kind, name: &str) -> bool {
    identity.kind == kind && identity.name.ends_with(name)
}

/// Names of the steps, for tests of their order.
fn names(steps: &[Step]) -> Vec<String> {
    let word = |step: &Step| {
        let text = format!("{step:?}");
        text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
    };
    steps.iter().map(word).collect()
}
