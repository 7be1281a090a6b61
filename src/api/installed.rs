//! Whether the definitions that a cluster has are at least those that this program was built with.

use k8s_openapi::{
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
    serde_json::{self, Value},
};

use super::VERSION;

/// The fields that this program uses and an installed definition does not have, such as
/// `spec.plans[].limits`; nothing where it is new enough. Kubernetes drops what a schema does not
/// know, so a field that is missing there is lost without a word.
#[must_use]
pub fn missing_fields(
    ours: &CustomResourceDefinition,
    installed: &CustomResourceDefinition,
) -> Vec<String> {
    let mut missing = vec![];
    match (schema(ours), schema(installed)) {
        (Some(ours), Some(installed)) => compare(&ours, &installed, "", &mut missing),
        _ => missing.push(format!("version {VERSION}")),
    }
    missing
}

fn schema(definition: &CustomResourceDefinition) -> Option<Value> {
    let version = definition.spec.versions.iter().find(|version| version.name == VERSION)?;
    let schema = version.schema.as_ref()?.open_api_v3_schema.as_ref()?;
    serde_json::to_value(schema).ok()
}

fn compare(ours: &Value, installed: &Value, path: &str, missing: &mut Vec<String>) {
    let fields = ours.get("properties").and_then(Value::as_object);
    for (name, field) in fields.into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match installed.pointer(&format!("/properties/{name}")) {
            Some(known) => compare(field, known, &path, missing),
            None => missing.push(path),
        }
    }
    for (within, sign) in [("items", "[]"), ("additionalProperties", "{}")] {
        if let (Some(ours), Some(installed)) = (ours.get(within), installed.get(within)) {
            compare(ours, installed, &format!("{path}{sign}"), missing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api;

    fn without(pointer: &str, field: &str) -> Vec<String> {
        let ours = api::crds().swap_remove(0);
        let mut older = serde_json::to_value(&ours).unwrap();
        let fields = older.pointer_mut(pointer).and_then(Value::as_object_mut).expect(pointer);
        fields.remove(field).expect(field);
        missing_fields(&ours, &serde_json::from_value(older).unwrap())
    }

    #[test]
    fn a_definition_misses_nothing_of_itself_and_may_have_more() {
        for ours in api::crds() {
            assert_eq!(missing_fields(&ours, &ours), Vec::<String>::new());
            let mut newer = serde_json::to_value(&ours).unwrap();
            let root = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/later";
            let parent = newer.pointer_mut(root.trim_end_matches("/later")).unwrap();
            parent["later"] = serde_json::json!({"type": "string"});
            let newer = serde_json::from_value(newer).unwrap();
            assert_eq!(missing_fields(&ours, &newer), Vec::<String>::new());
            assert_eq!(missing_fields(&newer, &ours), ["spec.later"]);
        }
    }

    #[test]
    fn what_an_older_definition_lacks_is_named_by_its_path() {
        let root = "/spec/versions/0/schema/openAPIV3Schema/properties";
        assert_eq!(without(root, "spec"), ["spec"]);
        let spec = format!("{root}/spec/properties");
        assert_eq!(without(&spec, "unreachable"), ["spec.unreachable"]);
        let plan = format!("{spec}/plans/items/properties");
        assert_eq!(without(&plan, "limits"), ["spec.plans[].limits"]);
        assert_eq!(without("/spec/versions/0", "schema"), ["version v1alpha1"]);
    }
}
