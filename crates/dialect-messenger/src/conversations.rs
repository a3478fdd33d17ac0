//! Conversations and their history.

use axum::{
    extract::{RawQuery, State},
    http::HeaderMap,
};
use domain::{
    App, ConversationId, MessageId,
    conversations::{self, Page},
};
use kit::{
    base_url::BaseUrl, body::Body, credentials::Auth, fields::Fields, json::Json, path_id::PathId,
    reply::Reply,
};

use crate::{
    DIALECT, fault, schema,
    users::next_link,
    wire::{Conversation, History, Started},
};

/// Most messages of one answer.
const MAX_HISTORY: i64 = 10_000;

/// Starts a conversation with somebody who is connected, or finds the one that there is.
#[utoipa::path(
    post, path = "/conversations/start/", tag = DIALECT,
    request_body = schema::Peer,
    responses(
        (status = 200, description = "The conversation.", body = Started),
        (status = 400, description = "Oneself, or one who is not connected.", body = schema::MessageText),
        (status = 404, description = "Nobody has that name.", body = schema::MessageText),
    ),
)]
pub(crate) async fn start(
    State(app): State<App>,
    Auth(caller): Auth,
    Body(body): Body,
) -> Result<Json<Started>, Reply> {
    let mut fields = Fields::of(&body);
    let username = fields.text("username").read();
    fields.done()?;
    let started = conversations::start(&app, &caller, &username).await.map_err(fault::conversing)?;
    Ok(Json(started.into()))
}

/// The caller's conversations, newest activity first.
#[utoipa::path(
    get, path = "/conversations/", tag = DIALECT,
    responses((status = 200, description = "The conversations.", body = [Conversation])),
)]
pub(crate) async fn list(
    State(app): State<App>,
    Auth(caller): Auth,
) -> Result<Json<Vec<Conversation>>, Reply> {
    let conversations = conversations::list(&app, &caller).await?;
    Ok(Json(conversations.into_iter().map(Conversation::from).collect()))
}

/// A conversation with its messages, newest first.
#[utoipa::path(
    get, path = "/conversations/{id}/", tag = DIALECT,
    params(
        ("id" = i64, Path, description = "The conversation"),
        ("limit" = Option<i64>, Query, description = "At most so many messages, 1 to 10,000"),
        ("before" = Option<i64>, Query, description = "Only messages before this one"),
    ),
    responses(
        (status = 200, description = "The conversation; `Link: rel=\"next\"` when there are older messages.",
            body = History),
        (status = 403, description = "Not a participant.", body = schema::Detail),
        (status = 404, description = "No such conversation.", body = schema::MessageText),
    ),
)]
pub(crate) async fn history(
    State(app): State<App>,
    Auth(caller): Auth,
    PathId(id): PathId,
    base: BaseUrl,
    RawQuery(query): RawQuery,
) -> Result<(HeaderMap, Json<History>), Reply> {
    let mut fields = Fields::of_query(query.as_deref().unwrap_or_default());
    let limit = fields.integer("limit").min(1).optional().unwrap_or(MAX_HISTORY).min(MAX_HISTORY);
    let before = fields.integer("before").optional().map(MessageId);
    fields.done()?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    // One more tells whether there is a next page.
    let page = Page { before, limit: most + 1 };
    let found = conversations::history(&app, &caller, ConversationId(id), page).await;
    let mut history = found.map_err(fault::conversing)?;
    let (direct, entries) = &mut history.what;
    let mut headers = HeaderMap::new();
    if entries.len() > most {
        entries.truncate(most);
        let oldest = entries.last().map_or(0, |entry| entry.id.0);
        let path = format!("/conversations/{}/", direct.id);
        headers = next_link(&base, &path, &format!("limit={limit}&before={oldest}"));
    }
    Ok((headers, Json(history.into())))
}
