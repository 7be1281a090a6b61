//! Who is to be visited because something else changed: another object, what was committed to the
//! ledger by whatever process, or an object that a person edited on a cluster.

use std::{
    collections::{BTreeSet, HashSet},
    fmt::Debug,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kube::{
    Resource,
    runtime::reflector::{Lookup, ObjectRef, Store},
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{
    api,
    cluster::Place,
    domain::{
        code::{Code, Digest},
        tenant::is_main_namespace,
    },
    store::{Change, Followed},
};

/// How much later "a little later" is.
const SOON: Duration = Duration::from_secs(1);

/// Wakes objects of one kind. The controller drops what is queued twice.
#[derive(Clone)]
pub struct Waker<K>
where
    K: Lookup + Clone + 'static,
    K::DynamicType: Hash + Eq + Clone,
{
    known: Store<K>,
    sender: UnboundedSender<ObjectRef<K>>,
    later: Arc<Mutex<HashSet<ObjectRef<K>>>>,
}

/// The three of them.
#[derive(Clone)]
pub struct Wakers {
    /// Wakes Sovereigns.
    pub sovereigns: Waker<api::Sovereign>,
    /// Wakes Tenants.
    pub tenants: Waker<api::Tenant>,
    /// Wakes Vouchers.
    pub vouchers: Waker<api::Voucher>,
}

impl<K> Waker<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
{
    /// A waker over the known objects, and where it rings.
    pub fn new(known: Store<K>) -> (Self, UnboundedReceiver<ObjectRef<K>>) {
        let (sender, receiver) = unbounded_channel();
        (Self { known, sender, later: Arc::default() }, receiver)
    }

    /// Wakes one object, if it is known.
    pub fn one(&self, namespace: &str, name: &str) {
        let object = ObjectRef::new(name).within(namespace);
        if self.known.get(&object).is_some() {
            self.ring(object);
        }
    }

    /// Wakes one object a little later, once for however many calls: for counters that a popular
    /// voucher moves many times a second and that nobody waits for.
    pub fn soon(&self, namespace: &str, name: &str) {
        let object = ObjectRef::new(name).within(namespace);
        let is_first =
            self.later.lock().unwrap_or_else(PoisonError::into_inner).insert(object.clone());
        if is_first {
            let (waker, namespace, name) = (self.clone(), namespace.to_owned(), name.to_owned());
            tokio::spawn(async move {
                tokio::time::sleep(SOON).await;
                waker.later.lock().unwrap_or_else(PoisonError::into_inner).remove(&object);
                waker.one(&namespace, &name);
            });
        }
    }

    /// Wakes all that match, and says how many.
    pub fn matching(&self, matches: impl Fn(&K) -> bool) -> usize {
        let mut woken = 0;
        for object in self.known.state() {
            if matches(&object) {
                self.ring(ObjectRef::from_obj(&*object));
                woken += 1;
            }
        }
        woken
    }

    /// What all of them say.
    fn all<T>(&self, says: impl Fn(&K) -> Vec<T>) -> impl Iterator<Item = T> {
        self.known.state().into_iter().flat_map(move |object| says(&object))
    }

    fn ring(&self, object: ObjectRef<K>) {
        // A controller that ended ends the process; nobody is left to be woken.
        let _ended = self.sender.send(object);
    }
}

impl Wakers {
    /// Wakes everything of a franchise.
    pub fn franchise(&self, namespace: &str) {
        self.sovereigns.matching(|object| is_in(object, namespace));
        self.tenants.matching(|object| is_in(object, namespace));
        self.vouchers.matching(|object| is_in(object, namespace));
    }

    /// Wakes everything.
    pub fn everything(&self) {
        self.sovereigns.matching(|_| true);
        self.tenants.matching(|_| true);
        self.vouchers.matching(|_| true);
    }

    /// Wakes the Tenants that a namespace on a cluster was, or would be, made for.
    pub fn home(&self, namespace: &str) {
        self.tenants.matching(|tenant| is_main_namespace(namespace, tenant.written_organization()));
    }

    /// Wakes a Sovereign of whose cluster something is new, and the Tenants on it.
    pub fn link(&self, (namespace, name): &Place) {
        self.sovereigns.one(namespace, name);
        self.tenants.matching(|tenant| is_on(tenant, namespace, name));
    }

    /// The same as [`Wakers::home`] on the cluster of one Sovereign. What nobody lives in may be
    /// what somebody abandoned.
    pub fn home_on(&self, (namespace, name): &Place, home: &str) {
        let woken = self.tenants.matching(|tenant| {
            is_on(tenant, namespace, name) && is_main_namespace(home, tenant.written_organization())
        });
        if woken == 0 {
            self.sovereigns.soon(namespace, name);
        }
    }

    /// Wakes those who name a Secret.
    pub fn secret(&self, place: &Place) {
        self.sovereigns.matching(|sovereign| sovereign_secret(sovereign).contains(place));
        self.vouchers.matching(|voucher| voucher_secret(voucher).contains(place));
        self.tenants.matching(|tenant| tenant_secrets(tenant).contains(place));
    }

    /// The Secrets that somebody names.
    #[must_use]
    pub fn secrets(&self) -> BTreeSet<Place> {
        let codes = self.vouchers.all(voucher_secret).chain(self.tenants.all(tenant_secrets));
        codes.chain(self.sovereigns.all(sovereign_secret)).collect()
    }

    /// Wakes whom a commit concerns.
    pub fn followed(&self, followed: Followed) {
        match followed {
            Followed::Anything => self.everything(),
            Followed::Changes(changes) => changes.iter().for_each(|change| self.change(change)),
        }
    }

    fn change(&self, change: &Change) {
        match change {
            Change::Voucher(namespace, name) => self.vouchers.soon(namespace, name),
            Change::Hosted(namespace, name) => self.sovereigns.soon(namespace, name),
            Change::Tenant(namespace, name) => self.tenants.one(namespace, name),
            Change::Terms(namespace, holder) => {
                self.vouchers.one(namespace, holder);
                self.tenants.matching(|tenant| is_in(tenant, namespace) && names(tenant, holder));
            }
            Change::Code(namespace, digest) => {
                self.tenants
                    .matching(|tenant| is_in(tenant, namespace) && has_code(tenant, *digest));
                self.vouchers.matching(|voucher| {
                    is_in(voucher, namespace) && may_be(voucher.written_code(), *digest)
                });
            }
            Change::Sovereign(namespace, name) => {
                // Another one may have waited for its cluster.
                self.sovereigns.matching(|other| {
                    is_in(other, namespace) && other.metadata.name.as_deref() != Some(name)
                });
                self.tenants.matching(|tenant| is_on(tenant, namespace, name));
                self.vouchers.matching(|voucher| {
                    is_in(voucher, namespace) && voucher.spec.sovereign_ref.name.as_str() == name
                });
            }
            Change::Organization(organization) => {
                self.tenants.matching(|tenant| tenant.written_organization() == organization);
            }
        }
    }
}

fn is_in<K: Resource>(object: &K, namespace: &str) -> bool {
    object.meta().namespace.as_deref() == Some(namespace)
}

fn is_on(tenant: &api::Tenant, namespace: &str, sovereign: &str) -> bool {
    is_in(tenant, namespace) && tenant.spec.sovereign_ref.name.as_str() == sovereign
}

fn names(tenant: &api::Tenant, holder: &str) -> bool {
    let named = |source: &api::VoucherSource| {
        source.voucher_ref.as_ref().is_some_and(|voucher| voucher.name.as_str() == holder)
    };
    tenant.spec.vouchers.iter().any(named)
}

fn has_code(tenant: &api::Tenant, digest: Digest) -> bool {
    let same = |source: &api::VoucherSource| {
        source.voucher_ref.is_none() && may_be(source.code.as_deref(), digest)
    };
    tenant.spec.vouchers.iter().any(same)
}

/// Whether it is this code, as far as can be read here: one in a Secret may be any.
fn may_be(written: Option<&str>, digest: Digest) -> bool {
    written.is_none_or(|text| Code::parse(text).is_ok_and(|code| code.digest() == digest))
}

fn voucher_secret(voucher: &api::Voucher) -> Vec<Place> {
    place(voucher, voucher.spec.code_from.as_ref()).into_iter().collect()
}

fn tenant_secrets(tenant: &api::Tenant) -> Vec<Place> {
    let sources = tenant.spec.vouchers.iter();
    sources.filter_map(|source| place(tenant, source.code_from.as_ref())).collect()
}

fn sovereign_secret(sovereign: &api::Sovereign) -> Vec<Place> {
    let namespace = sovereign.metadata.namespace.clone();
    let source = sovereign.spec.connection.kubeconfig.as_ref();
    let place =
        |source: &api::KubeconfigSource| Some((namespace?, source.secret_ref.name.to_string()));
    source.and_then(place).into_iter().collect()
}

fn place<K: Resource>(object: &K, from: Option<&api::CodeFrom>) -> Option<Place> {
    Some((object.meta().namespace.clone()?, from?.secret_key_ref.name.to_string()))
}
