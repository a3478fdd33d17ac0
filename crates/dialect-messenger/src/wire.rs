//! The shapes of document 001.

use domain::{
    accounts::{Avatar, Card},
    conversations::{Introduced, Overview},
    messages,
    sessions::Tokens,
};
use kit::times::wire_time;
use serde::Serialize;
use utoipa::ToSchema;

/// The picture of those who never chose one.
pub(crate) const DEFAULT_AVATAR: &str = "/media/avatars/default.png";

/// The user object.
#[derive(Serialize, ToSchema)]
pub(crate) struct User {
    /// The account.
    id: i64,
    username: String,
    /// Whether the account has a live session.
    is_connected: bool,
    /// A path, or null when it was cleared.
    avatar: Option<String>,
    /// Usernames, sorted.
    friends: Vec<String>,
}

impl From<Card> for User {
    fn from(card: Card) -> Self {
        Self {
            id: card.person.id.0,
            avatar: avatar_path(&card.person.avatar),
            username: card.person.username,
            is_connected: card.connected,
            friends: card.friends,
        }
    }
}

/// The path of a picture, as this dialect shows it.
pub(crate) fn avatar_path(avatar: &Avatar) -> Option<String> {
    match (avatar.text.as_deref(), &avatar.photo) {
        (Some(""), _) => None,
        (Some(text), _) => Some(media_path(text)),
        (None, Some(key)) => Some(media_path(key)),
        (None, None) => Some(DEFAULT_AVATAR.to_owned()),
    }
}

fn media_path(key: &str) -> String {
    format!("/media/{key}")
}

/// The message object; its keys are exact.
#[derive(Serialize, ToSchema)]
pub(crate) struct Message {
    id: i64,
    text: String,
    /// A path, or null.
    attachment: Option<String>,
    timestamp: String,
    /// The author's username.
    #[serde(rename = "realSender")]
    real_sender: String,
    /// The author's account.
    sender: i64,
}

impl From<messages::Message> for Message {
    fn from(message: messages::Message) -> Self {
        Self {
            id: message.id.0,
            text: message.text,
            attachment: message.media.first().map(|file| media_path(&file.key)),
            timestamp: wire_time(message.created_at),
            real_sender: message.author_name,
            sender: message.author.0,
        }
    }
}

/// What a sign-in gives; its keys are exact.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignedIn {
    /// The access token.
    pub(crate) access_token: String,
    /// The refresh token.
    pub(crate) refresh_token: String,
    /// The opaque token.
    pub(crate) token_auth: String,
}

impl From<Tokens> for SignedIn {
    fn from(tokens: Tokens) -> Self {
        Self { access_token: tokens.access, refresh_token: tokens.refresh, token_auth: tokens.opaque }
    }
}

/// The answer to a start.
#[derive(Serialize, ToSchema)]
pub(crate) struct Started {
    conversation_id: i64,
    initiator: User,
    receiver: User,
}

impl From<Introduced<domain::conversations::Direct>> for Started {
    fn from(started: Introduced<domain::conversations::Direct>) -> Self {
        Self {
            conversation_id: started.what.id.0,
            initiator: started.initiator.into(),
            receiver: started.receiver.into(),
        }
    }
}

/// A conversation in the list.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the keys are the document's")]
pub(crate) struct Conversation {
    conversation_id: i64,
    initiator: User,
    receiver: User,
    last_message: Option<Message>,
}

impl From<Introduced<Overview>> for Conversation {
    fn from(conversation: Introduced<Overview>) -> Self {
        Self {
            conversation_id: conversation.what.direct.id.0,
            initiator: conversation.initiator.into(),
            receiver: conversation.receiver.into(),
            last_message: conversation.what.last_message.map(Into::into),
        }
    }
}

/// A conversation with its messages.
#[derive(Serialize, ToSchema)]
pub(crate) struct History {
    pub(crate) conversation_id: i64,
    pub(crate) initiator: User,
    pub(crate) receiver: User,
    /// Newest first.
    pub(crate) message_set: Vec<Message>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_shown_by_its_path() {
        let shown = |photo: Option<&str>, text: Option<&str>| {
            avatar_path(&Avatar { photo: photo.map(Into::into), text: text.map(Into::into) })
        };
        assert_eq!(shown(None, None).as_deref(), Some("/media/avatars/default.png"));
        assert_eq!(shown(Some("avatars/1.png"), None).as_deref(), Some("/media/avatars/1.png"));
        let text = shown(Some("avatars/1.png"), Some("media/avatars/fary.png"));
        assert_eq!(text.as_deref(), Some("/media/media/avatars/fary.png"));
        assert_eq!(shown(None, Some("")), None);
    }
}
