//! The Catalyst operator: three kinds of objects, one ledger.
//!
//! Modules stand in the order of the layers, and an arrow points only upwards in this list; the
//! test `tidy` holds the table. ARCHITECTURE.md has the drawing.
//!
//! - [`api`], [`domain`] and [`desired`] are pure: wire types, the rules, and what should stand.
//! - [`store`] is the ledger in `PostgreSQL`, [`cluster`] is Kubernetes; they never meet,
//! - but in [`controllers`], where every reconcile observes, decides, acts and reports.
//! - [`http`], [`cli`] and [`run`] put it together.

pub mod api;
pub mod domain;

pub mod desired;

pub mod cluster;
pub mod store;

pub mod clock;
pub mod metrics;
pub mod readiness;
pub mod telemetry;

pub mod controllers;

pub mod http;

pub mod run;

pub mod cli;
