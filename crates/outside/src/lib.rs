//! Services outside this process: mail by SMTP or into a folder, 42, Discord and VK as identity providers.

mod answer;
pub mod discord;
pub mod fortytwo;
pub mod mail;
mod provider;
mod tls;
pub mod vk;
