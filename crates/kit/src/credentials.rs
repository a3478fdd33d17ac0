//! Who asks: the contract's *Credentials*, from the header (and on sockets the query) to a [`Caller`].

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
};
use domain::{
    App, Caller, Error, Refusal,
    sessions::{self, Shown},
};
use serde_json::json;

use crate::{fault::core_fault, reply::Reply};

/// The caller of an endpoint, by the `Authorization` header.
///
/// Rejected with 401 and the contract's bodies.
#[derive(Clone, Copy, Debug)]
pub struct Auth(pub Caller);

/// The caller of a socket: by the `Authorization` header, or else by `?token=` or `?access_token=`, since browsers can
/// set no header on a WebSocket.
#[derive(Clone, Copy, Debug)]
pub struct SocketAuth(pub Caller);

/// What a header holds that names a scheme and one value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// Nothing, or a scheme that nobody here knows.
    Absent,
    /// `Bearer` and one value.
    Bearer(String),
    /// `Bearer` with none, or with more than one.
    BadBearer,
    /// `Token` and one value.
    Token(String),
    /// `Token` alone.
    BareToken,
    /// `Token` with blanks inside its value.
    BlankInToken,
}

impl Scheme {
    /// Takes a header apart. The scheme's word may be in any case.
    pub fn of(headers: &HeaderMap, name: &HeaderName) -> Self {
        let Some(value) = headers.get(name) else { return Self::Absent };
        let value = String::from_utf8_lossy(value.as_bytes());
        let mut words = value.split_ascii_whitespace();
        let Some(scheme) = words.next() else { return Self::Absent };
        let (first, second) = (words.next(), words.next());
        if scheme.eq_ignore_ascii_case("bearer") {
            match (first, second) {
                (Some(value), None) => Self::Bearer(value.to_owned()),
                _ => Self::BadBearer,
            }
        } else if scheme.eq_ignore_ascii_case("token") {
            match (first, second) {
                (Some(value), None) => Self::Token(value.to_owned()),
                (None, _) => Self::BareToken,
                (Some(_), Some(_)) => Self::BlankInToken,
            }
        } else {
            Self::Absent
        }
    }
}

async fn by_header(app: &App, headers: &HeaderMap) -> Result<Caller, Reply> {
    let shown = Scheme::of(headers, &header::AUTHORIZATION);
    let caller = match &shown {
        Scheme::Absent => return Err(refusal("Authentication credentials were not provided.")),
        Scheme::BadBearer => {
            return Err(unauthorised(json!({
                "detail": "Authorization header must contain two space-delimited values",
                "code": "bad_authorization_header",
            })));
        }
        Scheme::BareToken => return Err(refusal("Invalid token header. No credentials provided.")),
        Scheme::BlankInToken => {
            return Err(refusal("Invalid token header. Token string should not contain spaces."));
        }
        Scheme::Bearer(value) => sessions::authenticate(app, Shown::Any(value)).await,
        Scheme::Token(value) => sessions::authenticate(app, Shown::Opaque(value)).await,
    };
    caller.map_err(|error| match (error, shown) {
        (Error::Unauthenticated(_), Scheme::Token(_)) => refusal("Invalid token."),
        (Error::Unauthenticated(refusal), _) => bad_token(refusal),
        (other, _) => core_fault(other),
    })
}

async fn by_query(app: &App, query: &str) -> Result<Caller, Reply> {
    let Some(value) = in_query(query) else {
        return Err(refusal("Authentication credentials were not provided."));
    };
    sessions::authenticate(app, Shown::Any(&value)).await.map_err(|error| match error {
        Error::Unauthenticated(refusal) => bad_token(refusal),
        other => core_fault(other),
    })
}

fn in_query(query: &str) -> Option<String> {
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let named = |name: &str| pairs.iter().find(|(key, value)| key == name && !value.is_empty());
    named("token").or_else(|| named("access_token")).map(|(_, value)| value.to_string())
}

/// What a socket's handshake shows where an access token may stand: after `Bearer`, or else in the query.
pub fn shown_bearer(parts: &Parts) -> Option<String> {
    match Scheme::of(&parts.headers, &header::AUTHORIZATION) {
        Scheme::Bearer(value) => Some(value),
        Scheme::Absent => in_query(parts.uri.query()?),
        _ => None,
    }
}

/// 401 for a value after `Bearer` that lets nobody in.
pub fn bad_token(refusal: Refusal) -> Reply {
    let message = match refusal {
        Refusal::WrongType => "Token has wrong type",
        Refusal::Invalid | Refusal::Expired | Refusal::CodeRequired => "Token is invalid or expired",
    };
    unauthorised(json!({
        "detail": "Given token not valid for any token type",
        "code": "token_not_valid",
        "messages": [{ "token_class": "AccessToken", "token_type": "access", "message": message }],
    }))
}

fn refusal(detail: &str) -> Reply {
    unauthorised(json!({ "detail": detail }))
}

fn unauthorised(body: serde_json::Value) -> Reply {
    let scheme = HeaderValue::from_static("Bearer realm=\"api\"");
    Reply::new(StatusCode::UNAUTHORIZED, body).header(header::WWW_AUTHENTICATE, scheme)
}

impl<S> FromRequestParts<S> for Auth
where
    S: Send + Sync,
    App: FromRef<S>,
{
    type Rejection = Reply;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Reply> {
        by_header(&App::from_ref(state), &parts.headers).await.map(Self)
    }
}

impl<S> FromRequestParts<S> for SocketAuth
where
    S: Send + Sync,
    App: FromRef<S>,
{
    type Rejection = Reply;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Reply> {
        let app = App::from_ref(state);
        let caller = match (Scheme::of(&parts.headers, &header::AUTHORIZATION), parts.uri.query()) {
            (Scheme::Absent, Some(query)) => by_query(&app, query).await,
            _ => by_header(&app, &parts.headers).await,
        };
        caller.map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scheme(value: &str) -> Scheme {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        Scheme::of(&headers, &header::AUTHORIZATION)
    }

    #[test]
    fn schemes_are_told_apart_in_any_case() {
        assert_eq!(scheme("bEARER a.b.c"), Scheme::Bearer("a.b.c".into()));
        assert_eq!(scheme("tOKEN abc"), Scheme::Token("abc".into()));
        assert_eq!(scheme("Basic abc"), Scheme::Absent);
        assert_eq!(scheme(""), Scheme::Absent);
        assert_eq!(scheme("Bearer"), Scheme::BadBearer);
        assert_eq!(scheme("Bearer a b"), Scheme::BadBearer);
        assert_eq!(scheme("Token"), Scheme::BareToken);
        assert_eq!(scheme("Token a b"), Scheme::BlankInToken);
    }
}
