//! Values that are text on the wire: money, quantities, names and times, each with its own rules.
//!
//! They hold what was written, unparsed. `domain` turns them into numbers and calendars.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, de};

mod rules;

pub(super) use rules::{SUBDOMAIN, quantities, secret_key};

/// The currencies of ISO 4217 by the decimals that an amount in them has. The only such table:
/// the rules of the schema and the parser of money are both built from it.
pub const CURRENCIES: &[(u32, &str)] = &[
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"),
    (
        2,
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD \
         CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD \
         GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL \
         MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN \
         PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP \
         SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWG",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

/// The most that one amount in a spec may be, in minor units: 10^15.
pub const AMOUNT_MINOR_MAX: i64 = 1_000_000_000_000_000;

/// How many decimals an amount in this currency has; `None` for a code that is not in the table.
#[must_use]
pub fn currency_decimals(code: &str) -> Option<u32> {
    let row = CURRENCIES.iter().find(|(_, codes)| codes.split(' ').any(|known| known == code))?;
    Some(row.0)
}

/// A newtype over the text on the wire, with the function that makes its schema.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident: $schema:path) => {
        $(#[$doc])*
        #[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[serde(transparent)]
        pub struct $name(pub String);

        text!(@common $name: $schema);
    };
    (@common $name:ident: $schema:path) => {
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema()
            }
        }

        impl $name {
            /// What was written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

text! {
    /// An amount above zero with its currency, such as `100.000 OMR`.
    Money: rules::money
}
text! {
    /// An amount with its currency that may be zero, such as `25.000 OMR`.
    PriceAmount: rules::price_amount
}
text! {
    /// An ISO 4217 code, such as `OMR`.
    CurrencyCode: rules::currency_code
}
text! {
    /// A DNS label, such as `muscat`: the name of a Sovereign or of a plan.
    Name: rules::name
}
text! {
    /// The name of a Kubernetes object, dots included.
    ObjectName: rules::object_name
}
text! {
    /// A moment in RFC 3339, such as `2026-09-01T00:00:00Z`.
    Timestamp: rules::timestamp
}

text! {
    /// A length of time in whole minutes, hours or days, such as `7d`.
    Duration: rules::duration
}

/// A Kubernetes quantity, such as `4`, `500m` or `16Gi`. An integer on the wire is kept as text.
#[derive(Serialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
pub struct Quantity(pub String);
text!(@common Quantity: rules::quantity);

/// Quantities by the name of their resource.
pub type Quantities = BTreeMap<String, Quantity>;

/// A Sovereign in the same namespace.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// Name of the Sovereign. It is looked for in the namespace of this object and nowhere else.
    pub name: Name,
}

/// A Voucher in the same namespace.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct VoucherReference {
    /// Name of the Voucher. It is looked for in the namespace of this object and nowhere else.
    pub name: ObjectName,
}

/// One value of a Secret in the same namespace.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeySelector {
    /// Name of the Secret. It is looked for in the namespace of this object and nowhere else, and
    /// the operator may read it only where a Role there names it: `get`, `list` and `watch` on
    /// `secrets` with this name in `resourceNames`, bound to the operator's service account.
    pub name: ObjectName,
    /// The key in its `data`.
    #[schemars(schema_with = "rules::secret_key")]
    pub key: String,
}

/// Where a secret code is kept.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CodeFrom {
    /// The Secret and the key in it.
    pub secret_key_ref: SecretKeySelector,
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IntOrString;

        impl de::Visitor<'_> for IntOrString {
            type Value = Quantity;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an integer or a quantity such as 500m or 16Gi")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Quantity, E> {
                Ok(Quantity(number.to_string()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Quantity, E> {
                Ok(Quantity(number.to_string()))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Quantity, E> {
                Ok(Quantity(text.to_owned()))
            }
        }

        deserializer.deserialize_any(IntOrString)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_quantity_may_be_an_integer_on_the_wire() {
        let read = |value| serde_json::from_value::<Quantity>(value).ok();
        assert_eq!(read(json!(8)), Some(Quantity::from("8")));
        assert_eq!(read(json!("1500m")), Some(Quantity::from("1500m")));
        assert_eq!(read(json!(1.5)), None);
    }

    #[test]
    fn every_currency_stands_once_in_the_table() {
        let mut codes: Vec<_> = CURRENCIES.iter().flat_map(|(_, codes)| codes.split(' ')).collect();
        assert!(codes.iter().all(|code| code.len() == 3));
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }

    #[test]
    fn the_decimals_of_a_currency_are_known() {
        assert_eq!(currency_decimals("OMR"), Some(3));
        assert_eq!(currency_decimals("USD"), Some(2));
        assert_eq!(currency_decimals("JPY"), Some(0));
        assert_eq!(currency_decimals("OM"), None);
        assert_eq!(currency_decimals("OMX"), None);
    }
}
