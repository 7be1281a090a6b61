//! Sovereigns: domain, currency, plans, prices, quantities, limits.

use serde_json::{Value, json};

use super::{Case, Cases, Set};

/// The least that a Sovereign needs.
fn sovereign() -> Value {
    json!({
        "apiVersion": "catalyst.openova.io/v1alpha1",
        "kind": "Sovereign",
        "metadata": {"name": "muscat"},
        "spec": {
            "domain": "cloud.omantel.om",
            "currency": "OMR",
            "connection": {"mode": "InCluster"},
            "plans": [{"name": "m", "price": {"amount": "25.000 OMR"}}],
        },
    })
}

/// Everything that a Sovereign can say.
fn full() -> Value {
    let container = json!({
        "type": "Container",
        "max": {"cpu": "4", "memory": "16Gi"},
        "min": {"cpu": "10m"},
        "default": {"cpu": "500m"},
        "defaultRequest": {"cpu": "100m"},
        "maxLimitRequestRatio": {"cpu": 10},
    });
    let plan = json!({
        "name": "l",
        "displayName": "Large",
        "price": {"amount": "50.000 OMR", "per": "Month"},
        "quota": {"requests.cpu": 16, "requests.memory": "64Gi", "count/jobs.batch": "0"},
        "limits": [
            container,
            {"type": "Pod", "max": {"cpu": "8"}},
            {"type": "PersistentVolumeClaim", "max": {"storage": "100Gi"}},
        ],
    });
    sovereign()
        .set("/spec/displayName", "Omantel Cloud")
        .set("/spec/region", "om-muscat-1")
        .set("/spec/franchisee", json!({"legalName": "Oman Telecommunications Company S.A.O.G."}))
        .set("/spec/franchisee/contactEmail", "cloud@omantel.om")
        .set("/spec/plans/-", plan)
}

/// A Sovereign whose plan has this price.
fn priced(amount: &str) -> Value {
    sovereign().set("/spec/plans/0/price/amount", amount)
}

/// A Sovereign whose plan has one entry of quota.
fn quota(value: impl Into<Value>) -> Value {
    sovereign().set("/spec/plans/0/quota", json!({"requests.cpu": value.into()}))
}

/// A Sovereign whose plan has these limits.
fn limits(limits: Value) -> Value {
    sovereign().set("/spec/plans/0/limits", limits)
}

fn plans(count: usize) -> Value {
    let plan = |n| json!({"name": format!("p{n}"), "price": {"amount": "1.000 OMR"}});
    sovereign().set("/spec/plans", (0..count).map(plan).collect::<Vec<_>>())
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Cases::of("Sovereign");
    identity(&mut cases);
    connections(&mut cases);
    unreachable(&mut cases);
    prices(&mut cases);
    quantities(&mut cases);
    limit_ranges(&mut cases);
    edits(&mut cases);
    cases.list
}

fn identity(cases: &mut Cases) {
    cases.accept("the least sovereign", sovereign());
    cases.accept("everything a sovereign can say", full());
    let field = sovereign().set("/spec/curency", "OMR");
    cases.refuse("an unknown field", field, "unknown field \"spec.curency\"");
    let null = sovereign().set("/spec/region", Value::Null);
    cases.accept("null is the same as absent", null);

    let name = sovereign().set("/metadata/name", "om.muscat");
    cases.refuse("a name with a dot", name, "the name of a Sovereign has at most 63");
    let name = sovereign().set("/metadata/name", "m".repeat(64));
    cases.refuse("a name of 64 characters", name, "the name of a Sovereign has at most 63");

    let domain = |text: &str| sovereign().set("/spec/domain", text);
    cases.accept("a domain of two labels", domain("omantel.om"));
    cases.refuse("a domain of one label", domain("omantel"), "\"omantel\" is not a domain");
    cases.refuse("a domain in capitals", domain("Cloud.Omantel.OM"), "is not a domain");
    cases.refuse("a domain with a scheme", domain("https://omantel.om"), "is not a domain");
    cases.refuse("a domain with an empty label", domain("a..om"), "is not a domain");
    cases.refuse("no domain", sovereign().unset("/spec/domain"), "spec.domain: Required");

    let currency = |code: &str| priced(&format!("1.00 {code}")).set("/spec/currency", code);
    cases.accept("another currency", currency("EUR"));
    cases.refuse("an unknown currency", currency("OMX"), "\"OMX\": unknown currency");
    cases.refuse("a currency in lower case", currency("omr"), "unknown currency");

    let mode = sovereign().set("/spec/connection/mode", "Carrier");
    cases.refuse("a connection that does not exist", mode, "supported values: \"InCluster\"");
    let email = full().set("/spec/franchisee/contactEmail", "omantel.om");
    cases.refuse("an address without an @", email, "not an e-mail address");
    let name = full().unset("/spec/franchisee/legalName");
    cases.refuse("a franchisee without a name", name, "legalName: Required");
    let name = full().set("/spec/displayName", "");
    cases.refuse("an empty display name", name, "at least 1 chars long");
}

/// A Sovereign on another cluster, with these fields of the reference to its Secret.
fn abroad(secret: &Value) -> Value {
    let connection = json!({"mode": "Kubeconfig", "kubeconfig": {"secretRef": secret}});
    sovereign().set("/spec/connection", connection)
}

fn connections(cases: &mut Cases) {
    const NEEDS: &str = "mode Kubeconfig needs kubeconfig, and no other mode has it";
    const MODE: &str = "mode cannot change";
    let nizwa = || abroad(&json!({"name": "nizwa"}));
    cases.accept("a kubeconfig in a Secret", nizwa());
    cases.accept("a kubeconfig under a key", abroad(&json!({"name": "nizwa", "key": "k.yaml"})));
    let bare = sovereign().set("/spec/connection", json!({"mode": "Kubeconfig"}));
    cases.refuse("mode Kubeconfig without kubeconfig", bare, NEEDS);
    let both = nizwa().set("/spec/connection/mode", "InCluster");
    cases.refuse("mode InCluster with kubeconfig", both, NEEDS);
    let none = nizwa().unset("/spec/connection/mode");
    cases.refuse("a kubeconfig without mode", none, "mode: Required");
    cases.refuse("no Secret", abroad(&json!({})), "name: Required");
    cases.refuse("a Secret without a name", abroad(&json!({"name": ""})), "name");
    cases.refuse("a Secret with a slash", abroad(&json!({"name": "kube-system/x"})), "name");
    let key = abroad(&json!({"name": "nizwa", "key": "../value"}));
    cases.refuse("a key with a slash", key, "key");
    let key = abroad(&json!({"name": "nizwa", "namespace": "kube-system"}));
    cases.refuse("a Secret of another namespace", key, "unknown field");

    cases.refuse_edit("from the hub to a kubeconfig", sovereign(), nizwa(), MODE);
    cases.refuse_edit("from a kubeconfig to the hub", nizwa(), sovereign(), MODE);
    cases.accept_edit("another Secret", nizwa(), abroad(&json!({"name": "sohar"})));
    let key = abroad(&json!({"name": "nizwa", "key": "config"}));
    cases.accept_edit("another key", nizwa(), key);
}

fn unreachable(cases: &mut Cases) {
    const PAIR: &str = "onDelete Abandon needs abandonAfter, and Wait has none";
    const HOUR: &str = "abandonAfter is at least an hour";
    let with = |unreachable: Value| {
        abroad(&json!({"name": "nizwa"})).set("/spec/unreachable", unreachable)
    };
    let after = |text: &str| with(json!({"onDelete": "Abandon", "abandonAfter": text}));
    cases.accept("nothing said of an outage", with(json!({})));
    cases.accept("to wait", with(json!({"onDelete": "Wait"})));
    cases.refuse("to abandon at no time", with(json!({"onDelete": "Abandon"})), PAIR);
    let waits = with(json!({"onDelete": "Wait", "abandonAfter": "24h"}));
    cases.refuse("to wait for a time", waits, PAIR);
    cases.refuse("a time for nothing", with(json!({"abandonAfter": "24h"})), PAIR);
    let gone = with(json!({"onDelete": "Delete"}));
    cases.refuse("another word", gone, "supported values: \"Wait\", \"Abandon\"");
    for text in ["60m", "61m", "100m", "99999m", "1h", "24h", "1d", "99999d"] {
        cases.accept(format!("abandoned after {text}"), after(text));
    }
    for text in ["1m", "9m", "10m", "30m", "59m"] {
        cases.refuse(format!("abandoned after {text}"), after(text), HOUR);
    }
    for text in [
        "", "0m", "00m", "0h", "060m", "60", "60s", "1.5h", "-1h", "+1h", "1H", " 1h", "1h ",
        "1h30m", "100000m", "1w", "\n1h",
    ] {
        cases.refuse(format!("abandoned after {text:?}"), after(text), "abandonAfter");
    }
    let number = with(json!({"onDelete": "Abandon", "abandonAfter": 24}));
    cases.refuse("abandoned after a number", number, "must be of type string");

    cases.accept_edit("another time", after("24h"), after("1h"));
    cases.accept_edit("to wait after all", after("24h"), with(json!({"onDelete": "Wait"})));
    cases.accept_edit("to abandon from now on", abroad(&json!({"name": "nizwa"})), after("1h"));
    cases.refuse_edit("too early from now on", after("24h"), after("59m"), HOUR);
}

fn prices(cases: &mut Cases) {
    cases.accept("a price of zero", priced("0.000 OMR"));
    cases.accept("the highest price", priced("1000000000000.000 OMR"));
    cases.refuse("a price above 10^15", priced("1000000000000.001 OMR"), "at most 10^15");
    cases.refuse("too few decimals", priced("25.00 OMR"), "OMR has exactly 3 decimals: write");
    cases.refuse("a price without currency", priced("25.000"), "\"25.000\" is not a price");
    cases.refuse("a negative price", priced("-1.000 OMR"), "is not a price");
    cases.refuse("a price in dollars", priced("25.00 USD"), "in the currency of the Sovereign");
    let number = sovereign().set("/spec/plans/0/price/amount", 25);
    cases.refuse("a price that is a number", number, "must be of type string");
    let per = sovereign().set("/spec/plans/0/price/per", "Week");
    cases.refuse("a price per week", per, "supported values: \"Month\"");
}

fn quantities(cases: &mut Cases) {
    cases.accept("32 plans", plans(32));
    cases.refuse("33 plans", plans(33), "must have at most 32 items");
    cases.refuse("no plans", plans(0), "should have at least 1 items");
    let again = json!({"name": "m", "price": {"amount": "30.000 OMR"}});
    let twice = sovereign().set("/spec/plans/-", again);
    cases.refuse("one plan twice", twice, "Duplicate value");
    let name = sovereign().set("/spec/plans/0/name", "Medium Plan");
    cases.refuse("a plan with a space in its name", name, "\"Medium Plan\" is not a name");
    let name = sovereign().set("/spec/plans/0/name", "m-");
    cases.refuse("a plan whose name ends with a hyphen", name, "is not a name");

    cases.accept("an integer", quota(8));
    cases.accept("a quantity in thousandths", quota("1500m"));
    cases.accept("a quantity with an exponent", quota("1e3"));
    cases.accept("nothing at all of a resource", quota("0"));
    cases.refuse("a negative integer", quota(-1), "not a quantity");
    cases.refuse("a negative quantity", quota("-1Gi"), "not a quantity");
    cases.refuse("a unit that does not exist", quota("16GB"), "not a quantity");
    cases.refuse("a number that is no integer", quota(1.5), "must be of type");
    cases.refuse("a quantity of 21 characters", quota("1".repeat(21)), "may not be more than 20");
    let long = json!({"r".repeat(254): 1});
    let long = sovereign().set("/spec/plans/0/quota", long);
    cases.refuse("the name of a resource is too long", long, "1 to 253 characters");
    let entries = |count| (0..count).map(|n| (format!("count/k{n}"), json!(1)));
    let most = |count| sovereign().set("/spec/plans/0/quota", entries(count).collect::<Value>());
    cases.accept("quota for 32 resources", most(32));
    cases.refuse("quota for 33 resources", most(33), "must have at most 32 items");
}

fn limit_ranges(cases: &mut Cases) {
    let pod = limits(json!([{"type": "Pod", "default": {"cpu": "1"}}]));
    cases.refuse("a default for pods", pod, "a limit of type Pod has no default");
    let pod = limits(json!([{"type": "Pod", "defaultRequest": {"cpu": "1"}}]));
    cases.refuse("a default request for pods", pod, "a limit of type Pod has no default");
    let claim = limits(json!([{"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}}]));
    cases.accept("a least size for volume claims", claim);
    let claim = limits(json!([{"type": "PersistentVolumeClaim", "max": {"cpu": "1"}}]));
    cases.refuse("volume claims without storage", claim, "needs max.storage or min.storage");
    let twice = limits(json!([{"type": "Pod", "max": {"cpu": 1}}, {"type": "Pod"}]));
    cases.refuse("one type of limit twice", twice, "Duplicate value");
    let node = limits(json!([{"type": "Node"}]));
    cases.refuse("a type of limit that does not exist", node, "supported values: \"Container\"");
}

fn edits(cases: &mut Cases) {
    let domain = sovereign().set("/spec/domain", "cloud.ooredoo.om");
    cases.refuse_edit("another domain", sovereign(), domain, "domain cannot change");
    let dollars = priced("65.00 USD").set("/spec/currency", "USD");
    cases.refuse_edit("another currency later", sovereign(), dollars, "currency cannot change");
    cases.accept_edit("another price", sovereign(), priced("30.000 OMR"));
    cases.accept_edit("more of everything", sovereign(), full());
    cases.accept_edit("less of everything", full(), sovereign());
}
