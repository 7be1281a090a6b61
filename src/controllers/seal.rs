//! The proof of the ledger, kept by whoever acts: what is committed is sealed, the last block of
//! each franchise is anchored outside of the database, and a franchise whose ledger agrees neither
//! with its anchor nor with itself is frozen until a person decides.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    time::{Duration, Instant},
};

use kube::ResourceExt as _;

use super::{Context, Error, Wakers, error::Class};
use crate::{
    clock,
    cluster::Note,
    domain::{
        seal::{Anchor, Seals},
        sentence::chain,
    },
    store::{self, Door, Violation},
};

/// How often what is committed is sealed, and the ledger compared with its anchors.
const SEAL_EVERY: Duration = Duration::from_secs(5);
/// How often an anchor is written at most.
const ANCHOR_EVERY: Duration = Duration::from_secs(10);
/// The audit rests so many times longer than it takes.
const AUDIT_REST: u32 = 20;

/// What is anchored, as it was read or written last.
struct Known {
    note: Option<Note>,
    written: Option<Instant>,
}

/// Keeps the seals under one epoch.
pub struct Sealer<'a> {
    ctx: &'a Context,
    wakers: &'a Wakers,
    door: Door,
    known: BTreeMap<String, Known>,
    frozen: BTreeSet<String>,
}

impl<'a> Sealer<'a> {
    /// Knows nothing yet.
    #[must_use]
    pub fn new(ctx: &'a Context, wakers: &'a Wakers, epoch: i64) -> Self {
        let (known, frozen) = (BTreeMap::new(), BTreeSet::new());
        Self { ctx, wakers, door: ctx.door.under(epoch), known, frozen }
    }

    /// Compares the ledger with its anchors and freezes each franchise where they do not agree:
    /// before anything acts, and now and then, since a database can be restored at any time.
    ///
    /// # Errors
    /// The ledger or the hub does not answer: nothing is known.
    pub async fn compare(&mut self) -> Result<(), Error> {
        let compared = self.compared().await;
        compared.map(drop).inspect_err(|why| end_if_fenced(self.ctx, why))
    }

    /// Seals, compares and anchors, for ever.
    pub async fn keep(mut self) -> Infallible {
        loop {
            match self.round().await {
                Ok(()) => self.ctx.metrics.sealed(clock::now().as_second()),
                Err(why) => report(self.ctx, &why, "the seals were not kept"),
            }
            tokio::time::sleep(SEAL_EVERY).await;
        }
    }

    async fn round(&mut self) -> Result<(), Error> {
        self.door.seal().await?;
        for (namespace, anchor) in self.compared().await? {
            self.anchor(&namespace, &anchor).await?;
        }
        Ok(())
    }

    /// The anchors that are due: of franchises whose ledger is trusted and went on.
    async fn compared(&mut self) -> Result<Vec<(String, Anchor)>, Error> {
        let namespaces: Vec<String> =
            self.ctx.franchises.state().iter().map(|namespace| namespace.name_any()).collect();
        for namespace in namespaces.into_iter().filter(|namespace| self.ctx.serves(namespace)) {
            if !self.known.contains_key(&namespace) {
                let note = self.ctx.notes.read(&note_name(&namespace)).await?;
                self.known.insert(namespace, Known { note, written: None });
            }
        }
        let anchored: Vec<(&str, i32)> = self
            .known
            .iter()
            .filter_map(|(namespace, known)| Some((&**namespace, known.anchor()?.head.block)))
            .collect();
        let seals = self.ctx.store.seals(&anchored).await?;
        let mut due = vec![];
        for (namespace, known) in &self.known {
            let sealed = seals.franchises.iter().find(|sealed| sealed.namespace == *namespace);
            let was_frozen = sealed.is_some_and(|sealed| sealed.frozen.is_some());
            let distrust = known.distrust(namespace, &seals);
            let is_frozen = match &distrust {
                Some(why) if !was_frozen => self.freeze(namespace, why).await?,
                _ => was_frozen,
            };
            self.ctx.metrics.frozen(namespace, is_frozen);
            if is_frozen != self.frozen.contains(namespace) {
                self.wakers.franchise(namespace);
            }
            if is_frozen {
                self.frozen.insert(namespace.clone());
            } else {
                self.frozen.remove(namespace);
            }
            let head = sealed.and_then(|sealed| sealed.head.clone());
            // What a person accepted takes the place of what was anchored.
            let is_trusted = distrust.is_none() || !is_frozen;
            if let Some(head) = head.filter(|_| is_trusted && known.may_be_written()) {
                let anchor = Anchor { head, server: seals.server.clone() };
                if known.anchor().as_ref() != Some(&anchor) {
                    due.push((namespace.clone(), anchor));
                }
            }
        }
        Ok(due)
    }

    async fn freeze(&self, namespace: &str, why: &str) -> Result<bool, store::Error> {
        let franchise = self.ctx.franchise(namespace);
        let uid = franchise.as_ref().map(|franchise| franchise.uid.as_str());
        let is_frozen = self.door.freeze((namespace, uid), why).await?;
        if is_frozen {
            tracing::error!(namespace, why, "the money of a franchise waits for a person");
        }
        Ok(is_frozen)
    }

    async fn anchor(&mut self, namespace: &str, anchor: &Anchor) -> Result<(), Error> {
        let Some(known) = self.known.get_mut(namespace) else { return Ok(()) };
        let (name, fields) = (note_name(namespace), anchor.fields(namespace));
        match self.ctx.notes.write(&name, known.note.as_ref(), &fields).await {
            Ok(note) => *known = Known { note: Some(note), written: Some(Instant::now()) },
            // Somebody else wrote it: what it says now is read and compared first.
            Err(why) if why.is_conflict() => drop(self.known.remove(namespace)),
            Err(why) => return Err(why.into()),
        }
        Ok(())
    }
}

impl Known {
    fn anchor(&self) -> Option<Anchor> {
        Anchor::parse(&self.note.as_ref()?.fields)
    }

    fn may_be_written(&self) -> bool {
        self.written.is_none_or(|at| at.elapsed() >= ANCHOR_EVERY)
    }

    fn distrust(&self, namespace: &str, seals: &Seals) -> Option<String> {
        let anchor = self.anchor();
        if self.note.is_some() && anchor.is_none() {
            let name = note_name(namespace);
            return Some(format!("ConfigMap {name} does not say which block was anchored"));
        }
        seals.distrust(namespace, anchor.as_ref())
    }
}

/// Audits the ledger now and then, for ever, and freezes each franchise in which an invariant is
/// broken or an entry is not as it was sealed.
pub async fn audit(ctx: &Context, epoch: i64, every: Duration) -> Infallible {
    let door = ctx.door.under(epoch);
    loop {
        let begun = Instant::now();
        if let Err(why) = audit_once(ctx, &door).await {
            report(ctx, &why, "the ledger was not audited");
        }
        tokio::time::sleep(every.max(begun.elapsed() * AUDIT_REST)).await;
    }
}

async fn audit_once(ctx: &Context, door: &Door) -> Result<(), Error> {
    let mut found = ctx.store.verify().await?;
    found.extend(ctx.store.verify_sealed().await?);
    found.retain(|violation| ctx.serves(&violation.namespace));
    ctx.metrics.violated(found.len());
    let mut franchises: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for Violation { invariant, namespace, what } in &found {
        franchises.entry(namespace).or_default().insert(format!("{invariant}: {what}"));
    }
    for (namespace, found) in franchises {
        let why = broken(&found);
        tracing::error!(namespace, why, "the audit found the ledger changed");
        door.freeze((namespace, None), &why).await?;
    }
    Ok(())
}

/// What the audit found in a franchise, in words that are the same as long as it finds the same.
fn broken(found: &BTreeSet<String>) -> String {
    let first = found.first().map(String::as_str).unwrap_or_default();
    match found.len() {
        0 | 1 => format!("the audit found this broken: {first}"),
        more => format!("the audit found this broken: {first}, and {} more", more - 1),
    }
}

fn report(ctx: &Context, why: &Error, what: &str) {
    end_if_fenced(ctx, why);
    tracing::warn!(why = chain(why), "{what}");
}

fn end_if_fenced(ctx: &Context, why: &Error) {
    if why.class() == Class::Fenced {
        ctx.fenced.cancel();
    }
}

fn note_name(namespace: &str) -> String {
    format!("catalyst-ledger-{namespace}")
}
