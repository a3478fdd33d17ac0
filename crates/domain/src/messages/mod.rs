//! Messages: each stored once, synced before anyone is told, heard in every dialect that shows its conversation.

mod operations;
mod receipts;

use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

pub use operations::*;
pub(crate) use receipts::ReceiptQueue;
pub use receipts::*;

use crate::{
    AccountId, ConversationId, MessageId, RelationId, Result, Time, accounts::Person, conversations::Kind,
};

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
    /// The author's other id.
    pub author_uuid: Uuid,
    /// The author's present name.
    pub author_name: String,
    /// The text; `""` with media only.
    pub text: String,
    /// The address of a picture, in a room; `""` when there is none.
    pub image: String,
    /// When it was stored.
    pub created_at: Time,
    /// Its files, in the order given.
    pub media: Vec<MediaFile>,
    /// How far it got, in a direct conversation.
    pub receipt: Option<Receipt>,
}

impl Message {
    /// The id of the message's receipt: it follows from the message's own.
    pub fn receipt_id(&self) -> Uuid {
        Uuid::new_v5(&self.uuid, b"receipt")
    }
}

/// How far a direct message got. Both times only ever appear.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// The one it is for.
    pub receiver: AccountId,
    /// Their account's other id.
    pub receiver_uuid: Uuid,
    /// When it was written to an open socket of theirs, or read by them.
    pub received_at: Option<Time>,
    /// When they said that they have seen it.
    pub seen_at: Option<Time>,
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
    /// The address of a picture; `""` when there is none.
    pub image: String,
    /// When.
    pub created_at: Time,
    /// Its files.
    pub media: Vec<MediaFile>,
    /// The kind that the conversation has to be of, where that matters.
    pub kind: Option<Kind>,
    /// The relation that it is written to, where that has to be the pair's present one.
    pub via: Option<RelationId>,
    /// The client's own id of it: a repeat from the same author within [`REPEAT_WITHIN`] is not stored again.
    pub client_id: Option<String>,
}

/// How long a client's own id of a message is remembered.
pub const REPEAT_WITHIN: std::time::Duration = std::time::Duration::from_hours(24);

/// What came of [`Messages::add_message`].
#[derive(Clone, Debug)]
pub struct Stored {
    /// The message, as it was first stored.
    pub posted: Arc<Posted>,
    /// Whether it was stored before, under the same client id: then nobody was told again.
    pub repeated: bool,
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
    /// Those who are in the room, where it is one; empty for others.
    pub room_members: Vec<AccountId>,
    /// The pair's present relation, if there is one.
    pub relation: Option<RelationId>,
    /// The client's own id of it, where one was sent and is still remembered.
    pub client_id: Option<String>,
}

/// What the core asks of the store about messages.
#[async_trait]
pub trait Messages: Send + Sync {
    /// Stores a message at the end of its conversation, and publishes it.
    ///
    /// Messages of one conversation are published in the order of their ids. Errors: `NotFound(Conversation)`, also when
    /// it is of another kind than `kind`; `Conflict(ClosedRoom)`;
    /// `Forbidden(Conversation)` when the author is not a member; `Forbidden(RejectedRelation)` when it is a direct
    /// conversation and either side of the pair's relation is rejected; `NotFound(Relation)` when `via` is not the
    /// pair's present relation. The time of a message is never before that of the one before it.
    async fn add_message(&self, new: NewMessage) -> Result<Stored>;

    /// Notes that these direct messages were received, and publishes each that was not yet, read again. Which those were.
    async fn mark_received(&self, ids: Vec<MessageId>, now: Time) -> Result<Vec<MessageId>>;

    /// The same for messages that are at hand, which are published as they were posted.
    async fn mark_delivered(&self, posted: Vec<Arc<Posted>>, now: Time) -> Result<()>;

    /// Notes that the receiver has seen this message (and so received it), and publishes it if that is new.
    /// `NotFound(Message)` when it is not a direct message to `receiver`, or not of the relation given.
    async fn mark_seen(
        &self,
        message: Uuid,
        receiver: AccountId,
        via: Option<RelationId>,
        now: Time,
    ) -> Result<()>;

    /// The message of that id in a direct conversation of the account, whether or not its pair has a relation now.
    async fn message_of(&self, account: AccountId, message: Uuid) -> Result<Option<MessageId>>;

    /// Messages after that one in all direct conversations of the account whose pair has a relation, in the order of
    /// their ids, at most `limit`.
    async fn messages_after(&self, account: AccountId, after: MessageId, limit: usize)
    -> Result<Vec<Posted>>;
}
