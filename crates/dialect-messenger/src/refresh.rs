//! `POST /api/token/refresh/`, which two documents claim: 003 sends the token in the body, 001 in a header.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, header},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{App, sessions};
use kit::{
    body::{Body, Content},
    credentials::Scheme,
    fields::Fields,
    json::Json,
    reply::Reply,
};
use serde_json::{Value, json};

use crate::{DIALECT, fault, schema};

/// Where the token was, and so which shape the answer has.
#[derive(PartialEq, Eq, Debug)]
enum Sent {
    /// Document 003.
    InBody(String),
    /// Document 001.
    InHeader(String),
}

/// Gives a new access token.
#[utoipa::path(
    post, path = "/api/token/refresh/", tag = DIALECT, security(()),
    request_body = schema::RefreshRequest,
    params(("Bearer" = Option<String>, Header, description = "`Token <refresh token>`, as document 001 has it")),
    responses(
        (status = 200, description = "`access` (and `refresh` with rotation) for a token in the body; \
            `access_token` and `refresh_token` for one in a header.", body = std::collections::HashMap<String, String>),
        (status = 400, description = "No token.", body = schema::FieldMap),
        (status = 401, description = "No good token.", body = schema::Detail),
    ),
)]
pub(crate) async fn refresh(
    State(app): State<App>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Json<Value>, Reply> {
    let sent = find(&body, &headers)?;
    let (Sent::InBody(token) | Sent::InHeader(token)) = &sent;
    let new = sessions::refresh(&app, token, DIALECT).await.map_err(fault::refreshing)?;
    Ok(Json(match (sent, new.refresh) {
        (Sent::InBody(_), None) => json!({ "access": new.access }),
        (Sent::InBody(_), Some(rotated)) => json!({ "access": new.access, "refresh": rotated }),
        (Sent::InHeader(token), rotated) => {
            json!({ "access_token": new.access, "refresh_token": rotated.unwrap_or(token) })
        }
    }))
}

/// The body wins over headers, the `Bearer` header over `Authorization`.
fn find(body: &Content, headers: &HeaderMap) -> Result<Sent, Reply> {
    let mut fields = Fields::of(body);
    fields.done()?;
    let in_header = || in_bearer_header(headers).or_else(|| in_authorization(headers));
    if !fields.has("refresh")
        && let Some(token) = in_header()
    {
        return Ok(Sent::InHeader(token));
    }
    let token = fields.text("refresh").read();
    fields.done()?;
    Ok(Sent::InBody(token))
}

/// The header `Bearer`: the token, with or without the word `Token` or `Bearer` before it.
fn in_bearer_header(headers: &HeaderMap) -> Option<String> {
    const BEARER: HeaderName = HeaderName::from_static("bearer");
    let value = String::from_utf8_lossy(headers.get(BEARER)?.as_bytes()).into_owned();
    let words: Vec<_> = value.split_ascii_whitespace().collect();
    let token = match words.as_slice() {
        [] => return None,
        [word, rest @ ..] if ["token", "bearer"].iter().any(|known| word.eq_ignore_ascii_case(known)) => {
            rest.join(" ")
        }
        all => all.join(" "),
    };
    (!token.is_empty()).then_some(token)
}

/// The header `Authorization`, when what it holds calls itself a refresh token.
fn in_authorization(headers: &HeaderMap) -> Option<String> {
    let (Scheme::Bearer(token) | Scheme::Token(token)) = Scheme::of(headers, &header::AUTHORIZATION) else {
        return None;
    };
    let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    (claims["token_type"] == "refresh").then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn jwt(kind: &str) -> String {
        let claims = json!({ "token_type": kind }).to_string();
        format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn the_word_before_the_token_is_optional() {
        for value in ["Token a.b.c", "bearer a.b.c", "a.b.c", " Token  a.b.c "] {
            let found = find(&Content::empty(), &headers(&[("bearer", value)])).unwrap();
            assert_eq!(found, Sent::InHeader("a.b.c".into()), "{value}");
        }
    }

    #[test]
    fn only_what_calls_itself_a_refresh_token_counts_in_authorization() {
        let authorization = |value: String| find(&Content::empty(), &headers(&[("authorization", &value)]));
        let refresh = jwt("refresh");
        assert_eq!(authorization(format!("Token {refresh}")).unwrap(), Sent::InHeader(refresh.clone()));
        assert_eq!(authorization(format!("Bearer {refresh}")).unwrap(), Sent::InHeader(refresh));
        for other in [format!("Bearer {}", jwt("access")), "Token 0123".into(), "Basic x".into()] {
            let reply = authorization(other).unwrap_err();
            assert_eq!(reply.body, json!({ "refresh": ["This field is required."] }));
        }
    }

    #[test]
    fn the_body_wins() {
        let body = Content::of_json(json!({ "refresh": "x.y.z" }));
        assert_eq!(find(&body, &headers(&[("bearer", "a.b.c")])).unwrap(), Sent::InBody("x.y.z".into()));
        let empty = Content::of_json(json!({ "refresh": "" }));
        assert!(find(&empty, &headers(&[("bearer", "a.b.c")])).is_err());
    }
}
