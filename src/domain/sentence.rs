//! Texts of others on their way into a sentence of ours.

use std::fmt::Write as _;

/// As many characters of a text are shown at most.
const SHOWN_MAX: usize = 2_000;

/// An error with its causes in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Some libraries print their cause as well as naming it.
        if !text.ends_with(&next) {
            let _infallible = write!(text, ": {next}");
        }
        cause = error.source();
    }
    text
}

/// A text as it may be shown to a person and written to a log: its first 2,000 characters, in one
/// line, without anything that a terminal would obey.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_MAX).map(harmless).collect();
    if text.chars().nth(SHOWN_MAX).is_some() {
        shown.push('…');
    }
    shown
}

/// Control characters, and those that turn the direction of a text around, become spaces.
fn harmless(c: char) -> char {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || turns { ' ' } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_shown() {
        assert_eq!(shown("a\u{1b}[31mred\u{0}\r\nb\u{202e}c"), "a [31mred   b c");
        assert_eq!(shown("شركة Ōman 7 €"), "شركة Ōman 7 €");
    }

    #[test]
    fn a_long_text_is_cut() {
        let long = "é".repeat(5_000);
        let cut = shown(&long);
        assert_eq!(cut.chars().count(), SHOWN_MAX + 1);
        assert!(cut.ends_with('…'));
        assert_eq!(shown(&"x".repeat(SHOWN_MAX)).len(), SHOWN_MAX);
    }
}
