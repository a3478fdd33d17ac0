//! Chats and their messages.

use axum::{
    Json,
    extract::{RawQuery, State},
};
use domain::{
    App, ConversationId, MessageId,
    chats::{self, MAX_HISTORY},
    conversations::Page,
};
use kit::{base_url::BaseUrl, credentials::TokenAuth, fields::Fields, path_id::PathId, reply::Reply};

use crate::{
    DIALECT,
    envelope::gone,
    fault, schema,
    wire::{Chat, Message},
};

/// The caller's chats, newest activity first.
#[utoipa::path(
    get, path = "/chats-list/", tag = DIALECT,
    responses((status = 200, description = "The chats.", body = [Chat])),
)]
pub(crate) async fn list(
    State(app): State<App>,
    TokenAuth(caller): TokenAuth,
    base: BaseUrl,
) -> Result<Json<Vec<Chat>>, Reply> {
    let chats = chats::list(&app, &caller).await?;
    Ok(Json(chats.into_iter().map(|chat| Chat::new(chat, &base)).collect()))
}

/// A chat's messages, oldest first. They are read now, and shown as they were before.
#[utoipa::path(
    get, path = "/message-list/{chat}/", tag = DIALECT,
    params(
        ("chat" = i64, Path, description = "The chat"),
        ("limit" = Option<i64>, Query, description = "Only the newest so many, 1 to 10,000"),
        ("before" = Option<i64>, Query, description = "Only messages before this one"),
    ),
    responses((status = 200, description = "The messages; no such chat: an envelope with 404, somebody else's: 400.",
        body = [Message])),
)]
pub(crate) async fn messages(
    State(app): State<App>,
    PathId(chat): PathId,
    TokenAuth(caller): TokenAuth,
    base: BaseUrl,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<Message>>, Reply> {
    let mut fields = Fields::of_query(query.as_deref().unwrap_or_default()).empty_is_missing();
    let limit = fields.integer("limit").min(1).optional();
    let before = fields.integer("before").optional().map(MessageId);
    fields.done()?;
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(MAX_HISTORY).min(MAX_HISTORY);
    let page = Page { before, limit };
    let lines = chats::history(&app, &caller, ConversationId(chat), page).await.map_err(fault::reading)?;
    Ok(Json(lines.into_iter().map(|line| Message::new(line, &base)).collect()))
}

/// Leaves a chat until approved anew; the owner's is hidden until its next message.
#[utoipa::path(
    delete, path = "/remove-chat/{chat}/", tag = DIALECT,
    params(("chat" = i64, Path, description = "The chat")),
    responses(
        (status = 200, description = "An envelope: 204.", body = schema::Envelope),
        (status = 403, description = "Not a chat of the caller's, or none.", body = schema::Detail),
    ),
)]
pub(crate) async fn remove(
    State(app): State<App>,
    PathId(chat): PathId,
    TokenAuth(caller): TokenAuth,
) -> Result<Reply, Reply> {
    chats::leave(&app, &caller, ConversationId(chat)).await?;
    Ok(gone())
}
