//! Kubernetes quantities in their canonical form, so that what we want can be compared with what
//! an API server gives back: it stores `0.5` as `500m` and `1024Mi` as `1Gi`.

/// Binary and decimal suffixes with their factor in thousandths.
const BINARY: [(&str, u32); 6] =
    [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];
const DECIMAL: [(&str, u32); 8] =
    [("m", 0), ("", 3), ("k", 6), ("M", 9), ("G", 12), ("T", 15), ("P", 18), ("E", 21)];

/// A quantity as a number of thousandths, and whether it was written in powers of two.
fn read(text: &str) -> Option<(i128, bool)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let (factor, binary) =
        if let Some((_, power)) = BINARY.iter().find(|(known, _)| *known == suffix) {
            (1000 << power, true)
        } else {
            let (_, power) = DECIMAL.iter().find(|(known, _)| *known == suffix)?;
            (10_i128.pow(*power), false)
        };
    let divisor = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    // Rounded up, as Kubernetes does below its precision.
    Some((digits.checked_mul(factor)?.checked_add(divisor - 1)? / divisor, binary))
}

/// The spelling that an API server stores, or the text itself where it is no quantity of ours.
#[must_use]
pub fn canonical(text: &str) -> String {
    let Some((milli, binary)) = read(text) else { return text.to_owned() };
    if milli == 0 {
        return "0".to_owned();
    }
    if binary && milli % 1000 == 0 {
        let whole = milli / 1000;
        let fits = BINARY.iter().rev().find(|(_, power)| whole % (1 << power) == 0);
        return fits.map_or_else(
            || whole.to_string(),
            |(name, power)| format!("{}{name}", whole >> power),
        );
    }
    let fits = DECIMAL.iter().rev().find(|(_, power)| milli % 10_i128.pow(*power) == 0);
    fits.map_or_else(
        || format!("{milli}m"),
        |(name, power)| format!("{}{name}", milli / 10_i128.pow(*power)),
    )
}

/// Whether two spellings mean the same quantity.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    canonical(one) == canonical(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_spelled_as_the_api_server_does() {
        for (written, stored) in [
            ("0.5", "500m"),
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("4", "4"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("16Gi", "16Gi"),
            ("1000", "1k"),
            ("0", "0"),
            ("100k", "100k"),
            ("1000Ki", "1000Ki"),
            ("2.0", "2"),
            ("1000k", "1M"),
            ("512", "512"),
        ] {
            assert_eq!(canonical(written), stored, "{written}");
        }
    }

    #[test]
    fn what_is_no_quantity_stays_as_it_is() {
        for text in ["", "x", "1e3", "--1", "1Zi"] {
            assert_eq!(canonical(text), text);
        }
    }
}
