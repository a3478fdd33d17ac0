//! The relation between two accounts: one per unordered pair, a status a side.

use async_trait::async_trait;
use uuid::Uuid;

use crate::{AccountId, App, Caller, Error, Noun, Result, Time, accounts};

/// What one side thinks of the relation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Has not said.
    Pending,
    /// Wants it.
    Accepted,
    /// Does not.
    Rejected,
}

impl Status {
    /// The word for it in the database and on the wire of `friends`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        }
    }
}

/// What came of [`Relations::befriend`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Befriended {
    /// Both sides now stand as accepted (or did already).
    Yes,
    /// The other side has rejected the relation; nothing changed.
    Declined,
}

/// What the core asks of the store about relations.
#[async_trait]
pub trait Relations: Send + Sync {
    /// Makes the pair's relation (with `uuid`, from `me`), or lifts it, to accepted on both sides. The relation remembers
    /// which side has answered itself: `me` has now; `other` only if it had before. Declined when `other`'s status is
    /// rejected. `NotFound(Account)` when either is deleted.
    async fn befriend(&self, me: AccountId, other: AccountId, uuid: Uuid, now: Time) -> Result<Befriended>;

    /// Deletes the pair's relation, whatever its statuses; no error when there is none.
    async fn unfriend(&self, me: AccountId, other: AccountId) -> Result<()>;
}

/// Makes the caller and the account of that name friends, without asking the other side, and returns the other's name.
///
/// `NotFound(Account)`, `Conflict(Oneself)`, `Forbidden(RejectedRelation)` when the other side has rejected.
/// Twice is the same as once.
pub async fn befriend(app: &App, caller: &Caller, username: &str) -> Result<String> {
    let other = other_than(app, caller, username).await?;
    match app.store.befriend(caller.account, other, app.ids.uuid(), app.clock.now()).await? {
        Befriended::Yes => name_of(app, other).await,
        Befriended::Declined => Err(Error::Forbidden(Noun::RejectedRelation)),
    }
}

/// Deletes the relation between the caller and the account of that name, and returns the other's name.
/// Their conversation stays. `NotFound(Account)`; no error when there is no relation.
pub async fn unfriend(app: &App, caller: &Caller, username: &str) -> Result<String> {
    let other = accounts::account_named(app, username).await?;
    app.store.unfriend(caller.account, other).await?;
    name_of(app, other).await
}

async fn other_than(app: &App, caller: &Caller, username: &str) -> Result<AccountId> {
    let other = accounts::account_named(app, username).await?;
    if other == caller.account { Err(Error::Conflict(Noun::Oneself)) } else { Ok(other) }
}

async fn name_of(app: &App, account: AccountId) -> Result<String> {
    Ok(accounts::person(app, account).await?.username)
}
