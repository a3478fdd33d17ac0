//! Profiles: what people tell of themselves, beyond the account.

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::civil::Date;

use crate::{AccountId, App, Caller, Error, Noun, Result, accounts::Person, photos::Photo};

/// Most characters of what people write about themselves.
pub const MAX_ABOUT: usize = 256;

/// Most characters of a client's key for notifications.
pub const MAX_CLIENT_KEY: usize = 512;

/// As people say it of themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gender {
    /// 0 on the wire of `meetups`, and in the database.
    Female,
    /// 1.
    Male,
}

impl Gender {
    /// Its number.
    pub fn number(self) -> i64 {
        match self {
            Self::Female => 0,
            Self::Male => 1,
        }
    }

    /// The one of that number.
    pub fn numbered(number: i64) -> Option<Self> {
        [Self::Female, Self::Male].into_iter().find(|gender| gender.number() == number)
    }
}

/// A person with their profile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Profile {
    /// The person.
    pub person: Person,
    /// Whether the account is deleted.
    pub deleted: bool,
    /// A free name, not unique: the account's until another one is chosen.
    pub nickname: String,
    /// What they write about themselves, or `""`.
    pub about: String,
    /// Their birthday.
    pub birth_date: Option<Date>,
    /// Their gender.
    pub gender: Option<Gender>,
    /// Their client's key for notifications, or `""`. For nobody else to see.
    pub client_key: String,
}

/// What a profile shows of a person, with the photos: less than a [`Profile`] holds, since there are portraits by the
/// thousand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Portrait {
    /// Whose it is.
    pub account: AccountId,
    /// Whether the account is deleted.
    pub deleted: bool,
    /// As [`Profile::nickname`].
    pub nickname: String,
    /// The account's first name, or `""`.
    pub first_name: String,
    /// As [`Profile::about`].
    pub about: String,
    /// Their birthday.
    pub birth_date: Option<Date>,
    /// Their gender.
    pub gender: Option<Gender>,
    /// As [`Profile::client_key`]: for nobody else to see.
    pub client_key: String,
    /// The photos: the avatar first, the others by id.
    pub photos: Vec<Photo>,
}

impl Portrait {
    /// The photo that is the avatar.
    pub fn avatar(&self) -> Option<&Photo> {
        self.photos.first().filter(|photo| photo.is_avatar)
    }
}

/// Changes to a profile: `None` leaves as it is, an inner `None` takes away. Lengths are checked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProfileChange {
    /// A new free name.
    pub nickname: Option<String>,
    /// A new first name of the account.
    pub first_name: Option<String>,
    /// A new text.
    pub about: Option<String>,
    /// A new birthday.
    pub birth_date: Option<Option<Date>>,
    /// A new gender.
    pub gender: Option<Option<Gender>>,
    /// A new key.
    pub client_key: Option<String>,
}

/// What the core asks of the store about profiles.
#[async_trait]
pub trait Profiles: Send + Sync {
    /// These people, deleted ones too, in any order, by one query.
    async fn profiles(&self, ids: Vec<AccountId>) -> Result<Vec<Profile>>;

    /// The same with photos, by id. By one query.
    async fn portraits(&self, ids: Vec<AccountId>) -> Result<Vec<Portrait>>;

    /// Changes a profile, all or nothing. `NotFound(Account)` (deleted too).
    async fn set_profile(&self, account: AccountId, change: ProfileChange) -> Result<()>;
}

/// Somebody with photos. `NotFound(Account)`, also when it is deleted.
pub async fn portrait(app: &App, account: AccountId) -> Result<Portrait> {
    let portrait = app.store.portraits(vec![account]).await?.pop();
    portrait.filter(|portrait| !portrait.deleted).ok_or(Error::NotFound(Noun::Account))
}

/// Changes the caller's profile, and returns it. `Forbidden(Account)` when `account` is not the caller.
pub async fn update(
    app: &App,
    caller: &Caller,
    account: AccountId,
    change: ProfileChange,
) -> Result<Portrait> {
    if account != caller.account {
        return Err(Error::Forbidden(Noun::Account));
    }
    app.store.set_profile(account, change).await?;
    portrait(app, account).await
}

/// These people, deleted ones too. By one query.
pub(crate) async fn profiles(app: &App, mut ids: Vec<AccountId>) -> Result<HashMap<AccountId, Profile>> {
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let profiles = app.store.profiles(ids).await?;
    Ok(profiles.into_iter().map(|profile| (profile.person.id, profile)).collect())
}
