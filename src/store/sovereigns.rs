//! The door to the terms of Sovereigns, and to what their clusters do to them.

use sqlx::types::Json;

use super::{Answer, Door, Error, sql};
use crate::domain::facts::Plan;

/// Where a Sovereign is and what its accounts are kept in.
#[derive(Clone, Copy, Debug)]
pub struct Home<'a> {
    /// ISO 4217 code.
    pub currency: &'a str,
    /// UID of the kube-system namespace of its cluster.
    pub cluster: &'a str,
    /// The Secret with the way there; none for the hub itself.
    pub secret: Option<&'a str>,
    /// For how many seconds its cluster must not have answered before a deleted Tenant goes without
    /// it; never if none.
    pub abandon_after: Option<i64>,
}

impl<'a> From<(&'a str, &'a str)> for Home<'a> {
    /// Currency and cluster of a Sovereign that is the hub itself.
    fn from((currency, cluster): (&'a str, &'a str)) -> Self {
        Self { currency, cluster, secret: None, abandon_after: None }
    }
}

#[allow(clippy::missing_errors_doc, reason = "all calls fail alike, as the type says")]
impl Door {
    /// Accepts a Sovereign with what it sells, and founds the franchise at first sight.
    pub async fn accept_sovereign(
        &self,
        (namespace, uid): (&str, &str),
        sovereign: &str,
        home: impl Into<Home<'_>>,
        plans: &[Plan],
    ) -> Result<Answer, Error> {
        let Home { currency, cluster, secret, abandon_after } = home.into();
        let texts = [namespace, uid, sovereign, currency, cluster].map(str::to_owned);
        let (epoch, plans, secret) = (self.epoch, Json(plans.to_vec()), secret.map(str::to_owned));
        let abandon_after = abandon_after.map(|seconds| format!("{seconds} seconds"));
        self.call("accept a Sovereign", move || {
            let [namespace, uid, sovereign, currency, cluster] = texts.clone();
            sqlx::query_as(sql::ACCEPT_SOVEREIGN)
                .bind(namespace)
                .bind(uid)
                .bind(epoch)
                .bind(sovereign)
                .bind(currency)
                .bind(cluster)
                .bind(plans.clone())
                .bind(secret.clone())
                .bind(abandon_after.clone())
        })
        .await
    }

    /// Accepts that the namespace of a franchise was made anew with this UID.
    pub async fn accept_franchise(&self, namespace: &str, uid: &str) -> Result<Answer, Error> {
        self.call_named("accept a franchise", sql::ACCEPT_FRANCHISE, namespace, [uid]).await
    }

    /// Closes a Sovereign on which no Tenant is awake.
    pub async fn close_sovereign(&self, namespace: &str, name: &str) -> Result<Answer, Error> {
        self.call_named("close a Sovereign", sql::CLOSE_SOVEREIGN, namespace, [name]).await
    }

    /// Notes whether the cluster of a Sovereign answers, which wakes its Tenants if it is news.
    pub async fn reach_sovereign(
        &self,
        namespace: &str,
        name: &str,
        is_reached: bool,
    ) -> Result<Answer, Error> {
        let names = [name, if is_reached { "true" } else { "false" }];
        self.call_named("note who answers", sql::REACH_SOVEREIGN, namespace, names).await
    }

    /// Accepts that a Sovereign lives on another cluster from now on.
    pub async fn accept_cluster(
        &self,
        namespace: &str,
        name: &str,
        cluster: &str,
    ) -> Result<Answer, Error> {
        self.call_named("accept a cluster", sql::ACCEPT_CLUSTER, namespace, [name, cluster]).await
    }

    /// Gives up what an organization has on a cluster that does not answer: it is written down, the
    /// organization sleeps, and what was set aside is given back.
    pub async fn abandon(
        &self,
        namespace: &str,
        organization: &str,
        tenant: &str,
    ) -> Result<Answer, Error> {
        let names = [organization, tenant];
        self.call_named("abandon an organization", sql::ABANDON, namespace, names).await
    }

    /// Condemns what was given up on the cluster of a Sovereign, if it has answered for long
    /// enough: from then on it can be taken away, and nobody gets it back.
    pub async fn condemn(&self, namespace: &str, name: &str) -> Result<Answer, Error> {
        self.call_named("condemn what was abandoned", sql::CONDEMN, namespace, [name]).await
    }
}
