//! What a code is: the same for the program and for the ledger, whatever people type.

use catalyst_operator::domain::code::{Code, normalise};

use crate::support::{Books, books};

const SEED: u64 = 0x5eed_c0de;
/// What codes are made of, what surrounds them, and what only looks like either.
const PIECES: [&str; 40] = [
    "A", "Z", "a", "z", "0", "9", "-", "-", "AB", "omantel", "LAUNCH", "100", "--", "_", ".", " ",
    "  ", "\t", "\n", "\r\n", "\u{b}", "\u{c}", "\u{1c}", "\u{85}", "\u{a0}", "\u{1680}",
    "\u{180e}", "\u{2003}", "\u{2028}", "\u{3000}", "\u{200b}", "\u{200f}", "\u{202e}", "\u{feff}",
    "ı", "İ", "ß", "\u{212a}", "ſ", "É",
];

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // xorshift64
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 1).expect("it has 63 bits") % sides
    }

    /// Some pieces in a row: mostly codes of letters, sometimes anything, sometimes very long.
    fn text(&mut self) -> String {
        let kinds = if self.roll(3) == 0 { PIECES.len() } else { 12 };
        let (most, edge) = if self.roll(50) == 0 { (4000, 9) } else { (20, 3) };
        let length = self.roll(most);
        let mut text: String = (0..length).map(|_| PIECES[self.roll(kinds)]).collect();
        for _ in 0..self.roll(edge) {
            let space = PIECES[15 + self.roll(15)];
            text =
                if self.roll(2) == 0 { format!("{space}{text}") } else { format!("{text}{space}") };
        }
        while text.len() > 10_240 {
            text.pop();
        }
        text
    }
}

/// What the ledger makes of texts, and of that once more.
async fn in_sql(books: &Books, texts: &[String]) -> Vec<(Option<String>, Option<String>)> {
    let query = "select normalise(t), normalise(normalise(t)) \
                 from unnest($1::text[]) with ordinality as u (t, n) order by n";
    sqlx::query_as(query).bind(texts).fetch_all(&books.database.admin).await.unwrap()
}

/// How many of these texts are codes, to the program and to the ledger alike.
async fn agreed(books: &Books, texts: &[String]) -> usize {
    let mut codes = 0;
    for texts in texts.chunks(2000) {
        for (text, (sql, again)) in texts.iter().zip(in_sql(books, texts).await) {
            let rust = normalise(text);
            assert_eq!(rust, sql, "{text:?}");
            assert_eq!(sql, again, "{text:?}");
            assert_eq!(rust.as_deref().and_then(normalise), rust, "{text:?}");
            let parsed = Code::parse(text).ok();
            assert_eq!(parsed.as_ref().map(Code::hint), rust.as_deref(), "{text:?}");
            codes += usize::from(rust.is_some());
        }
    }
    codes
}

#[tokio::test]
async fn the_program_and_the_ledger_agree_on_every_text() {
    let (books, mut dice) = (books().await, Dice(SEED));
    let texts: Vec<String> = (0..20_000).map(|_| dice.text()).collect();
    let codes = agreed(&books, &texts).await;
    assert!((2_000..18_000).contains(&codes), "{codes} of {} are codes", texts.len());
}

#[tokio::test]
async fn they_agree_on_every_character_around_a_code_and_inside_of_one() {
    let books = books().await;
    let characters = ('\u{1}'..='\u{ffff}').chain(['\u{10400}', '\u{1d400}', '\u{e0041}']);
    let texts: Vec<String> =
        characters.flat_map(|c| [format!("{c}ABC{c}"), format!("A{c}BC")]).collect();
    // White space around it, and letters, digits and the hyphen in both places.
    assert_eq!(agreed(&books, &texts).await, 25 + 62 + 62 + 1);
}

#[tokio::test]
async fn they_agree_on_the_shortest_and_the_longest() {
    let books = books().await;
    let hyphens = |pairs| format!("{}A", "A-".repeat(pairs));
    let texts = ["", " ", "AB", "ABC", "A-B", "A-B-C", "ABC-", "-ABC", "A--BC"].map(str::to_owned);
    let long = [62, 63, 64].map(|length| "A".repeat(length));
    let spaced = format!("{}ABC{}", " ".repeat(5000), "\u{3000}".repeat(1000));
    let texts = texts.into_iter().chain(long).chain([30, 31, 32].map(hyphens)).chain([spaced]);
    assert_eq!(agreed(&books, &texts.collect::<Vec<_>>()).await, 2 + 2 + 2 + 1);
}

/// With which constraint the ledger refuses to know a code by this digest and this hint.
async fn refused(books: &Books, digest: &str, hint: &str, secret: bool) -> Option<String> {
    let accept = "select outcome from accept_voucher_v1('omantel', null, 'x', 'uid', 1, \
                  sha256(convert_to($1, 'UTF8')), $2, $3, 'catalyst-zero', 'OMR', 1, null, \
                  null, '-infinity', 'infinity', null, null, false, 'Active')";
    let call = sqlx::query_scalar::<_, String>(accept).bind(digest.to_owned());
    let answer = call.bind(hint.to_owned()).bind(secret).fetch_one(&books.database.admin).await;
    Some(answer.err()?.as_database_error()?.constraint()?.to_owned())
}

#[tokio::test]
async fn a_hint_is_the_code_itself_or_a_few_characters_of_a_secret() {
    let books = books().await;
    for (digest, hint, secret) in [
        ("LAUNCH", "LAUNCHED", false),
        ("LAUNCH", "LAUN…", false),
        ("launch", "launch", false),
        ("K7QX-93MP-T2WV-8RLD", "K7QX-93MP-T2WV-8RLD", true),
    ] {
        let refused = refused(&books, digest, hint, secret).await;
        assert_eq!(refused.as_deref(), Some("voucher_hint"), "{hint}");
    }
    assert_eq!(refused(&books, "K7QX-93MP-T2WV-8RLD", "K7QX…", true).await, None);
}
