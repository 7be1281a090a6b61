//! The rules, as pure values and functions: no clock, no client, nothing to await.
//!
//! [`crate::api`] types are parsed here into types that cannot be wrong, once, and trusted after.

pub mod address;
pub mod brake;
pub mod code;
pub mod duration;
pub mod facts;
pub mod instant;
pub mod kubeconfig;
pub mod money;
pub mod object;
pub mod proration;
pub mod quantity;
pub mod reason;
pub mod right;
pub mod seal;
pub mod sentence;
pub mod sovereign;
pub mod subject;
pub mod tenant;
pub mod verdict;
pub mod voucher;
