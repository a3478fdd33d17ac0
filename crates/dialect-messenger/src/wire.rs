//! The shapes of document 001.

use std::sync::Arc;

use domain::{
    accounts::{Avatar, Card},
    conversations::{Direct, Entry, Introduced, Overview},
    messages,
    sessions::Tokens,
};
use kit::times::WireTime;
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
            id: card.id.0,
            avatar: avatar_path(&card.avatar),
            username: card.username,
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
    #[schema(value_type = String)]
    timestamp: WireTime,
    /// The author's username.
    #[serde(rename = "realSender")]
    #[schema(value_type = String)]
    real_sender: Arc<str>,
    /// The author's account.
    sender: i64,
}

impl From<messages::Message> for Message {
    fn from(message: messages::Message) -> Self {
        Self {
            id: message.id.0,
            text: message.text,
            attachment: message.media.first().map(|file| media_path(&file.key)),
            timestamp: WireTime(message.created_at),
            real_sender: message.author_name.into(),
            sender: message.author.0,
        }
    }
}

impl Message {
    /// A message of a history, by the author of that name.
    fn of(entry: Entry, author: Arc<str>) -> Self {
        Self {
            id: entry.id.0,
            text: entry.text,
            attachment: entry.attachment.as_deref().map(media_path),
            timestamp: WireTime(entry.created_at),
            real_sender: author,
            sender: entry.author.0,
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

impl From<Introduced<Direct>> for Started {
    fn from(started: Introduced<Direct>) -> Self {
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
    conversation_id: i64,
    initiator: User,
    receiver: User,
    /// Newest first.
    message_set: Vec<Message>,
}

impl From<Introduced<(Direct, Vec<Entry>)>> for History {
    fn from(history: Introduced<(Direct, Vec<Entry>)>) -> Self {
        let Introduced { what: (direct, entries), initiator, receiver } = history;
        let names: [Arc<str>; 2] = [&initiator, &receiver].map(|card| card.username.as_str().into());
        let message = |entry: Entry| {
            let [of_initiator, of_receiver] = &names;
            let name = if entry.author == direct.initiator { of_initiator } else { of_receiver };
            Message::of(entry, Arc::clone(name))
        };
        Self {
            conversation_id: direct.id.0,
            message_set: entries.into_iter().map(message).collect(),
            initiator: initiator.into(),
            receiver: receiver.into(),
        }
    }
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
