//! What a kubeconfig could do to whoever uses it. It is looked for before anything else is judged,
//! in every cluster and user of the file, so that a person hears of the worst first.

use serde_yaml::Value;

use crate::domain::reason::Reason;

/// # Errors
/// The first of what is refused, the most dangerous first.
pub(super) fn refuse(file: &Value) -> Result<(), Reason> {
    let clusters = entries(file, "clusters", "cluster");
    let users = entries(file, "users", "user");
    let fields = |fields: &[&str], reason: fn(String) -> Reason, of: &[&Value]| {
        let mut found = fields.iter().filter(|field| of.iter().any(|it| is_set(it, field)));
        found.next().map_or(Ok(()), |field| Err(reason((*field).to_owned())))
    };
    let path = |field| Reason::KubeconfigFilePath { field };
    fields(&["exec"], |_| Reason::KubeconfigExec {}, &users)?;
    fields(&["auth-provider"], |_| Reason::KubeconfigAuthProvider {}, &users)?;
    fields(&["tokenFile"], |_| Reason::KubeconfigTokenFile {}, &users)?;
    fields(&["client-certificate", "client-key"], path, &users)?;
    fields(&["certificate-authority"], path, &clusters)?;
    let insecure = ["insecure-skip-tls-verify"];
    fields(&insecure, |_| Reason::KubeconfigInsecure {}, &clusters)?;
    let impersonation = ["as", "as-uid", "as-groups", "as-user-extra"];
    fields(&impersonation, |field| Reason::KubeconfigImpersonates { field }, &users)?;
    fields(&["username", "password"], |_| Reason::KubeconfigPassword {}, &users)?;
    fields(&["proxy-url"], |_| Reason::KubeconfigProxy {}, &clusters)
}

/// What is written of each entry of a list, as far as it has the form.
fn entries<'a>(file: &'a Value, list: &str, inner: &str) -> Vec<&'a Value> {
    let items = file.get(list).and_then(Value::as_sequence).into_iter().flatten();
    items.filter_map(|item| item.get(inner)).collect()
}

/// Whether a field says anything: what is empty means nothing, but for a command or a plugin.
fn is_set(entry: &Value, field: &str) -> bool {
    match entry.get(field) {
        None | Some(Value::Null) => false,
        Some(_) if ["exec", "auth-provider"].contains(&field) => true,
        Some(Value::Bool(value)) => *value || field != "insecure-skip-tls-verify",
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Sequence(items)) => !items.is_empty(),
        Some(Value::Mapping(fields)) => !fields.is_empty(),
        Some(_) => true,
    }
}
