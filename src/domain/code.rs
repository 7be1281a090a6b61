//! Voucher codes. What people type is normalised once; the ledger knows only the digest.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// The longest code, in characters.
pub const LENGTH_MAX: usize = 63;
const LENGTH_MIN: usize = 3;

/// A normalised voucher code: `^[A-Z0-9](-?[A-Z0-9]){2,62}$`, at most 63 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code(String);

/// SHA-256 of a normalised code: what the ledger keys by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// A text that is no voucher code. It is not repeated: it may be a secret with a typing error.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a voucher code: use 3 to 63 letters A-Z and digits, with single hyphens between them")]
pub struct Invalid;

impl Code {
    /// Trims white space around the text, upper-cases ASCII letters, folds nothing else.
    ///
    /// # Errors
    /// The result does not have the form of a code.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if !(LENGTH_MIN..=LENGTH_MAX).contains(&text.len()) {
            return Err(Invalid);
        }
        let code = text.to_ascii_uppercase();
        let well_formed = code.split('-').all(|part| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        });
        let letters = code.bytes().filter(|byte| *byte != b'-').count();
        if well_formed && letters >= LENGTH_MIN { Ok(Self(code)) } else { Err(Invalid) }
    }

    /// What the ledger keys by.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest(Sha256::digest(self.0.as_bytes()).into())
    }

    /// What may be shown of the code. A code in a spec is public already, so all of it.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Code(..)")
    }
}

impl Digest {
    /// Reads 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_trimmed_and_upper_cased() {
        let code = Code::parse(" \tomantel-Launch-100 ").unwrap();
        assert_eq!(code.hint(), "OMANTEL-LAUNCH-100");
        let known = "a1e2bd3c8b9aadcbbdcd5e1d8dd0f5c06fbf7e5e5b0b0d1ab9eaf2c90c7a1b11";
        assert_eq!(Digest::from_hex(known).unwrap().to_string(), known);
    }

    #[test]
    fn nothing_else_is_folded() {
        let long = "A".repeat(64);
        for text in [
            "",
            "AB",
            "A-B",
            "-ABC",
            "ABC-",
            "A--BC",
            "AB C",
            "\u{410}BC",
            "ABC\u{200b}",
            "A_BC",
            "ABC\0",
            "\u{ff21}BC",
            &long,
        ] {
            assert_eq!(Code::parse(text), Err(Invalid), "{text:?}");
        }
    }
}
