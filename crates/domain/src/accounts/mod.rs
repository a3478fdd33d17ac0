//! Accounts: people's names, roles and passwords.

pub mod names;
mod operations;
pub mod passwords;

use std::borrow::Cow;

use async_trait::async_trait;
use uuid::Uuid;

pub use operations::*;

use crate::{AccountId, Result, SessionId, Time};

/// What an account may do beyond the common.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Role {
    /// The default.
    #[default]
    Student,
    /// Joins rooms.
    Teacher,
    /// Sees all rooms.
    Staff,
}

impl Role {
    /// The word for it in the database and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Student => "student",
            Self::Teacher => "teacher",
            Self::Staff => "staff",
        }
    }

    /// The role of that name.
    pub fn named(word: &str) -> Option<Self> {
        [Self::Student, Self::Teacher, Self::Staff].into_iter().find(|role| role.as_str() == word)
    }
}

/// The name under which the words of a deleted account stand.
pub const DELETED: &str = "deleted";

/// A person, as others may know them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    /// The account.
    pub id: AccountId,
    /// The account's other id.
    pub uuid: Uuid,
    /// The name, as it was given; [`DELETED`] for a deleted account.
    pub username: String,
    /// The e-mail address, or `""`.
    pub email: String,
    /// The first name, or `""`.
    pub first_name: String,
    /// The last name, or `""`.
    pub last_name: String,
    /// What the account may do.
    pub role: Role,
    /// Whether a password sign-in needs the e-mailed code.
    pub two_factor: bool,
    /// The picture.
    pub avatar: Avatar,
}

/// An account's picture among its photos, and messenger's own string beside it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Avatar {
    /// The file's key, when a photo is the avatar.
    pub photo: Option<String>,
    /// What messenger shows instead: a path; `""` when the avatar was cleared there.
    pub text: Option<String>,
}

/// What `messenger` shows of everyone.
#[derive(Clone, Debug)]
pub struct Card {
    /// The account.
    pub id: AccountId,
    /// The name.
    pub username: String,
    /// The picture.
    pub avatar: Avatar,
    /// Whether the account has at least one live session.
    pub connected: bool,
    /// The names of those whose relation with this account both sides accepted, sorted by their folded form.
    pub friends: Vec<String>,
}

/// Which cards a list holds. All are sorted by folded username.
#[derive(Clone, Debug)]
pub enum Cards {
    /// All accounts that are not deleted.
    All {
        /// Only names whose folded form holds this folded text.
        search: Option<String>,
        /// Only names after this folded one.
        after: Option<String>,
        /// At most so many.
        limit: usize,
    },
    /// The friends of one account.
    FriendsOf(AccountId),
    /// These accounts, deleted ones too.
    Of(Vec<AccountId>),
}

/// An account to be made. Names have passed [`names::check`], the password is hashed.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The account's other id.
    pub uuid: Uuid,
    /// The name as given, after NFKC.
    pub username: String,
    /// Its folded form, the unique one.
    pub username_folded: String,
    /// The e-mail address, or `""`.
    pub email: String,
    /// The first name, or `""`.
    pub first_name: String,
    /// The last name, or `""`.
    pub last_name: String,
    /// The password's hash; `None`: nobody signs in by password.
    pub password: Option<String>,
    /// Whether a password sign-in needs the e-mailed code.
    pub two_factor: bool,
    /// What the account may do.
    pub role: Role,
    /// The key of the picture, already kept.
    pub photo: Option<String>,
    /// When it was made.
    pub created_at: Time,
}

/// What a password sign-in has to know of an account.
#[derive(Clone, Debug)]
pub struct PasswordHolder {
    /// The account.
    pub id: AccountId,
    /// The name as given.
    pub username: String,
    /// The e-mail address, or `""`.
    pub email: String,
    /// The password's hash.
    pub password: Option<String>,
    /// Whether a password sign-in needs the e-mailed code.
    pub two_factor: bool,
}

/// Changes to an account: `None` leaves as it is.
#[derive(Clone, Debug, Default)]
pub struct AccountChange {
    /// A new name as given, and its folded form.
    pub username: Option<(String, String)>,
    /// A new e-mail address.
    pub email: Option<String>,
    /// A new first name.
    pub first_name: Option<String>,
    /// A new last name.
    pub last_name: Option<String>,
    /// A new role.
    pub role: Option<Role>,
    /// Switches the e-mailed code.
    pub two_factor: Option<bool>,
    /// A new picture.
    pub avatar: Option<AvatarChange>,
    /// A new password's hash. It ends the account's sessions, but for `keep_session`.
    pub password: Option<String>,
    /// The session that a new password leaves alive.
    pub keep_session: Option<SessionId>,
}

/// A change of the picture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AvatarChange {
    /// The photo under this key (already kept) becomes the avatar; messenger's string goes.
    Photo(String),
    /// Messenger shows this path; the photo stays what others show.
    Text(String),
    /// There is none any more, here or elsewhere.
    Cleared,
}

/// Someone known by an identity provider.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The provider's short name: `42`, `vk`, `discord`.
    pub provider: Cow<'static, str>,
    /// The provider's own id of the person.
    pub external_id: String,
}

/// What the core asks of the store about accounts.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Makes an account (and a photo that is its avatar, where a key is given).
    /// `Conflict(Username)` when another one has that folded name.
    async fn add_account(&self, new: NewAccount) -> Result<AccountId>;

    /// The account of `identity`; made from `new` when there is none yet, under its name or, when that is taken,
    /// under the name with the first free number from 2 behind it (shortened so that it stays within 150 characters).
    /// `true` when it was made now.
    async fn add_identity(&self, identity: Identity, new: NewAccount) -> Result<(AccountId, bool)>;

    /// The account of `identity`, if there is one.
    async fn identity(&self, identity: Identity) -> Result<Option<AccountId>>;

    /// What a password sign-in needs of the account of that folded name.
    async fn password_holder(&self, username_folded: &str) -> Result<Option<PasswordHolder>>;

    /// The same by account; `None` when it is deleted.
    async fn password_holder_of(&self, account: AccountId) -> Result<Option<PasswordHolder>>;

    /// Replaces the hash, if it still is `old`: the same password under better parameters. Ends no session.
    async fn rehash_password(&self, account: AccountId, old: &str, new: String) -> Result<()>;

    /// The account that is not deleted and has that folded name.
    async fn account_named(&self, username_folded: &str) -> Result<Option<AccountId>>;

    /// The account that is not deleted and has that UUID.
    async fn account_of(&self, uuid: Uuid) -> Result<Option<AccountId>>;

    /// Those who are not deleted and whose folded name holds `search`, by folded name: how many there are, and of those
    /// `limit` after the first `skip`.
    async fn people_named(&self, search: &str, skip: usize, limit: usize) -> Result<(usize, Vec<Person>)>;

    /// These people, deleted ones too, in any order.
    async fn people(&self, ids: Vec<AccountId>) -> Result<Vec<Person>>;

    /// Those who are not deleted, by folded name: at most `limit`, from the one after the folded name `after`.
    async fn people_after(&self, after: &str, limit: usize) -> Result<Vec<Person>>;

    /// Cards, in a constant number of queries. `live_since`: a session used since then is live.
    async fn cards(&self, which: Cards, live_since: Time) -> Result<Vec<Card>>;

    /// Changes an account, all or nothing; ends sessions where the password changes, and makes a pending code void then.
    /// `Conflict(Username)`, `NotFound(Account)` (deleted too). Returns the keys of files that nothing uses any more.
    async fn set_account(&self, account: AccountId, change: AccountChange, now: Time) -> Result<Vec<String>>;

    /// Deletes an account: the row stays under the name [`DELETED`] with nothing personal in it, its sessions and
    /// access keys end, its relations, photos and identities go, its name is free. `NotFound(Account)` when there is
    /// none. Returns the keys of files that nothing uses any more.
    async fn remove_account(&self, account: AccountId, now: Time) -> Result<Vec<String>>;
}
