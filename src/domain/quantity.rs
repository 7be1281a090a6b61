//! Kubernetes quantities by their value. An API server stores `0.5` as `500m` and `1024Mi` as
//! `1Gi`, so what we want is compared with what it gives back as numbers and not as text.

/// Suffixes with their power of two.
const BINARY: [(&str, u32); 6] =
    [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];
/// Suffixes with their power of ten, counted from 10^-9, the finest that Kubernetes keeps.
const DECIMAL: [(&str, u32); 10] = [
    ("n", 0),
    ("u", 3),
    ("m", 6),
    ("", 9),
    ("k", 12),
    ("M", 15),
    ("G", 18),
    ("T", 21),
    ("P", 24),
    ("E", 27),
];
const ONE: i128 = 1_000_000_000;

/// A quantity in billionths, rounded up as Kubernetes does; nothing for other text.
fn billionths(text: &str) -> Option<i128> {
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let divisor = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let scaled = digits.checked_mul(factor(suffix)?)?;
    Some(scaled.checked_add(divisor - 1)? / divisor)
}

fn factor(suffix: &str) -> Option<i128> {
    if let Some((_, power)) = BINARY.iter().find(|(known, _)| *known == suffix) {
        return Some(ONE << power);
    }
    if let Some((_, power)) = DECIMAL.iter().find(|(known, _)| *known == suffix) {
        return Some(10_i128.pow(*power));
    }
    let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    10_i128.checked_pow(u32::try_from(exponent + 9).ok()?)
}

/// Whether two spellings mean the same quantity, or are the same text.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    one == other || billionths(one).is_some_and(|value| billionths(other) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_equals_itself_as_the_api_server_spells_it() {
        for (written, stored) in [
            ("0.5", "500m"),
            ("1000m", "1"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("2.0", "2"),
            ("1000k", "1M"),
            ("500000u", "500m"),
            ("100000000n", "100m"),
            ("1000e0", "1e3"),
            ("1e3", "1k"),
            ("0", "0Gi"),
            ("+4", "4"),
            ("x", "x"),
            ("", ""),
        ] {
            assert!(same(written, stored), "{written} and {stored}");
        }
    }

    #[test]
    fn another_quantity_is_another_one() {
        for (one, other) in
            [("1", "1m"), ("1G", "1Gi"), ("4", "5"), ("", "0"), ("x", "y"), ("1e99", "1e98")]
        {
            assert!(!same(one, other), "{one} and {other}");
        }
    }
}
