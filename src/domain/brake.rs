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
    /// Whether a person said that it was meant, so that it is no part of a mistake.
    pub meant: bool,
}

/// What the ledger knows of the deletions of a franchise around one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct DeletionFacts {
    /// What was judged of this one, if it was.
    pub judged: Option<Judgement>,
    /// The others that were judged.
    pub others: Vec<Deletion>,
}

/// What was judged of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Judgement {
    /// Whether it waits for a reply.
    pub held: bool,
    /// What the namespace said already, which is no reply to this.
    #[serde(default)]
    pub stood: Option<Word>,
    /// What a person answered. It stays, whatever the namespace says later.
    #[serde(default)]
    pub answer: Option<Word>,
    /// Whether it is to be noted again that the object is there, so that this is kept.
    pub fades: bool,
}

/// The Tenants that the ledger knows on a Sovereign.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Awake {
    /// Namespace of the franchise.
    pub franchise: String,
    /// Name of the Sovereign, whose object may be gone.
    pub sovereign: String,
    /// Their names.
    pub tenants: Vec<String>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// It was a mistake.
    Keep,
    /// It was meant.
    Proceed,
}

impl Word {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Proceed => "proceed",
        }
    }
}

/// The word, and when whoever wrote it last wrote anything, if that is known: not before it was
/// given. It is for what was being deleted by then: one that was forgotten decides nothing.
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

impl Judgement {
    /// What becomes of the object for good, if that is known.
    #[must_use]
    pub fn settled(&self) -> Option<Ruling> {
        match (self.held, self.answer) {
            (false, _) | (true, Some(Word::Proceed)) => Some(Ruling::Goes),
            (true, Some(Word::Keep)) => Some(Ruling::Kept),
            (true, None) => None,
        }
    }
}

impl Reply {
    /// The word, if it stood before a deletion began.
    #[must_use]
    pub fn stood_before(self, at: Timestamp) -> Option<Word> {
        self.given_at.is_none_or(|given| given <= at).then_some(self.word)
    }
}

impl Ruling {
    /// What becomes of a deletion that is held or not, where the namespace says a word, and what
    /// it said already when that was judged.
    #[must_use]
    pub fn of(is_held: bool, stood: Option<Word>, said: Option<Word>) -> Self {
        match (is_held, said.filter(|said| stood != Some(*said))) {
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
            meant: false,
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
    fn only_what_is_held_asks_for_a_reply_and_what_stood_is_none() {
        let (keep, proceed) = (Some(Word::Keep), Some(Word::Proceed));
        for (stood, said, becomes) in [
            (None, None, Ruling::Held),
            (None, keep, Ruling::Kept),
            (None, proceed, Ruling::Goes),
            (keep, keep, Ruling::Held),
            (proceed, proceed, Ruling::Held),
            (proceed, keep, Ruling::Kept),
            (keep, proceed, Ruling::Goes),
            (proceed, None, Ruling::Held),
        ] {
            assert_eq!(Ruling::of(true, stood, said), becomes, "{stood:?} {said:?}");
            assert_eq!(Ruling::of(false, stood, said), Ruling::Goes);
        }
    }

    #[test]
    fn what_was_answered_is_settled_whatever_is_said_later() {
        let judged = |held, answer| Judgement { held, answer, stood: None, fades: false };
        for (held, answer, becomes) in [
            (false, None, Some(Ruling::Goes)),
            (true, None, None),
            (true, Some(Word::Proceed), Some(Ruling::Goes)),
            (true, Some(Word::Keep), Some(Ruling::Kept)),
        ] {
            assert_eq!(judged(held, answer).settled(), becomes, "{held} {answer:?}");
        }
    }

    #[test]
    fn a_word_stood_before_unless_it_is_known_to_be_newer() {
        let stood = |given_at| Reply { word: Word::Keep, given_at }.stood_before(at(0));
        assert_eq!(stood(None), Some(Word::Keep));
        assert_eq!(stood(Some(at(-1))), Some(Word::Keep));
        // Times are whole seconds: which was first in one is not known.
        assert_eq!(stood(Some(at(0))), Some(Word::Keep));
        assert_eq!(stood(Some(at(1))), None);
    }
}
