//! Instants as people write them.

use jiff::Timestamp;

/// In whole seconds of UTC, such as `2026-09-01T00:00:00Z`.
#[must_use]
pub fn second(instant: Timestamp) -> String {
    Timestamp::from_second(instant.as_second()).unwrap_or(instant).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_without_its_fraction() {
        let instant = "2026-09-01T00:00:00.999999Z".parse().unwrap();
        assert_eq!(second(instant), "2026-09-01T00:00:00Z");
    }
}
