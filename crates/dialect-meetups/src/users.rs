//! People and what they tell of themselves.

use axum::{Json, extract::State};
use domain::{
    AccountId, App, Caller, Error, Noun,
    accounts::names,
    profiles::{self, Gender, MAX_ABOUT, MAX_CLIENT_KEY, ProfileChange},
};
use kit::{
    base_url::BaseUrl,
    body::{Body, Content},
    credentials::TokenAuth,
    fields::Fields,
    path_id::PathId,
    reply::Reply,
};

use crate::{
    DIALECT,
    envelope::{ok, outcome},
    fault,
    forms::{nullable_choice, nullable_day},
    schema,
    wire::FullUser,
};

/// The caller.
#[utoipa::path(
    get, path = "/user-detail/", tag = DIALECT,
    responses((status = 200, description = "The caller.", body = FullUser)),
)]
pub(crate) async fn myself(
    State(app): State<App>,
    TokenAuth(caller): TokenAuth,
    base: BaseUrl,
) -> Result<Json<FullUser>, Reply> {
    show(&app, &caller, caller.account, &base).await
}

/// Somebody.
#[utoipa::path(
    get, path = "/user-detail/{id}/", tag = DIALECT,
    params(("id" = i64, Path, description = "The user")),
    responses((status = 200, description = "The user; unknown: an envelope with 400.", body = FullUser)),
)]
pub(crate) async fn user(
    State(app): State<App>,
    PathId(id): PathId,
    TokenAuth(caller): TokenAuth,
    base: BaseUrl,
) -> Result<Json<FullUser>, Reply> {
    show(&app, &caller, AccountId(id), &base).await
}

async fn show(app: &App, caller: &Caller, id: AccountId, base: &BaseUrl) -> Result<Json<FullUser>, Reply> {
    let portrait = profiles::portrait(app, id).await.map_err(fault::looking_for_somebody)?;
    Ok(Json(FullUser::new(portrait, caller.account, base)))
}

/// Changes what the caller tells of themselves.
#[utoipa::path(
    put, path = "/user-detail/", tag = DIALECT,
    request_body = schema::UserChange,
    responses(
        (status = 200, description = "The caller as they are now.", body = FullUser),
        (status = 400, description = "What is wrong.", body = schema::FieldMap),
    ),
)]
pub(crate) async fn update_myself(
    State(app): State<App>,
    TokenAuth(caller): TokenAuth,
    base: BaseUrl,
    Body(body): Body,
) -> Result<Json<FullUser>, Reply> {
    change(&app, &caller, caller.account, &body, &base).await
}

/// The same, under the caller's own id.
#[utoipa::path(
    put, path = "/user-detail/{id}/", tag = DIALECT,
    params(("id" = i64, Path, description = "The caller")),
    request_body = schema::UserChange,
    responses(
        (status = 200, description = "The caller as they are now.", body = FullUser),
        (status = 400, description = "What is wrong.", body = schema::FieldMap),
        (status = 403, description = "Somebody else.", body = schema::Detail),
    ),
)]
pub(crate) async fn update(
    State(app): State<App>,
    PathId(id): PathId,
    TokenAuth(caller): TokenAuth,
    base: BaseUrl,
    Body(body): Body,
) -> Result<Json<FullUser>, Reply> {
    change(&app, &caller, AccountId(id), &body, &base).await
}

async fn change(
    app: &App,
    caller: &Caller,
    id: AccountId,
    body: &Content,
    base: &BaseUrl,
) -> Result<Json<FullUser>, Reply> {
    // Before the body is looked at: whose it is decides first.
    if id != caller.account {
        return Err(Error::Forbidden(Noun::Account).into());
    }
    let mut fields = Fields::of(body);
    let first_name = if fields.has("first_name") { "first_name" } else { "firs_name" };
    let change = ProfileChange {
        nickname: fields.text("username").max(names::MAX).optional(),
        first_name: fields.text(first_name).max(names::MAX).may_be_blank().optional(),
        about: fields.text("about").max(MAX_ABOUT).may_be_blank().optional(),
        gender: nullable_choice(&mut fields, "gender", Gender::numbered),
        birth_date: nullable_day(&mut fields, "birth_date"),
        client_key: fields.text("client_key").max(MAX_CLIENT_KEY).may_be_blank().optional(),
    };
    fields.done()?;
    let portrait = profiles::update(app, caller, id, change).await?;
    Ok(Json(FullUser::new(portrait, caller.account, base)))
}

/// Keeps the key under which the caller's client gets notifications.
#[utoipa::path(
    put, path = "/set-client-key/", tag = DIALECT,
    request_body = schema::ClientKey,
    responses((status = 200, description = "An envelope: 200, or 400 without a key.", body = schema::Envelope)),
)]
pub(crate) async fn set_client_key(
    State(app): State<App>,
    TokenAuth(caller): TokenAuth,
    Body(body): Body,
) -> Result<Reply, Reply> {
    let mut fields = Fields::of(&body).empty_is_missing();
    let client_key = fields.text("client_key").max(MAX_CLIENT_KEY).optional();
    fields.done()?;
    if client_key.is_none() {
        return Err(outcome(400, "error: no client_key in request"));
    }
    let change = ProfileChange { client_key, ..ProfileChange::default() };
    profiles::update(&app, &caller, caller.account, change).await?;
    Ok(ok())
}
