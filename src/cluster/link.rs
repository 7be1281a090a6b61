//! A link to the cluster of one Sovereign: one task that connects, looks whether it still answers
//! and is still the same, and watches what Tenants are made of there. It waits for nobody, and
//! nobody waits for it: who asks gets what it found last.

mod contact;
mod news;
mod pulse;
mod remote;
mod tie;
mod trouble;

use std::{sync::Arc, time::Duration};

pub use contact::Offer;
pub(super) use contact::Surroundings;
use contact::contact;
use jiff::Timestamp;
pub use news::News;
use news::tell_of;
use pulse::{DOUBT_EVERY, Pulse};
pub(super) use remote::Guard;
pub(super) use tie::Tie;
use tokio::{
    sync::{mpsc, watch},
    task::{AbortHandle, JoinSet},
    time::Instant,
};
pub use trouble::Trouble;

use super::{Cluster, Place};
use crate::domain::{reason::Reason, right::Right};

/// How long to wait before a cluster that could not be used is tried again.
const TRY_MIN: Duration = Duration::from_secs(2);
const TRY_MAX: Duration = Duration::from_secs(30);
/// How often one that was never met must not have answered before that is told.
const TRIES_MIN: u32 = 3;
/// How often the rights are looked into again while some are missing.
const RIGHTS_EVERY: Duration = Duration::from_secs(10);

/// What is known of the cluster of a Sovereign.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Whether it can be used.
    pub standing: Standing,
    /// What was offered last, whether or not it is in use; or why there is nothing to offer.
    pub offer: Option<Result<Offer, Reason>>,
    /// Why that is not in use, while what was offered before still is.
    pub refused: Option<Trouble>,
    /// The rights that we lack there.
    pub missing: Vec<Right>,
    /// When it answered last, by the clock of this machine.
    pub last_contact: Option<Timestamp>,
}

/// Whether the cluster of a Sovereign can be used.
#[derive(Clone, Debug, Default)]
pub enum Standing {
    /// Nothing is known yet.
    #[default]
    Connecting,
    /// It answers.
    Up(Cluster),
    /// It does not, or is none that we may use.
    Dark(Trouble),
}

/// The handle of a link. Its task ends with it.
pub(super) struct Link {
    offers: watch::Sender<Option<Result<Offer, Reason>>>,
    view: watch::Receiver<View>,
    task: AbortHandle,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Link {
    /// A link that has nothing to connect to yet.
    pub(super) fn new(
        place: Place,
        around: Arc<Surroundings>,
        rights: Arc<[Right]>,
        news: mpsc::Sender<News>,
    ) -> Self {
        let (offers, offered) = watch::channel(None);
        let (views, view) = watch::channel(View::default());
        let keeper =
            Keeper { place, around, rights, news, offered, views, serving: None, tries: 0 };
        Self { offers, view, task: tokio::spawn(keeper.keep()).abort_handle() }
    }

    /// Says how the cluster is reached from now on, or why it cannot be.
    pub(super) fn offer(&self, offer: Result<Offer, Reason>) {
        self.offers.send_if_modified(|last| {
            let is_new = last.as_ref() != Some(&offer);
            *last = Some(offer);
            is_new
        });
    }

    /// What is known now.
    pub(super) fn view(&self) -> View {
        View { offer: self.offers.borrow().clone(), ..self.view.borrow().clone() }
    }
}

/// A cluster in use. Its watches end with it.
struct Serving {
    offer: Offer,
    cluster: Cluster,
    tie: Arc<Tie>,
    rights_at: Option<Instant>,
    _watches: JoinSet<()>,
}

struct Keeper {
    place: Place,
    around: Arc<Surroundings>,
    rights: Arc<[Right]>,
    news: mpsc::Sender<News>,
    offered: watch::Receiver<Option<Result<Offer, Reason>>>,
    views: watch::Sender<View>,
    serving: Option<Serving>,
    tries: u32,
}

impl Keeper {
    async fn keep(mut self) {
        loop {
            let wait = self.look().await;
            let looked = Instant::now();
            let tie = self.serving.as_ref().map(|serving| serving.tie.clone());
            let doubted = async {
                let Some(tie) = &tie else { return std::future::pending().await };
                tie.doubt.notified().await;
                // A failure comes rarely alone: the others say the same.
                tokio::time::sleep_until(looked + DOUBT_EVERY).await;
            };
            let forbidden = async {
                let Some(tie) = &tie else { return std::future::pending().await };
                tie.forbidden.notified().await;
                tokio::time::sleep_until(looked + DOUBT_EVERY).await;
            };
            tokio::select! {
                offered = self.offered.changed() => match offered {
                    Ok(()) => self.tries = 0,
                    Err(_nobody) => return,
                },
                () = doubted => {}
                () = forbidden => {
                    if let Some(serving) = &mut self.serving {
                        serving.rights_at = Some(Instant::now());
                    }
                }
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Does what is due, and says when to look again.
    async fn look(&mut self) -> Duration {
        let Some(offered) = self.offered.borrow_and_update().clone() else { return TRY_MAX };
        let offer = match (offered, &self.serving) {
            (Ok(offer), _) => offer,
            (Err(reason), Some(serving)) => {
                let before = serving.offer.clone();
                self.refuse(Trouble::Judged(reason));
                before
            }
            (Err(reason), None) => {
                self.turned_down(Trouble::Judged(reason));
                return TRY_MAX;
            }
        };
        self.compare(&offer);
        if !self.pulse(|pulse| pulse.is_dark()) {
            self.ask().await;
        }
        let offer_is_good = matches!(&*self.offered.borrow(), Some(Ok(good)) if *good == offer);
        let in_use = self.serving.as_ref().is_some_and(|serving| serving.offer == offer);
        let is_dark = self.pulse(|pulse| pulse.is_dark());
        if in_use && offer_is_good && self.views.borrow().refused.is_some() {
            self.show(|view| view.refused = None);
        }
        if !in_use || is_dark {
            self.connect(offer.clone()).await;
        }
        let later = self.tries.saturating_sub(TRIES_MIN).min(4);
        let again = TRY_MIN.saturating_mul(1 << later).min(TRY_MAX);
        match &self.serving {
            Some(serving) if serving.offer == offer => serving.tie.pulse(|pulse| pulse.ask_in()),
            Some(serving) => serving.tie.pulse(|pulse| pulse.ask_in()).min(again),
            None => again,
        }
    }

    /// The same way to the same cluster, which has another name or is certain now, is no other
    /// offer; one that must lead to another cluster ends what is in use.
    fn compare(&mut self, offer: &Offer) {
        let Some(serving) = &mut self.serving else { return };
        let is_pinned = offer.pinned.as_ref().is_none_or(|pinned| *pinned == serving.cluster.uid);
        if !is_pinned {
            self.serving = None;
        } else if serving.offer.kubeconfig == offer.kubeconfig {
            serving.offer = offer.clone();
        }
    }

    fn pulse(&self, feel: impl FnOnce(&mut Pulse) -> bool) -> bool {
        self.serving.as_ref().is_some_and(|serving| serving.tie.pulse(feel))
    }

    /// Tries what is offered, or looks whether what went dark is back.
    async fn connect(&mut self, offer: Offer) {
        let tie = Arc::new(Tie::default());
        match contact(&offer, &self.around, tie.clone()).await {
            Ok(cluster) => {
                let returns = self.serving.as_ref().is_some_and(|serving| serving.offer == offer);
                let is_dark = self.pulse(|pulse| {
                    pulse.answered();
                    pulse.is_dark()
                });
                if returns && is_dark {
                    let why = "it answers now and then".to_owned();
                    return self.went_dark(Trouble::Silent(why));
                }
                self.tries = 0;
                self.serve(offer, cluster, tie).await;
            }
            Err(trouble) => {
                self.tries = self.tries.saturating_add(1);
                self.pulse(|pulse| {
                    if pulse.is_dark() {
                        pulse.failed();
                    }
                    true
                });
                let is_unknown = matches!(self.views.borrow().standing, Standing::Connecting);
                let is_silent = matches!(trouble, Trouble::Silent(_));
                // One that was not met yet may just be starting, as we are.
                if !(is_unknown && is_silent && self.tries < TRIES_MIN) {
                    self.turned_down(trouble);
                }
            }
        }
    }

    /// From now on this is the cluster of the Sovereign.
    async fn serve(&mut self, offer: Offer, cluster: Cluster, tie: Arc<Tie>) {
        if let Some(before) = self.serving.take() {
            // How often it went away is not forgotten because it came back.
            let pulse = before.tie.pulse(std::mem::take);
            let pulse = if before.offer == offer { pulse } else { pulse.by_another_way() };
            tie.pulse(|mine| *mine = pulse);
        }
        let watches = tell_of(&cluster, &self.place, &self.news);
        let rights_at = Some(Instant::now());
        let uid = cluster.uid.clone();
        self.serving =
            Some(Serving { offer, cluster: cluster.clone(), tie, rights_at, _watches: watches });
        self.review().await;
        tracing::info!(namespace = self.place.0, sovereign = self.place.1, uid, "connected");
        self.show(|view| {
            view.standing = Standing::Up(cluster);
            view.refused = None;
        });
    }

    /// What is offered cannot be used. What was in use before stays so while it answers.
    fn turned_down(&self, trouble: Trouble) {
        let serves = self.serving.is_some() && !self.pulse(|pulse| pulse.is_dark());
        if serves {
            return self.refuse(trouble);
        }
        let is_known =
            matches!(&self.views.borrow().standing, Standing::Dark(known) if *known == trouble);
        if !is_known {
            self.show(|view| view.standing = Standing::Dark(trouble));
        }
    }

    /// What is offered is not used, and what was before decides whether the cluster is dark.
    fn refuse(&self, trouble: Trouble) {
        if self.views.borrow().refused.as_ref() != Some(&trouble) {
            self.show(|view| view.refused = Some(trouble));
        }
    }

    /// It fails too often, and answers all the same.
    fn went_dark(&self, trouble: Trouble) {
        if matches!(self.views.borrow().standing, Standing::Up(_)) {
            self.show(|view| view.standing = Standing::Dark(trouble));
        }
    }

    /// Asks the cluster in use who it is.
    async fn ask(&mut self) {
        let Some(serving) = &self.serving else { return };
        let known = serving.cluster.uid.clone();
        let failed = match serving.cluster.who().await {
            Ok(seen) if seen == known => {
                serving.tie.pulse(Pulse::answered);
                None
            }
            Ok(seen) => {
                self.serving = None;
                let trouble = Trouble::Judged(Reason::ClusterIdentityChanged { known, seen });
                return self.turned_down(trouble);
            }
            Err(error) => {
                let trouble = Trouble::of(&error, &serving.offer.secret);
                let is_unknown = trouble == Trouble::Unknown;
                serving.tie.pulse(if is_unknown { Pulse::refused } else { Pulse::failed });
                Some(trouble)
            }
        };
        if let Some(trouble) = failed {
            if trouble == Trouble::Unknown {
                // The Secret may have a new kubeconfig already.
                self.tell();
            }
            if self.pulse(|pulse| pulse.is_dark()) {
                self.turned_down(trouble);
            }
            return;
        }
        self.views.send_modify(|view| view.last_contact = Some(crate::clock::now()));
        let due = |serving: &Serving| serving.rights_at.is_some_and(|at| at <= Instant::now());
        if self.serving.as_ref().is_some_and(due) {
            self.review().await;
        }
    }

    /// Looks into our rights, again later while some are missing.
    async fn review(&mut self) {
        let Some(serving) = &mut self.serving else { return };
        let Ok(missing) = serving.cluster.missing(&self.rights).await else { return };
        serving.rights_at = (!missing.is_empty()).then(|| Instant::now() + RIGHTS_EVERY);
        if self.views.borrow().missing != missing {
            self.show(|view| view.missing = missing);
        }
    }

    /// Shows what is new, and tells that it is.
    fn show(&self, change: impl FnOnce(&mut View)) {
        self.views.send_modify(|view| {
            change(view);
            if matches!(view.standing, Standing::Up(_)) {
                view.last_contact = Some(crate::clock::now());
            }
        });
        self.tell();
    }

    fn tell(&self) {
        // Whoever misses it is told again: news is level, and the Sovereign is visited at times.
        if self.news.try_send(News::Link(self.place.clone())).is_err() {
            let (news, place) = (self.news.clone(), self.place.clone());
            tokio::spawn(async move { news.send(News::Link(place)).await });
        }
    }
}
