//! Writes the field reference: the same schemas, for people.

// Writing to a String cannot fail, so what it returns is dropped below.
use std::fmt::Write;

use serde_json::{Map, Value};

use super::{crds, manifest::normalised};

const HEADER: &str = "\
<!-- Generated from src/api by `UPDATE=1 cargo test --test manifests`. Do not edit. -->

# Field reference

The definitions in this folder are generated from the types in `src/api` and committed; a test
fails when they are stale. Change the types, never these files. Apply them with
`kubectl apply --server-side -f crds/`.

In every spec, a field without a default is required, unless its type says optional. Names of
references are looked for in the namespace of the object itself.
";

/// The three kinds as Markdown: what each is, its columns, fields and rules.
#[must_use]
pub fn reference() -> String {
    let kinds = crds().iter().map(|crd| kind(&normalised(crd))).collect::<Vec<_>>();
    format!("{HEADER}\n{}", kinds.join("\n"))
}

fn kind(crd: &Value) -> String {
    let version = at(crd, "/spec/versions/0");
    let schema = at(version, "/schema/openAPIV3Schema");
    let mut rows = Rows::default();
    rows.object("", schema);

    let mut page = format!(
        "## {}\n\n{}\n\n`{}/{}`, short name `{}`, namespaced.\n\n",
        text(crd, "/spec/names/kind"),
        text(schema, "/description"),
        text(crd, "/spec/group"),
        text(version, "/name"),
        text(crd, "/spec/names/shortNames/0"),
    );
    page.push_str("### Columns\n\n| Column | Source |\n|---|---|\n");
    for column in items(version, "/additionalPrinterColumns") {
        let (name, path) = (text(column, "/name"), text(column, "/jsonPath"));
        let _ = writeln!(page, "| {name} | `{path}` |");
    }
    page.push_str("\n### Fields\n\n| Field | Type | Default | Description |\n|---|---|---|---|\n");
    page.push_str(&rows.fields);
    page.push_str("\n### Rules\n\nThe API server refuses an object that breaks one of these.\n\n");
    page.push_str(&rows.rules);
    page
}

/// The two tables of a kind, filled on one walk through its schema.
#[derive(Default)]
struct Rows {
    fields: String,
    rules: String,
}

impl Rows {
    /// The rules of a schema, then its fields in alphabetical order, each followed by its own.
    fn object(&mut self, path: &str, schema: &Value) {
        self.rules(path, schema);
        let required: Vec<_> = items(schema, "/required").filter_map(Value::as_str).collect();
        for (name, field) in entries(schema, "/properties") {
            if path.is_empty() && name == "metadata" {
                continue;
            }
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            self.field(&path, field, required.contains(&name.as_str()));
        }
    }

    fn field(&mut self, path: &str, schema: &Value, required: bool) {
        let default = schema.get("default").map(|value| format!("`{value}`")).unwrap_or_default();
        let optional = if required || !default.is_empty() { "" } else { ", optional" };
        let description = cell(text(schema, "/description"));
        if path != "spec" && path != "status" {
            let _ = writeln!(
                self.fields,
                "| `{path}` | {}{optional} | {default} | {description} |",
                cell(&type_of(schema)),
            );
        }
        // Conditions are the same for all of Kubernetes.
        if path == "status.conditions" {
            return;
        }
        match schema.get("items").or(schema.get("additionalProperties")) {
            Some(inner) if schema.get("items").is_some() => {
                self.rules(path, schema);
                self.object(&format!("{path}[]"), inner);
            }
            Some(inner) => {
                self.rules(path, schema);
                self.object(&format!("{path}{{}}"), inner);
            }
            None => self.object(path, schema),
        }
    }

    fn rules(&mut self, path: &str, schema: &Value) {
        for rule in items(schema, "/x-kubernetes-validations") {
            let blamed = format!("{path}{}", text(rule, "/fieldPath"));
            let blamed = blamed.trim_start_matches('.');
            let _ = writeln!(self.rules, "- `{blamed}`: {}", cell(text(rule, "/message")));
        }
    }
}

/// A type in words, with its bounds.
fn type_of(schema: &Value) -> String {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let values = values.iter().filter_map(Value::as_str).map(|value| format!("`{value}`"));
        return values.collect::<Vec<_>>().join(" or ");
    }
    if let Some(inner) = schema.get("items") {
        return format!("list of {}", type_of(inner)) + &bounds(schema, "minItems", "maxItems");
    }
    if let Some(inner) = schema.get("additionalProperties") {
        return format!("map to {}", type_of(inner)) + &bounds(schema, "", "maxProperties");
    }
    if schema.get("x-kubernetes-int-or-string").is_some() {
        return "quantity".to_owned();
    }
    match text(schema, "/type") {
        "integer" => "integer".to_owned() + &bounds(schema, "minimum", "maximum"),
        "string" if text(schema, "/format") == "date-time" => "time".to_owned(),
        "string" => "string".to_owned() + &bounds(schema, "minLength", "maxLength"),
        other => other.to_owned(),
    }
}

fn bounds(schema: &Value, least: &str, most: &str) -> String {
    match (schema.get(least), schema.get(most)) {
        (Some(least), Some(most)) => format!(" ({least} to {most})"),
        (None, Some(most)) => format!(" (up to {most})"),
        (Some(least), None) => format!(" (from {least})"),
        (None, None) => String::new(),
    }
}

/// Text that fits a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    at(value, pointer).as_str().unwrap_or_default()
}

fn items<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    at(value, pointer).as_array().into_iter().flatten()
}

fn entries<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    at(value, pointer).as_object().into_iter().flat_map(Map::iter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_fields_stand_with_their_full_path() {
        let page = reference();
        for path in ["spec.plans[].price.amount", "spec.vouchers[].voucherRef.name", "spec.credit"]
        {
            assert!(page.contains(&format!("| `{path}` |")), "{path} is missing");
        }
    }

    #[test]
    fn a_rule_names_the_field_that_it_blames() {
        assert!(reference().contains("- `spec.organization`: organization cannot change"));
    }
}
