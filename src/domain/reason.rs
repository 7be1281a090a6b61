//! Why something is not as it should be: one meaning, one message, one course of action each.
//!
//! The name stands in conditions, events and metrics. The message is for the person who typed the
//! YAML: what, why, what to do.

/// What is to be expected of a state that is not ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// It goes on by itself, or when something else arrives that is expected to.
    Progressing,
    /// It refers to something that is not there yet: normal while a set of manifests is being
    /// applied, and a mistake if it lasts.
    Missing,
    /// A person must change something.
    Stalled,
    /// We cannot know: what is, stays as it is.
    Unknown,
}

macro_rules! reasons {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident { $($field:ident: $type:ty),* } $outlook:ident $message:literal
    )*) => {
        /// Why something is not as it should be.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Reason {
            $($(#[doc = $doc])+ $name {
                $(
                    #[allow(missing_docs, reason = "the message says what each field is")]
                    $field: $type
                ),*
            }),*
        }

        impl Reason {
            /// Every name, for the generated documentation and the tests of it.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// Every message as it is written, for the tests of them.
            #[cfg(test)]
            pub(super) const MESSAGES: &'static [(&'static str, &'static str)] =
                &[$((stringify!($name), $message)),*];

            /// Which of them it is.
            #[must_use]
            pub fn word(&self) -> Word {
                match self { $(Self::$name { .. } => Word::$name),* }
            }

            /// The word in conditions, events and metrics.
            #[must_use]
            pub fn name(&self) -> &'static str {
                self.word().name()
            }

            /// What is to be expected.
            #[must_use]
            pub fn outlook(&self) -> Outlook {
                self.word().outlook()
            }
        }

        /// A reason without what it is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Word {
            $($(#[doc = $doc])+ $name),*
        }

        impl Word {
            /// Each of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// As it stands in conditions, events and metrics.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }

            /// What is to be expected.
            #[must_use]
            pub fn outlook(self) -> Outlook {
                match self { $(Self::$name => Outlook::$outlook),* }
            }

            /// What it means.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii()),* }
            }
        }

        impl fmt::Display for Reason {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Self::$name { $($field),* } => write!(formatter, $message)),* }
            }
        }
    };
}

mod advice;
mod page;
mod states;
mod words;
pub use page::page;
pub use words::{Reason, Word};

impl std::error::Error for Reason {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_continues_a_sentence_and_has_no_full_stop() {
        // Words of the vocabulary and of the API may begin a message as they are written.
        let begins = |text: &str| {
            let names = ["{", "Secret ", "Sovereign ", "Tenant ", "Voucher "];
            text.starts_with(char::is_lowercase) || names.iter().any(|it| text.starts_with(it))
        };
        for (name, message) in Reason::MESSAGES {
            assert!(begins(message), "{name} begins with a capital: {message}");
            assert!(!message.ends_with(['.', '!', ' ', ':']), "{name} ends badly: {message}");
            assert!(!message.contains("  ") && !message.contains('\n'), "{name}: {message}");
        }
    }

    #[test]
    fn a_message_says_what_its_fields_say_and_shows_no_brace() {
        let (sovereign, plan) = ("nizwa".to_owned(), "m".to_owned());
        let offers = "s".to_owned();
        for (reason, text) in [
            (
                Reason::PlanNotFound { plan: plan.clone(), sovereign: sovereign.clone(), offers },
                "Sovereign nizwa has no plan m; it has s",
            ),
            (
                Reason::SovereignNotFound { sovereign },
                "Sovereign nizwa is not in this namespace, or not accepted yet: apply it, or \
                 name another one in a new object",
            ),
            (Reason::LimitReached { cap: 50 }, "all 50 redemptions of the voucher are used"),
            (Reason::Provisioning { what: plan }, "waiting for m"),
        ] {
            assert_eq!(reason.to_string(), text);
        }
        // Every brace in a message is one of the fields, so none is printed.
        for (name, message) in Reason::MESSAGES {
            assert!(!message.contains("{{") && !message.contains("}}"), "{name}: {message}");
        }
    }

    #[test]
    fn every_name_is_one_word_that_kubernetes_takes_as_a_reason() {
        let mut names = Reason::NAMES.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Reason::NAMES.len());
        let is_word = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_uppercase())
                && name.chars().all(|c| c.is_ascii_alphanumeric())
        };
        assert!(names.iter().all(|name| is_word(name)), "{names:?}");
    }
}
