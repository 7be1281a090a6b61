//! An API server that tells a plausible truth: good enough to connect to, and to make a Tenant on.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::wire::{Answer, Request, Response};

/// Where the UID is asked for that tells clusters apart.
pub(super) const SYSTEM: &str = "/api/v1/namespaces/kube-system";
/// What is listed and watched, by the last part of its path.
const LISTED: [(&str, &str, &str); 5] = [
    ("namespaces", "v1", "Namespace"),
    ("resourcequotas", "v1", "ResourceQuota"),
    ("limitranges", "v1", "LimitRange"),
    ("networkpolicies", "networking.k8s.io/v1", "NetworkPolicy"),
    ("rolebindings", "rbac.authorization.k8s.io/v1", "RoleBinding"),
];
const NOT_FOUND: (u16, &str) = (404, "NotFound");
const CONFLICT: (u16, &str) = (409, "Conflict");

/// A cluster that is a map from paths to objects.
pub(super) struct Memory {
    /// Of its namespace kube-system.
    pub(super) uid: String,
    objects: BTreeMap<String, Value>,
    version: u64,
}

/// A response of JSON.
pub(super) fn said(code: u16, body: &Value) -> Response {
    let headers = vec![("Content-Type", "application/json".to_owned())];
    Response { code, headers, body: body.to_string().into_bytes() }
}

/// A refusal.
pub(super) fn status((code, reason): (u16, &str), message: &str) -> Response {
    said(
        code,
        &json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": code,
        }),
    )
}

/// The version and kind of what a path lists; none for a path that lists nothing.
pub(super) fn listed(path: &str) -> Option<(&'static str, &'static str)> {
    let last = path.rsplit('/').next()?;
    LISTED.iter().find(|(plural, ..)| *plural == last).map(|(_, version, kind)| (*version, *kind))
}

/// A list as it was asked for.
pub(super) fn list(request: &Request, metadata: &Value, items: &[Value]) -> Value {
    let (version, kind) = match listed(&request.path) {
        _ if request.is_partial() => ("meta.k8s.io/v1", "PartialObjectMetadata"),
        Some(known) => known,
        None => ("v1", "ConfigMap"),
    };
    json!({
        "apiVersion": version, "kind": format!("{kind}List"), "metadata": metadata, "items": items,
    })
}

impl Memory {
    /// Of a cluster that nobody has seen before.
    pub(super) fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let uid = format!("00000000-0000-4000-8000-{:012}", COUNT.fetch_add(1, Ordering::Relaxed));
        Self { uid, objects: BTreeMap::new(), version: 1 }
    }

    pub(super) fn answer(&mut self, request: &Request) -> Answer {
        if request.is_watch() {
            return Answer::Quiet(vec![]);
        }
        Answer::Whole(self.response(request))
    }

    /// What it says to anything but a watch.
    pub(super) fn response(&mut self, request: &Request) -> Response {
        let path = request.path.as_str();
        match (request.method.as_str(), path) {
            ("GET", "/version") => said(200, &version("v1.34.2")),
            ("GET", SYSTEM) => said(200, &partial(request, self.system())),
            ("POST", path) if path.ends_with("reviews") => said(201, &allowed(&request.body)),
            ("GET", path) if listed(path).is_some() => {
                let metadata = json!({"resourceVersion": self.version.to_string()});
                said(200, &list(request, &metadata, &[]))
            }
            ("GET", path) => match self.objects.get(path) {
                Some(object) => said(200, &partial(request, object.clone())),
                None => status(NOT_FOUND, &format!("{path} not found")),
            },
            ("DELETE", path) => match self.objects.remove(path) {
                Some(object) => said(200, &object),
                None => status(NOT_FOUND, &format!("{path} not found")),
            },
            _ => self.write(request),
        }
    }

    fn write(&mut self, request: &Request) -> Response {
        let Ok(sent) = serde_json::from_slice::<Value>(&request.body) else {
            return status((400, "BadRequest"), "the body is not JSON");
        };
        let path = match request.method.as_str() {
            "POST" => {
                let name = sent["metadata"]["name"].as_str().unwrap_or_default();
                format!("{}/{name}", request.path)
            }
            _ => request.path.clone(),
        };
        let known = self.objects.get(&path);
        let version = &sent["metadata"]["resourceVersion"];
        let is_late = known.is_some_and(|known| known["metadata"]["resourceVersion"] != *version);
        if request.method == "POST" && known.is_some() {
            return status((409, "AlreadyExists"), &format!("{path} already exists"));
        }
        if !version.is_null() && is_late {
            return status(CONFLICT, &format!("{path} has been modified"));
        }
        let code = if known.is_some() { 200 } else { 201 };
        self.version += 1;
        let born = json!({"metadata": {"uid": format!("{}-{}", self.uid, self.version)}});
        let mut object = known.cloned().unwrap_or(born);
        merge(&mut object, &sent);
        complete(&mut object, &path, self.version);
        self.objects.insert(path, object.clone());
        said(code, &object)
    }

    fn system(&self) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "kube-system", "uid": self.uid, "resourceVersion": "1"},
            "status": {"phase": "Active"},
        })
    }
}

/// What `GET /version` answers.
pub(super) fn version(version: &str) -> Value {
    let minor = version.split('.').nth(1).unwrap_or_default();
    json!({
        "major": "1", "minor": minor, "gitVersion": version, "gitCommit": "0",
        "gitTreeState": "clean", "buildDate": "2026-01-01T00:00:00Z", "goVersion": "go1.26",
        "compiler": "gc", "platform": "linux/amd64",
    })
}

/// The review, with the answer that everything is allowed.
fn allowed(review: &[u8]) -> Value {
    let mut review: Value = serde_json::from_slice(review).unwrap_or_default();
    review["status"] = json!({"allowed": true});
    review
}

/// The object, or what is left of it for who asked for metadata.
fn partial(request: &Request, mut object: Value) -> Value {
    if !request.is_partial() {
        return object;
    }
    json!({
        "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
        "metadata": object["metadata"].take(),
    })
}

/// A merge patch; enough for server-side apply of one who owns all of it.
fn merge(object: &mut Value, patch: &Value) {
    let Some(fields) = patch.as_object() else {
        object.clone_from(patch);
        return;
    };
    if !object.is_object() {
        *object = json!({});
    }
    for (name, value) in fields {
        if value.is_null() {
            object.as_object_mut().expect("it was made one").remove(name);
        } else {
            merge(&mut object[name], value);
        }
    }
}

/// What an API server and its controllers add.
fn complete(object: &mut Value, path: &str, version: u64) {
    object["metadata"]["resourceVersion"] = json!(version.to_string());
    object["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
    let parts: Vec<&str> = path.split('/').collect();
    if let Some(at) = parts.iter().position(|part| *part == "namespaces")
        && parts.len() > at + 2
    {
        object["metadata"]["namespace"] = json!(parts[at + 1]);
    }
    if object["kind"] == "Namespace" {
        object["status"] = json!({"phase": "Active"});
    } else if object["kind"] == "ResourceQuota" {
        object["status"] = json!({"hard": object["spec"]["hard"]});
    }
}
