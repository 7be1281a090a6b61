//! Vouchers: money, codes, times, limits, and what of them can be edited.

use serde_json::{Value, json};

use super::{Case, Cases, Set};

/// The least that a Voucher needs.
fn voucher() -> Value {
    json!({
        "apiVersion": "catalyst.openova.io/v1alpha1",
        "kind": "Voucher",
        "metadata": {"name": "launch"},
        "spec": {"sovereignRef": {"name": "muscat"}, "credit": "100.000 OMR"},
    })
}

/// Everything that a Voucher can say.
fn full() -> Value {
    voucher()
        .set("/spec/code", "LAUNCH")
        .set("/spec/maxRedemptions", 50)
        .set("/spec/validFrom", "2026-09-01T00:00:00Z")
        .set("/spec/expiresAt", "2027-01-01T00:00:00+04:00")
        .set("/spec/budget", "5000.000 OMR")
        .set("/spec/creditExpiresAfter", "90d")
        .set("/spec/eligibility", json!({"plans": ["m", "l"], "newAccountsOnly": true}))
        .set("/spec/state", "Active")
        .set("/spec/description", "For the opening of the cloud.")
        .set("/spec/campaign", "launch-2026")
}

fn credit(text: &str) -> Value {
    voucher().set("/spec/credit", text)
}

fn code(text: &str) -> Value {
    voucher().set("/spec/code", text)
}

fn kept(secret: &str, key: &str) -> Value {
    voucher().set("/spec/codeFrom", json!({"secretKeyRef": {"name": secret, "key": key}}))
}

fn named(name: &str) -> Value {
    voucher().set("/metadata/name", name)
}

fn expires(text: &str) -> Value {
    voucher().set("/spec/expiresAt", text)
}

fn capped(most: i64) -> Value {
    voucher().set("/spec/maxRedemptions", most)
}

fn state(state: &str) -> Value {
    voucher().set("/spec/state", state)
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Cases::of("Voucher");
    cases.accept("the least voucher", voucher());
    cases.accept("everything a voucher can say", full());
    let field = voucher().set("/spec/maxRedemption", 50);
    cases.refuse("an unknown field", field, "unknown field \"spec.maxRedemption\"");
    cases.refuse("no credit", voucher().unset("/spec/credit"), "spec.credit: Required");
    let sovereign = voucher().set("/spec/sovereignRef/name", "Muscat");
    cases.refuse("a sovereign in capitals", sovereign, "\"Muscat\" is not a name");
    money(&mut cases);
    codes(&mut cases);
    secret_codes(&mut cases);
    terms(&mut cases);
    budgets(&mut cases);
    limits(&mut cases);
    promises(&mut cases);
    edits(&mut cases);
    cases.list
}

fn money(cases: &mut Cases) {
    cases.accept("no decimals", credit("5000 JPY"));
    cases.accept("two decimals", credit("19.99 USD"));
    cases.accept("three decimals", credit("0.001 OMR"));
    cases.accept("four decimals", credit("12.3456 CLF"));
    cases.accept("the most credit", credit("1000000000000.000 OMR"));
    cases.accept("the most credit without decimals", credit("1000000000000000 JPY"));

    let zero = "at least 1 and at most 10^15 minor units";
    cases.refuse("no credit at all", credit("0.000 OMR"), zero);
    cases.refuse("credit above 10^15", credit("1000000000000.001 OMR"), zero);
    cases.refuse("credit above 10^15 without decimals", credit("1000000000000001 JPY"), zero);

    cases.refuse(
        "one decimal too few",
        credit("100.00 OMR"),
        "\"100.00 OMR\": OMR has exactly 3 decimals: write 100.000 OMR",
    );
    let decimals = "JPY has no decimals: write 100 JPY";
    cases.refuse("decimals where there are none", credit("100.00 JPY"), decimals);
    let decimals = "USD has exactly 2 decimals: write 100.00 USD";
    cases.refuse("no decimals where there are two", credit("100 USD"), decimals);
    let decimals = "CLF has exactly 4 decimals: write 100.0000 CLF";
    cases.refuse("two decimals where there are four", credit("100.00 CLF"), decimals);
    cases.refuse("an unknown currency", credit("100.00 XXX"), "\"100.00 XXX\": unknown currency");

    let form = "is not an amount of money";
    cases.refuse("leading zeros", credit("0100.000 OMR"), form);
    cases.refuse("a sign", credit("+100.000 OMR"), form);
    cases.refuse("a negative amount", credit("-100.000 OMR"), form);
    cases.refuse("thousands separators", credit("1,000.000 OMR"), form);
    cases.refuse("two spaces", credit("100.000  OMR"), form);
    cases.refuse("the currency first", credit("OMR 100.000"), form);
    cases.refuse("the currency in lower case", credit("100.000 omr"), form);
    cases.refuse("no currency", credit("100.000"), form);
    cases.refuse("a line end", credit("100.000 OMR\n"), "not an amount of money");
    let number = voucher().set("/spec/credit", 100);
    cases.refuse("credit that is a number", number, "must be of type string");
    let long = credit("1000000000000000.00 OMR");
    cases.refuse("an amount of 23 characters", long, "may not be more than 21");
}

fn codes(cases: &mut Cases) {
    cases.accept("a code in lower case", code("omantel-launch-100"));
    cases.accept("a code with spaces around it", code(" OMANTEL-LAUNCH-100  "));
    cases.accept("a code of 3 characters", code("ABC"));
    cases.accept("a code of 63 characters", code(&"A".repeat(63)));
    let form = "is not a voucher code";
    cases.refuse("a code of 2 characters", code("AB"), form);
    cases.refuse("a code of 64 characters", code(&"A".repeat(64)), form);
    cases.refuse("a code of 64 characters with hyphens", code(&"AB-A".repeat(16)), form);
    cases.refuse("a code with two hyphens in a row", code("A--B-C"), form);
    cases.refuse("a code that ends with a hyphen", code("ABC-"), form);
    cases.refuse("a code with a space in it", code("ABC 100"), form);
    cases.refuse("a code of nothing but spaces", code("   "), form);
    cases.refuse("a code of other letters", code("ŁAUNCH"), form);
    cases.refuse("a code with a line in it", code("ABC\nDEF"), "not a voucher code");
    cases.accept("the name of the object as the code", named("omantel-launch-100"));
    cases.refuse("a name that is no code", named("launch.2026"), "taken from metadata.name");
    let both = code("LAUNCH-2026").set("/metadata/name", "launch.2026");
    cases.accept("a code makes up for a name that is none", both);
}

fn secret_codes(cases: &mut Cases) {
    cases.accept("a code in a Secret", kept("launch.2026", "the_code.txt"));
    let any_name = kept("launch", "code").set("/metadata/name", "launch.2026");
    cases.accept("a code in a Secret and a name that is no code", any_name);
    let both = kept("launch", "code").set("/spec/code", "LAUNCH");
    cases.refuse("a code here and in a Secret", both, "set code or codeFrom and not both");
    let none = voucher().set("/spec/codeFrom", json!({}));
    cases.refuse("a code from nowhere", none, "secretKeyRef: Required");
    let no_key = kept("launch", "code").unset("/spec/codeFrom/secretKeyRef/key");
    cases.refuse("a Secret without a key", no_key, "key: Required");
    let empty = "at least 1 char";
    cases.refuse("a key that is empty", kept("launch", ""), empty);
    let form = "\"a/b\" is not a key of a Secret";
    cases.refuse("a key with a slash", kept("launch", "a/b"), form);
    let long = kept("launch", &"k".repeat(254));
    cases.refuse("a key of 254 characters", long, "may not be more than 253");
    cases.refuse("a Secret in capitals", kept("Launch", "code"), "is not the name of an object");
    let elsewhere = kept("launch", "code").set("/spec/codeFrom/secretKeyRef/namespace", "other");
    cases.refuse("a Secret elsewhere", elsewhere, "unknown field");

    let change = "codeFrom cannot change";
    let here = kept("launch", "code");
    cases.refuse_edit("another key", here.clone(), kept("launch", "codes"), change);
    cases.refuse_edit("another Secret", here.clone(), kept("autumn", "code"), change);
    cases.refuse_edit("a code moved into a Secret", voucher(), here.clone(), change);
    cases.refuse_edit("a code moved out of a Secret", here.clone(), code("LAUNCH"), change);
    cases.refuse_edit("a code no longer in a Secret", here.clone(), voucher(), change);
    let paused = here.clone().set("/spec/state", "Paused");
    cases.accept_edit("a pause of a secret code", here, paused);
}

fn terms(cases: &mut Cases) {
    cases.accept("one redemption", capped(1));
    cases.accept("the most redemptions", capped(1_000_000_000));
    cases.refuse("no redemptions", capped(0), "greater than or equal to 1");
    cases.refuse("too many redemptions", capped(1_000_000_001), "less than or equal to 1000000000");
    cases.refuse("a state that does not exist", state("Retired"), "supported values: \"Active\"");
    cases.accept("a voucher that begins paused", state("Paused"));
    let null = voucher().set("/spec/state", Value::Null);
    cases.accept("a state of null is the default", null);

    cases.accept("a time with an offset", expires("2027-01-01T00:00:00+04:00"));
    cases.accept("a time with fractions", expires("2027-01-01T00:00:00.123456Z"));
    cases.refuse("a time before 1970", expires("1969-12-31T23:59:59Z"), "a time is RFC 3339");
    cases.refuse("a time after 9998", expires("9999-01-01T00:00:00Z"), "a time is RFC 3339");
    cases.accept("the last time", expires("9998-12-31T23:59:59Z"));
    let small = expires("2027-01-01t00:00:00z");
    cases.refuse("a time in lower case", small, "with capital T and Z");
    cases.refuse("a date without a time", expires("2027-01-01"), "date-time");
    cases.refuse("a time without a zone", expires("2027-01-01T00:00:00"), "date-time");
    cases.refuse("a day that does not exist", expires("2027-02-30T00:00:00Z"), "date-time");
    cases.refuse("a time in words", expires("next year"), "date-time");
    let window = |from: &str, to: &str| expires(to).set("/spec/validFrom", from);
    let (first, second) = ("2026-09-01T00:00:00Z", "2026-09-01T00:00:01Z");
    cases.accept("a window of one second", window(first, second));
    let order = "expiresAt must be later than validFrom";
    cases.refuse("a window of no length", window(first, first), order);
    cases.refuse("a window that ends before it begins", window(second, first), order);
    let offset = window("2026-09-01T00:00:00Z", "2026-09-01T03:59:59+04:00");
    cases.refuse("a window that only looks right", offset, order);
}

fn budget(text: &str) -> Value {
    voucher().set("/spec/budget", text)
}

fn budgets(cases: &mut Cases) {
    cases.accept("a budget", budget("5000.000 OMR"));
    cases.accept("the most budget", budget("1000000000000.000 OMR"));
    let yen = credit("100 JPY").set("/spec/budget", "5000 JPY");
    cases.accept("a budget without decimals", yen);
    let currency = "budget must be in the currency of credit";
    cases.refuse("a budget in another currency", budget("5000.00 USD"), currency);
    cases.refuse("a budget in another with as many decimals", budget("5000.000 BHD"), currency);
    let decimals = "OMR has exactly 3 decimals: write 100.000 OMR";
    cases.refuse("a budget with too few decimals", budget("5000 OMR"), decimals);
    let least = "at least 1 and at most 10^15 minor units";
    cases.refuse("a budget of nothing", budget("0.000 OMR"), least);
    cases.refuse("a budget above 10^15", budget("1000000000000.001 OMR"), least);
    let neither = credit("100.000").set("/spec/budget", "5000.000 OMR");
    cases.refuse("a budget of credit without currency", neither, "is not an amount of money");

    cases.accept_edit("a budget added", voucher(), budget("5000.000 OMR"));
    cases.accept_edit("a budget raised", budget("5000.000 OMR"), budget("6000.000 OMR"));
    cases.accept_edit("a budget lowered", budget("5000.000 OMR"), budget("100.000 OMR"));
    let unset = "budget cannot be removed once set";
    cases.refuse_edit("a budget removed", budget("5000.000 OMR"), voucher(), unset);
    let null = voucher().set("/spec/budget", Value::Null);
    cases.refuse_edit("a budget set to null", budget("5000.000 OMR"), null, unset);
}

/// How long the credit lasts, and whom the code is for.
fn limits(cases: &mut Cases) {
    let lasts = |text: &str| voucher().set("/spec/creditExpiresAfter", text);
    for text in ["1m", "90m", "12h", "90d", "99999d"] {
        cases.accept(format!("credit for {text}"), lasts(text));
    }
    for text in ["0d", "07d", "7", "7s", "7w", "d", "-7d", "1h30m", " 7d", "7d\n"] {
        cases.refuse(format!("credit for {text:?}"), lasts(text), "not a length of time");
    }
    cases.refuse("credit for too long", lasts("100000d"), "may not be more than 6");
    let number = voucher().set("/spec/creditExpiresAfter", 90);
    cases.refuse("credit for a number", number, "must be of type string");
    cases.accept_edit("credit that lasts shorter", lasts("90d"), lasts("30d"));
    cases.accept_edit("credit that lasts for ever again", lasts("90d"), voucher());

    let only = |eligible: Value| voucher().set("/spec/eligibility", eligible);
    cases.accept("for whom it may concern", only(json!({})));
    cases.accept("for no plan in particular", only(json!({"plans": []})));
    cases.accept("for new accounts", only(json!({"newAccountsOnly": true})));
    cases.accept("for some plans", only(json!({"plans": ["s", "m"]})));
    let twice = only(json!({"plans": ["m", "m"]}));
    cases.refuse("for one plan twice", twice, "Duplicate value: \"m\"");
    let capitals = only(json!({"plans": ["M"]}));
    cases.refuse("for a plan in capitals", capitals, "\"M\" is not a name");
    let many = |count| {
        let plans: Vec<String> = (0..count).map(|plan| format!("p{plan}")).collect();
        only(json!({"plans": plans}))
    };
    cases.accept("for 32 plans", many(32));
    cases.refuse("for 33 plans", many(33), "must have at most 32 items");
    let unknown = only(json!({"organizations": ["kestrel"]}));
    cases.refuse("for something unknown", unknown, "unknown field \"spec.eligibility.org");
    cases.accept_edit("for fewer than before", voucher(), only(json!({"plans": ["l"]})));
    cases.accept_edit("for everybody again", only(json!({"newAccountsOnly": true})), voucher());
}

/// What a Voucher promised cannot be taken back.
fn promises(cases: &mut Cases) {
    let change = "credit cannot change";
    cases.refuse_edit("more credit", voucher(), credit("200.000 OMR"), change);
    cases.refuse_edit("another currency", voucher(), credit("100.00 USD"), change);
    let sovereign = voucher().set("/spec/sovereignRef/name", "salalah");
    cases.refuse_edit("another sovereign", voucher(), sovereign, "sovereignRef cannot change");

    let change = "the code of a Voucher cannot change";
    cases.refuse_edit("another code", code("ABC"), code("ABD"), change);
    cases.refuse_edit("a code set later", voucher(), code("ABC"), change);
    cases.refuse_edit("a code left out later", code("ABC"), voucher(), change);
    cases.accept_edit("the default code written down", voucher(), code("LAUNCH"));
    cases.accept_edit("the default code left out again", code("LAUNCH"), voucher());
    cases.accept_edit("the same code in another spelling", code("ABC"), code(" abc "));
}

fn edits(cases: &mut Cases) {
    cases.accept_edit("a cap added", voucher(), capped(50));
    cases.accept_edit("a cap raised", capped(50), capped(100));
    cases.accept_edit("a cap lowered", capped(50), capped(10));
    let unset = "maxRedemptions cannot be removed once set";
    cases.refuse_edit("a cap removed", capped(50), voucher(), unset);
    let null = voucher().set("/spec/maxRedemptions", Value::Null);
    cases.refuse_edit("a cap set to null", capped(50), null, unset);

    cases.accept_edit("a pause", voucher(), state("Paused"));
    cases.accept_edit("the end of a pause", state("Paused"), state("Active"));
    cases.accept_edit("the end of a pause by a deleted line", state("Paused"), voucher());
    cases.accept_edit("a revocation", voucher(), state("Revoked"));
    cases.accept_edit("a note on a revoked voucher", state("Revoked"), full_but_revoked());
    let stays = "a revoked Voucher stays revoked";
    cases.refuse_edit("a revoked voucher active", state("Revoked"), state("Active"), stays);
    cases.refuse_edit("a revoked voucher paused", state("Revoked"), state("Paused"), stays);
    cases.refuse_edit("a revocation lost with its line", state("Revoked"), voucher(), stays);

    cases.accept_edit("an end added", voucher(), expires("2027-01-01T00:00:00Z"));
    cases.accept_edit("an end removed", expires("2027-01-01T00:00:00Z"), voucher());
    let sooner = expires("2026-10-01T00:00:00Z");
    cases.accept_edit("an earlier end", expires("2027-01-01T00:00:00Z"), sooner);
    let before = full().set("/spec/expiresAt", "2026-08-01T00:00:00Z");
    let order = "expiresAt must be later than validFrom";
    cases.refuse_edit("an end before the beginning", full(), before, order);
}

fn full_but_revoked() -> Value {
    full().set("/spec/state", "Revoked")
}
