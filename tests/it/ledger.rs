//! The ledger on a real `PostgreSQL`, through the one door to it.

mod batch;
mod billing;
mod cancellation;
mod cap;
mod clock;
mod codes;
mod eligibility;
mod equivalence;
mod fencing;
mod frozen;
mod invariants;
mod migrations;
mod names;
mod outage;
mod outbox;
mod pause;
mod plans;
mod redemption;
mod refusals;
mod rights;
mod seals;
mod secrecy;
mod terms;
