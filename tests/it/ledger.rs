//! The ledger on a real `PostgreSQL`, through the one door to it.

mod batch;
mod billing;
mod cancellation;
mod cap;
mod clock;
mod commands;
mod corrections;
mod durability;
mod eligibility;
mod fencing;
mod invariants;
mod migrations;
mod names;
mod outage;
mod outbox;
mod pause;
mod pins;
mod redemption;
mod refusals;
mod renewal;
mod rights;
mod secrecy;
mod standing;
mod statement;
mod terms;
mod upgrade;
