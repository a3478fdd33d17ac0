//! Friendships: who asked whom, and what each side thinks of it.

use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
};
use domain::{
    App, RelationId,
    relations::{self, Status},
};
use kit::{
    base_url::BaseUrl,
    body::{Body, Content},
    credentials::Auth,
    json::Json,
    reply::Reply,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    DIALECT,
    body::{sent, uuid_of},
    fault, schema,
    wire::{Friendship, ListedFriendship},
};

/// The list, in either form.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Friendships {
    /// Users by their ids.
    Plain(Vec<ListedFriendship>),
    /// With `?expand=users`.
    Expanded(Vec<Friendship>),
}

/// The caller's friendships, rejected ones too, oldest first.
#[utoipa::path(
    get, path = "/api/users/friendship/", tag = DIALECT,
    params(("expand" = Option<String>, Query, description = "`users`: whole users instead of their ids")),
    responses((status = 200, description = "The friendships.", body = Friendships)),
)]
pub(crate) async fn list(
    State(app): State<App>,
    Auth(caller): Auth,
    base: BaseUrl,
    RawQuery(query): RawQuery,
) -> Result<Json<Friendships>, Reply> {
    let found = relations::list(&app, &caller).await?;
    Ok(Json(if expands_users(query.as_deref().unwrap_or_default()) {
        let whole = |friendship| Friendship::of(friendship, caller.account, &base);
        Friendships::Expanded(found.iter().map(whole).collect())
    } else {
        Friendships::Plain(found.iter().map(ListedFriendship::from).collect())
    }))
}

fn expands_users(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "expand" && value == "users")
}

/// Asks for a friendship.
#[utoipa::path(
    post, path = "/api/users/friendship/", tag = DIALECT,
    request_body = schema::FriendshipRequest,
    responses(
        (status = 201, description = "Asked.", body = Friendship),
        (status = 400, description = "A field is missing, there is one already, or it is oneself.", body = schema::Detail),
        (status = 404, description = "No such status or user.", body = schema::Detail),
    ),
)]
pub(crate) async fn ask(
    State(app): State<App>,
    Auth(caller): Auth,
    base: BaseUrl,
    Body(body): Body,
) -> Result<(StatusCode, Json<Friendship>), Reply> {
    let (to, status) = request(&body)?;
    let made = relations::ask(&app, &caller, to, status).await.map_err(fault::befriending)?;
    Ok((StatusCode::CREATED, Json(Friendship::of(&made, caller.account, &base))))
}

/// Sets the caller's side.
#[utoipa::path(
    patch, path = "/api/users/friendship/", tag = DIALECT,
    request_body = schema::FriendshipAnswer,
    responses(
        (status = 200, description = "Set.", body = Friendship),
        (status = 400, description = "No such status.", body = schema::Detail),
        (status = 403, description = "It is between others.", body = schema::Detail),
        (status = 404, description = "No such friendship.", body = schema::Detail),
    ),
)]
pub(crate) async fn answer(
    State(app): State<App>,
    Auth(caller): Auth,
    base: BaseUrl,
    Body(body): Body,
) -> Result<Json<Friendship>, Reply> {
    let (id, status) = reply(&body)?;
    let changed = relations::answer(&app, &caller, id, status).await.map_err(fault::befriending)?;
    Ok(Json(Friendship::of(&changed, caller.account, &base)))
}

/// Who is asked, and with which status of one's own.
fn request(body: &Content) -> Result<(Uuid, Status), Reply> {
    let (Some(to), Some(status)) = (sent(body, "to_user"), sent(body, "status")) else {
        return Err(Reply::detail(StatusCode::BAD_REQUEST, "Invalid status."));
    };
    let not_found = |text: &str| Reply::detail(StatusCode::NOT_FOUND, text);
    let status = status.as_str().and_then(Status::named).ok_or_else(|| not_found("status not found."))?;
    Ok((uuid_of(to).ok_or_else(|| not_found("User not found."))?, status))
}

/// Which friendship is answered, and how.
fn reply(body: &Content) -> Result<(RelationId, Status), Reply> {
    let status = body.value("status").and_then(|value| Status::named(value.as_str()?));
    let status = status.ok_or_else(|| Reply::detail(StatusCode::BAD_REQUEST, "Invalid status."))?;
    let id = body.value("friendship_id").and_then(uuid_of);
    let id = id.ok_or_else(|| Reply::detail(StatusCode::NOT_FOUND, fault::NO_FRIENDSHIP))?;
    Ok((RelationId(id), status))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ID: &str = "72c6e582-ded6-5248-a853-07e9784c509e";

    fn refused<T>(result: Result<T, Reply>) -> Option<(u16, Value)> {
        result.err().map(|reply| (reply.status.as_u16(), reply.body["detail"].clone()))
    }

    #[test]
    fn a_request_names_a_status_and_a_user() {
        let ask = |body: Value| request(&Content::of_json(body));
        let good = ask(json!({ "to_user": ID, "status": "accepted" })).unwrap();
        assert_eq!(good, (ID.parse().unwrap(), Status::Accepted));
        for (body, status, text) in [
            (json!({}), 400, "Invalid status."),
            (json!([]), 400, "Invalid status."),
            (json!({ "to_user": ID }), 400, "Invalid status."),
            (json!({ "status": "pending" }), 400, "Invalid status."),
            (json!({ "to_user": ID, "status": "" }), 400, "Invalid status."),
            (json!({ "to_user": ID, "status": "friend" }), 404, "status not found."),
            (json!({ "to_user": ID, "status": 1 }), 404, "status not found."),
            (json!({ "to_user": "1", "status": "pending" }), 404, "User not found."),
            (json!({ "to_user": 1, "status": "pending" }), 404, "User not found."),
        ] {
            assert_eq!(refused(ask(body)), Some((status, text.into())));
        }
    }

    #[test]
    fn an_answer_is_judged_by_its_status_first() {
        let answer = |body: Value| reply(&Content::of_json(body));
        let good = answer(json!({ "friendship_id": ID, "status": "rejected" })).unwrap();
        assert_eq!(good, (RelationId(ID.parse().unwrap()), Status::Rejected));
        for (body, status, text) in [
            (json!({}), 400, "Invalid status."),
            (json!({ "friendship_id": "x", "status": "Accepted" }), 400, "Invalid status."),
            (json!({ "status": "accepted" }), 404, "Friendship not found."),
            (json!({ "friendship_id": "x", "status": "accepted" }), 404, "Friendship not found."),
            (json!({ "friendship_id": 5, "status": "accepted" }), 404, "Friendship not found."),
        ] {
            assert_eq!(refused(answer(body)), Some((status, text.into())));
        }
    }

    #[test]
    fn users_are_expanded_on_request() {
        assert!(expands_users("x=1&expand=users"));
        assert!(!expands_users("expand=user"));
        assert!(!expands_users(""));
    }
}
