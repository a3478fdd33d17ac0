//! Services outside this process: mail by SMTP or into a folder, and 42 as identity provider.

pub mod fortytwo;
pub mod mail;
mod tls;
