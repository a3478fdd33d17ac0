//! Services outside this process: mail by SMTP or into a folder, 42 and Discord as identity providers.

mod answer;
pub mod discord;
pub mod fortytwo;
pub mod mail;
mod tls;
