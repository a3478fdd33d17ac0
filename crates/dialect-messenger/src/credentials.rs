//! Codes, signing in and signing out.

use axum::{extract::State, http::header, response::IntoResponse};
use domain::{
    App, codes,
    sessions::{self, CodePolicy, SignIn},
};
use kit::{
    base_url::ClientAddress,
    body::{Body, Content},
    credentials::Auth,
    json::Json,
    reply::Reply,
};
use serde_json::{Value, json};

use crate::{DIALECT, fault, schema, wire::SignedIn};

/// Mails a sign-in code.
#[utoipa::path(
    post, path = "/twofa/send-code/", tag = DIALECT, security(()),
    request_body = schema::CodeRequest,
    responses(
        (status = 200, description = "On its way.", body = String, content_type = "text/plain"),
        (status = 404, description = "No such pair.", body = schema::ErrorText),
    ),
)]
pub(crate) async fn send_code(
    State(app): State<App>,
    address: ClientAddress,
    Body(body): Body,
) -> Result<impl IntoResponse, Reply> {
    let (username, email, password) =
        (said(&body, "username"), said(&body, "email"), said(&body, "password"));
    let ask = codes::Ask {
        username: username.as_deref().unwrap_or_default(),
        email: email.as_deref(),
        password: password.as_deref(),
        address: address.0,
    };
    codes::send(&app, ask).await.map_err(fault::sending_code)?;
    let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((plain, "Email sent. Use the code sent in the login process"))
}

/// Signs in, by password and code.
#[utoipa::path(
    post, path = "/auth/login/", tag = DIALECT, security(()),
    request_body = schema::SignIn,
    responses(
        (status = 200, description = "The session's tokens.", body = SignedIn),
        (status = 400, description = "Whatever is wrong with the credentials.", body = schema::ErrorText),
    ),
)]
pub(crate) async fn sign_in(
    State(app): State<App>,
    address: ClientAddress,
    Body(body): Body,
) -> Result<Json<SignedIn>, Reply> {
    let (Some(username), Some(password), Some(code)) =
        (said(&body, "username"), said(&body, "password"), said(&body, "code"))
    else {
        return Err(fault::invalid_credentials());
    };
    let ask = SignIn {
        username: &username,
        password: &password,
        code: CodePolicy::Always(&code),
        dialect: DIALECT,
        address: address.0,
    };
    let tokens = sessions::sign_in(&app, &ask).await.map_err(fault::signing_in)?;
    Ok(Json(tokens.into()))
}

/// A text, or the digits of a number; `None` for anything else, and for nothing.
fn said(body: &Content, name: &str) -> Option<String> {
    match body.value(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Ends the session: its tokens stop working and its sockets close.
#[utoipa::path(
    post, path = "/auth/logout/", tag = DIALECT,
    responses((status = 200, description = "Ended.", body = schema::Detail)),
)]
pub(crate) async fn sign_out(State(app): State<App>, Auth(caller): Auth) -> Result<Json<Value>, Reply> {
    sessions::sign_out(&app, &caller, DIALECT).await?;
    Ok(Json(json!({ "detail": "Successfully logged out." })))
}
