//! Lengths of time as people write them: whole minutes, hours or days, none of which depends on a
//! calendar.

/// A text that is no length of time.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a length of time: write a number up to 99999 and m, h or d, such as 7d")]
pub struct Invalid;

/// Reads `90m`, `12h` or `7d` as seconds.
///
/// # Errors
/// Any other text, zero among them.
pub fn seconds(text: &str) -> Result<i64, Invalid> {
    let unit = match text.chars().last() {
        Some('m') => 60,
        Some('h') => 60 * 60,
        Some('d') => 24 * 60 * 60,
        _ => return Err(Invalid),
    };
    let digits = text.get(..text.len() - 1).unwrap_or_default();
    let is_number = (1..=5).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    let number: i64 = digits.parse().map_err(|_| Invalid)?;
    if is_number { Ok(number * unit) } else { Err(Invalid) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_hours_and_days_are_seconds() {
        for (text, expected) in [
            ("1m", 60),
            ("90m", 5_400),
            ("12h", 43_200),
            ("7d", 604_800),
            ("99999d", 8_639_913_600),
        ] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "d", "0d", "07d", "+7d", "-7d", "7", "7s", "7 d", "100000d", "٧d", "7dd"]
        {
            assert_eq!(seconds(text), Err(Invalid), "{text}");
        }
    }
}
