//! A Sovereign on a cluster that is not ours: what it does, whatever link and Secret say.

use std::collections::BTreeMap;

use super::*;
use crate::{
    cluster::{Content, Kept, Trouble},
    controllers::sovereign::{
        decide::secret_finalizer,
        observe::{Reached, Remote, offer, pinned},
    },
};

pub(super) const SECRET: &str = "nizwa";
pub(super) const ONE: &str = "cluster-one";
pub(super) const TWO: &str = "cluster-two";
const AUTHORITY: &str = include_str!("../../../domain/kubeconfig/fixtures/authority.pem");

/// What is in the Secret.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Given {
    Missing,
    Forbidden,
    WrongKey,
    Refused,
    Good,
    Other,
}

pub(super) const GIVEN: [Given; 6] =
    [Given::Missing, Given::Forbidden, Given::WrongKey, Given::Refused, Given::Good, Given::Other];

/// A kubeconfig for a server by a token.
pub(super) fn kubeconfig(server: &str, token: &str) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let authority = STANDARD.encode(AUTHORITY);
    let cluster = json!({"server": server, "certificate-authority-data": authority});
    let text = json!({
        "apiVersion": "v1", "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    });
    text.to_string().into_bytes()
}

/// A token that says how long it is good.
pub(super) fn token(from: &str, until: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let second = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();
    let claims = json!({"iat": second(from), "exp": second(until)}).to_string();
    format!("{}.{}.x", URL_SAFE_NO_PAD.encode("{}"), URL_SAFE_NO_PAD.encode(claims))
}

impl Given {
    /// The Secret as it is read, held for the Sovereign or not.
    pub(super) fn kept(self, is_held: bool) -> Kept {
        let (key, value) = match self {
            Self::Missing => return Kept::Missing,
            Self::Forbidden => return Kept::Forbidden,
            Self::WrongKey => ("kubeconfig.yaml", kubeconfig("https://nizwa.example:6443", "t")),
            Self::Refused => ("value", kubeconfig("http://nizwa.example:6443", "t")),
            Self::Good => ("value", kubeconfig("https://nizwa.example:6443", "t")),
            Self::Other => ("value", kubeconfig("https://sohar.example:6443", "t")),
        };
        of(key, value, is_held)
    }

    /// What is wrong with it.
    pub(super) fn wrong(self) -> Option<&'static str> {
        match self {
            Self::Missing => Some("SecretNotFound"),
            Self::Forbidden => Some("SecretForbidden"),
            Self::WrongKey => Some("SecretKeyMissing"),
            Self::Refused => Some("KubeconfigPlainHttp"),
            Self::Good | Self::Other => None,
        }
    }
}

fn of(key: &str, value: Vec<u8>, is_held: bool) -> Kept {
    let finalizer = secret_finalizer("catalyst-zero");
    let finalizers: &[&str] = if is_held { &["other.om/x", &finalizer] } else { &["other.om/x"] };
    Kept::There(Content::of(BTreeMap::from([(key.to_owned(), value)]), finalizers))
}

pub(super) fn up(uid: &str) -> Reached {
    Reached::Up(Identified { uid: uid.to_owned(), version: "v1.36.3".to_owned() })
}

pub(super) fn silent() -> Trouble {
    Trouble::Silent("connection refused".to_owned())
}

/// Each kind of trouble, with its name on the object where the kubeconfig can be read.
pub(super) fn troubles() -> Vec<(Trouble, &'static str)> {
    let text = str::to_owned;
    let judged = |reason: Reason| (Trouble::Judged(reason.clone()), reason.name());
    let (known, seen) = (text(ONE), text(TWO));
    vec![
        (silent(), "ClusterUnavailable"),
        (Trouble::Unknown, "CredentialsRejected"),
        judged(Reason::ClusterIdentityChanged { known, seen }),
        judged(Reason::OwnedByAnotherHub { hub: text("hub-two") }),
        judged(Reason::SovereignIsHub {}),
        judged(Reason::ClusterTooOld { version: text("v1.9.0"), least: text("v1.30") }),
        judged(Reason::PermissionsMissing { missing: text("get configmaps") }),
        judged(Reason::ClusterUntrusted { secret: text(SECRET), why: text("unknown issuer") }),
        judged(Reason::AddressRefused { address: text("127.0.0.1"), what: text("loopback") }),
        judged(Reason::AddressUnknown { host: text("nizwa.example"), why: text("none") }),
        judged(Reason::KubeconfigExec {}),
    ]
}

/// Every standing, with the trouble it is in.
pub(super) fn standings() -> Vec<(Reached, Option<&'static str>)> {
    let mut all = vec![(Reached::Connecting, None), (up(ONE), None), (up(TWO), None)];
    all.extend(troubles().into_iter().map(|(trouble, name)| (Reached::Dark(trouble), Some(name))));
    all
}

/// A new Sovereign whose cluster is reached by a good kubeconfig that its link knows of.
pub(super) fn abroad() -> World {
    let mut world = world();
    let connection = json!({"mode": "Kubeconfig", "kubeconfig": {"secretRef": {"name": SECRET}}});
    world.object.spec.connection = serde_json::from_value(connection).unwrap();
    world.state.is_held = true;
    let remote = Remote {
        kept: Given::Good.kept(true),
        offer: Err(Reason::Connecting {}),
        offered: None,
        standing: up(ONE),
        refused: None,
        missing: vec![],
        last_contact: None,
    };
    world.seen.site = Site::Remote(Box::new(remote));
    world.looked()
}

/// The same after it was accepted as it is written.
pub(super) fn accepted_abroad() -> World {
    let mut world = abroad();
    let mut answer = answer();
    answer["sovereign"]["secret"] = json!(SECRET);
    world.seen.facts = serde_json::from_value(answer).unwrap();
    world.looked()
}

impl World {
    pub(super) fn remote(&mut self) -> &mut Remote {
        match &mut self.seen.site {
            Site::Remote(remote) => remote,
            Site::Hub(_) => panic!("it is the hub"),
        }
    }

    /// Reads the Secret again.
    pub(super) fn read(mut self) -> Self {
        let wanted = Sovereign::parse(&self.object).unwrap();
        let (key, facts) = (wanted.secret.clone().unwrap(), self.seen.facts.clone());
        let remote = self.remote();
        // The cluster that somebody accepts has been met.
        let met: Vec<&String> = wanted.accepts.iter().collect();
        remote.offer = offer(&key, &remote.kept, pinned(&wanted, &facts, &met));
        self
    }

    /// Reads the Secret again, which the link has heard of.
    pub(super) fn looked(self) -> Self {
        let mut world = self.read();
        let remote = world.remote();
        remote.offered = Some(remote.offer.clone());
        world
    }

    pub(super) fn reached(mut self, standing: Reached) -> Self {
        self.remote().standing = standing;
        self.noted()
    }

    /// The ledger knows whether it is dark.
    pub(super) fn noted(mut self) -> Self {
        let is_dark = matches!(self.remote().standing, Reached::Dark(_));
        if let Some(accepted) = &mut self.seen.facts.sovereign {
            accepted.dark_since = is_dark.then(|| NOW.parse().unwrap());
        }
        self
    }

    pub(super) fn given(mut self, given: Given) -> Self {
        self.remote().kept = given.kept(true);
        self.looked()
    }

    pub(super) fn annotated(mut self, cluster: &str) -> Self {
        let annotations = self.object.metadata.annotations.get_or_insert_default();
        annotations.insert(api::ACCEPT_CLUSTER_ANNOTATION.to_owned(), cluster.to_owned());
        self.looked()
    }

    /// Names of what it does, and what that comes to.
    pub(super) fn outcome(&self) -> (Vec<String>, String) {
        let (steps, verdict) = self.decide();
        let word = |step: &Step| {
            let text = format!("{step:?}");
            text.split(['(', ' ']).next().unwrap_or_default().to_owned()
        };
        let verdict = match verdict {
            Verdict::Waiting(reason) => reason.name().to_owned(),
            other => format!("{other:?}"),
        };
        (steps.iter().map(word).collect(), verdict)
    }

    #[track_caller]
    pub(super) fn comes_to(&self, steps: &[&str], verdict: &str) {
        let wanted = (steps.iter().map(ToString::to_string).collect(), verdict.to_owned());
        assert_eq!(self.outcome(), wanted, "{:#?}", self.seen);
    }
}

#[test]
fn a_new_sovereign_is_held_before_anything_else_is_done_for_it() {
    let mut world = abroad();
    world.state.is_held = false;
    world.comes_to(&["Hold"], "Again");
}

#[test]
fn before_it_is_accepted_a_sovereign_waits_for_its_cluster_and_says_what_is_wrong() {
    for given in GIVEN {
        let world = abroad().given(given);
        for (standing, trouble) in standings() {
            let is_unknown = standing == Reached::Dark(Trouble::Unknown);
            let world = world.clone().reached(standing.clone());
            match (&standing, trouble) {
                (Reached::Up(_), _) => world.comes_to(&["Accept"], "Again"),
                // Who was refused is not in the Secret any more.
                (_, Some(_)) if is_unknown && given.wrong().is_some() => {
                    world.comes_to(&[], given.wrong().unwrap());
                }
                (_, trouble) => world.comes_to(&[], trouble.unwrap_or("Connecting")),
            }
        }
    }
}

#[test]
fn after_it_was_accepted_a_sovereign_stays_with_its_cluster_whatever_the_secret_says() {
    for given in GIVEN {
        let world = accepted_abroad().given(given);
        for (standing, trouble) in standings() {
            let is_unknown = standing == Reached::Dark(Trouble::Unknown);
            let world = world.clone().reached(standing.clone());
            match (&standing, trouble) {
                (Reached::Up(cluster), _) if cluster.uid == ONE => {
                    world.comes_to(&[], given.wrong().unwrap_or("Ready"));
                }
                (Reached::Up(_), _) => world.comes_to(&[], "ClusterIdentityChanged"),
                (_, Some(_)) if is_unknown && given.wrong().is_some() => {
                    world.comes_to(&[], given.wrong().unwrap());
                }
                (_, trouble) => world.comes_to(&[], trouble.unwrap_or("Connecting")),
            }
        }
    }
}

#[test]
fn what_is_sold_on_a_dark_cluster_that_was_accepted_can_be_changed() {
    for (trouble, name) in troubles() {
        let dark = accepted_abroad().reached(Reached::Dark(trouble));
        dark.comes_to(&[], name);
        let dearer = dark.told(|facts| facts.plans[0].amount = 24_000);
        assert_eq!(dearer.decide(), (vec![accept()], Verdict::Again));
    }
}

#[test]
fn a_link_is_told_what_is_new_before_anything_is_judged() {
    for given in GIVEN {
        for world in [abroad(), accepted_abroad()] {
            for (standing, _) in standings() {
                let mut world = world.clone().reached(standing);
                world.remote().kept = given.kept(true);
                let before = world.remote().offer.clone();
                let mut world = world.read();
                if world.remote().offer != before {
                    world.comes_to(&["Offer"], "Again");
                }
                world.remote().offered = None;
                world.comes_to(&["Offer"], "Again");
            }
        }
    }
}

#[test]
fn the_ledger_knows_whether_the_cluster_of_an_accepted_sovereign_is_dark() {
    for (standing, trouble) in standings() {
        for is_known in [false, true] {
            let mut world = accepted_abroad().told(|facts| {
                let since = is_known.then(|| NOW.parse().unwrap());
                facts.sovereign.as_mut().unwrap().dark_since = since;
            });
            world.remote().standing = standing.clone();
            let steps = world.outcome().0;
            let is_up = matches!(standing, Reached::Up(_));
            assert_eq!(steps == ["Darken"], trouble.is_some() && !is_known, "{standing:?}");
            assert_eq!(steps == ["Lighten"], is_up && is_known, "{standing:?}");
        }
    }
}

#[test]
fn a_link_is_pinned_to_the_accepted_cluster_or_to_the_annotated_one() {
    let pinned = |mut world: World| world.remote().offer.clone().unwrap().pinned;
    assert_eq!(pinned(abroad()), None);
    assert_eq!(pinned(accepted_abroad()), Some(ONE.to_owned()));
    assert_eq!(pinned(abroad().annotated(TWO)), Some(TWO.to_owned()));
    assert_eq!(pinned(accepted_abroad().annotated(TWO)), Some(TWO.to_owned()));
}

#[test]
fn another_cluster_is_accepted_under_exactly_its_own_name_and_while_it_answers() {
    let other = accepted_abroad().reached(up(TWO));
    let steps = vec![Step::AcceptCluster(TWO.to_owned())];
    assert_eq!(other.clone().annotated(TWO).decide(), (steps, Verdict::Again));
    for name in ["cluster-three", "", "cluster-tw", "cluster-two ", ONE] {
        other.clone().annotated(name).comes_to(&[], "ClusterIdentityChanged");
    }
    let dark = accepted_abroad().reached(Reached::Dark(silent())).annotated(TWO);
    dark.comes_to(&[], "ClusterUnavailable");
}

#[test]
fn a_cluster_of_another_sovereign_is_not_taken_whatever_an_annotation_says() {
    let taken = |facts: &mut SovereignFacts| facts.taken_by = Some("sohar".to_owned());
    abroad().told(taken).comes_to(&[], "ClusterTaken");
    let other = accepted_abroad().reached(up(TWO)).annotated(TWO).told(taken);
    other.comes_to(&[], "ClusterTaken");
}

#[test]
fn a_secret_is_held_from_when_the_ledger_knows_that_it_is_in_use() {
    let loose = |mut world: World, given: Given| {
        world.remote().kept = given.kept(false);
        world.looked()
    };
    // One that was never accepted would keep the finalizer for ever when another is named.
    loose(abroad(), Given::Good).comes_to(&["Accept"], "Again");
    loose(abroad(), Given::Refused).comes_to(&["Accept"], "Again");
    for given in GIVEN {
        let world = loose(accepted_abroad(), given);
        match given {
            Given::Missing | Given::Forbidden => world.comes_to(&[], given.wrong().unwrap()),
            _ => world.comes_to(&["HoldSecret"], "Again"),
        }
        let mut closed = loose(accepted_abroad(), given);
        closed.seen.facts.sovereign.as_mut().unwrap().closed = true;
        closed.comes_to(&["Accept"], "Again");
    }
    // Kubernetes refuses to let anybody hold what is on its way out.
    let mut going = loose(accepted_abroad(), Given::Good);
    if let Kept::There(content) = &mut going.remote().kept {
        content.leaving = true;
    }
    going.comes_to(&[], "Ready");
}

#[test]
fn the_secret_of_before_is_released_before_the_ledger_forgets_it() {
    let before = accepted_abroad().told(|facts| {
        facts.sovereign.as_mut().unwrap().secret = Some("old".to_owned());
    });
    let steps = vec![Step::ReleaseSecret("old".to_owned()), accept()];
    assert_eq!(before.decide(), (steps, Verdict::Again));
}

#[test]
fn what_is_refused_or_missing_is_said_while_the_last_good_serves() {
    for (trouble, name) in troubles() {
        let mut world = accepted_abroad();
        world.remote().refused = Some(trouble);
        world.comes_to(&[], name);
        world.seen.facts.plans.clear();
        assert_eq!(world.decide(), (vec![accept()], Verdict::Again), "it serves all the same");
    }
    let mut world = accepted_abroad();
    world.remote().missing = crate::controllers::permissions::required();
    world.comes_to(&[], "PermissionsMissing");
    let two = world.remote().missing[..2].to_vec();
    assert!(world.waits().to_string().contains(&format!("{}, {}", two[0], two[1])));
}
