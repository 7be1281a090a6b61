//! Whatever a batch is made of, it comes to what some order of its calls would come to one by one,
//! to the byte: first those that it refused, then those that it redeemed, then those that it left
//! for their callers to redeem alone.

use catalyst_operator::{domain::code::Code, store::sql};

use crate::support::{Books, books};

const ROUNDS: u64 = 40;
const BATCH_MAX: u64 = 40;
const EVERYONE: [&str; 8] =
    ["kestrel", "falcon", "osprey", "merlin", "harrier", "goshawk", "suspended", "stranger"];
/// Made anew in each round.
const CODES: [&str; 8] = ["OPEN", "ONE", "TWO", "THREE", "PAUSED", "REVOKED", "EXPIRED", "NEVER"];
/// Every counter and every balance.
const STATE: &str = "select coalesce(string_agg(concat_ws(' ', kind, hint, used, organization, \
                     posted), ',' order by kind, hint, organization), '') from ( \
                     select 'used' as kind, w.hint, c.used, null as organization, null as posted \
                     from voucher_counter c join voucher w using (franchise, voucher) \
                     union all select kind, null, null, organization, posted from account) as x";

type Told = (Option<String>, Option<String>);

/// What one call asks.
#[derive(Clone, Debug)]
struct Call {
    key: String,
    code: String,
    organization: String,
}

/// The same numbers in every run (`SplitMix64`).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn of<'a>(&mut self, among: &[&'a str]) -> &'a str {
        among[usize::try_from(self.below(among.len() as u64)).unwrap()]
    }
}

#[tokio::test]
async fn random_batches_come_to_what_one_by_one_comes_to() {
    let (together, alone) = (books().await, books().await);
    for books in [&together, &alone] {
        for organization in EVERYONE.iter().filter(|name| **name != "stranger") {
            books.organization(organization).await;
        }
        let suspend = "update account set suspended = true where organization = 'suspended'";
        books.database.mutate(suspend).await;
    }
    let mut chance = Chance(0);
    let (mut redeemed, mut left_out) = (0, 0);
    for round in 0..ROUNDS {
        for books in [&together, &alone] {
            issue(books, round).await;
        }
        // Two in a row, so that the second meets what the first did.
        for _ in 0..2 {
            let calls = random_calls(&mut chance, round);
            let mut answers = batch(&together, &calls).await;
            redeemed += answers.iter().filter(|it| it.0.as_deref() == Some("Redeemed")).count();
            left_out += answers.iter().filter(|it| it.0.is_none()).count();

            let mut order: Vec<usize> = (0..calls.len()).collect();
            order.sort_by_key(|at| match answers[*at].0.as_deref() {
                None => 2,
                Some("Redeemed") => 1,
                Some(_) => 0,
            });
            for at in order {
                if answers[at].0.is_none() {
                    answers[at] = single(&together, &calls[at]).await;
                }
                let expected = single(&alone, &calls[at]).await;
                assert_eq!(answers[at], expected, "round {round}: {:?}", calls[at]);
            }
            let states = (together.database.one(STATE).await, alone.database.one(STATE).await);
            let (together, alone): (String, String) = states;
            assert_eq!(together, alone, "round {round}");
        }
    }
    assert!(redeemed > 100 && left_out > 100, "{redeemed} redeemed, {left_out} left out");
    together.assert_sound().await;
    alone.assert_sound().await;
}

async fn issue(books: &Books, round: u64) {
    let name = |code: &str| format!("{code}-{round}");
    books.voucher(&name("OPEN")).issued().await;
    for (code, cap) in [("ONE", 1), ("TWO", 2), ("THREE", 3)] {
        books.voucher(&name(code)).cap(cap).issued().await;
    }
    books.voucher(&name("PAUSED")).paused().issued().await;
    books.voucher(&name("REVOKED")).revoked().issued().await;
    let past = "2020-01-01T00:00:00Z".parse().unwrap();
    books.voucher(&name("EXPIRED")).expires_at(past).issued().await;
}

/// Most codes can be redeemed, and some keys come again, with the same input and with another.
fn random_calls(chance: &mut Chance, round: u64) -> Vec<Call> {
    let length = 1 + chance.below(BATCH_MAX);
    let call = |_| {
        let code = if chance.below(3) == 0 { chance.of(&CODES) } else { chance.of(&CODES[..4]) };
        let (code, organization) = (format!("{code}-{round}"), chance.of(&EVERYONE).to_owned());
        let key = match chance.below(8) {
            0 => format!("shared-{}", chance.below(round + 2)),
            1 => format!("capture/{round}"),
            2 => format!("again-{code}-{}", chance.below(1000)),
            _ => format!("redeem/{organization}/{code}"),
        };
        Call { key, code, organization }
    };
    (0..length).map(call).collect()
}

async fn batch(books: &Books, calls: &[Call]) -> Vec<Told> {
    let column = |of: fn(&Call) -> &String| calls.iter().map(of).cloned().collect::<Vec<_>>();
    let told: (Vec<Option<String>>, Vec<Option<String>>) = sqlx::query_as(sql::REDEEM_BATCH)
        .bind(&books.namespace)
        .bind(None::<i64>)
        .bind(column(|call| &call.key))
        .bind(calls.iter().map(digest).collect::<Vec<_>>())
        .bind(column(|call| &call.organization))
        .bind(vec!["catalyst-zero"; calls.len()])
        .bind(vec!["m"; calls.len()])
        .fetch_one(&books.database.admin)
        .await
        .unwrap();
    assert_eq!((told.0.len(), told.1.len()), (calls.len(), calls.len()));
    told.0.into_iter().zip(told.1).collect()
}

async fn single(books: &Books, call: &Call) -> Told {
    sqlx::query_as(sql::REDEEM)
        .bind(&books.namespace)
        .bind(None::<i64>)
        .bind(&call.key)
        .bind(digest(call))
        .bind(&call.organization)
        .bind("catalyst-zero")
        .bind("m")
        .fetch_one(&books.database.admin)
        .await
        .unwrap()
}

fn digest(call: &Call) -> Vec<u8> {
    Code::parse(&call.code).unwrap().digest().0.to_vec()
}
