//! The behaviour of the operator as people meet it: custom resources in, status and objects out,
//! on a real API server and a real ledger, by the built program under its own rights.

mod abandoned;
mod access;
mod bad_input;
mod billing;
mod brake;
mod commands;
mod connection;
mod crashes;
mod credentials;
mod credit;
mod dark;
mod deletion;
mod drift;
mod hostile;
mod hostile_tools;
mod identity;
mod installation;
mod once;
mod outage;
mod pins;
mod proof;
mod protection;
mod provisioning;
mod race;
mod rbac;
mod restart;
mod secret_codes;
mod sovereign;
mod steady;
mod strace;
mod voucher;
