//! Signing in, out and on.

use std::borrow::Cow;

use axum::{
    extract::{FromRequestParts, State},
    http::{StatusCode, header, request::Parts},
};
use domain::{
    AccountId, App, Refusal, journal,
    sessions::{
        self, CodePolicy, SignIn,
        tokens::{self, TokenType},
    },
};
use kit::{
    base_url::ClientAddress,
    body::{Body, Content},
    credentials::{Auth, Scheme, bad_token},
    json::Json,
    reply::Reply,
};
use serde_json::{Value, json};

use crate::{
    DIALECT, Friends,
    body::sent,
    fault, schema,
    wire::{NewTokens, SignedIn},
};

/// Signs in, by password, and by e-mailed code where the account has two-factor on.
#[utoipa::path(
    post, path = "/api/users/login/", tag = DIALECT, security(()),
    request_body = schema::SignIn,
    responses(
        (status = 200, description = "The session's tokens.", body = SignedIn),
        (status = 400, description = "Something is missing.", body = schema::ErrorText),
        (status = 401, description = "Wrong, or a code is due.", body = schema::ErrorText),
    ),
)]
pub(crate) async fn sign_in(
    State(app): State<App>,
    address: ClientAddress,
    Body(body): Body,
) -> Result<Json<SignedIn>, Reply> {
    let (Some(username), Some(password)) = (sent(&body, "username"), sent(&body, "password")) else {
        let name = sent(&body, "username").and_then(Value::as_str);
        journal::refused("sign-in", DIALECT, name, "username or password missing");
        return Err(fault::error(StatusCode::BAD_REQUEST, "Username and password are required"));
    };
    let (Some(username), Some(password)) = (username.as_str(), password.as_str()) else {
        journal::refused("sign-in", DIALECT, username.as_str(), "username or password is no text");
        return Err(fault::unauthorised("Invalid Credentials"));
    };
    let code = code(&body);
    let code = CodePolicy::WhereOn(code.as_deref());
    let ask = SignIn { username, password, code, dialect: DIALECT, address: address.0 };
    let tokens = sessions::sign_in(&app, &ask).await.map_err(fault::signing_in)?;
    Ok(Json(tokens.into()))
}

/// A code, as text or as a number.
fn code(body: &Content) -> Option<Cow<'_, str>> {
    match sent(body, "code")? {
        Value::String(text) => Some(text.into()),
        Value::Number(number) => Some(number.to_string().into()),
        _ => None,
    }
}

/// Ends the session of a refresh token: its tokens stop working and its sockets close.
#[utoipa::path(
    post, path = "/api/users/logout/", tag = DIALECT,
    request_body = schema::Refresh,
    responses(
        (status = 200, description = "Ended.", body = schema::MessageText),
        (status = 400, description = "No refresh token.", body = schema::ErrorText),
        (status = 401, description = "No good refresh token of the caller's.", body = schema::ErrorText),
    ),
)]
pub(crate) async fn sign_out(
    State(app): State<App>,
    Auth(caller): Auth,
    Body(body): Body,
) -> Result<Json<Value>, Reply> {
    let token = refresh_token(&body, "sign-out")?;
    sessions::sign_out_by(&app, &caller, token, DIALECT).await.map_err(fault::signing_out)?;
    Ok(Json(json!({ "message": "Successfully logged out" })))
}

/// Gives a new access token, and with rotation a new refresh token.
#[utoipa::path(
    post, path = "/api/users/refresh-token/", tag = DIALECT, security((), ("bearer" = [])),
    request_body = schema::Refresh,
    responses(
        (status = 200, description = "The new token.", body = NewTokens),
        (status = 400, description = "No refresh token.", body = schema::ErrorText),
        (status = 401, description = "No good refresh token.", body = schema::ErrorText),
    ),
)]
pub(crate) async fn refresh(
    State(app): State<App>,
    Beside(beside): Beside,
    Body(body): Body,
) -> Result<Json<NewTokens>, Reply> {
    let token = refresh_token(&body, "refresh")?;
    let account = tokens::read(&app, token).map(|token| token.account);
    if beside.is_some() && account.is_some() && beside != account {
        journal::refused("refresh", DIALECT, None, "the access token is of another account");
        return Err(bad_token(Refusal::Invalid));
    }
    let new = sessions::refresh(&app, token, DIALECT).await.map_err(fault::refreshing)?;
    Ok(Json(new.into()))
}

/// The refresh token of the body. One that is no text is as good as a bad one.
fn refresh_token<'b>(body: &'b Content, deed: &str) -> Result<&'b str, Reply> {
    let Some(token) = sent(body, "refresh") else {
        journal::refused(deed, DIALECT, None, "refresh token missing");
        return Err(fault::error(StatusCode::BAD_REQUEST, "Refresh token is required"));
    };
    Ok(token.as_str().unwrap_or_default())
}

/// Whose credentials stand beside a refresh token: a JWT only has to be authentic, for it to have expired is the reason
/// to call. None is needed, unless the settings say so.
pub(crate) struct Beside(Option<AccountId>);

impl FromRequestParts<Friends> for Beside {
    type Rejection = Reply;

    async fn from_request_parts(parts: &mut Parts, friends: &Friends) -> Result<Self, Reply> {
        match Scheme::of(&parts.headers, &header::AUTHORIZATION) {
            Scheme::Absent if !friends.settings.refresh_needs_access => Ok(Self(None)),
            Scheme::Bearer(value) if value.contains('.') => {
                let token = tokens::read(&friends.context.app, &value);
                match token.ok_or_else(|| bad_token(Refusal::Invalid))? {
                    token if token.token_type == TokenType::Access => Ok(Self(Some(token.account))),
                    _ => Err(bad_token(Refusal::WrongType)),
                }
            }
            _ => {
                let Auth(caller) = Auth::from_request_parts(parts, friends).await?;
                Ok(Self(Some(caller.account)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_may_be_a_number() {
        let of = |value: Value| code(&Content::of_json(json!({ "code": value }))).map(Cow::into_owned);
        assert_eq!(of(json!("012345")).as_deref(), Some("012345"));
        assert_eq!(of(json!(12345)).as_deref(), Some("12345"));
        for none in [json!(null), json!(""), json!([1]), json!(true)] {
            assert_eq!(of(none), None);
        }
    }

    #[test]
    fn a_refresh_token_that_is_no_text_is_a_bad_one() {
        let of = |value: Value| {
            let body = Content::of_json(json!({ "refresh": value }));
            refresh_token(&body, "refresh").map(str::to_owned).map_err(|reply| reply.body)
        };
        assert_eq!(of(json!("a.b.c")), Ok("a.b.c".into()));
        assert_eq!(of(json!(7)), Ok(String::new()));
        for missing in [json!(null), json!("")] {
            assert_eq!(of(missing), Err(json!({ "error": "Refresh token is required" })));
        }
    }
}
