//! What goes to sockets.

use domain::{AccountId, Posted, relations};
use kit::base_url::BaseUrl;
use serde::Serialize;

use super::{Friendship, MessageStatus};

/// A message as it goes to sockets.
#[derive(Serialize)]
pub(crate) struct MessageFrame<'p> {
    #[serde(rename = "type")]
    kind: &'static str,
    message: MessageStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'p str>,
}

impl<'p> MessageFrame<'p> {
    /// A message to a friend; `None` for others.
    pub(crate) fn of(posted: &'p Posted, base: &BaseUrl) -> Option<Self> {
        let message = MessageStatus::of(&posted.message, posted.relation?, base)?;
        Some(Self { kind: "friendship_message", message, client_id: posted.client_id.as_deref() })
    }
}

/// How far a message got, as it goes to the sockets of its author.
#[derive(Serialize)]
pub(crate) struct ReceiptFrame {
    #[serde(rename = "type")]
    kind: &'static str,
    message: MessageStatus,
}

impl ReceiptFrame {
    /// A receipt from a friend; `None` for others.
    pub(crate) fn of(posted: &Posted, base: &BaseUrl) -> Option<Self> {
        let message = MessageStatus::of(&posted.message, posted.relation?, base)?;
        Some(Self { kind: "chat_friendship_notification", message })
    }
}

/// A friendship that was made or changed, as it goes to the sockets of one side.
#[derive(Serialize)]
pub(crate) struct FriendshipFrame {
    #[serde(rename = "type")]
    kind: &'static str,
    friendship: Friendship,
}

impl FriendshipFrame {
    /// As `viewer` sees it.
    pub(crate) fn of(friendship: &relations::Friendship, viewer: AccountId, base: &BaseUrl) -> Self {
        // Document 002 spells it so, and its clients expect that.
        Self { kind: "frienship_message", friendship: Friendship::of(friendship, viewer, base) }
    }
}

/// A sign-in's second half, on a socket that was opened with an expired access token.
#[derive(Serialize)]
pub(crate) struct RefreshedFrame {
    #[serde(rename = "type")]
    kind: &'static str,
    access: String,
}

impl RefreshedFrame {
    /// The new access token.
    pub(crate) fn of(access: String) -> Self {
        Self { kind: "token_refreshed", access }
    }
}
