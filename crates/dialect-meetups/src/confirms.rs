//! Requests to take part in meetings: the document calls them confirms.

use axum::{Json, extract::State};
use domain::{
    App, MeetingId, RequestId,
    requests::{self, Answer},
};
use kit::{
    base_url::BaseUrl, body::Body, credentials::TokenAuth, fields::Fields, path_id::PathId, reply::Reply,
};
use serde_json::json;

use crate::{
    DIALECT,
    envelope::{envelope, ok},
    fault, schema,
    wire::Confirm,
};

/// Asks to take part in a meeting, once.
#[utoipa::path(
    post, path = "/meeting-confirm/{meeting}/", tag = DIALECT,
    params(("meeting" = i64, Path, description = "The meeting")),
    responses((status = 200, description = "An envelope: 200, 400 or 404.", body = schema::Envelope)),
)]
pub(crate) async fn ask(
    State(app): State<App>,
    PathId(meeting): PathId,
    TokenAuth(caller): TokenAuth,
) -> Result<Reply, Reply> {
    requests::ask(&app, &caller, MeetingId(meeting)).await.map_err(fault::asking)?;
    Ok(ok())
}

/// The undecided requests to the caller's meetings. They are read now, and shown as they were before.
#[utoipa::path(
    get, path = "/confirms-list/", tag = DIALECT,
    responses((status = 200, description = "The requests, oldest first.", body = [Confirm])),
)]
pub(crate) async fn list(
    State(app): State<App>,
    TokenAuth(caller): TokenAuth,
    base: BaseUrl,
) -> Result<Json<Vec<Confirm>>, Reply> {
    let asked = requests::undecided(&app, &caller).await?;
    Ok(Json(asked.into_iter().map(|asked| Confirm::new(asked, &base)).collect()))
}

/// Answers a request to a meeting of the caller's.
#[utoipa::path(
    put, path = "/confirm-action/{confirm}/", tag = DIALECT,
    params(("confirm" = i64, Path, description = "The request")),
    request_body = schema::Answer,
    responses(
        (status = 200, description = "The request as it is now.", body = Confirm),
        (status = 400, description = "What is wrong.", body = schema::FieldMap),
        (status = 403, description = "Not to a meeting of the caller's, or none.", body = schema::Detail),
    ),
)]
pub(crate) async fn answer(
    State(app): State<App>,
    PathId(confirm): PathId,
    TokenAuth(caller): TokenAuth,
    base: BaseUrl,
    Body(body): Body,
) -> Result<Json<Confirm>, Reply> {
    let id = RequestId(confirm);
    requests::check_owner(&app, &caller, id).await?;
    let mut fields = Fields::of(&body).empty_is_missing();
    let answer = Answer {
        approved: fields.boolean("is_approved").optional(),
        rejected: fields.boolean("is_rejected").optional(),
        read: fields.boolean("is_read").optional(),
    };
    if answer.approved == Some(true) && answer.rejected == Some(true) {
        for name in ["is_approved", "is_rejected"] {
            fields.error(name, "A confirm cannot be approved and rejected at once.");
        }
    }
    fields.done()?;
    let asked = requests::answer(&app, &caller, id, answer).await?;
    Ok(Json(Confirm::new(asked, &base)))
}

/// How many undecided requests to the caller's meetings are unread.
#[utoipa::path(
    get, path = "/unread-confirms/", tag = DIALECT,
    responses((status = 200, description = "An envelope: 200 with the number.", body = schema::Envelope)),
)]
pub(crate) async fn unread(State(app): State<App>, TokenAuth(caller): TokenAuth) -> Result<Reply, Reply> {
    let unread = requests::unread(&app, &caller).await?;
    Ok(envelope(200, "ok", &json!({ "unread": unread })))
}
