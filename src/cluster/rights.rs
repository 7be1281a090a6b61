//! Who we are on a cluster and what we may do, asked of the cluster itself.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::{
    authentication::v1::SelfSubjectReview,
    authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec},
};
use kube::api::{Api, PostParams};

use super::{AT_ONCE, Cluster, Error};
use crate::domain::right::Right;

impl Cluster {
    /// The name that the cluster knows us by.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub async fn account(&self) -> Result<String, Error> {
        let reviews: Api<SelfSubjectReview> = Api::all(self.client.clone());
        let (params, review) = (PostParams::default(), SelfSubjectReview::default());
        let call = reviews.create(&params, &review);
        let answer = self.call("ask who we are", "on the cluster", call).await?;
        let SelfSubjectReview { status: answer, .. } = answer;
        let user = answer.and_then(|answer| answer.user_info);
        Ok(user.and_then(|user| user.username).unwrap_or_default())
    }

    /// Those of some rights that we do not have.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub async fn missing(&self, rights: &[Right]) -> Result<Vec<Right>, Error> {
        let asked: Vec<_> = rights.iter().map(|right| self.may(right)).collect();
        let answers: Vec<bool> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        let denied = rights.iter().zip(answers).filter(|(_, allowed)| !allowed);
        Ok(denied.map(|(right, _)| *right).collect())
    }

    async fn may(&self, right: &Right) -> Result<bool, Error> {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(ResourceAttributes {
                    group: text(right.group),
                    resource: text(right.resource),
                    verb: text(right.verb),
                    namespace: text(right.namespace),
                    name: text(right.name),
                    ..ResourceAttributes::default()
                }),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let reviews: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let params = PostParams::default();
        let call = reviews.create(&params, &review);
        let answer = self.call("ask for our rights on", "the cluster", call).await?;
        let SelfSubjectAccessReview { status: answer, .. } = answer;
        Ok(answer.is_some_and(|answer| answer.allowed))
    }
}
