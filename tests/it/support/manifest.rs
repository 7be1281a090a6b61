//! Manifests as people write them, where a test states only what matters to it.

use serde_json::{Value, json};

/// A manifest of one of our kinds. Methods change a part and give the rest back.
#[derive(Clone)]
pub(crate) struct Manifest(pub(crate) Value);

impl Manifest {
    /// A Sovereign that is the hub itself. It keeps accounts in OMR and sells the plans s, m and
    /// l for 5, 9 and 120 rial a month.
    pub(crate) fn sovereign(namespace: &str) -> Self {
        Self::new(
            "Sovereign",
            namespace,
            "catalyst-zero",
            &json!({
                "domain": "omantel.example.om",
                "currency": "OMR",
                "connection": {"mode": "InCluster"},
                "plans": [
                    plan("s", "5.000 OMR", 2),
                    plan("m", "9.000 OMR", 4),
                    plan("l", "120.000 OMR", 8),
                ],
            }),
        )
    }

    /// A Sovereign on another cluster, by the kubeconfig in a Secret, that sells the same.
    pub(crate) fn franchised(namespace: &str, name: &str, secret: &str) -> Self {
        let connection =
            json!({"mode": "Kubeconfig", "kubeconfig": {"secretRef": {"name": secret}}});
        let mut sovereign = Self::sovereign(namespace).with("connection", connection);
        sovereign.0["metadata"]["name"] = json!(name);
        sovereign.with("domain", format!("{name}.example.om"))
    }

    /// A Voucher worth 100 rial, any number of times. Its code is its name in capitals.
    pub(crate) fn voucher(namespace: &str, name: &str) -> Self {
        Self::new(
            "Voucher",
            namespace,
            name,
            &json!({
                "sovereignRef": {"name": "catalyst-zero"},
                "credit": "100.000 OMR",
            }),
        )
    }

    /// A Tenant of an organization on plan m.
    pub(crate) fn tenant(namespace: &str, name: &str, organization: &str) -> Self {
        Self::new(
            "Tenant",
            namespace,
            name,
            &json!({
                "organization": organization,
                "sovereignRef": {"name": "catalyst-zero"},
                "plan": "m",
            }),
        )
    }

    fn new(kind: &str, namespace: &str, name: &str, spec: &Value) -> Self {
        Self(json!({
            "apiVersion": "catalyst.openova.io/v1alpha1",
            "kind": kind,
            "metadata": {"namespace": namespace, "name": name},
            "spec": spec,
        }))
    }

    /// Sets a field of the spec.
    pub(crate) fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0["spec"][field] = value.into();
        self
    }

    /// A Tenant or a Voucher of another Sovereign.
    pub(crate) fn on(self, sovereign: &str) -> Self {
        self.with("sovereignRef", json!({"name": sovereign}))
    }

    /// Takes a field out of the spec.
    pub(crate) fn without(mut self, field: &str) -> Self {
        self.0["spec"].as_object_mut().expect("a spec has fields").remove(field);
        self
    }

    /// One more plan of a Sovereign.
    pub(crate) fn selling(mut self, name: &str, amount: &str) -> Self {
        let plans = self.0["spec"]["plans"].as_array_mut().expect("it has plans");
        plans.retain(|plan| plan["name"] != name);
        plans.push(plan(name, amount, 2));
        self
    }

    pub(crate) fn plan(self, name: &str) -> Self {
        self.with("plan", name)
    }

    /// One more code that a Tenant redeems.
    pub(crate) fn code(self, code: &str) -> Self {
        self.source(json!({"code": code}))
    }

    /// One more Voucher that a Tenant redeems.
    pub(crate) fn voucher_ref(self, name: &str) -> Self {
        self.source(json!({"voucherRef": {"name": name}}))
    }

    fn source(self, source: Value) -> Self {
        self.and("vouchers", source)
    }

    pub(crate) fn owner(self, kind: &str, name: &str, role: &str) -> Self {
        self.and("owners", json!({"kind": kind, "name": name, "role": role}))
    }

    /// One more entry of a list.
    fn and(mut self, list: &str, entry: Value) -> Self {
        let list = &mut self.0["spec"][list];
        match list.as_array_mut() {
            Some(entries) => entries.push(entry),
            None => *list = json!([entry]),
        }
        self
    }
}

/// A plan with a quota of this many pods and cores.
pub(crate) fn plan(name: &str, amount: &str, size: u32) -> Value {
    let size = size.to_string();
    json!({
        "name": name,
        "price": {"amount": amount, "per": "Month"},
        "quota": {"requests.cpu": size, "limits.cpu": size, "pods": size},
        "limits": [{
            "type": "Container",
            "default": {"cpu": "250m"},
            "defaultRequest": {"cpu": "100m"},
        }],
    })
}
