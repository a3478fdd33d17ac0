//! Sessions of web pages: a secret for a cookie, which authorises pages and nothing else, and tokens for the page's script.

use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{Tokens, authenticate::live_session, operations::tokens_of};
use crate::{App, Caller, Error, Grant, Noun, Refusal, Result, SessionId};

/// What a session's cookie holds: the session's id, and a proof of it under the server's key, in hex with a dot between
/// them. It is none of the session's tokens, and lets nobody in where those are due.
pub fn page_secret(app: &App, session: SessionId) -> String {
    format!("{}.{}", session.0.simple(), app.secrets.page_proof(session))
}

/// Whose page it is, by [`page_secret`]; the session's use is noted. `Unauthenticated` when the secret is damaged, or its
/// session has ended.
pub async fn by_page_secret(app: &App, secret: &str) -> Result<Caller> {
    let invalid = || Error::Unauthenticated(Refusal::Invalid);
    let id = read(app, secret).ok_or_else(invalid)?;
    let session = live_session(app, id).await?.ok_or_else(invalid)?;
    Ok(Caller { account: session.account, grant: Grant::Session(session.id) })
}

/// New tokens of the caller's session, for the script of its page. `Forbidden(AccessKey)` for a key.
pub fn page_tokens(app: &App, caller: &Caller) -> Result<Tokens> {
    match caller.grant {
        Grant::Session(session) => tokens_of(app, caller.account, session),
        Grant::Key(_) => Err(Error::Forbidden(Noun::AccessKey)),
    }
}

/// A proof that a form was given out by this server for this `purpose` (the session's cookie, or what else it is bound
/// to); `nonce` makes each one different. 40 hex digits.
pub fn form_proof(app: &App, nonce: &str, purpose: &str) -> String {
    app.secrets.form_proof(nonce, purpose)
}

/// Whether what a form has sent is its [`form_proof`].
pub fn is_form_proof(app: &App, nonce: &str, purpose: &str, sent: &str) -> bool {
    app.secrets.form_proof(nonce, purpose).as_bytes().ct_eq(sent.as_bytes()).into()
}

/// A nonce for forms: 32 hex digits.
pub fn form_nonce(app: &App) -> String {
    let mut nonce = [0; 16];
    app.ids.fill(&mut nonce);
    hex::encode(nonce)
}

fn read(app: &App, secret: &str) -> Option<SessionId> {
    let (id, proof) = secret.split_once('.')?;
    let id = SessionId(Uuid::try_parse(id).ok()?);
    let is_good: bool = app.secrets.page_proof(id).as_bytes().ct_eq(proof.as_bytes()).into();
    is_good.then_some(id)
}
