//! Voucher codes. What people type is normalised once; the ledger knows only the digest.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::reason::Reason;

/// The longest code, in characters.
pub const LENGTH_MAX: usize = 63;
const LENGTH_MIN: usize = 3;
/// The shortest secret code, in characters: nobody finds one of this length by trying, so whoever
/// steals the ledger has digests that buy nothing.
pub const SECRET_LENGTH_MIN: usize = 16;
/// How many characters of a secret code are shown.
const HINT_LENGTH: usize = 4;

/// The code that a text stands for, `^[A-Z0-9](-?[A-Z0-9]){2,62}$` and at most 63 characters:
/// without the white space around it, with ASCII letters upper-cased and nothing else folded. None
/// where it stands for none. `normalise` in SQL is its twin.
#[must_use]
pub fn normalise(text: &str) -> Option<String> {
    let text = text.trim();
    if !(LENGTH_MIN..=LENGTH_MAX).contains(&text.len()) {
        return None;
    }
    let code = text.to_ascii_uppercase();
    let well_formed = code.split('-').all(|part| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    });
    let letters = code.bytes().filter(|byte| *byte != b'-').count();
    (well_formed && letters >= LENGTH_MIN).then_some(code)
}

/// A voucher code, as what the ledger keys by and what may be shown of it. The text of a secret one
/// is not here, so it cannot be shown by mistake.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code {
    digest: Digest,
    hint: String,
    secret: bool,
}

/// SHA-256 of a normalised code: what the ledger keys by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// A text that is no voucher code. It is not repeated: it may be a secret with a typing error.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a voucher code: use 3 to 63 letters A-Z and digits, with single hyphens between them")]
pub struct Invalid;

impl Code {
    /// A code that is written where everybody reads it.
    ///
    /// # Errors
    /// The text is no code.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let hint = normalise(text).ok_or(Invalid)?;
        Ok(Self { digest: Digest::of(&hint), hint, secret: false })
    }

    /// A secret code, of which no more than a hint is kept.
    ///
    /// # Errors
    /// The text is no code, or too short to be a secret.
    pub fn parse_secret(text: &str) -> Result<Self, InvalidSecret> {
        if text.trim().chars().count() < SECRET_LENGTH_MIN {
            return Err(InvalidSecret::TooShort);
        }
        let code = normalise(text).ok_or(InvalidSecret::NoCode)?;
        let hint = code.chars().take(HINT_LENGTH).chain(['…']).collect();
        Ok(Self { digest: Digest::of(&code), hint, secret: true })
    }

    /// A secret code as it was accepted before.
    #[must_use]
    pub fn accepted(digest: Digest, hint: &str) -> Self {
        Self { digest, hint: hint.to_owned(), secret: true }
    }

    /// What the ledger keys by.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What may be shown of the code: all of one that is written in a spec, which is public
    /// already, and the first characters of a secret one.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }

    /// Whether the code is kept in a Secret.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.secret
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Code(..)")
    }
}

/// Why a text is no secret code. It is never repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidSecret {
    /// It could be found by trying.
    TooShort,
    /// It does not have the form of a code.
    NoCode,
}

/// One value of a Secret, in the namespace of the object that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretKey {
    /// The Secret.
    pub secret: String,
    /// The key in its data.
    pub key: String,
}

impl SecretKey {
    /// The code that stands there; the value goes no further than this.
    ///
    /// # Errors
    /// Nothing stands there, or nothing that can be a secret code.
    pub fn open(&self, value: Option<&[u8]>) -> Result<Code, Reason> {
        let Self { secret, key } = self.clone();
        let Some(value) = value else { return Err(Reason::CodeSecretMissing { secret, key }) };
        let text = std::str::from_utf8(value).map_err(|_| InvalidSecret::NoCode);
        text.and_then(Code::parse_secret).map_err(|why| match why {
            InvalidSecret::TooShort => Reason::CodeTooShort { secret, key },
            InvalidSecret::NoCode => Reason::CodeUnusable { secret, key },
        })
    }
}

impl From<&crate::api::CodeFrom> for SecretKey {
    fn from(from: &crate::api::CodeFrom) -> Self {
        let selector = &from.secret_key_ref;
        Self { secret: selector.name.to_string(), key: selector.key.clone() }
    }
}

/// A code as a spec gives it.
#[derive(Clone, Debug)]
pub enum Given {
    /// Written there.
    Written(Code),
    /// Kept in a Secret.
    Kept {
        /// Where.
        at: SecretKey,
        /// What was found there at the last look, or why nothing was.
        code: Result<Code, Reason>,
    },
}

impl Given {
    /// A code in a Secret that nobody has looked into yet.
    #[must_use]
    pub fn kept(from: &crate::api::CodeFrom) -> Self {
        let at = SecretKey::from(from);
        Self::Kept { code: at.open(None), at }
    }

    /// The code, or why it is not known.
    ///
    /// # Errors
    /// It is kept in a Secret, where it was not found.
    pub fn code(&self) -> Result<&Code, &Reason> {
        match self {
            Self::Written(code) => Ok(code),
            Self::Kept { code, .. } => code.as_ref(),
        }
    }
}

impl Digest {
    fn of(code: &str) -> Self {
        Self(Sha256::digest(code.as_bytes()).into())
    }

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

    const SECRET: &str = "K7QX-93MP-T2WV-8RLD";

    fn at() -> SecretKey {
        SecretKey { secret: "launch".to_owned(), key: "code".to_owned() }
    }

    #[test]
    fn a_secret_code_is_the_same_code_and_shows_four_characters() {
        let secret = Code::parse_secret(&format!(" {} \n", SECRET.to_lowercase())).unwrap();
        let written = Code::parse(SECRET).unwrap();
        assert_eq!(secret.digest(), written.digest());
        assert_eq!((secret.hint(), written.hint()), ("K7QX…", SECRET));
        assert_eq!(Code::accepted(secret.digest(), secret.hint()), secret);
        for shown in [format!("{secret:?}"), format!("{:#?}", Given::Written(written))] {
            assert!(!shown.contains("K7QX"), "{shown}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_a_secret_code_is_refused_and_not_repeated() {
        let refused = |value: Option<&[u8]>| at().open(value).unwrap_err();
        assert_eq!(refused(None).name(), "CodeSecretMissing");
        for (value, reason) in [
            ("", "CodeTooShort"),
            ("ABCDEFGHIJKLMNO", "CodeTooShort"),
            ("  ABCDEFGHIJKLMNO   ", "CodeTooShort"),
            ("ABCDEFGHIJKLMNO!", "CodeUnusable"),
            ("ABCDEFGH\nIJKLMNOP", "CodeUnusable"),
            (&"A".repeat(64), "CodeUnusable"),
        ] {
            let refused = refused(Some(value.as_bytes()));
            assert_eq!(refused.name(), reason, "{value:?}");
            assert!(value.is_empty() || !refused.to_string().contains(value), "{refused}");
        }
        assert_eq!(refused(Some(&[0xff; 20])).name(), "CodeUnusable");
        assert!(at().open(Some(b"ABCDEFGHIJKLMNOP")).is_ok());
    }
}
