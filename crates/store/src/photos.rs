//! The albums of people.

use anyhow::anyhow;
use async_trait::async_trait;
use domain::{
    AccountId, Error, Noun, PhotoId, Result,
    photos::{NewPhoto, Photo, Photos},
};

use crate::{
    SqlStore,
    engine::{Row, Tx, vals},
};

#[async_trait]
impl Photos for SqlStore {
    async fn add_photo(&self, new: NewPhoto) -> Result<Photo> {
        self.write(move |tx| add_photo(tx, &new)).await
    }

    async fn set_avatar(&self, account: AccountId, photo: PhotoId) -> Result<()> {
        self.write(move |tx| set_avatar(tx, account, photo)).await
    }

    async fn remove_photo(&self, account: AccountId, photo: PhotoId) -> Result<Vec<String>> {
        self.write(move |tx| remove_photo(tx, account, photo)).await
    }
}

/// The account's avatar. Who changes the photos of an account waits here for the others who do.
fn lock(tx: &mut Tx<'_>, account: AccountId) -> Result<Option<PhotoId>> {
    const LOCK: &str = "SELECT avatar_photo FROM account WHERE id = $1 AND deleted_at IS NULL FOR UPDATE";
    tx.first(LOCK, vals![account])?.ok_or(Error::NotFound(Noun::Account))?.take()
}

fn add_photo(tx: &mut Tx<'_>, new: &NewPhoto) -> Result<Photo> {
    const ADD: &str = "INSERT INTO photo (account, file_key, thumbnail_key, in_album, created_at)
        VALUES ($1, $2, $3, TRUE, $4) RETURNING id";
    let is_avatar = lock(tx, new.account)?.is_none();
    let added = tx.column(ADD, vals![new.account, &new.key, &new.thumbnail, new.created_at])?.pop();
    let id = added.ok_or_else(|| anyhow!("a new photo has no id"))?;
    if is_avatar {
        show(tx, new.account, id)?;
    }
    Ok(Photo {
        id,
        account: new.account,
        key: new.key.clone(),
        thumbnail: Some(new.thumbnail.clone()),
        is_avatar,
    })
}

/// Makes the photo the avatar everywhere: messenger's string gives way.
fn show(tx: &mut Tx<'_>, account: AccountId, photo: PhotoId) -> Result<()> {
    const SHOW: &str = "UPDATE account SET avatar_photo = $2, avatar_text = NULL WHERE id = $1";
    tx.exec(SHOW, vals![account, photo])?;
    Ok(())
}

fn set_avatar(tx: &mut Tx<'_>, account: AccountId, photo: PhotoId) -> Result<()> {
    const MINE: &str = "SELECT id FROM photo WHERE id = $1 AND account = $2";
    // What was given as an avatar by another dialect was among the photos here, and stays there.
    const KEEP: &str = "UPDATE photo SET in_album = TRUE WHERE id = $1";
    let before = lock(tx, account)?;
    tx.first(MINE, vals![photo, account])?.ok_or(Error::Forbidden(Noun::Photo))?;
    if let Some(before) = before {
        tx.exec(KEEP, vals![before])?;
    }
    show(tx, account, photo)
}

fn remove_photo(tx: &mut Tx<'_>, account: AccountId, photo: PhotoId) -> Result<Vec<String>> {
    const FILES: &str = "SELECT file_key, thumbnail_key FROM photo WHERE id = $1 AND account = $2";
    const NEXT: &str = "SELECT id FROM photo WHERE account = $1 AND id <> $2 ORDER BY id LIMIT 1";
    const NONE: &str = "UPDATE account SET avatar_photo = NULL WHERE id = $1";
    let avatar = lock(tx, account)?;
    let found = tx.first(FILES, vals![photo, account])?;
    let files = files(&mut found.ok_or(Error::Forbidden(Noun::Photo))?)?;
    if avatar == Some(photo) {
        match tx.column(NEXT, vals![account, photo])?.pop() {
            Some(next) => show(tx, account, next)?,
            None => drop(tx.exec(NONE, vals![account])?),
        }
    }
    tx.exec("DELETE FROM photo WHERE id = $1", vals![photo])?;
    Ok(files)
}

/// The files of the next columns of the row: the photo's, and its thumbnail's if there is one.
pub(crate) fn files(row: &mut Row) -> Result<Vec<String>> {
    let (file, thumbnail): (String, Option<String>) = (row.take()?, row.take()?);
    Ok(std::iter::once(file).chain(thumbnail).collect())
}
