//! What this program writes down for itself, outside of the database: a `ConfigMap` per note, in
//! its own namespace.

use std::collections::BTreeMap;

use k8s_openapi::{api::core::v1::ConfigMap, serde_json::json};
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};

use super::{Error, bounded};
use crate::api::{MANAGED_BY_LABEL, MANAGER};

/// The notes of an operator.
#[derive(Clone)]
pub struct Notes {
    api: Api<ConfigMap>,
    namespace: String,
}

/// A note as it was read or written, with the version that the next write follows.
#[derive(Clone, Debug, Default)]
pub struct Note {
    /// What it says.
    pub fields: BTreeMap<String, String>,
    version: Option<String>,
}

impl Notes {
    /// The notes in a namespace of the hub.
    #[must_use]
    pub fn new(hub: Client, namespace: &str) -> Self {
        Self { api: Api::namespaced(hub, namespace), namespace: namespace.to_owned() }
    }

    /// Reads a note, if there is one.
    ///
    /// # Errors
    /// The hub does not answer, or refuses.
    pub async fn read(&self, name: &str) -> Result<Option<Note>, Error> {
        let found = bounded("get", &self.title(name), self.api.get_opt(name)).await?;
        Ok(found.map(note))
    }

    /// Writes a note anew, unless somebody wrote it since it was read or written last.
    ///
    /// # Errors
    /// A conflict, or the hub does not answer.
    pub async fn write(
        &self,
        name: &str,
        last: Option<&Note>,
        fields: &BTreeMap<String, String>,
    ) -> Result<Note, Error> {
        let manifest = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": name,
                "labels": {MANAGED_BY_LABEL: MANAGER},
                "resourceVersion": last.and_then(|note| note.version.as_ref()),
            },
            "data": fields,
        });
        let params = PatchParams::apply(MANAGER).force();
        let patch = Patch::Apply(&manifest);
        let written = self.api.patch(name, &params, &patch);
        bounded("write", &self.title(name), written).await.map(note)
    }

    fn title(&self, name: &str) -> String {
        format!("ConfigMap {}/{name}", self.namespace)
    }
}

fn note(found: ConfigMap) -> Note {
    Note { fields: found.data.unwrap_or_default(), version: found.metadata.resource_version }
}
