//! The relation between two accounts: one per unordered pair, a status a side.

use async_trait::async_trait;
use uuid::Uuid;

use crate::{
    AccountId, App, Caller, ConversationId, Error, Noun, RelationId, Result, Time,
    accounts::{self, Person},
};

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

    /// The status of that word.
    pub fn named(word: &str) -> Option<Self> {
        [Self::Pending, Self::Accepted, Self::Rejected].into_iter().find(|status| status.as_str() == word)
    }
}

/// A relation between two accounts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Relation {
    /// Its id.
    pub id: RelationId,
    /// Who asked.
    pub from: AccountId,
    /// Who was asked.
    pub to: AccountId,
    /// What who asked thinks of it.
    pub status_from: Status,
    /// What who was asked thinks of it.
    pub status_to: Status,
    /// Whether who asked has given that status themselves.
    pub answered_from: bool,
    /// Whether who was asked has given that status themselves.
    pub answered_to: bool,
    /// When it was made.
    pub created_at: Time,
}

/// A relation with both people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Friendship {
    /// The relation.
    pub relation: Relation,
    /// Who asked.
    pub from: Person,
    /// Who was asked.
    pub to: Person,
}

impl Relation {
    /// Whether `viewer` may see the e-mail address of `whose`: one's own, and that of a side that has accepted itself.
    pub fn shows_email(&self, whose: AccountId, viewer: AccountId) -> bool {
        let (status, answered) = if whose == self.from {
            (self.status_from, self.answered_from)
        } else {
            (self.status_to, self.answered_to)
        };
        whose == viewer || (status == Status::Accepted && answered)
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
    /// rejected. What was made or changed is published. `NotFound(Account)` when either is deleted.
    async fn befriend(&self, me: AccountId, other: AccountId, uuid: Uuid, now: Time) -> Result<Befriended>;

    /// Deletes the pair's relation, whatever its statuses; no error when there is none.
    async fn unfriend(&self, me: AccountId, other: AccountId) -> Result<()>;

    /// Makes a relation, in which `to` has not said anything yet, and publishes it. `Conflict(Relation)` when the pair
    /// has one, `NotFound(Account)` when either is deleted.
    async fn add_relation(
        &self,
        id: RelationId,
        from: AccountId,
        to: AccountId,
        status: Status,
        now: Time,
    ) -> Result<Friendship>;

    /// Sets the status of one side, which that side has now given itself, and publishes it if anything changed.
    /// `NotFound(Relation)`, `Forbidden(Relation)` when it is not of `by`.
    async fn set_relation(
        &self,
        id: RelationId,
        by: AccountId,
        status: Status,
        now: Time,
    ) -> Result<Friendship>;

    /// All relations of an account with both people, oldest first, in a constant number of queries.
    async fn relations_of(&self, account: AccountId) -> Result<Vec<Friendship>>;

    /// The conversation of the pair of this relation, made with `uuid` if there is none yet.
    /// `NotFound(Relation)`, also when it is not of `account`.
    async fn conversation_of(
        &self,
        id: RelationId,
        account: AccountId,
        uuid: Uuid,
        now: Time,
    ) -> Result<ConversationId>;
}

/// Asks the account of that UUID for a relation, with the caller's own status.
/// `NotFound(Account)`, `Conflict(Oneself)`, `Conflict(Relation)` when the pair has one in either direction.
pub async fn ask(app: &App, caller: &Caller, to: Uuid, status: Status) -> Result<Friendship> {
    let to = app.store.account_of(to).await?.ok_or(Error::NotFound(Noun::Account))?;
    if to == caller.account {
        return Err(Error::Conflict(Noun::Oneself));
    }
    let id = RelationId(app.ids.uuid());
    app.store.add_relation(id, caller.account, to, status, app.clock.now()).await
}

/// Sets the caller's side of a relation. `NotFound(Relation)`, `Forbidden(Relation)` when it is between others.
pub async fn answer(app: &App, caller: &Caller, id: RelationId, status: Status) -> Result<Friendship> {
    app.store.set_relation(id, caller.account, status, app.clock.now()).await
}

/// The caller's relations, rejected ones too, oldest first.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<Friendship>> {
    app.store.relations_of(caller.account).await
}

/// Where the caller and the other side of this relation write. `NotFound(Relation)` when it is not the caller's.
pub async fn conversation(app: &App, caller: &Caller, id: RelationId) -> Result<ConversationId> {
    app.store.conversation_of(id, caller.account, app.ids.uuid(), app.clock.now()).await
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
