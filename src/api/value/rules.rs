//! The schemas of the values, and the CEL rules in them.
//!
//! Where a person types, a rule says in words what `pattern` would say as a regular expression.
//! Every text has a `maxLength`: without it the server refuses the rules as too expensive.

use schemars::{Schema, json_schema};

use super::{AMOUNT_MINOR_MAX, CURRENCIES};
use crate::api::schema::{Rule, rule, rules};

/// The form of an amount before its currency is known.
const SHAPE: &str = "^(0|[1-9][0-9]{0,15})([.][0-9]{1,4})? [A-Z]{3}$";
const LABEL: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
/// The form of an object's name, a service account's included.
pub(in crate::api) const SUBDOMAIN: &str =
    "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

pub(super) fn money() -> Schema {
    amount("an amount of money", "100.000 OMR", 1)
}

pub(super) fn price_amount() -> Schema {
    amount("a price", "25.000 OMR", 0)
}

pub(super) fn currency_code() -> Schema {
    let known = rule(
        format!("self.matches('{}')", known_currency()),
        "unknown currency; use an ISO 4217 code in capitals, such as OMR",
    )
    .quoting("'\"' + self + '\": unknown currency; use an ISO 4217 code in capitals, such as OMR'");
    json_schema!({"type": "string", "maxLength": 3, "x-kubernetes-validations": rules([known])})
}

pub(super) fn name() -> Schema {
    let advice = "use lower-case letters, digits and hyphens, with a letter or digit at both ends";
    let label = rule(format!("self.matches('{LABEL}')"), format!("not a name: {advice}"))
        .quoting(format!("'\"' + self + '\" is not a name: {advice}'"));
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 63,
        "x-kubernetes-validations": rules([label]),
    })
}

pub(super) fn object_name() -> Schema {
    let advice = "use lower-case letters, digits, hyphens and dots, \
                  with a letter or digit at both ends";
    let subdomain = rule(
        format!("self.matches('{SUBDOMAIN}')"),
        format!("not the name of an object: {advice}"),
    )
    .quoting(format!("'\"' + self + '\" is not the name of an object: {advice}'"));
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 253,
        "x-kubernetes-validations": rules([subdomain]),
    })
}

pub(in crate::api) fn secret_key(_: &mut schemars::SchemaGenerator) -> Schema {
    let advice = "use letters, digits, hyphens, dots and underscores";
    let key = rule("self.matches('^[-._a-zA-Z0-9]+$')", format!("not a key of a Secret: {advice}"))
        .quoting(format!("'\"' + self + '\" is not a key of a Secret: {advice}'"));
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 253,
        "x-kubernetes-validations": rules([key]),
    })
}

pub(super) fn timestamp() -> Schema {
    // The end is where the calendars that read it end, an offset included.
    let calendar = rule(
        "self >= timestamp('1970-01-01T00:00:00Z') && self < timestamp('9999-01-01T00:00:00Z')",
        "a time is RFC 3339 between the years 1970 and 9998, with capital T and Z, \
         such as 2026-09-01T00:00:00Z",
    );
    json_schema!({
        "type": "string",
        "format": "date-time",
        "maxLength": 35,
        "x-kubernetes-validations": rules([calendar]),
    })
}

pub(super) fn quantity() -> Schema {
    let not_negative = rule(
        "type(self) == int ? self >= 0 : \
         isQuantity(self) && !quantity(self).isLessThan(quantity('0'))",
        "not a quantity: write a number that is not negative, such as 4, 500m or 16Gi",
    );
    json_schema!({
        "x-kubernetes-int-or-string": true,
        "maxLength": 20,
        "x-kubernetes-validations": rules([not_negative]),
    })
}

/// A map from the names of resources to quantities.
pub(in crate::api) fn quantities(_: &mut schemars::SchemaGenerator) -> Schema {
    let keys = rule(
        "self.all(key, key.size() >= 1 && key.size() <= 253)",
        "the name of a resource has 1 to 253 characters, such as requests.cpu",
    );
    json_schema!({
        "type": "object",
        "maxProperties": 32,
        "additionalProperties": quantity(),
        "x-kubernetes-validations": rules([keys]),
    })
}

/// The form of a length of time.
const DURATION: &str = "^[1-9][0-9]{0,4}(m|h|d)$";

pub(super) fn duration() -> Schema {
    let advice = "write a number from 1 to 99999 and m, h or d, such as 7d";
    json_schema!({
        "type": "string",
        "maxLength": 6,
        "x-kubernetes-validations": rules([
            rule(format!("self.matches('{DURATION}')"), format!("not a length of time: {advice}"))
                .quoting(format!("'\"' + self + '\" is not a length of time: {advice}'")),
        ]),
    })
}

fn amount(noun: &str, example: &str, least: i64) -> Schema {
    json_schema!({
        "type": "string",
        "maxLength": 21,
        "x-kubernetes-validations": rules(amount_rules(noun, example, least)),
    })
}

fn amount_rules(noun: &str, example: &str, least: i64) -> [Rule; 3] {
    let advice = format!(
        "write digits, the decimals of the currency, one space and the currency code, \
         such as {example}; no sign, no leading zeros, no thousands separators"
    );
    let minor = "int(self.substring(0, self.indexOf(' ')).replace('.', ''))";
    [
        rule(format!("self.matches('{SHAPE}')"), format!("not {noun}: {advice}"))
            .quoting(format!("'\"' + self + '\" is not {noun}: {advice}'")),
        rule(
            format!("!self.matches('{SHAPE}') || self.matches('{}')", exact_decimals()),
            "unknown currency or wrong number of decimals: an amount has exactly the decimals of \
             its currency (OMR has 3, USD 2, JPY none)",
        )
        .quoting(decimals_advice()),
        rule(
            format!(
                "!self.matches('{SHAPE}') || ({minor} >= {least} && {minor} <= {AMOUNT_MINOR_MAX})"
            ),
            format!(
                "{noun} is at least {least} and at most 10^15 minor units \
                 (1 OMR is 1000 minor units, 1 USD 100, 1 JPY 1)"
            ),
        ),
    ]
}

/// The codes of a row as the branches of a regular expression.
fn branches(codes: &str) -> String {
    codes.replace(' ', "|")
}

fn known_currency() -> String {
    let rows: Vec<_> = CURRENCIES.iter().map(|(_, codes)| branches(codes)).collect();
    format!("^({})$", rows.join("|"))
}

/// Matches an amount that has exactly the decimals of its currency.
fn exact_decimals() -> String {
    let rows = CURRENCIES.iter().map(|(decimals, codes)| match decimals {
        0 => format!("[0-9]+ ({})", branches(codes)),
        _ => format!("[0-9]+[.][0-9]{{{decimals}}} ({})", branches(codes)),
    });
    format!("^({})$", rows.collect::<Vec<_>>().join("|"))
}

/// A CEL expression that says how an amount in the currency of `self` is written.
fn decimals_advice() -> String {
    let code = "self.substring(self.indexOf(' ') + 1)";
    let unknown = "'unknown currency; use an ISO 4217 code such as OMR'".to_owned();
    let advice = CURRENCIES.iter().rev().fold(unknown, |otherwise, (decimals, codes)| {
        let example = match decimals {
            0 => " has no decimals: write 100 ".to_owned(),
            _ => format!(
                " has exactly {decimals} decimals: write 100.{} ",
                "0".repeat(*decimals as usize)
            ),
        };
        let listed = branches(codes);
        format!("{code}.matches('^({listed})$') ? {code} + '{example}' + {code} : {otherwise}")
    });
    format!("'\"' + self + '\": ' + ({advice})")
}
