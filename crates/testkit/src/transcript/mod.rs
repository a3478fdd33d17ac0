//! Transcripts: examples of the wire contract that can be played against a server.

mod block;
pub mod kind;
mod live;
pub mod matcher;
pub mod memory;
pub mod parser;
pub mod pattern;
mod persons;
pub mod player;
mod requests;
pub mod runner;
pub mod step;
pub mod text;
