//! Money: integer minor units of one currency. There is no float anywhere.

use std::fmt;

use crate::api::{AMOUNT_MINOR_MAX, currency_decimals};

/// An ISO 4217 currency of [`crate::api::CURRENCIES`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency {
    code: String,
    decimals: u32,
}

impl Currency {
    /// # Errors
    /// The code is not in the table of currencies.
    pub fn parse(code: &str) -> Result<Self, Invalid> {
        let decimals = currency_decimals(code).ok_or_else(|| Invalid(code.to_owned()))?;
        Ok(Self { code: code.to_owned(), decimals })
    }

    /// The three letters.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }
}

/// An amount of one currency in minor units: 1 OMR is 1000 of them, 1 JPY is 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Money {
    /// How many minor units.
    pub minor: i64,
    /// Of which currency.
    pub currency: Currency,
}

/// A text that is no money: [`Money`] has exactly one spelling per value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an amount of money such as 100.000 OMR")]
pub struct Invalid(String);

impl Money {
    /// Reads `100.000 OMR`: exactly the currency's decimals, no sign, no leading zeros, at most
    /// 10^15 minor units.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Self::read(text).filter(|money| money.to_string() == text).ok_or_else(|| {
            // A hostile text is not repeated at length.
            Invalid(text.chars().take(40).collect())
        })
    }

    fn read(text: &str) -> Option<Self> {
        let (amount, code) = text.split_once(' ')?;
        let currency = Currency::parse(code).ok()?;
        let digits = amount.replacen('.', "", 1);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let minor = digits.parse().ok().filter(|minor| *minor <= AMOUNT_MINOR_MAX)?;
        Some(Self { minor, currency })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Currency { code, decimals } = &self.currency;
        let sign = if self.minor < 0 { "-" } else { "" };
        let minor = self.minor.unsigned_abs();
        let one = 10_u64.pow(*decimals);
        if decimals == &0 {
            write!(formatter, "{sign}{minor} {code}")
        } else {
            let width = *decimals as usize;
            write!(formatter, "{sign}{}.{:0width$} {code}", minor / one, minor % one)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_one_spelling_per_value() {
        for (text, minor) in [
            ("100.000 OMR", 100_000),
            ("0.001 OMR", 1),
            ("0.00 USD", 0),
            ("7 JPY", 7),
            ("1.0000 CLF", 10_000),
            ("1000000000000.000 OMR", AMOUNT_MINOR_MAX),
        ] {
            let money = Money::parse(text).unwrap();
            assert_eq!((money.minor, money.to_string()), (minor, text.to_owned()));
        }
    }

    #[test]
    fn everything_else_is_no_money() {
        for text in [
            "",
            " ",
            "OMR",
            "1 OMR",
            "100.00 OMR",
            "0100.000 OMR",
            "-1.000 OMR",
            "+1.000 OMR",
            "1.000  OMR",
            "1.000 omr",
            "1.000 XXX",
            "1,000.000 OMR",
            ".001 OMR",
            "1. JPY",
            "1.000 OMR ",
            "\u{661}.000 OMR",
            "1000000000000.001 OMR",
            "9007199254740993.000 OMR",
            "1.0.00 OMR",
            "1e3.000 OMR",
        ] {
            assert!(Money::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_negative_amount_prints_its_sign_once() {
        let currency = Currency::parse("OMR").unwrap();
        assert_eq!(Money { minor: -1, currency }.to_string(), "-0.001 OMR");
    }
}
