//! What tests stand on: the servers, a database and a namespace of their own, and fixtures that
//! say only what matters.
//!
//! Tests run in threads, each with a runtime of its own. So the [`World`] holds nothing that
//! belongs to a runtime, and each test makes its own clients, pools and stores.

mod fixture;
mod kubernetes;
mod postgres;
mod world;

pub(crate) use fixture::{Books, books, books_on, plan, word};
pub(crate) use kubernetes::{franchise, hub_client};
pub(crate) use postgres::{Database, database, empty_database};
pub(crate) use world::World;
