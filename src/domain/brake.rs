//! The brake on a mistaken mass deletion: when it holds, and what a person may answer. Pure.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// Deletions that begin within this long of each other count together.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// So many of a kind may go at once, however few there are.
const FEW: usize = 3;
/// And one in so many, however many there are.
const SHARE: usize = 10;

/// A deletion that has begun, or is over.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Deletion {
    /// UID of the object.
    pub uid: String,
    /// Its kind.
    pub kind: String,
    /// When it began.
    pub at: Timestamp,
}

/// What the ledger knows of the deletions of a franchise around one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct DeletionFacts {
    /// Whether this one is held; none if it was not judged yet.
    pub held: Option<bool>,
    /// The others that were judged.
    pub others: Vec<Deletion>,
}

/// All objects of a kind in a franchise that somebody counts on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Population {
    /// How many there are, those under deletion among them.
    pub there: usize,
    /// UID and time of those under deletion.
    pub leaving: Vec<(String, Timestamp)>,
}

impl Population {
    /// Whether more than a few, and more than a tenth, of them are deleted around an instant.
    /// `gone` were deleted and may be there no more.
    #[must_use]
    pub fn is_going(&self, around: Timestamp, gone: &[&Deletion]) -> bool {
        let near = |at: Timestamp| at.duration_since(around).abs() <= WINDOW;
        let is_there = |uid: &str| self.leaving.iter().any(|(other, _)| other == uid);
        let gone = gone.iter().filter(|one| near(one.at) && !is_there(&one.uid)).count();
        let going = self.leaving.iter().filter(|(_, at)| near(*at)).count() + gone;
        going > FEW && going * SHARE > self.there + gone
    }
}

/// What a person says of a mass deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// It was a mistake.
    Keep,
    /// It was meant.
    Proceed,
}

/// The word, and when it was given, if that is known. It is for what was being deleted by then: one
/// that was forgotten decides nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What was said.
    pub word: Word,
    /// When.
    pub given_at: Option<Timestamp>,
}

/// What becomes of an object under deletion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ruling {
    /// It goes as any other.
    #[default]
    Goes,
    /// Nothing happens until a person replies.
    Held,
    /// It is let go, and all that it stands for stays.
    Kept,
}

impl Ruling {
    /// What becomes of a deletion that began at an instant and is held or not, after that reply.
    #[must_use]
    pub fn of(is_held: bool, at: Timestamp, reply: Option<Reply>) -> Self {
        let heard = reply.filter(|reply| reply.given_at.is_none_or(|given| at <= given));
        match (is_held, heard.map(|reply| reply.word)) {
            (false, _) | (true, Some(Word::Proceed)) => Self::Goes,
            (true, None) => Self::Held,
            (true, Some(Word::Keep)) => Self::Kept,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + seconds).unwrap()
    }

    fn population(there: usize, leaving: &[i64]) -> Population {
        let leaving = leaving.iter().enumerate();
        let leaving = leaving.map(|(n, seconds)| (format!("there-{n}"), at(*seconds))).collect();
        Population { there, leaving }
    }

    fn gone(seconds: &[i64]) -> Vec<Deletion> {
        let one = |(n, seconds): (usize, &i64)| Deletion {
            uid: format!("gone-{n}"),
            kind: "Tenant".to_owned(),
            at: at(*seconds),
        };
        seconds.iter().enumerate().map(one).collect()
    }

    #[test]
    fn more_than_three_and_more_than_a_tenth_within_ten_minutes_is_much() {
        for (there, leaving, before, is_much) in [
            (3, &[0, 0, 0][..], &[][..], false),
            (4, &[0, 0, 0, 0], &[], true),
            (40, &[0, 0, 0, 0], &[], false),
            (39, &[0, 0, 0, 0], &[], true),
            (50, &[0, 0, 0, 0, 0], &[], false),
            (49, &[0, 0, 0, 0, 0], &[], true),
            // One after the other, each gone before the next.
            (10, &[0], &[-500, -300, -100], true),
            (10, &[0], &[-700, -300, -100], false),
            // What began long before is no part of it; what begins a little later is.
            (10, &[0, -601, -602, -603], &[], false),
            (10, &[0, 200, 400, 600], &[], true),
            (10, &[0, 200, 400, 601], &[], false),
            // Of those that are gone, each was there when it began.
            (36, &[0], &[-1, -1, -1], true),
            (37, &[0], &[-1, -1, -1], false),
        ] {
            let gone = gone(before);
            let gone: Vec<&Deletion> = gone.iter().collect();
            let found = population(there, leaving).is_going(at(0), &gone);
            assert_eq!(found, is_much, "{there} {leaving:?} {before:?}");
        }
    }

    #[test]
    fn what_was_judged_and_is_still_there_counts_once() {
        let mut judged = gone(&[0, 0, 0]);
        for (n, one) in judged.iter_mut().enumerate() {
            one.uid = format!("there-{n}");
        }
        let judged: Vec<&Deletion> = judged.iter().collect();
        assert!(!population(4, &[0, 0, 0]).is_going(at(0), &judged));
    }

    #[test]
    fn only_what_is_held_asks_for_a_reply_and_an_old_one_is_none() {
        let given = |word, given_at| Some(Reply { word, given_at });
        for (reply, becomes) in [
            (None, Ruling::Held),
            (given(Word::Keep, None), Ruling::Kept),
            (given(Word::Proceed, None), Ruling::Goes),
            (given(Word::Keep, Some(at(0))), Ruling::Kept),
            (given(Word::Proceed, Some(at(1))), Ruling::Goes),
            (given(Word::Keep, Some(at(-1))), Ruling::Held),
            (given(Word::Proceed, Some(at(-1))), Ruling::Held),
        ] {
            assert_eq!(Ruling::of(true, at(0), reply), becomes, "{reply:?}");
            assert_eq!(Ruling::of(false, at(0), reply), Ruling::Goes);
        }
    }
}
