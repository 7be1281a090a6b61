//! What happens on clusters that are not ours, as far as somebody is to be woken by it.

use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::{
    core::v1::{LimitRange, Namespace, ResourceQuota},
    networking::v1::NetworkPolicy,
    rbac::v1::RoleBinding,
};
use kube::{Resource, ResourceExt as _, core::PartialObjectMeta, runtime::watcher::Event};
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    api::{MANAGED_BY_LABEL, MANAGER},
    cluster::{Cluster, Place, watch::watch_pages},
    domain::tenant::is_a_home,
};

/// How many objects a page of a list has: metadata alone, of people who annotate a lot.
const PAGE: u32 = 50;
/// At least this long lies between two pieces of news of one watch: a flood of them comes from
/// nobody who means well.
const PACE: Duration = Duration::from_millis(2);

/// Something that happened on the cluster of a Sovereign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Its link knows something new, or may have missed something.
    Link(Place),
    /// Something changed in a namespace, or that namespace itself.
    Home(Place, String),
}

/// Watches what Tenants are made of on a cluster. The watches end with the set.
pub(super) fn tell_of(cluster: &Cluster, place: &Place, news: &mpsc::Sender<News>) -> JoinSet<()> {
    let mut watches = JoinSet::new();
    let ours = format!("{MANAGED_BY_LABEL}={MANAGER}");
    // A stranger's namespace of that name is in the way, so all are watched.
    watches.spawn(tell::<Namespace>(cluster, "", (place, news)));
    watches.spawn(tell::<ResourceQuota>(cluster, &ours, (place, news)));
    watches.spawn(tell::<LimitRange>(cluster, &ours, (place, news)));
    watches.spawn(tell::<NetworkPolicy>(cluster, &ours, (place, news)));
    watches.spawn(tell::<RoleBinding>(cluster, &ours, (place, news)));
    watches
}

fn tell<K>(
    cluster: &Cluster,
    labels: &str,
    (place, news): (&Place, &mpsc::Sender<News>),
) -> impl Future<Output = ()> + Send + use<K> + 'static
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + Send + Sync + 'static,
{
    let events = watch_pages::<PartialObjectMeta<K>>(cluster.client.clone(), labels, PAGE);
    let (place, news) = (place.clone(), news.clone());
    async move {
        let mut events = std::pin::pin!(events);
        let mut begun = false;
        while let Some(event) = events.next().await {
            let told = match event {
                Event::Apply(object) | Event::Delete(object) => {
                    let home = object.namespace().unwrap_or_else(|| object.name_any());
                    let is_ours = is_a_home(&home);
                    is_ours.then(|| News::Home(place.clone(), home))
                }
                // Who connects looks at everything; who has to list again may have missed some.
                Event::InitDone if begun => Some(News::Link(place.clone())),
                Event::InitDone => {
                    begun = true;
                    None
                }
                Event::Init => None,
                Event::InitApply(_) => {
                    tokio::time::sleep(PACE / 20).await;
                    None
                }
            };
            if let Some(told) = told {
                // Whoever listens ends with the process.
                let _ended = news.send(told).await;
                tokio::time::sleep(PACE).await;
            }
        }
    }
}
