//! What the derived schemas lack: rules with both kinds of message, and a root that carries them.
//!
//! kube's own `Rule` holds a message or an expression for one. We want both: the server falls
//! back to the message when the expression cannot be printed, such as for a value with a newline.

use schemars::{
    JsonSchema, Schema, SchemaGenerator, json_schema,
    transform::{Transform, transform_subschemas},
};
use serde_json::{Map, Value, json};

/// One CEL rule: what must hold, and what a person reads when it does not.
pub(super) struct Rule(Map<String, Value>);

/// A rule with its message. The message says what is wrong, why, and what to write instead.
pub(super) fn rule(rule: impl Into<String>, message: impl Into<String>) -> Rule {
    let mut fields = Map::new();
    fields.insert("rule".to_owned(), Value::String(rule.into()));
    fields.insert("message".to_owned(), Value::String(message.into()));
    Rule(fields)
}

impl Rule {
    /// Quotes the offending value: a CEL expression for the message.
    pub(super) fn quoting(self, expression: impl Into<String>) -> Self {
        self.with("messageExpression", expression)
    }

    /// Blames this field, where the rule itself stands on a parent.
    pub(super) fn at(self, path: &str) -> Self {
        self.with("fieldPath", path)
    }

    fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.0.insert(key.to_owned(), Value::String(value.into()));
        self
    }
}

/// The value of `x-kubernetes-validations`.
pub(super) fn rules(rules: impl IntoIterator<Item = Rule>) -> Value {
    rules.into_iter().map(|rule| Value::Object(rule.0)).collect()
}

/// The schema of a kind: `spec` and `status` from their types, and the rules that need both
/// `metadata` and `spec`.
pub(super) fn root<Spec: JsonSchema, Status: JsonSchema>(
    generator: &mut SchemaGenerator,
    description: &str,
    root_rules: impl IntoIterator<Item = Rule>,
) -> Schema {
    let mut status = generator.subschema_for::<Status>();
    // kstatus takes an object without a status for one that is as it should be, so that whoever
    // waits would go on before anybody looked at it.
    status.insert("default".to_owned(), json!({"observedGeneration": -1}));
    let mut schema = json_schema!({
        "type": "object",
        "description": description,
        "required": ["spec"],
        "properties": {
            // Declared so that a rule can blame the name.
            "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
            "spec": generator.subschema_for::<Spec>(),
            "status": status,
        },
        "x-kubernetes-validations": rules(root_rules),
    });
    Plain.transform(&mut schema);
    schema
}

/// Makes `null` mean absent and descriptions flow.
///
/// An optional field is `[type, null]` to schemars and `nullable` to kube, and a nullable field
/// that is null counts as set in CEL. Without it the server drops the null before any rule runs.
struct Plain;

impl Transform for Plain {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(object) = schema.as_object_mut() {
            drop_null(object);
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = flow(text);
            }
        }
        transform_subschemas(self, schema);
    }
}

fn drop_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(branches)) = object.get_mut("anyOf") {
        branches.retain(|branch| branch.get("type").is_none_or(|kind| kind != "null"));
        if let [Value::Object(only)] = branches.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            for (key, value) in only {
                // What the field says about itself wins over what its type says.
                object.entry(key).or_insert(value);
            }
        }
    }
}

/// Joins the lines of a doc comment; an empty line still parts paragraphs.
fn flow(text: &str) -> String {
    let paragraphs = text
        .split("\n\n")
        .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::{crds, manifest::normalised};

    #[test]
    fn nobody_takes_an_object_for_ready_that_was_not_looked_at() {
        for crd in crds() {
            let schema = normalised(&crd);
            let status = "/spec/versions/0/schema/openAPIV3Schema/properties/status/default";
            assert_eq!(schema.pointer(status), Some(&json!({"observedGeneration": -1})));
        }
    }
}
