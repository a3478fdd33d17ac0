//! Messages: each stored once, synced before anyone is told, heard in every dialect that shows its conversation.

mod operations;

use async_trait::async_trait;
use uuid::Uuid;

pub use operations::*;

use crate::{AccountId, ConversationId, MessageId, Result, Time, accounts::Person};

/// A message, as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Its id: larger than that of each earlier message of the conversation.
    pub id: MessageId,
    /// Its other id.
    pub uuid: Uuid,
    /// Where it stands.
    pub conversation: ConversationId,
    /// Its place in the conversation: 1, 2, 3 … without gaps. A listener that sees a gap has missed something.
    pub position: i64,
    /// Who wrote it.
    pub author: AccountId,
    /// The author's present name.
    pub author_name: String,
    /// The text; `""` with media only.
    pub text: String,
    /// When it was stored.
    pub created_at: Time,
    /// Its files, in the order given.
    pub media: Vec<MediaFile>,
}

/// A file of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MediaFile {
    /// Its id.
    pub uuid: Uuid,
    /// The key under which it is served.
    pub key: String,
    /// The sender's name for it: a label, never a path. `""` when there is none.
    pub label: String,
    /// Its size in bytes.
    pub size: i64,
    /// When it was kept.
    pub uploaded_at: Time,
}

/// A message to be stored. Its media are already kept, and synced.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Its other id.
    pub uuid: Uuid,
    /// Where it goes.
    pub conversation: ConversationId,
    /// Who writes it.
    pub author: AccountId,
    /// The text.
    pub text: String,
    /// When.
    pub created_at: Time,
    /// Its files.
    pub media: Vec<MediaFile>,
}

/// A message that is stored, with what every dialect needs to show it.
#[derive(Clone, Debug)]
pub struct Posted {
    /// The message.
    pub message: Message,
    /// Its author.
    pub author: Person,
    /// The two people of a direct conversation; empty for others.
    pub direct_pair: Vec<AccountId>,
}

/// What the core asks of the store about messages.
#[async_trait]
pub trait Messages: Send + Sync {
    /// Stores a message at the end of its conversation, and publishes it.
    ///
    /// Messages of one conversation are published in the order of their ids. Errors: `NotFound(Conversation)`;
    /// `Forbidden(Conversation)` when the author is not a member; `Forbidden(RejectedRelation)` when it is a direct
    /// conversation and either side of the pair's relation is rejected.
    async fn add_message(&self, new: NewMessage) -> Result<Message>;
}
