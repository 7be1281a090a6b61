//! What another plan costs for the rest of a period is the same in SQL and in Rust.

use catalyst_operator::domain::proration::prorate;

use crate::support::{Random, books};

const MOST: u64 = 1_000_000_000_000_000;

#[tokio::test]
async fn the_rest_of_a_period_costs_the_same_in_sql_and_in_rust() {
    let books = books().await;
    let mut random = Random::new(1);
    let mut cases = vec![(5, 80_000, 446_400, 2_678_400), (1, 4, 446_400, 2_678_400)];
    for _ in 0..2_000 {
        let whole = (28 + random.below(4)) * 86_400;
        let most = [20, 100_000, MOST][random.index(3)];
        let old = random.below(most + 1);
        let new = old + random.below(most - old + 1);
        // A sixth of the time makes halves of which no share is a short decimal.
        let rest = [random.below(whole + 1), whole / 6, whole / 3][random.index(3)];
        cases.push((old, new, rest, whole));
    }
    let column = |of: fn(&(u64, u64, u64, u64)) -> u64| {
        let values = cases.iter().map(|case| of(case).to_string());
        format!("array[{}]::bigint[]", values.collect::<Vec<_>>().join(","))
    };
    let [old, new, rest, whole] =
        [column(|it| it.0), column(|it| it.1), column(|it| it.2), column(|it| it.3)];
    let sql = format!(
        "select array_agg(line order by c.n, l.n) from unnest({old}, {new}, {rest}, {whole}) \
         with ordinality as c (old, new, rest, whole, n), unnest(prorate(c.old, c.new, \
         'epoch', timestamptz 'epoch' + make_interval(secs => c.whole), \
         timestamptz 'epoch' + make_interval(secs => c.whole - c.rest))) \
         with ordinality as l (line, n)"
    );
    let lines: Vec<i64> = books.database.one(&sql).await;
    for ((old, new, rest, whole), found) in cases.into_iter().zip(lines.chunks(2)) {
        let number = |it: u64| i64::try_from(it).unwrap();
        let wanted = prorate(number(old), number(new), number(rest), number(whole));
        assert_eq!(found, wanted, "{old} to {new} for {rest} of {whole}");
    }
}
