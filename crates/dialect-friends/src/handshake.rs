//! Who may open a socket: an access token, or an expired one beside a refresh token.

use std::time::{Duration, Instant};

use axum::{
    extract::FromRequestParts,
    http::{HeaderName, request::Parts},
};
use domain::{
    App, Caller, Refusal,
    sessions::{
        self,
        tokens::{Token, TokenType, read_good},
    },
};
use kit::{
    credentials::{SocketAuth, bad_token, shown_bearer},
    reply::Reply,
};

use crate::Friends;

/// Where the refresh token stands.
const REFRESH: HeaderName = HeaderName::from_static("refresh");

/// What lets a caller open a socket.
pub(crate) struct Entry {
    /// Who it is.
    pub(crate) caller: Caller,
    /// When the refresh token expires, and the socket with it.
    pub(crate) expires_at: Option<Instant>,
    /// A new access token, where the one that was shown has expired.
    pub(crate) renewed: Option<String>,
}

impl FromRequestParts<Friends> for Entry {
    type Rejection = Reply;

    async fn from_request_parts(parts: &mut Parts, friends: &Friends) -> Result<Self, Reply> {
        let app = &friends.context.app;
        // A refresh token that is no good lets nobody in, whatever stands beside it.
        let refresh = refresh_token(app, parts).await?;
        let shown = SocketAuth::from_request_parts(parts, friends).await;
        let (caller, renewed) = match (shown, &refresh) {
            (Ok(SocketAuth(caller)), None) => (caller, None),
            (Ok(SocketAuth(caller)), Some(refresh)) if refresh.account == caller.account => (caller, None),
            (Ok(_), Some(_)) => return Err(bad_token(Refusal::Invalid)),
            (Err(refused), refresh) => {
                let (Some(access), Some(refresh)) = (expired(app, parts), refresh) else {
                    return Err(refused);
                };
                let (caller, access) = sessions::renew(app, &access, refresh)?;
                (caller, Some(access))
            }
        };
        let expires_at = refresh.and_then(|refresh| instant_of(app, &refresh));
        Ok(Self { caller, expires_at, renewed })
    }
}

/// The refresh token, if one was sent and is good.
async fn refresh_token(app: &App, parts: &Parts) -> Result<Option<Token>, Reply> {
    let Some(value) = parts.headers.get(REFRESH).filter(|value| !value.is_empty()) else { return Ok(None) };
    let value = value.to_str().map_err(|_| bad_token(Refusal::Invalid))?;
    Ok(Some(sessions::good_refresh(app, value.trim()).await?))
}

/// The access token that was shown, if it is authentic and nothing but too old.
fn expired(app: &App, parts: &Parts) -> Option<String> {
    let is_expired = |token: &String| read_good(app, token, TokenType::Access) == Err(Refusal::Expired);
    shown_bearer(parts).filter(is_expired)
}

fn instant_of(app: &App, token: &Token) -> Option<Instant> {
    let left = u64::try_from(token.expires_at.0 - app.clock.now().0).unwrap_or(0);
    Instant::now().checked_add(Duration::from_micros(left))
}
