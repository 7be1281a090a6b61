//! The ledger on a real `PostgreSQL`, through the one door to it.

mod bad_input;
mod batch;
mod billing;
mod cancellation;
mod cap;
mod clock;
mod constraints;
mod eligibility;
mod fencing;
mod gate;
mod invariants;
mod keys;
mod kills;
mod migrations;
mod model;
mod names;
mod outage;
mod outbox;
mod pause;
mod proration;
mod redemption;
mod refusals;
mod rights;
mod secrecy;
mod soup;
mod terms;
