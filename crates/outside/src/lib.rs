//! Services outside this process: mail by SMTP or into a folder, 42 and VK as identity providers.

mod answer;
pub mod fortytwo;
pub mod mail;
mod tls;
pub mod vk;
