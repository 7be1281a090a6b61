//! What befalls objects of ours from above: their namespace or their definition goes, and what a
//! person says of that.

use jiff::Timestamp;
use k8s_openapi::{
    api::{
        admissionregistration::v1::{ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding},
        core::v1::Namespace,
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{Api, api::PostParams, core::PartialObjectMeta};

use super::{Error, Host, Ours, bounded, host::title};
use crate::api::{MASS_DELETION_ANNOTATION, MASS_DELETION_KEEP, MASS_DELETION_PROCEED};
use crate::domain::brake::{Reply, Word};

/// What befalls the objects of a kind in a namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// Since when their namespace is being deleted.
    pub namespace_goes: Option<Timestamp>,
    /// Since when the definition of their kind is.
    pub kind_goes: Option<Timestamp>,
    /// What a person says of it.
    pub reply: Option<Reply>,
}

impl Fate {
    /// When that began which takes an object with it whose own deletion began at this instant.
    /// Kubernetes comes to the objects of a namespace or a definition one after the other.
    #[must_use]
    pub fn began(&self, at: Timestamp) -> Timestamp {
        [self.namespace_goes, self.kind_goes].into_iter().flatten().fold(at, Timestamp::min)
    }
}

impl Host {
    /// An admission policy that is in force by a binding of the same name; none if it is not.
    ///
    /// # Errors
    /// The hub does not answer, or refuses.
    pub async fn policy(&self, name: &str) -> Result<Option<ValidatingAdmissionPolicy>, Error> {
        let policies: Api<ValidatingAdmissionPolicy> = Api::all(self.client.clone());
        let call = policies.get_opt(name);
        let policy = bounded("get", &format!("the policy {name}"), call).await?;
        let bindings: Api<ValidatingAdmissionPolicyBinding> = Api::all(self.client.clone());
        let call = bindings.get_metadata_opt(name);
        let binding = bounded("get", &format!("the binding of {name}"), call).await?;
        Ok(policy.filter(|_| binding.is_some()))
    }

    /// Whether the hub would take an object; it is not kept.
    ///
    /// # Errors
    /// It would not, or does not answer.
    pub async fn try_out<K: Ours>(&self, object: &K) -> Result<(), Error> {
        let params = PostParams { dry_run: true, ..PostParams::default() };
        let (api, title) = (self.api(object), title(object));
        bounded("try out", &title, api.create(&params, object)).await.map(drop)
    }

    /// A definition as it is installed; none if it is not.
    ///
    /// # Errors
    /// The hub does not answer, or refuses.
    pub async fn definition(&self, name: &str) -> Result<Option<CustomResourceDefinition>, Error> {
        let definitions: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        bounded("get", &format!("the definition {name}"), definitions.get_opt(name)).await
    }

    /// Looks at both themselves, because what is watched may be seen later than what they take
    /// with them.
    ///
    /// # Errors
    /// The hub does not answer, or refuses.
    pub async fn fate<K: Ours>(&self, namespace: &str) -> Result<Fate, Error> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let call = namespaces.get_metadata_opt(namespace);
        let above = bounded("get", &format!("Namespace {namespace}"), call).await?;
        let definition = format!("{}.{}", K::plural(&()), K::group(&()));
        let definitions: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        let call = definitions.get_metadata_opt(&definition);
        let kind = bounded("get", &format!("the definition {definition}"), call).await?;
        Ok(Fate {
            // One that is not there was taken away from above what is in it.
            namespace_goes: above.as_ref().map_or(Some(Timestamp::UNIX_EPOCH), goes),
            kind_goes: kind.as_ref().and_then(goes),
            reply: above.as_ref().and_then(reply),
        })
    }
}

fn goes<K>(object: &PartialObjectMeta<K>) -> Option<Timestamp> {
    object.metadata.deletion_timestamp.as_ref().map(|at| at.0)
}

/// What a namespace says of a mass deletion.
#[must_use]
pub fn word(namespace: &PartialObjectMeta<Namespace>) -> Option<Word> {
    let said = namespace.metadata.annotations.as_ref()?.get(MASS_DELETION_ANNOTATION)?;
    match said.as_str() {
        MASS_DELETION_KEEP => Some(Word::Keep),
        MASS_DELETION_PROCEED => Some(Word::Proceed),
        _ => None,
    }
}

fn reply(namespace: &PartialObjectMeta<Namespace>) -> Option<Reply> {
    let word = word(namespace)?;
    // The API server notes who wrote which field, and when.
    let path =
        format!("/f:metadata/f:annotations/f:{}", MASS_DELETION_ANNOTATION.replace('/', "~1"));
    let writers = namespace.metadata.managed_fields.iter().flatten();
    let wrote = writers.filter(|entry| {
        entry.fields_v1.as_ref().is_some_and(|fields| fields.0.pointer(&path).is_some())
    });
    let given_at = wrote.filter_map(|entry| entry.time.as_ref()).map(|time| time.0).max();
    Some(Reply { word, given_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_with_its_namespace_began_to_go_with_it() {
        let at = |second| Timestamp::from_second(second).unwrap();
        for (namespace, kind, began) in
            [(None, None, 9), (Some(5), None, 5), (None, Some(7), 7), (Some(12), Some(10), 9)]
        {
            let (namespace_goes, kind_goes) = (namespace.map(at), kind.map(at));
            let fate = Fate { namespace_goes, kind_goes, reply: None };
            assert_eq!(fate.began(at(9)), at(began), "{namespace:?} {kind:?}");
        }
    }
}
