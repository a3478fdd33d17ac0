//! The core of Tertulia: people, sessions, relations, conversations and messages, and the rules about them.
//!
//! It knows no HTTP, no SQL and no sockets. Dialects call its operations (free functions, [`App`] first, [`Caller`]
//! second); the world is behind the traits in [`ports`].

pub mod accounts;
mod app;
pub mod chats;
pub mod codes;
pub mod conversations;
mod error;
mod event;
pub mod identities;
mod ids;
pub mod journal;
pub mod keys;
pub mod limits;
pub mod media;
pub mod meetings;
pub mod messages;
pub mod oauth;
mod pages;
pub mod photos;
pub mod ports;
pub mod profiles;
pub mod relations;
pub mod requests;
pub mod rooms;
pub mod secrets;
pub mod sessions;
mod settings;
pub mod social;
pub mod widgets;

pub use app::{App, Ports};
pub use error::{Error, Field, Noun, Problem, Refusal, Result, Rule};
pub use event::{Event, Topic};
pub use ids::{
    AccountId, ConversationId, KeyId, MeetingId, MessageId, PhotoId, RelationId, RequestId, SessionId, Time,
    WidgetId,
};
pub use messages::Posted;
pub use pages::Numbered;
pub use settings::{Rate, Settings};

/// Who asks, and by what right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The account.
    pub account: AccountId,
    /// What let them in.
    pub grant: Grant,
}

/// What lets a caller in, and can end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Grant {
    /// A session, by any of its tokens.
    Session(SessionId),
    /// An access key.
    Key(KeyId),
}
