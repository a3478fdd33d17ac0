//! What tests of the whole server are made of: the cast, the real binary on data of its own, and the player of transcripts.
//!
//! README.md describes the format of transcripts.

pub mod cast;
pub mod database;
pub mod discord;
pub mod fixtures;
pub mod fortytwo;
pub mod http;
pub mod outbox;
pub mod server;
pub mod socket;
pub mod transcript;

pub use database::Database;
pub use server::Server;

/// Tells whoever runs the tests something.
#[allow(clippy::print_stderr)]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}
