//! Tenants: the organization and its reserved names, owners, vouchers.

use serde_json::{Value, json};

use super::{Case, Cases, Set};

const RESERVED: [&str; 19] = [
    "admin",
    "api",
    "catalyst",
    "catalyst-zero",
    "crossplane",
    "default",
    "flux",
    "flux-system",
    "gitea",
    "harbor",
    "keycloak",
    "kube-public",
    "kube-system",
    "main",
    "openbao",
    "openova",
    "openova-labs",
    "system",
    "vault",
];

/// The least that a Tenant needs.
fn tenant() -> Value {
    json!({
        "apiVersion": "catalyst.openova.io/v1alpha1",
        "kind": "Tenant",
        "metadata": {"name": "kestrel-rx"},
        "spec": {"sovereignRef": {"name": "muscat"}, "plan": "m"},
    })
}

/// Everything that a Tenant can say.
fn full() -> Value {
    let owners = json!([
        {"kind": "User", "name": "salma@kestrel.om", "role": "Owner"},
        {"kind": "Group", "name": "kestrel-admins", "role": "Admin"},
        {"kind": "ServiceAccount", "namespace": "ci", "name": "deployer", "role": "Member"},
        {"kind": "User", "name": "auditor", "role": "Viewer"},
    ]);
    tenant()
        .set("/spec/displayName", "Kestrel Pharmacies")
        .set("/spec/organization", "kestrel-rx")
        .set("/spec/owners", owners)
        .set("/spec/vouchers", json!([{"code": "OMANTEL-LAUNCH-100"}]))
        .set("/spec/vouchers/-", kept("welcome", "code"))
        .set("/spec/vouchers/-", json!({"voucherRef": {"name": "ramadan.2026"}}))
        .set("/spec/billing", exhausted(&json!({"gracePeriod": "14d", "warnAtPercent": [100, 50]})))
}

/// What happens when the credit does not pay for the next period.
fn exhausted(terms: &Value) -> Value {
    json!({ "onCreditExhausted": terms })
}

/// A Tenant of this organization.
fn organization(name: &str) -> Value {
    tenant().set("/spec/organization", name)
}

/// A Tenant of this name that states no organization.
fn named(name: &str) -> Value {
    tenant().set("/metadata/name", name)
}

fn vouchers(list: Value) -> Value {
    tenant().set("/spec/vouchers", list)
}

fn code(text: &str) -> Value {
    vouchers(json!([{"code": text}]))
}

fn kept(secret: &str, key: &str) -> Value {
    json!({"codeFrom": {"secretKeyRef": {"name": secret, "key": key}}})
}

fn owner(owner: Value) -> Value {
    tenant().set("/spec/owners", vec![owner])
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Cases::of("Tenant");
    cases.accept("the least tenant", tenant());
    cases.accept("everything a tenant can say", full());
    let field = tenant().set("/spec/tier", "gold");
    cases.refuse("an unknown field", field, "unknown field \"spec.tier\"");
    let plan = tenant().unset("/spec/plan");
    cases.refuse("no plan", plan, "spec.plan: Required");
    let plan = tenant().set("/spec/plan", "M");
    cases.refuse("a plan in capitals", plan, "\"M\" is not a name");
    let sovereign = tenant().set("/spec/sovereignRef", json!({"name": "cloud.omantel.om"}));
    cases.refuse("a sovereign with dots", sovereign, "is not a name");
    let elsewhere = tenant().set("/spec/sovereignRef/namespace", "other");
    cases.refuse("a sovereign elsewhere", elsewhere, "unknown field");
    organizations(&mut cases);
    owners(&mut cases);
    codes(&mut cases);
    billing(&mut cases);
    edits(&mut cases);
    cases.list
}

fn organizations(cases: &mut Cases) {
    for name in RESERVED {
        let case = format!("the reserved organization {name}");
        cases.refuse(case, organization(name), "is reserved for the platform");
    }
    cases.refuse("a reserved name of the object", named("vault"), "taken from metadata.name");
    let object = organization("kestrel").set("/metadata/name", "vault");
    cases.accept("an organization makes up for a reserved name of the object", object);
    cases.accept("a name that only contains a reserved one", organization("my-vault"));
    cases.accept("a name that begins like a reserved one", organization("system-lab"));
    cases.accept("a name that begins with kube", organization("kubernauts"));

    let form = "must be 3 to 31 characters";
    cases.accept("an organization of 3 characters", organization("abc"));
    cases.accept("an organization of 31 characters", organization(&"a".repeat(31)));
    cases.refuse("an organization of 2 characters", organization("ab"), form);
    cases.refuse("an organization of 32 characters", organization(&"a".repeat(32)), form);
    cases.refuse("an organization with two hyphens in a row", organization("a--b"), form);
    cases.refuse("an organization that begins with a digit", organization("3com"), form);
    cases.refuse("an organization that ends with a hyphen", organization("acme-"), form);
    cases.refuse("an organization in capitals", organization("Acme"), form);
    cases.refuse("a name of the object that is no organization", named("kestrel.rx"), form);
    let long = organization("kestrel").set("/metadata/name", "k".repeat(64));
    cases.refuse("a name of 64 characters", long, "the name of a Tenant has at most 63");
    let long = organization("kestrel").set("/metadata/name", "k".repeat(63));
    cases.accept("a name of 63 characters", long);
}

fn owners(cases: &mut Cases) {
    let user = json!({"kind": "User", "name": "salma", "role": "Owner"});
    let account = json!({"kind": "ServiceAccount", "name": "ci", "role": "Member"});
    let required = "namespace is required for a ServiceAccount";
    cases.refuse("a service account without namespace", owner(account.clone()), required);
    let elsewhere = owner(user.clone().set("/namespace", "ci"));
    cases.refuse("a user with a namespace", elsewhere, required);
    let capitals = account.clone().set("/namespace", "ci").set("/name", "CI");
    let form = "name and namespace of a ServiceAccount";
    cases.refuse("a service account in capitals", owner(capitals), form);
    let namespace = account.set("/namespace", "a.b");
    cases.refuse("a namespace with a dot", owner(namespace), form);
    let everyone = json!({"kind": "Group", "name": "system:authenticated", "role": "Viewer"});
    cases.refuse("everyone as an owner", owner(everyone), "belong to Kubernetes");
    let role = owner(user.clone().set("/role", "Boss"));
    cases.refuse("a role that does not exist", role, "supported values: \"Owner\"");
    let kind = owner(user.clone().set("/kind", "Robot"));
    cases.refuse("a kind of owner that does not exist", kind, "supported values: \"User\"");

    let twice = owner(user.clone()).set("/spec/owners/-", user.clone().set("/role", "Viewer"));
    cases.refuse("one owner with two roles", twice, "Duplicate value");
    let group = owner(user.clone()).set("/spec/owners/-", user.clone().set("/kind", "Group"));
    cases.accept("a user and a group of one name", group);
    let many = |count| {
        let each = (0..count).map(|n| user.clone().set("/name", format!("u{n}")));
        tenant().set("/spec/owners", each.collect::<Vec<_>>())
    };
    cases.accept("64 owners", many(64));
    cases.refuse("65 owners", many(65), "must have at most 64 items");
}

fn codes(cases: &mut Cases) {
    cases.accept("a code in lower case", code("omantel-launch-100"));
    cases.accept("a code with spaces around it", code("  OMANTEL-LAUNCH-100 "));
    let form = "is not a voucher code";
    cases.refuse("a code of two characters", code("AB"), form);
    cases.refuse("a code with a space in it", code("OMANTEL LAUNCH"), form);
    cases.refuse("a code with two hyphens in a row", code("OMANTEL--100"), form);
    cases.refuse("a code of other letters", code("ÖMANTEL-100"), form);
    cases.accept("a code of 63 characters", code(&"A".repeat(63)));
    cases.refuse("a code of 64 characters", code(&"A".repeat(64)), form);
    cases.refuse("a code of 64 characters with hyphens", code(&"AB-A".repeat(16)), form);

    let one = "set exactly one of code, codeFrom and voucherRef";
    cases.refuse("neither a code nor a voucher", vouchers(json!([{}])), one);
    let both = vouchers(json!([{"code": "ABC", "voucherRef": {"name": "abc"}}]));
    cases.refuse("both a code and a voucher", both, one);
    cases.accept("a code in a Secret", vouchers(json!([kept("welcome", "code")])));
    let both = vouchers(json!([kept("welcome", "code").set("/code", "ABC")]));
    cases.refuse("both a code and a Secret", both, one);
    let all = kept("welcome", "code").set("/code", "ABC").set("/voucherRef", json!({"name": "a"}));
    cases.refuse("a code, a Secret and a voucher", vouchers(json!([all])), one);
    let key = kept("welcome", "the code");
    cases.refuse("a key with a space", vouchers(json!([key])), "is not a key of a Secret");
    let (first, second) = (kept("welcome", "first"), kept("welcome", "second"));
    cases.accept("two codes in a Secret", vouchers(json!([first.clone(), second])));
    let twice = vouchers(json!([first, {"code": "ABC"}, first]));
    cases.refuse("one key twice", twice, "the same codeFrom stands twice");
    let twice = vouchers(json!([{"code": "ABC"}, {"code": "XYZ"}, {"code": " abc "}]));
    cases.refuse("one code in two spellings", twice, "the same code stands twice");
    let same = json!({"voucherRef": {"name": "launch"}});
    let twice = vouchers(json!([same, {"code": "ABC"}, same]));
    cases.refuse("one voucher twice", twice, "the same voucherRef stands twice");
    let name = vouchers(json!([{"voucherRef": {"name": "Launch"}}]));
    cases.refuse("a voucher in capitals", name, "is not the name of an object");
    let many = |count| {
        let each = (0..count).map(|n| json!({"code": format!("CODE-{n}")}));
        vouchers(each.collect())
    };
    cases.accept("8 vouchers", many(8));
    cases.refuse("9 vouchers", many(9), "must have at most 8 items");
}

fn billing(cases: &mut Cases) {
    let billed = |terms: Value| tenant().set("/spec/billing", exhausted(&terms));
    cases.accept("billing as it is by default", tenant().set("/spec/billing", json!({})));
    cases.accept("nothing said of exhaustion", billed(json!({})));
    let grace = |text: &str| billed(json!({"gracePeriod": text}));
    for text in ["1m", "36h", "7d", "99999d"] {
        cases.accept(format!("a grace of {text}"), grace(text));
    }
    for text in ["0d", "7", "7w", "1d12h", "-1d", ""] {
        cases.refuse(format!("a grace of {text:?}"), grace(text), "is not a length of time");
    }
    cases.refuse("a grace that is too long", grace("100000d"), "may not be more than 6");
    let number = billed(json!({"gracePeriod": 7}));
    cases.refuse("a grace that is a number", number, "must be of type string");

    let warned = |at: &[i32]| billed(json!({"warnAtPercent": at}));
    cases.accept("no warning", warned(&[]));
    cases.accept("the least and the most warning", warned(&[1, 1000]));
    cases.accept("8 warnings", warned(&[1, 2, 3, 4, 5, 6, 7, 8]));
    let nine = warned(&[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    cases.refuse("9 warnings", nine, "must have at most 8 items");
    cases.refuse("a warning at nothing", warned(&[0]), "greater than or equal to 1");
    cases.refuse("a warning above 1000", warned(&[1001]), "less than or equal to 1000");
    cases.refuse("one warning twice", warned(&[100, 100]), "Duplicate value: 100");
    let field = tenant().set("/spec/billing", json!({"gracePeriod": "7d"}));
    cases.refuse("a field in the wrong place", field, "unknown field \"spec.billing.grace");
    cases.accept_edit("another grace", grace("7d"), grace("1d"));
    cases.accept_edit("no word of billing any more", grace("1d"), tenant());
}

fn edits(cases: &mut Cases) {
    let protected = |value: Value| tenant().set("/spec/deletionProtection", value);
    cases.accept_edit("protection on", protected(json!(false)), protected(json!(true)));
    cases.accept_edit("protection off", protected(json!(true)), protected(json!(false)));
    cases.refuse("protection in words", protected(json!("yes")), "must be of type boolean");
    cases.accept_edit("more of everything", tenant(), full());
    cases.accept_edit("less of everything", full(), tenant());
    let plan = tenant().set("/spec/plan", "l");
    cases.accept_edit("another plan", tenant(), plan);
    let sovereign = tenant().set("/spec/sovereignRef/name", "salalah");
    let stays = "a Tenant does not move between Sovereigns";
    cases.refuse_edit("another sovereign", tenant(), sovereign, stays);

    let (default, same) = (tenant(), organization("kestrel-rx"));
    cases.accept_edit("the default organization written down", default.clone(), same.clone());
    cases.accept_edit("the default organization left out again", same.clone(), default.clone());
    let other = organization("acme");
    let change = "organization cannot change from kestrel-rx to acme";
    cases.refuse_edit("an organization set later", default.clone(), other.clone(), change);
    let back = "organization cannot change from acme to kestrel-rx";
    cases.refuse_edit("an organization left out later", other.clone(), default, back);
    cases.refuse_edit("another organization", same, other, change);
}
