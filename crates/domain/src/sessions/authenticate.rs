//! Who asks: from a token or key to a [`Caller`].

use std::time::Duration;

use super::{
    Session, SessionBy,
    tokens::{Token, TokenType, read_good},
};
use crate::{App, Caller, Error, Grant, Refusal, Result, SessionId, keys, secrets::token_hash};

/// What a client shows, by the scheme it shows it under.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown<'a> {
    /// After `Bearer`, or where any kind is taken: an access token, an opaque token or an access key.
    Any(&'a str),
    /// After `Token`: an opaque token.
    Opaque(&'a str),
}

/// Finds out who shows this. `Unauthenticated` says why it lets nobody in.
pub async fn authenticate(app: &App, shown: Shown<'_>) -> Result<Caller> {
    let caller = match shown {
        Shown::Any(token) if token.contains('.') => by_access_token(app, token).await?,
        Shown::Any(token) if token.len() == keys::LENGTH => by_key(app, token).await?,
        Shown::Any(token) | Shown::Opaque(token) => by_opaque(app, token).await?,
    };
    caller.ok_or(Error::Unauthenticated(Refusal::Invalid))
}

/// Whether what let this caller in still does: to be asked once its end would be heard of.
pub async fn is_live(app: &App, caller: &Caller) -> Result<bool> {
    match caller.grant {
        Grant::Session(id) => Ok(app.store.session(SessionBy::Id(id)).await?.is_some()),
        // A key's end is heard of by its event; between look-up and subscription lie microseconds of one handshake.
        Grant::Key(_) => Ok(true),
    }
}

async fn by_access_token(app: &App, token: &str) -> Result<Option<Caller>> {
    let token = access_token(app, token).map_err(Error::Unauthenticated)?;
    let session = live_session(app, token.session).await?;
    Ok(session.filter(|session| session.account == token.account).map(caller))
}

/// The access token of that text, if it is good now.
fn access_token(app: &App, text: &str) -> Result<Token, Refusal> {
    if let Some(token) = app.tokens.get(text, app.clock.now()) {
        return Ok(token);
    }
    let token = read_good(app, text, TokenType::Access)?;
    app.tokens.keep(text, token);
    Ok(token)
}

async fn by_opaque(app: &App, token: &str) -> Result<Option<Caller>> {
    let hash = token_hash(token);
    let now = app.clock.now();
    if let Some(session) = app.sessions.by_opaque(&hash, now) {
        touch(app, session.id);
        return Ok(Some(caller(session)));
    }
    look_up(app, SessionBy::OpaqueHash(hash)).await.map(|found| found.map(caller))
}

async fn by_key(app: &App, token: &str) -> Result<Option<Caller>> {
    let key = app.store.key(token_hash(token)).await?;
    Ok(key.map(|key| Caller { account: key.account, grant: Grant::Key(key.id) }))
}

/// The session, if it lives; its use is noted.
pub(super) async fn live_session(app: &App, id: SessionId) -> Result<Option<Session>> {
    if let Some(session) = app.sessions.by_id(id, app.clock.now()) {
        touch(app, id);
        return Ok(Some(session));
    }
    look_up(app, SessionBy::Id(id)).await
}

async fn look_up(app: &App, by: SessionBy) -> Result<Option<Session>> {
    let began = app.sessions.begin();
    let now = app.clock.now();
    let found = app.store.session(by).await?;
    let live = found.filter(|session| session.used_at > now.before(app.settings.session_idle));
    if let Some(session) = live {
        let opaque = match by {
            SessionBy::OpaqueHash(hash) => Some(hash),
            SessionBy::Id(_) => None,
        };
        app.sessions.keep(began, session, opaque, now);
        touch(app, session.id);
    }
    Ok(live)
}

/// How exactly a session's last use is known: a tenth of the idle time, ten minutes at most.
fn touch_interval(app: &App) -> Duration {
    (app.settings.session_idle / 10).min(Duration::from_mins(10))
}

fn touch(app: &App, id: SessionId) {
    let now = app.clock.now();
    if app.sessions.is_touch_due(id, touch_interval(app), now) {
        let app = app.clone();
        // Nobody waits for it: a use that is lost in a crash costs minutes of thirty days.
        tokio::spawn(async move {
            if let Err(fault) = app.store.touch_sessions(vec![id], now).await {
                tracing::warn!(?fault, "a session's use could not be noted");
            }
        });
    }
}

fn caller(session: Session) -> Caller {
    Caller { account: session.account, grant: Grant::Session(session.id) }
}
