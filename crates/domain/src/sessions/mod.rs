//! Sessions: what a sign-in makes, and the tokens that belong to it.

mod authenticate;
mod cache;
mod known_tokens;
mod operations;
mod pages;
pub mod tokens;

use async_trait::async_trait;

pub use authenticate::*;
pub(crate) use cache::SessionCache;
pub(crate) use known_tokens::KnownTokens;
pub use operations::*;
pub use pages::*;

use crate::{AccountId, Grant, KeyId, Result, SessionId, Time};

/// A session to be made.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub account: AccountId,
    /// SHA-256 of its opaque token.
    pub opaque_hash: [u8; 32],
    /// The dialect of the sign-in.
    pub dialect: &'static str,
    /// When it was made, and last used.
    pub created_at: Time,
}

/// A session that has not ended, of an account that is not deleted.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub account: AccountId,
    /// When it was last used, give or take the interval of [`touch`](crate::sessions).
    pub used_at: Time,
}

/// How a session is to be found.
#[derive(Clone, Copy, Debug)]
pub enum SessionBy {
    /// By its id.
    Id(SessionId),
    /// By SHA-256 of its opaque token.
    OpaqueHash([u8; 32]),
}

/// What came of a sign-in that takes a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodeVerdict {
    /// The code was right (or none was asked for): it is used up, and the session stands.
    Good,
    /// The code is wrong, expired or void; the wrong try is counted, and there is no session.
    Wrong,
}

/// What the core asks of the store about sessions.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Makes a session. With `code` (the code's MAC) only if that is the account's present code: not expired at
    /// `created_at`, fewer than [`MAX_WRONG`](crate::codes::MAX_WRONG) wrong tries. A right one is used up, a wrong one
    /// is counted, in the same transaction. `NotFound(Account)` when the account is deleted.
    async fn add_session(&self, new: NewSession, code: Option<[u8; 32]>) -> Result<CodeVerdict>;

    /// The session, unless it has ended or its account is deleted.
    async fn session(&self, by: SessionBy) -> Result<Option<Session>>;

    /// Takes up the account's newest session of that dialect used since `live_since`, or makes `new` where there is none.
    /// Which one it is; two at once get the same. `NotFound(Account)` when the account is deleted.
    async fn take_up_session(&self, new: NewSession, live_since: Time) -> Result<SessionId>;

    /// The account's newest session of that dialect used since `live_since`, if there is one.
    async fn session_of(
        &self,
        account: AccountId,
        dialect: &'static str,
        live_since: Time,
    ) -> Result<Option<Session>>;

    /// Notes that these sessions were used.
    async fn touch_sessions(&self, ids: Vec<SessionId>, now: Time) -> Result<()>;

    /// Ends a session and publishes it; `false` when it had ended already.
    async fn end_session(&self, id: SessionId, now: Time) -> Result<bool>;

    /// Ends and publishes the sessions that were not used since `live_since`.
    async fn end_idle_sessions(&self, live_since: Time, now: Time) -> Result<()>;

    /// The sessions and access keys that ended at `since` or later.
    async fn ended_since(&self, since: Time) -> Result<Vec<(Grant, AccountId)>>;

    /// Marks a refresh token as spent: `false` when it was already. `forget_before`: marks of tokens that expired
    /// before then may go.
    async fn spend_refresh(&self, jti: [u8; 16], expires_at: Time, forget_before: Time) -> Result<bool>;

    /// Whether a refresh token was spent.
    async fn is_refresh_spent(&self, jti: [u8; 16]) -> Result<bool>;
}

/// An access key that is not revoked, of an account that is not deleted.
#[derive(Clone, Copy, Debug)]
pub struct LiveKey {
    /// Its id.
    pub id: KeyId,
    /// Whose it is.
    pub account: AccountId,
}
