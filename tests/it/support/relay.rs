//! What stands between an operator and its servers, so that a test can count its writes, and kill
//! it before, during and after each of them.

mod http;
mod postgres;
mod recorder;

pub(crate) use http::HttpRelay;
pub(crate) use postgres::PostgresRelay;
pub(crate) use recorder::{Plan, Recorder, When};
