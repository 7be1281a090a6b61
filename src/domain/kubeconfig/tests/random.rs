//! Random texts: nothing panics, and nothing hides from the look before the YAML library.

use serde_yaml::Value;

use super::*;

/// Numbers that look random and are the same each time (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 32).expect("32 bits") % end.max(1)
    }

    fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let index = self.below(items.len());
        items.get(index).expect("there is one")
    }
}

fn mutate(numbers: &mut Numbers, text: &mut Vec<u8>) {
    for _ in 0..=numbers.below(2) {
        let at = numbers.below(text.len());
        match numbers.below(6) {
            0 => text.truncate(at),
            1 => drop(text.drain(at..text.len().min(at + numbers.below(40)))),
            2 => {
                let end = text.len().min(at + numbers.below(40));
                let copy = text.get(at..end).expect("it is inside").to_vec();
                let to = numbers.below(text.len());
                drop(text.splice(to..to, copy));
            }
            3 => text.insert(at, *numbers.of(b"\n\r\t '\"\\:,-?#&*!|>%@`[]{}\0\x7f\xc2\x85\xff")),
            _ => {
                if let Some(byte) = text.get_mut(at) {
                    *byte = numbers.next().to_le_bytes()[3];
                }
            }
        }
    }
}

#[test]
fn no_mutation_of_a_kubeconfig_panics() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let seeds = [
        fill(BASE),
        edited(TOKEN, CERTIFICATE),
        edited(TOKEN, "token: e30.eyJleHAiOjE3OTg3NjE2MDAuNSwibmJmIjoxfQ.c2ln"),
        BASE.replace("<authority>", "''"),
        BASE.replace(TOKEN, "exec: {command: 'sh', args: [\"-c\", x]}"),
    ];
    let mut accepted = 0;
    for _ in 0..4000 {
        let mut text = numbers.of(&seeds).clone().into_bytes();
        mutate(&mut numbers, &mut text);
        match Kubeconfig::parse(&text) {
            Ok(found) => {
                accepted += 1;
                let server = found.server.to_string();
                assert_eq!(Server::parse(&server).as_ref(), Ok(&found.server), "{server}");
                let _digest = (found.digest(), found.validity());
            }
            Err(reason) => assert!(reason.to_string().len() < 600, "{reason}"),
        }
    }
    assert!(accepted > 20, "only {accepted} were accepted, so little was tried");
}

#[test]
fn no_mutation_of_what_is_in_base64_panics() {
    let mut numbers = Numbers(7);
    for _ in 0..2000 {
        let mut mutated = |text: &str| {
            let mut text = text.as_bytes().to_vec();
            if numbers.below(2) == 0 {
                mutate(&mut numbers, &mut text);
            }
            base64(text)
        };
        let login = CERTIFICATE
            .replace("<client>", &mutated(CLIENT))
            .replace("<client-key>", &mutated(FIXTURES[4].1));
        let authority = mutated(FIXTURES[0].1);
        let text = edited(TOKEN, &login).replace(&base64(FIXTURES[0].1), &authority);
        let _validity = parsed(&text).map(|found| found.validity());
    }
}

/// Pieces of YAML, of which some put a reference where it takes one mistake to see it as text.
const PIECES: [&str; 66] = [
    "'",
    "\"",
    "''",
    "\\\"",
    "\\",
    ": ",
    ":",
    ":\n",
    ",",
    ", ",
    "[",
    "]",
    "{",
    "}",
    "- ",
    "-",
    "? ",
    "?",
    "|\n",
    ">-\n",
    "|",
    "\n",
    "\n",
    "\n ",
    "\n  ",
    "\n   ",
    "\r\n",
    " ",
    "  ",
    "\t",
    "# ",
    "#",
    "---",
    "...",
    "a",
    "b",
    "\u{e9}",
    "\n- ",
    "[a\n",
    "[a, ",
    "{a: b\n",
    "{a: ",
    "a: b\n",
    "a: b\n  ",
    "a: |\n",
    "a: |\n  ",
    "- a: >\n    ",
    "- b\n",
    "- b\n  ",
    "a:\n",
    "'a': ",
    "\"a\": ",
    "'b', ",
    "   \n",
    "# '\n",
    " # \"\n",
    "it's",
    "a\"b",
    "', *u '",
    "\", *u \"",
    "': *u '",
    "\": *u \"",
    "'\n- *u '",
    "'b: *u c'",
    "\"b\n*u\"",
    "# *u\n",
];
/// The alias has no anchor, so the library cannot but notice that it sees one.
const REFERENCES: [&str; 8] = ["*u", "!t ", "*u ", "!t", "!!str ", "&v ", "*u, ", "*u\n"];

fn has_tag(value: &Value) -> bool {
    match value {
        Value::Tagged(_) => true,
        Value::Sequence(items) => items.iter().any(has_tag),
        Value::Mapping(fields) => fields.iter().any(|(key, value)| has_tag(key) || has_tag(value)),
        _ => false,
    }
}

#[test]
fn nothing_hides_from_the_look_before_the_library() {
    let mut numbers = Numbers(0x0123_4567_89ab_cdef);
    let (mut passed, mut seen) = (0, 0);
    let count = 40_000;
    for _ in 0..count {
        let mut text = String::new();
        for _ in 0..numbers.below(12) {
            let pieces: &[&str] = if numbers.below(12) == 0 { &REFERENCES } else { &PIECES };
            let piece: &&str = numbers.of(pieces);
            text.push_str(piece);
        }
        let found = serde_yaml::from_str::<Value>(&text);
        let is_seen = match &found {
            Ok(value) => has_tag(value),
            Err(error) => error.to_string().starts_with("unknown anchor"),
        };
        let is_passed = scan::check(&text).is_ok();
        assert!(!(is_passed && is_seen), "it hides: {text:?}, {found:?}");
        passed += usize::from(is_passed && found.is_ok());
        seen += usize::from(is_seen);
    }
    assert!(passed > count / 100 && seen > count / 100, "{passed} and {seen} of {count}");
}
