//! Mail: over SMTP ([`Smtp`]), or as files in a folder where there is no mail server ([`Outbox`]).

mod connection;
mod letter;
mod outbox;
mod smtp;
mod smtp_url;

pub use letter::Letterhead;
pub use outbox::Outbox;
pub use smtp::{Pace, Smtp};

/// How many mails are taken over and not yet dealt with; beyond, a new one is dropped and the loss logged.
const CAPACITY: usize = 1024;
