//! The page that documents every reason.

use std::fmt::Write as _;

use super::{Outlook, Word, states::STATES};

const HEAD: &str = "\
<!-- Generated from src/domain/reason by `UPDATE=1 cargo test --test manifests`. Do not edit. -->

# Reasons

The word beside a condition in `kubectl describe`, in events and in metrics. The message of the
condition has the names, the amounts and the dates; this page says what each word means and what to
do.

| Then it is | `Ready` | also | and |
|---|---|---|---|
| expected | `False` | `Reconciling` | it goes on by itself |
| missing | `False` | `Reconciling`, then `Stalled` | something that is named is not there yet |
| refused | `False` | `Stalled` | a person must change something |
| not known | `Unknown` | `Reconciling` | an outage, or money waits; what is there stays as it is |

What is missing is `Stalled` after five minutes.

## What is not as it should be

| Reason | Then it is | Meaning | What to do |
|---|---|---|---|
";

const STATES_HEAD: &str = "
## What is well

| Reason | Condition | Status | Meaning |
|---|---|---|---|
";

/// The page, from the lists that the conditions are made from.
#[must_use]
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for word in Word::ALL {
        let (name, meaning, advice) = (word.name(), word.meaning(), word.advice());
        let outlook = match word.outlook() {
            Outlook::Progressing => "expected",
            Outlook::Missing => "missing",
            Outlook::Stalled => "refused",
            Outlook::Unknown => "not known",
        };
        // Writing to a String cannot fail.
        let _infallible = writeln!(page, "| `{name}` | {outlook} | {meaning} | {advice} |");
    }
    page.push_str(STATES_HEAD);
    for (names, condition, status, meaning) in STATES {
        let names = names.replace(", ", "`, `");
        let _infallible = writeln!(page, "| `{names}` | {condition} | {status} | {meaning} |");
    }
    page
}
