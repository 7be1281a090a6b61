//! What people look at: what kubectl prints, metrics, alerts, logs.

mod dashboard;
mod events;
mod golden;
mod logs;
mod metrics;
mod prometheus;
