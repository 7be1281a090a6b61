//! What tests stand on: the servers, a database and a namespace of their own, and fixtures that
//! say only what matters.
//!
//! Tests run in threads, each with a runtime of its own. So the [`World`] holds nothing that
//! belongs to a runtime, and each test makes its own clients, pools and stores.

mod audit;
mod authority;
mod background;
mod fixture;
mod flux;
mod franchise;
mod helm;
mod hostile;
mod kubernetes;
mod manifest;
mod nodes;
mod operator;
mod pod;
mod postgres;
mod prometheus;
mod random;
mod relay;
mod sovereign;
mod terminal;
mod world;

pub(crate) use fixture::{Books, GRACE, books, books_on, plan, why, word};
pub(crate) use flux::{Flux, Repository, define};
pub(crate) use franchise::{Franchise, Told, message, quiet_world, says, shared_franchise};
pub(crate) use helm::{Helm, chart, manifests, tool};
pub(crate) use hostile::{Behaviour, Hostile};
pub(crate) use kubernetes::{
    client, client_of, found_franchise, hub_client, install_definitions, may, told_of_pod,
};
pub(crate) use manifest::Manifest;
pub(crate) use nodes::Nodes;
pub(crate) use operator::{Installed, Operator, SYSTEM, apply};
pub(crate) use pod::prepare;
pub(crate) use postgres::{Database, copy, database, empty_database};
pub(crate) use prometheus::{ALERTS, Prometheus, WINDOW, free_address, programs};
pub(crate) use random::{Random, effort};
pub(crate) use relay::{HttpRelay, Plan, PostgresRelay, Recorder, When};
pub(crate) use sovereign::{Access, GRANTED};
pub(crate) use terminal::{Terminal, blocks, commands_of_notes};
pub(crate) use world::{Cluster, World};
