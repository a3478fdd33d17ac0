//! Messages and their receipts.

use domain::{
    RelationId,
    messages::{MediaFile, Message},
};
use kit::{base_url::BaseUrl, times::WireTime};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::media_url;

/// A message.
#[derive(Serialize, ToSchema)]
pub(crate) struct FriendMessage {
    id: Uuid,
    sender: Uuid,
    #[schema(value_type = String)]
    created_at: WireTime,
    content: String,
    media: Vec<Media>,
    /// The pair's present friendship.
    friendship: Uuid,
}

/// A file of a message.
#[derive(Serialize, ToSchema)]
pub(crate) struct Media {
    id: Uuid,
    /// An absolute URL.
    file: String,
    #[schema(value_type = String)]
    uploaded_at: WireTime,
}

impl Media {
    fn of(file: &MediaFile, base: &BaseUrl) -> Self {
        Self { id: file.uuid, file: media_url(&file.key, base), uploaded_at: WireTime(file.uploaded_at) }
    }
}

/// A message and how far it got.
#[derive(Serialize, ToSchema)]
pub(crate) struct MessageStatus {
    /// The receipt's.
    id: Uuid,
    message: FriendMessage,
    is_received: bool,
    is_seen: bool,
    receiver: Uuid,
    #[schema(value_type = String)]
    updated_at: WireTime,
}

impl MessageStatus {
    /// A message between the two of `relation`; `None` when it has no receipt, and so is not direct.
    pub(crate) fn of(message: &Message, relation: RelationId, base: &BaseUrl) -> Option<Self> {
        let receipt = message.receipt?;
        let updated_at = receipt.received_at.max(receipt.seen_at).unwrap_or(message.created_at);
        Some(Self {
            id: message.receipt_id(),
            message: FriendMessage {
                id: message.uuid,
                sender: message.author_uuid,
                created_at: WireTime(message.created_at),
                content: message.text.clone(),
                media: message.media.iter().map(|file| Media::of(file, base)).collect(),
                friendship: relation.0,
            },
            is_received: receipt.received_at.is_some(),
            is_seen: receipt.seen_at.is_some(),
            receiver: receipt.receiver_uuid,
            updated_at: WireTime(updated_at),
        })
    }
}
