//! Whether a cluster answers, with flaps damped. Pure: it is told what happened, and never looks at
//! a clock.

use std::time::Duration;

/// This many failures in a row, and it is dark.
const FAILURES_MAX: u32 = 5;
/// This many answers in a row, and it is back.
const ANSWERS_MIN: u32 = 3;
/// As many are needed at most of one that keeps going away.
const ANSWERS_MAX: u32 = 48;
/// After this many answers in a row it counts as steady again.
const STEADY: u32 = 60;
/// As many calls in a row may fail of one that answers when it is asked.
const COMPLAINTS_MAX: u32 = 64;
/// How often a cluster is asked that answers.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// How often one that failed to.
pub(super) const DOUBT_EVERY: Duration = Duration::from_secs(3);
/// How often one that is on its way back.
const RETURN_EVERY: Duration = Duration::from_secs(2);

/// How a cluster has answered of late.
#[derive(Debug)]
pub(super) struct Pulse {
    is_dark: bool,
    failures: u32,
    answers: u32,
    needed: u32,
    complaints: u32,
}

impl Default for Pulse {
    /// Of one that has just answered for the first time.
    fn default() -> Self {
        Self { is_dark: false, failures: 0, answers: 0, needed: ANSWERS_MIN, complaints: 0 }
    }
}

impl Pulse {
    /// The same cluster has answered to other credentials or at another address, so what was said
    /// of the way before says nothing of this one.
    pub(super) fn by_another_way(self) -> Self {
        Self { needed: self.needed, ..Self::default() }
    }

    /// Whether it counts as dark: nothing but a look for its return is worth a call.
    pub(super) fn is_dark(&self) -> bool {
        self.is_dark
    }

    /// A call was answered.
    pub(super) fn served(&mut self) {
        self.complaints = 0;
    }

    /// A call was not answered. Many fail at once when a server starts anew, which is no outage.
    pub(super) fn complained(&mut self) {
        self.complaints = self.complaints.saturating_add(1);
        if self.complaints >= COMPLAINTS_MAX {
            self.complaints = 0;
            self.is_dark = true;
            self.answers = 0;
        }
    }

    /// It answered when it was asked.
    pub(super) fn answered(&mut self) {
        self.failures = 0;
        self.answers = self.answers.saturating_add(1);
        if self.is_dark && self.answers >= self.needed {
            self.is_dark = false;
            self.answers = 0;
            self.needed = (self.needed * 2).min(ANSWERS_MAX);
        } else if !self.is_dark && self.answers >= STEADY {
            self.needed = ANSWERS_MIN;
        }
    }

    /// It was asked and did not answer, or not in time.
    pub(super) fn failed(&mut self) {
        self.answers = 0;
        self.failures = self.failures.saturating_add(1);
        if !self.is_dark && self.failures >= FAILURES_MAX {
            self.is_dark = true;
        }
    }

    /// It does not know us: a second time leaves no doubt.
    pub(super) fn refused(&mut self) {
        self.failures = self.failures.max(FAILURES_MAX - 2);
        self.failed();
    }

    /// When to ask next.
    pub(super) fn ask_in(&self) -> Duration {
        match (self.is_dark, self.failures, self.answers) {
            (true, _, 1..) => RETURN_EVERY,
            (true, ..) | (false, 1.., _) => DOUBT_EVERY,
            (false, 0, _) => ASK_EVERY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dark() -> Pulse {
        let mut pulse = Pulse::default();
        (0..FAILURES_MAX).for_each(|_| pulse.failed());
        pulse
    }

    fn answers_until_back(pulse: &mut Pulse) -> u32 {
        let mut answers = 0;
        while pulse.is_dark() {
            pulse.answered();
            answers += 1;
        }
        answers
    }

    #[test]
    fn what_is_reached_by_another_way_is_back_at_once_and_its_flaps_are_not_forgotten() {
        let mut pulse = dark();
        answers_until_back(&mut pulse);
        (0..FAILURES_MAX).for_each(|_| pulse.failed());
        let mut pulse = pulse.by_another_way();
        assert!(!pulse.is_dark() && pulse.ask_in() == ASK_EVERY);
        (0..FAILURES_MAX).for_each(|_| pulse.failed());
        assert!(answers_until_back(&mut pulse) > ANSWERS_MIN);
    }

    #[test]
    fn a_few_failures_are_no_outage_and_are_forgotten_at_the_next_answer() {
        let mut pulse = Pulse::default();
        for _ in 0..100 {
            (1..FAILURES_MAX).for_each(|_| pulse.failed());
            assert!(!pulse.is_dark());
            assert_eq!(pulse.ask_in(), DOUBT_EVERY);
            pulse.answered();
            assert_eq!(pulse.ask_in(), ASK_EVERY);
        }
    }

    #[test]
    fn it_is_back_after_some_answers_in_a_row() {
        let mut pulse = dark();
        assert!(pulse.is_dark());
        pulse.answered();
        pulse.answered();
        pulse.failed();
        assert!(pulse.is_dark());
        assert_eq!(answers_until_back(&mut pulse), ANSWERS_MIN);
    }

    #[test]
    fn one_that_keeps_going_away_is_believed_later_each_time_until_it_was_steady() {
        let mut pulse = dark();
        let mut needed = vec![];
        for _ in 0..6 {
            needed.push(answers_until_back(&mut pulse));
            (0..FAILURES_MAX).for_each(|_| pulse.failed());
        }
        assert_eq!(needed, [3, 6, 12, 24, 48, 48]);
        answers_until_back(&mut pulse);
        (0..STEADY).for_each(|_| pulse.answered());
        (0..FAILURES_MAX).for_each(|_| pulse.failed());
        assert_eq!(answers_until_back(&mut pulse), ANSWERS_MIN);
    }

    #[test]
    fn one_that_answers_nothing_but_questions_is_dark_too() {
        let mut pulse = Pulse::default();
        for call in 1..=COMPLAINTS_MAX {
            assert!(!pulse.is_dark(), "{call}");
            pulse.answered();
            pulse.complained();
        }
        assert!(pulse.is_dark());
        assert_eq!(answers_until_back(&mut pulse), ANSWERS_MIN);
        (1..COMPLAINTS_MAX).for_each(|_| pulse.complained());
        pulse.served();
        pulse.complained();
        assert!(!pulse.is_dark());
    }

    #[test]
    fn one_that_does_not_know_us_is_asked_once_more() {
        let mut pulse = Pulse::default();
        pulse.refused();
        assert!(!pulse.is_dark());
        pulse.refused();
        assert!(pulse.is_dark());
    }
}
