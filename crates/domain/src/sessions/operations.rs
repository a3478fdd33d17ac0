//! Signing in, out, and on.

use std::net::IpAddr;

use super::{
    CodeVerdict, NewSession,
    authenticate::live_session,
    tokens::{self, Token, TokenType, issue, read_good},
};
use crate::{
    AccountId, App, Caller, Error, Event, Grant, Noun, Refusal, Result, SessionId,
    accounts::{self, PasswordHolder, Registration, names, passwords::Verdict},
    codes, journal,
    secrets::token_hash,
};

/// The tokens of a session.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    /// The opaque token.
    pub opaque: String,
    /// The session.
    pub session: SessionId,
}

/// A password sign-in.
#[derive(Clone, Debug)]
pub struct SignIn<'a> {
    /// The name, as typed.
    pub username: &'a str,
    /// The password, as typed.
    pub password: &'a str,
    /// The e-mailed code.
    pub code: CodePolicy<'a>,
    /// The dialect, for the log and for the session.
    pub dialect: &'static str,
    /// Where it comes from, for the limits.
    pub address: IpAddr,
}

/// When a code is due.
#[derive(Clone, Copy, Debug)]
pub enum CodePolicy<'a> {
    /// Whoever signs in.
    Always(&'a str),
    /// Where the account has two-factor on.
    WhereOn(Option<&'a str>),
}

/// Signs in by password. Nobody learns from an `Unauthenticated(Invalid)` which part was wrong;
/// `Unauthenticated(CodeRequired)`: the password is right, a due code is missing or wrong. `Throttled` after too many failures.
pub async fn sign_in(app: &App, ask: &SignIn<'_>) -> Result<Tokens> {
    let signed = try_sign_in(app, ask).await;
    match &signed {
        Ok(_) => journal::done("sign-in", ask.dialect, Some(ask.username)),
        Err(error) => journal::refused("sign-in", ask.dialect, Some(ask.username), reason(error)),
    }
    signed
}

async fn try_sign_in(app: &App, ask: &SignIn<'_>) -> Result<Tokens> {
    let holder = check_password(app, ask.username, ask.password, ask.address).await?;
    let code = match ask.code {
        CodePolicy::WhereOn(_) if !holder.two_factor => None,
        CodePolicy::Always(code) | CodePolicy::WhereOn(Some(code)) => Some(code),
        CodePolicy::WhereOn(None) => return Err(Error::Unauthenticated(Refusal::CodeRequired)),
    };
    let mac = code.map(|code| app.secrets.code_mac(holder.id, &codes::padded(code)));
    if let Some(tokens) = open(app, holder.id, ask.dialect, mac).await? {
        Ok(tokens)
    } else {
        count_failure(app, ask.username, ask.address);
        Err(Error::Unauthenticated(Refusal::CodeRequired))
    }
}

/// Compares name and password, within the limits on failures; a hash of an old kind is replaced by the way.
pub(crate) async fn check_password(
    app: &App,
    username: &str,
    password: &str,
    address: IpAddr,
) -> Result<PasswordHolder> {
    let folded = names::folded(username);
    let gate = || {
        let now = app.clock.now();
        app.limits.sign_in_account.check(&folded, now)?;
        app.limits.sign_in_address.check(&address, now)
    };
    gate()?;
    let holder = match names::sought(username) {
        Some(folded) => app.store.password_holder(&folded).await?,
        None => None,
    };
    let hash = holder.as_ref().and_then(|holder| holder.password.clone());
    let verdict = app.hashing.verify(password.to_owned(), hash.clone(), gate).await?;
    match (holder, verdict, hash) {
        (Some(holder), Verdict::GoodButOld, Some(old)) => {
            let new = app.hashing.hash(&*app.ids, password.to_owned()).await?;
            app.store.rehash_password(holder.id, &old, new).await?;
            Ok(holder)
        }
        (Some(holder), Verdict::Good, _) => Ok(holder),
        _ => {
            count_failure(app, username, address);
            Err(Error::Unauthenticated(Refusal::Invalid))
        }
    }
}

fn count_failure(app: &App, username: &str, address: IpAddr) {
    let now = app.clock.now();
    app.limits.sign_in_account.count(names::folded(username), now);
    app.limits.sign_in_address.count(address, now);
}

/// Makes an account and opens its first session. Errors as for [`register`](accounts::register).
pub async fn sign_up(app: &App, ask: Registration, dialect: &'static str) -> Result<Tokens> {
    let account = accounts::register(app, ask, dialect).await?;
    open_for(app, account, dialect).await
}

/// Opens a session for an account that has proved itself otherwise, such as by an identity provider.
pub(crate) async fn open_for(app: &App, account: AccountId, dialect: &'static str) -> Result<Tokens> {
    open(app, account, dialect, None).await?.ok_or(Error::NotFound(Noun::Account))
}

/// Takes up the account's open session of that dialect, or opens one; its opaque token.
pub(crate) async fn take_up(app: &App, account: AccountId, dialect: &'static str) -> Result<String> {
    let now = app.clock.now();
    let id = SessionId(app.ids.uuid());
    let opaque_hash = token_hash(&app.secrets.opaque_token(id));
    let new = NewSession { id, account, opaque_hash, dialect, created_at: now };
    let taken = app.store.take_up_session(new, now.before(app.settings.session_idle)).await?;
    Ok(app.secrets.opaque_token(taken))
}

async fn open(
    app: &App,
    account: AccountId,
    dialect: &'static str,
    code: Option<[u8; 32]>,
) -> Result<Option<Tokens>> {
    let id = SessionId(app.ids.uuid());
    let tokens = tokens_of(app, account, id)?;
    let new = NewSession {
        id,
        account,
        opaque_hash: token_hash(&tokens.opaque),
        dialect,
        created_at: app.clock.now(),
    };
    let verdict = app.store.add_session(new, code).await?;
    Ok((verdict == CodeVerdict::Good).then_some(tokens))
}

/// New tokens of a session. (The opaque one is always the same.)
pub(super) fn tokens_of(app: &App, account: AccountId, session: SessionId) -> Result<Tokens> {
    Ok(Tokens {
        access: issue(app, TokenType::Access, account, session)?,
        refresh: issue(app, TokenType::Refresh, account, session)?,
        opaque: app.secrets.opaque_token(session),
        session,
    })
}

/// Ends the caller's session: its tokens stop working, its sockets close. `Forbidden(AccessKey)` for a key.
pub async fn sign_out(app: &App, caller: &Caller, dialect: &'static str) -> Result<()> {
    let name = name_of(app, caller.account).await?;
    let Grant::Session(session) = caller.grant else {
        journal::refused("sign-out", dialect, name.as_deref(), "an access key has no session");
        return Err(Error::Forbidden(Noun::AccessKey));
    };
    app.store.end_session(session, app.clock.now()).await?;
    app.sessions.forget(caller.grant);
    journal::done("sign-out", dialect, name.as_deref());
    Ok(())
}

/// Ends the session of a refresh token of the caller's, which may be another one than the caller's own.
/// `Unauthenticated(Invalid)` (or `Expired`) when it is no live refresh token; `Forbidden(Session)` when it is an access
/// token or another account's, and then nothing ends; `Forbidden(AccessKey)` for a caller by a key.
pub async fn sign_out_by(
    app: &App,
    caller: &Caller,
    refresh_token: &str,
    dialect: &'static str,
) -> Result<()> {
    let name = name_of(app, caller.account).await?;
    let ended = try_sign_out_by(app, caller, refresh_token).await;
    match &ended {
        Ok(()) => journal::done("sign-out", dialect, name.as_deref()),
        Err(error) => journal::refused("sign-out", dialect, name.as_deref(), reason(error)),
    }
    ended
}

async fn try_sign_out_by(app: &App, caller: &Caller, refresh_token: &str) -> Result<()> {
    if let Grant::Key(_) = caller.grant {
        return Err(Error::Forbidden(Noun::AccessKey));
    }
    let token = match read_good(app, refresh_token, TokenType::Refresh) {
        Ok(token) if token.account == caller.account => live_refresh(app, token).await?,
        Ok(_) | Err(Refusal::WrongType) => return Err(Error::Forbidden(Noun::Session)),
        Err(refusal) => return Err(Error::Unauthenticated(refusal)),
    };
    app.store.end_session(token.session, app.clock.now()).await?;
    app.sessions.forget(Grant::Session(token.session));
    Ok(())
}

/// A refresh token that is good now, of a live session. It is not spent by being asked about.
pub async fn good_refresh(app: &App, refresh_token: &str) -> Result<Token> {
    let token = read_good(app, refresh_token, TokenType::Refresh).map_err(Error::Unauthenticated)?;
    live_refresh(app, token).await
}

async fn live_refresh(app: &App, token: Token) -> Result<Token> {
    let session = live_session(app, token.session).await?.filter(|session| session.account == token.account);
    if session.is_none() || app.store.is_refresh_spent(token.jti).await? {
        return Err(Error::Unauthenticated(Refusal::Invalid));
    }
    Ok(token)
}

/// A caller by an authentic access token that may have expired, vouched for by a good refresh token of the same account;
/// and the new access token that they are to have. `Unauthenticated` otherwise.
pub fn renew(app: &App, access_token: &str, refresh: &Token) -> Result<(Caller, String)> {
    let invalid = Error::Unauthenticated(Refusal::Invalid);
    let access = tokens::read(app, access_token)
        .filter(|access| access.token_type == TokenType::Access && access.account == refresh.account);
    if access.is_none() {
        return Err(invalid);
    }
    let caller = Caller { account: refresh.account, grant: Grant::Session(refresh.session) };
    Ok((caller, issue(app, TokenType::Access, refresh.account, refresh.session)?))
}

/// What a refresh gives.
#[derive(Clone, Debug)]
pub struct Refreshed {
    /// A new access token.
    pub access: String,
    /// A new refresh token, with rotation on.
    pub refresh: Option<String>,
}

/// Gives a new access token for a refresh token of a live session; with rotation a new refresh token too, and the old
/// one dies then (both as the settings say). `Unauthenticated` says why not.
pub async fn refresh(app: &App, refresh_token: &str, dialect: &'static str) -> Result<Refreshed> {
    let token = read_good(app, refresh_token, TokenType::Refresh).map_err(Error::Unauthenticated);
    let refreshed = match &token {
        Ok(token) => try_refresh(app, token).await,
        Err(_) => Err(Error::Unauthenticated(Refusal::Invalid)),
    };
    let name = match &token {
        Ok(token) => name_of(app, token.account).await?,
        Err(_) => None,
    };
    match &refreshed {
        Ok(_) => journal::done("refresh", dialect, name.as_deref()),
        Err(error) => journal::refused("refresh", dialect, name.as_deref(), reason(error)),
    }
    token.and(refreshed)
}

async fn try_refresh(app: &App, token: &Token) -> Result<Refreshed> {
    let invalid = || Error::Unauthenticated(Refusal::Invalid);
    let session = live_session(app, token.session).await?;
    session.filter(|session| session.account == token.account).ok_or_else(invalid)?;
    let settings = &app.settings;
    let spent = if settings.rotate && settings.revoke_rotated {
        !app.store.spend_refresh(token.jti, token.expires_at, app.clock.now()).await?
    } else {
        app.store.is_refresh_spent(token.jti).await?
    };
    if spent {
        return Err(invalid());
    }
    let refresh = || issue(app, TokenType::Refresh, token.account, token.session);
    Ok(Refreshed {
        access: issue(app, TokenType::Access, token.account, token.session)?,
        refresh: settings.rotate.then(refresh).transpose()?,
    })
}

/// Drops what an event makes stale. To be called for every event of the bus, before anyone else hears of it.
pub fn heed(app: &App, event: &Event) {
    if let Event::GrantEnded { grant, .. } = event {
        app.sessions.forget(*grant);
    }
}

/// Ends sessions that were not used for the time that the settings give them. To be called now and then.
pub async fn end_idle(app: &App, in_use: Vec<SessionId>) -> Result<()> {
    let now = app.clock.now();
    // An open socket is use, too.
    if !in_use.is_empty() {
        app.store.touch_sessions(in_use, now).await?;
    }
    app.store.end_idle_sessions(now.before(app.settings.session_idle), now).await
}

async fn name_of(app: &App, account: AccountId) -> Result<Option<String>> {
    let people = app.store.people(vec![account]).await?;
    Ok(people.into_iter().next().map(|person| person.username))
}

fn reason(error: &Error) -> &'static str {
    match error {
        Error::Unauthenticated(Refusal::CodeRequired) => "code missing or wrong",
        Error::Unauthenticated(Refusal::Expired) => "token expired",
        Error::Unauthenticated(Refusal::WrongType) => "wrong type of token",
        Error::Unauthenticated(Refusal::Invalid) => "invalid credentials",
        Error::Throttled(_) => "too many failures",
        _ => "failed",
    }
}
