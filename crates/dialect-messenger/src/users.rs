//! Users and their friends.

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, header},
};
use domain::{
    App,
    accounts::{self, Cards, NewAvatar, Update, names},
    relations,
};
use kit::{base_url::BaseUrl, body::Body, credentials::Auth, fields::Fields, json::Json, reply::Reply};
use serde_json::{Value, json};

use crate::{
    DIALECT, fault, schema,
    wire::{User, avatar_path},
};

/// Most users of one answer.
const MAX_LIST: i64 = 10_000;

/// Changes the caller's name, address or picture.
#[utoipa::path(
    post, path = "/users/update/", tag = DIALECT,
    request_body(content((schema::UserUpdate = "application/json"), (schema::UserUpdate = "multipart/form-data"))),
    responses(
        (status = 200, description = "The user as it is now.", body = User),
        (status = 400, description = "What is wrong.", body = schema::FieldMap),
    ),
)]
pub(crate) async fn update(
    State(app): State<App>,
    Auth(caller): Auth,
    base: BaseUrl,
    Body(body): Body,
) -> Result<Json<User>, Reply> {
    let mut fields = Fields::of(&body);
    let username = fields.text("username").optional();
    if let Some(name) = &username
        && let Some(rule) = accounts::username_problem(&app, name, Some(caller.account)).await?
    {
        fields.problem("username", &rule);
    }
    let email = fields.email("email").optional();
    let shown = accounts::person(&app, caller.account).await?.avatar;
    let avatar = new_avatar(&mut fields, avatar_path(&shown).as_deref(), &base);
    fields.done()?;
    accounts::update(&app, &caller, Update { username, email, avatar, ..Update::default() }).await?;
    Ok(Json(accounts::card(&app, caller.account).await?.into()))
}

/// A file, a path, or nothing to show any more. The path that is `shown` already changes nothing.
fn new_avatar(fields: &mut Fields<'_>, shown: Option<&str>, base: &BaseUrl) -> Option<NewAvatar> {
    match fields.value("avatar") {
        Some(Value::Null) => Some(NewAvatar::Cleared),
        Some(Value::String(text)) if text.is_empty() => Some(NewAvatar::Cleared),
        Some(Value::String(text)) => {
            let is_shown = shown.is_some_and(|shown| {
                text == shown || text.strip_prefix(&*base.0).is_some_and(|path| path == shown)
            });
            (!is_shown).then(|| NewAvatar::Text(text.clone()))
        }
        Some(_) => {
            fields.error("avatar", "Not a valid string.");
            None
        }
        None => fields.optional_file("avatar").map(|file| NewAvatar::File(file.bytes)),
    }
}

/// All users, by username.
#[utoipa::path(
    get, path = "/users/user_list/", tag = DIALECT,
    params(
        ("search" = Option<String>, Query, description = "Only names that hold this, in any case"),
        ("limit" = Option<i64>, Query, description = "At most so many, 1 to 10,000"),
        ("after" = Option<String>, Query, description = "Only names after this one"),
    ),
    responses((status = 200, description = "The users; `Link: rel=\"next\"` when there are more.", body = [User])),
)]
pub(crate) async fn list(
    State(app): State<App>,
    Auth(_caller): Auth,
    base: BaseUrl,
    RawQuery(query): RawQuery,
) -> Result<(HeaderMap, Json<Vec<User>>), Reply> {
    let mut fields = Fields::of_query(query.as_deref().unwrap_or_default()).empty_is_missing();
    let search = fields.text("search").max(names::MAX).optional();
    let after = fields.text("after").max(names::MAX).optional();
    let limit = fields.integer("limit").min(1).optional().unwrap_or(MAX_LIST).min(MAX_LIST);
    fields.done()?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let which = Cards::All {
        search: search.as_deref().map(names::folded),
        after: after.as_deref().map(names::folded),
        // One more tells whether there is a next page.
        limit: most + 1,
    };
    let mut cards = accounts::cards(&app, which).await?;
    let mut headers = HeaderMap::new();
    if cards.len() > most {
        cards.truncate(most);
        let mut next = form_urlencoded::Serializer::new(String::new());
        next.extend_pairs(search.map(|search| ("search", search)));
        next.append_pair("limit", &limit.to_string());
        next.extend_pairs(cards.last().map(|card| ("after", &card.username)));
        headers = next_link(&base, "/users/user_list/", &next.finish());
    }
    Ok((headers, Json(cards.into_iter().map(User::from).collect())))
}

/// `Link` to the next page (RFC 8288).
pub(crate) fn next_link(base: &BaseUrl, path: &str, query: &str) -> HeaderMap {
    let link = format!("<{}{path}?{query}>; rel=\"next\"", base.0);
    HeaderValue::try_from(link).map(|link| HeaderMap::from_iter([(header::LINK, link)])).unwrap_or_default()
}

/// Makes two people friends, without asking the other one.
#[utoipa::path(
    post, path = "/users/add_friend/", tag = DIALECT,
    request_body = schema::Friend,
    responses(
        (status = 200, description = "Friends now, if not before.", body = schema::FriendAnswer),
        (status = 400, description = "Oneself, or one who has declined.", body = schema::FriendAnswer),
        (status = 404, description = "Nobody has that name.", body = schema::Detail),
    ),
)]
pub(crate) async fn add_friend(
    State(app): State<App>,
    Auth(caller): Auth,
    Body(body): Body,
) -> Result<Json<Value>, Reply> {
    let username = friend_username(&mut Fields::of(&body))?;
    let name = relations::befriend(&app, &caller, &username).await.map_err(fault::befriending(&username))?;
    Ok(Json(json!({ "success": true, "message": format!("{name} added as friend.") })))
}

/// Ends a friendship; the conversation stays.
#[utoipa::path(
    post, path = "/users/remove_friend/", tag = DIALECT,
    request_body = schema::Friend,
    responses(
        (status = 200, description = "No friends now, if they were before.", body = schema::FriendAnswer),
        (status = 404, description = "Nobody has that name.", body = schema::Detail),
    ),
)]
pub(crate) async fn remove_friend(
    State(app): State<App>,
    Auth(caller): Auth,
    Body(body): Body,
) -> Result<Json<Value>, Reply> {
    let username = friend_username(&mut Fields::of(&body))?;
    let name = relations::unfriend(&app, &caller, &username).await.map_err(fault::befriending(&username))?;
    Ok(Json(json!({ "success": true, "message": format!("{name} removed as friend.") })))
}

fn friend_username(fields: &mut Fields<'_>) -> Result<String, Reply> {
    let username = fields.text("friend_username").read();
    fields.done()?;
    Ok(username)
}

/// The caller's friends, by username.
#[utoipa::path(
    get, path = "/users/friend_list/", tag = DIALECT,
    responses((status = 200, description = "The friends.", body = [User])),
)]
pub(crate) async fn friends(State(app): State<App>, Auth(caller): Auth) -> Result<Json<Vec<User>>, Reply> {
    let cards = accounts::cards(&app, Cards::FriendsOf(caller.account)).await?;
    Ok(Json(cards.into_iter().map(User::from).collect()))
}
