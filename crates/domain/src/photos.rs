//! Photos of people: an account has one set of them, and one avatar among them.

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    AccountId, App, Caller, Error, Field, PhotoId, Problem, Result, Rule, Time,
    media::{discard, keep_photo},
};

/// The formats that photos are taken in, by the extension of each.
const TAKEN: [&str; 3] = ["png", "jpg", "webp"];

/// A photo of a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Photo {
    /// Its id.
    pub id: PhotoId,
    /// Whose it is.
    pub account: AccountId,
    /// The key of its file.
    pub key: String,
    /// The key of its small square version, if there is one.
    pub thumbnail: Option<String>,
    /// Whether it is the avatar.
    pub is_avatar: bool,
}

/// A photo to be added. Its files are already kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewPhoto {
    /// Whose it is.
    pub account: AccountId,
    /// The key of its file.
    pub key: String,
    /// The key of its small square version.
    pub thumbnail: String,
    /// When.
    pub created_at: Time,
}

/// What the core asks of the store about photos.
#[async_trait]
pub trait Photos: Send + Sync {
    /// Adds a photo to the album; it becomes the avatar where there is none. `NotFound(Account)`.
    async fn add_photo(&self, new: NewPhoto) -> Result<Photo>;

    /// Makes a photo the avatar; the one before stays in the album. `Forbidden(Photo)` when it is not of `account`.
    async fn set_avatar(&self, account: AccountId, photo: PhotoId) -> Result<()>;

    /// Removes a photo. Where it was the avatar, the first one left becomes it. `Forbidden(Photo)` when it is not of
    /// `account`. Returns the keys of files that nothing uses any more.
    async fn remove_photo(&self, account: AccountId, photo: PhotoId) -> Result<Vec<String>>;
}

/// Keeps a photo of the caller's, re-encoded, with its small square version.
/// `Invalid` for what is empty, and for what is no whole PNG, JPEG or WebP within the limits.
pub async fn add(app: &App, caller: &Caller, bytes: Bytes) -> Result<Photo> {
    let invalid = |rule| Error::Invalid(vec![Problem::new(Field::Avatar, rule)]);
    if bytes.is_empty() {
        return Err(invalid(Rule::Blank));
    }
    if !app.pictures.recognise(&bytes).is_some_and(|extension| TAKEN.contains(&extension)) {
        return Err(invalid(Rule::NotAnImage));
    }
    let (key, thumbnail) = keep_photo(app, bytes).await?;
    let new = NewPhoto {
        account: caller.account,
        key: key.clone(),
        thumbnail: thumbnail.clone(),
        created_at: app.clock.now(),
    };
    let added = app.store.add_photo(new).await;
    if added.is_err() {
        discard(app, &[key, thumbnail]).await;
    }
    added
}

/// Makes a photo of the caller's the avatar, in every dialect. `Forbidden(Photo)` when it is not the caller's.
pub async fn set_avatar(app: &App, caller: &Caller, photo: PhotoId) -> Result<()> {
    app.store.set_avatar(caller.account, photo).await
}

/// Removes a photo of the caller's, and its files. `Forbidden(Photo)` when it is not the caller's.
pub async fn remove(app: &App, caller: &Caller, photo: PhotoId) -> Result<()> {
    let unused = app.store.remove_photo(caller.account, photo).await?;
    discard(app, &unused).await;
    Ok(())
}
