//! Admission policies as manifests. Kubernetes has them since 1.30.

use serde_json::{Value, json};

const API: &str = "admissionregistration.k8s.io/v1";

/// A policy of this spec, and what puts it into force, with more of its own if it needs any.
pub(super) fn in_force(name: &str, spec: &Value, more: &Value) -> [Value; 2] {
    let manifest = |kind: &str, spec: &Value| {
        let metadata = json!({"name": name});
        json!({"apiVersion": API, "kind": kind, "metadata": metadata, "spec": spec})
    };
    let mut binding = json!({"policyName": name, "validationActions": ["Deny"]});
    if let (Some(binding), Some(more)) = (binding.as_object_mut(), more.as_object()) {
        binding.extend(more.clone());
    }
    [
        manifest("ValidatingAdmissionPolicy", spec),
        manifest("ValidatingAdmissionPolicyBinding", &binding),
    ]
}

/// Requests of some kinds, for a rule of what a policy judges.
pub(super) fn requests(operations: &[&str], group: &str, version: &str, resource: &str) -> Value {
    json!({
        "apiGroups": [group],
        "apiVersions": [version],
        "operations": operations,
        "resources": [resource],
    })
}
