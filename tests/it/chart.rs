//! The chart: what it renders, and what comes of it on a cluster with the tools of its users.

mod access;
mod database;
mod image;
mod install;
mod namespaced;
mod others;
mod render;
mod site;
mod walk;
