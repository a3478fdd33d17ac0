//! Signing in, for tokens.

use axum::{Json, extract::State};
use domain::{
    App,
    sessions::{self, CodePolicy, SignIn},
};
use kit::{
    base_url::ClientAddress,
    body::{Body, Content},
    fields::Fields,
    reply::Reply,
};
use serde_json::Value;

use crate::{DIALECT, fault, schema, wire::Pair};

/// Signs in by password, with the e-mailed code where the account has two-factor on.
#[utoipa::path(
    post, path = "/api/token/", tag = DIALECT, security(()),
    request_body = schema::TokenRequest,
    responses(
        (status = 200, description = "The session's tokens.", body = Pair),
        (status = 400, description = "Something is missing or blank.", body = schema::FieldMap),
        (status = 401, description = "No such account, or a code is required.", body = schema::Detail),
    ),
)]
pub(crate) async fn obtain(
    State(app): State<App>,
    address: ClientAddress,
    Body(body): Body,
) -> Result<Json<Pair>, Reply> {
    let mut fields = Fields::of(&body);
    let username = fields.text("username").read();
    let password = fields.text("password").verbatim().read();
    fields.done()?;
    let code = code(&body);
    let ask = SignIn {
        username: &username,
        password: &password,
        code: CodePolicy::WhereOn(code.as_deref()),
        dialect: DIALECT,
        address: address.0,
    };
    let tokens = sessions::sign_in(&app, &ask).await.map_err(fault::signing_in)?;
    Ok(Json(tokens.into()))
}

/// The code: a text, or the digits of a number. Nothing, and what can be no code, is none.
pub(crate) fn code(body: &Content) -> Option<String> {
    match body.value("code")? {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
