//! Rooms and their messages.

use axum::{
    Json,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use domain::{
    App, ConversationId, MessageId, conversations,
    rooms::{self, Part},
};
use kit::{base_url::BaseUrl, body::Body, credentials::Auth, fields::Fields, path_id::PathId, reply::Reply};

use crate::{
    DIALECT, schema,
    wire::{Message, Room},
};

/// Most rooms or messages of one answer.
const MOST: i64 = 10_000;

/// The rooms that the caller may know of, newest first.
#[utoipa::path(
    get, path = "/api/room/", tag = DIALECT,
    params(
        ("limit" = Option<i64>, Query, description = "At most so many rooms, 1 to 10,000"),
        ("before" = Option<i64>, Query, description = "Only rooms opened before this one"),
    ),
    responses(
        (status = 200, description = "A student's own; a teacher's own and every active one; all for staff. \
            `Link: rel=\"next\"` when there are older ones.", body = [Room]),
        (status = 400, description = "Not a number.", body = schema::FieldMap),
    ),
)]
pub(crate) async fn list(
    State(app): State<App>,
    Auth(caller): Auth,
    base: BaseUrl,
    RawQuery(query): RawQuery,
) -> Result<(HeaderMap, Json<Vec<Room>>), Reply> {
    let asked = Asked::of(query.as_deref())?;
    let part = Part { before: asked.before.map(ConversationId), limit: asked.limit_and_one() };
    let mut rooms = rooms::list(&app, &caller, part).await?;
    let headers = asked.cut(&mut rooms, &base, "/api/room/", |last| last.room.id.0);
    Ok((headers, Json(rooms.into_iter().map(|room| Room::of(room, &base.0)).collect())))
}

/// Opens a room.
#[utoipa::path(
    post, path = "/api/room/", tag = DIALECT,
    request_body = schema::NewRoom,
    responses(
        (status = 201, description = "The room.", body = Room),
        (status = 400, description = "What is wrong.", body = schema::FieldMap),
        (status = 403, description = "Not a student.", body = schema::Detail),
    ),
)]
pub(crate) async fn create(
    State(app): State<App>,
    Auth(caller): Auth,
    base: BaseUrl,
    Body(body): Body,
) -> Result<(StatusCode, Json<Room>), Reply> {
    // Who may not open rooms at all is told that, and not what is wrong with this one.
    let student = rooms::student(&app, &caller).await?;
    let mut fields = Fields::of(&body).empty_is_missing();
    let text = fields.text("text").verbatim().may_be_blank().max(app.settings.max_text).optional();
    let image = fields.text("image").verbatim().may_be_blank().optional();
    // A picture is named by its address here; whoever sends one must not believe that it was taken.
    for name in ["text", "image"].into_iter().filter(|name| body.file(name).is_some()) {
        fields.error(name, "Not a valid string.");
    }
    fields.done()?;
    let room = rooms::create(&app, student, text.unwrap_or_default(), image.unwrap_or_default()).await?;
    Ok((StatusCode::CREATED, Json(Room::of(room, &base.0))))
}

/// The messages of a room, newest first.
#[utoipa::path(
    get, path = "/api/{room}/messages/", tag = DIALECT,
    params(
        ("room" = i64, Path, description = "The room"),
        ("limit" = Option<i64>, Query, description = "At most so many messages, 1 to 10,000"),
        ("before" = Option<i64>, Query, description = "Only messages before this one"),
    ),
    responses(
        (status = 200, description = "The messages; `Link: rel=\"next\"` when there are older ones.", body = [Message]),
        (status = 400, description = "Not a number.", body = schema::FieldMap),
        (status = 403, description = "Not in the room.", body = schema::Detail),
        (status = 404, description = "No such room.", body = schema::Detail),
    ),
)]
pub(crate) async fn messages(
    State(app): State<App>,
    PathId(id): PathId,
    Auth(caller): Auth,
    base: BaseUrl,
    RawQuery(query): RawQuery,
) -> Result<(HeaderMap, Json<Vec<Message>>), Reply> {
    let asked = Asked::of(query.as_deref())?;
    let page = conversations::Page { before: asked.before.map(MessageId), limit: asked.limit_and_one() };
    let (room, mut messages) = rooms::history(&app, &caller, ConversationId(id), page).await?;
    let headers = asked.cut(&mut messages, &base, &format!("/api/{id}/messages/"), |last| last.id.0);
    let message = |message| {
        let seen = room.is_seen(&message);
        Message::of(message, seen)
    };
    Ok((headers, Json(messages.into_iter().map(message).collect())))
}

/// Which part of a list is asked for.
struct Asked {
    limit: i64,
    before: Option<i64>,
}

impl Asked {
    fn of(query: Option<&str>) -> Result<Self, Reply> {
        let mut fields = Fields::of_query(query.unwrap_or_default());
        let limit = fields.integer("limit").min(1).optional().unwrap_or(MOST).min(MOST);
        let before = fields.integer("before").optional();
        fields.done()?;
        Ok(Self { limit, before })
    }

    /// One more than wanted: it tells whether there is a next part.
    fn limit_and_one(&self) -> usize {
        usize::try_from(self.limit + 1).unwrap_or(usize::MAX)
    }

    /// Leaves what is wanted, and links to the next part where there is one.
    fn cut<T>(&self, found: &mut Vec<T>, base: &BaseUrl, path: &str, id: impl Fn(&T) -> i64) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let most = usize::try_from(self.limit).unwrap_or(usize::MAX);
        if found.len() > most {
            found.truncate(most);
            let last = found.last().map_or(0, id);
            let link = format!("<{}{path}?limit={}&before={last}>; rel=\"next\"", base.0, self.limit);
            headers.extend(HeaderValue::try_from(link).ok().map(|link| (header::LINK, link)));
        }
        headers
    }
}
