//! The crate against raw protocol and real clients, on a listener of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are all tests")]

mod clients;
mod hostile;
mod http;
mod polling;
mod rules;
mod toy;
mod upgrade;
mod websocket;
