//! What another plan costs for the rest of a paid period, by the second, in whole units. The same
//! rule stands in SQL, where it wins; a test holds the two together.

/// Whole units that add up to `total` and are next to exact shares of it, `parts` of `of` each:
/// rounded down, and the units that this leaves over go to the largest remainders.
#[must_use]
pub fn allocate(total: i64, parts: &[i128], of: i128) -> Vec<i64> {
    let floors: Vec<i128> = parts.iter().map(|part| part.div_euclid(of)).collect();
    let left = i128::from(total) - floors.iter().sum::<i128>();
    let mut ranked: Vec<usize> = (0..parts.len()).collect();
    ranked.sort_by_key(|n| std::cmp::Reverse(parts.get(*n).map(|part| part.rem_euclid(of))));
    let rank = |n: usize| ranked.iter().position(|it| *it == n).map_or(0, |rank| rank as i128);
    let units = floors.iter().enumerate().map(|(n, floor)| floor + i128::from(rank(n) < left));
    units.map(|units| i64::try_from(units).unwrap_or(i64::MAX)).collect()
}

/// What a plan of the price `new` costs for `rest` of the `whole` seconds of a period that is paid
/// at `old`: the share of the new price and, negative, that of the old one. Their sum is rounded
/// half up, once.
#[must_use]
pub fn prorate(old: i64, new: i64, rest: i64, whole: i64) -> [i64; 2] {
    let [old, new, rest, whole] = [old, new, rest, whole].map(i128::from);
    let parts = [new * rest, -(old * rest)];
    let sum = (2 * (parts[0] + parts[1]) + whole).div_euclid(2 * whole);
    let lines = allocate(i64::try_from(sum).unwrap_or(i64::MAX), &parts, whole);
    [0, 1].map(|n| lines.get(n).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONTH: i64 = 31 * 24 * 60 * 60;

    #[test]
    fn the_largest_remainders_get_what_rounding_leaves_over() {
        assert_eq!(allocate(100, &[100, 100, 100], 3), [34, 33, 33]);
        assert_eq!(allocate(10, &[21, 24, 55], 10), [2, 2, 6]);
        assert_eq!(allocate(1, &[5, 5], 10), [1, 0], "of equals the first");
        assert_eq!(allocate(3, &[16, 12], 10), [2, 1]);
        assert_eq!(allocate(7, &[70], 10), [7]);
        assert_eq!(allocate(-3, &[-15, -15], 10), [-1, -2]);
    }

    #[test]
    fn a_dearer_plan_costs_the_rest_of_the_difference() {
        assert_eq!(prorate(9_000, 16_000, MONTH, MONTH), [16_000, -9_000]);
        assert_eq!(prorate(9_000, 16_000, MONTH / 2, MONTH), [8_000, -4_500]);
        assert_eq!(prorate(9_000, 16_000, 0, MONTH), [0, 0]);
        assert_eq!(prorate(5, 5, 1, MONTH), [0, 0]);
    }

    #[test]
    fn half_a_unit_is_rounded_up_however_the_shares_are_written() {
        // 80000 - 5 for a sixth of the time: 13332.5, of which neither share is a short decimal.
        assert_eq!(prorate(5, 80_000, MONTH / 6, MONTH).iter().sum::<i64>(), 13_333);
        assert_eq!(prorate(1, 4, MONTH / 6, MONTH).iter().sum::<i64>(), 1);
    }

    /// A price with any number of decimals is an integer of minor units, so that one rule serves
    /// all: 5 JPY, 5.00 USD, 5.000 OMR and 5.0000 CLF.
    #[test]
    fn the_lines_add_up_in_currencies_of_none_to_four_decimals() {
        for decimals in 0..=4 {
            let one = 10_i64.pow(decimals);
            for rest in (0..MONTH).step_by(98_765) {
                let (old, new) = (5 * one, 17 * one + 1);
                let lines = prorate(old, new, rest, MONTH);
                let exact = i128::from(new - old) * i128::from(rest);
                let sum = i128::from(lines[0] + lines[1]) * i128::from(MONTH);
                assert!(2 * (sum - exact).abs() <= i128::from(MONTH), "{decimals}, {rest}");
                assert!((0..=new).contains(&lines[0]) && (-old..=0).contains(&lines[1]));
            }
        }
    }

    #[test]
    fn the_greatest_amounts_do_not_overflow() {
        let most = 1_000_000_000_000_000;
        assert_eq!(prorate(0, most, MONTH, MONTH), [most, 0]);
        assert_eq!(prorate(1, most, MONTH - 1, MONTH), [most - 373_357_228, -1]);
    }
}
