//! The behaviour of the whole program on real servers: a `PostgreSQL` and a Kubernetes control
//! plane that this binary starts, once, when the first test needs them.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what supports a test fails it in the same way as the test itself"
)]

mod chart;
mod flux;
mod ledger;
mod observe;
mod resources;
mod schema;
mod schema_cases;
mod support;
