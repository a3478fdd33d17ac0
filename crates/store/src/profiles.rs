//! Profiles.

use anyhow::{Context as _, anyhow};
use async_trait::async_trait;
use domain::{
    AccountId, Error, Noun, PhotoId, Result,
    photos::Photo,
    profiles::{Gender, Portrait, Profile, ProfileChange, Profiles},
};

use crate::{
    SqlStore,
    accounts::{person, person_columns, person_tables},
    engine::{Row, Shown, Tx, vals},
};

#[async_trait]
impl Profiles for SqlStore {
    async fn profiles(&self, ids: Vec<AccountId>) -> Result<Vec<Profile>> {
        const PROFILES: &str = concat!(
            "SELECT ",
            person_columns!(),
            ", a.deleted_at IS NOT NULL, f.nickname, f.about, f.birth_date, f.gender, f.client_key FROM ",
            person_tables!(),
            " LEFT JOIN profile f ON f.account = a.id WHERE a.id IN LIST($1)"
        );
        self.read(move |tx| tx.query(PROFILES, vals![ids.as_slice()])?.iter_mut().map(profile).collect())
            .await
    }

    async fn portraits(&self, ids: Vec<AccountId>) -> Result<Vec<Portrait>> {
        self.read(move |tx| portraits(tx, &ids)).await
    }

    async fn set_profile(&self, account: AccountId, change: ProfileChange) -> Result<()> {
        self.write(move |tx| set_profile(tx, account, &change)).await
    }
}

/// These people with photos, deleted ones too, by id.
pub(crate) fn portraits(tx: &mut Tx<'_>, ids: &[AccountId]) -> Result<Vec<Portrait>> {
    const PORTRAITS: &str = "
        SELECT a.id, a.avatar_photo, p.id, p.file_key, p.thumbnail_key, a.deleted_at IS NOT NULL,
            COALESCE(f.nickname, a.username), a.first_name, COALESCE(f.about, ''), f.birth_date, f.gender,
            COALESCE(f.client_key, '')
        FROM account a LEFT JOIN profile f ON f.account = a.id LEFT JOIN photo p ON p.account = a.id
        WHERE a.id IN LIST($1)";
    let mut portraits: Vec<Portrait> = Vec::with_capacity(ids.len());
    tx.each(PORTRAITS, vals![ids], |row| {
        let account = row.take()?;
        let photo = photo_of(row, account)?;
        match portraits.last_mut() {
            Some(last) if last.account == account => last.photos.extend(photo),
            _ => portraits.push(portrait(row, account, photo)?),
        }
        Ok(())
    })?;
    // They come like this mostly, and rows of one account together: that is seen in less time than the database sorts.
    portraits.sort_by_key(|portrait| portrait.account);
    portraits.dedup_by(|next, portrait| {
        let same = next.account == portrait.account;
        if same {
            portrait.photos.append(&mut next.photos);
        }
        same
    });
    for portrait in &mut portraits {
        portrait.photos.sort_unstable_by_key(|photo| (!photo.is_avatar, photo.id));
    }
    Ok(portraits)
}

/// The photo of the next columns of the row, behind the avatar's id.
fn photo_of(row: &mut Shown<'_>, account: AccountId) -> Result<Option<Photo>> {
    let avatar: Option<PhotoId> = row.take()?;
    let id: Option<PhotoId> = row.take()?;
    let key: Option<String> = row.take()?;
    let thumbnail = row.take()?;
    let photo = id.zip(key);
    Ok(photo.map(|(id, key)| Photo { id, account, key, thumbnail, is_avatar: avatar == Some(id) }))
}

/// The portrait of the next columns of the row.
fn portrait(row: &mut Shown<'_>, account: AccountId, photo: Option<Photo>) -> Result<Portrait> {
    Ok(Portrait {
        account,
        deleted: row.take()?,
        nickname: row.take()?,
        first_name: row.take()?,
        about: row.take()?,
        birth_date: row.parsed()?,
        gender: gender(row.take()?)?,
        client_key: row.take()?,
        photos: photo.into_iter().collect(),
    })
}

fn gender(number: Option<i64>) -> Result<Option<Gender>> {
    let gender = |number| Gender::numbered(number).ok_or_else(|| anyhow!("a gender is {number}"));
    Ok(number.map(gender).transpose()?)
}

fn profile(row: &mut Row) -> Result<Profile> {
    let person = person(row)?;
    let deleted = row.take()?;
    let nickname: Option<String> = row.take()?;
    let about: Option<String> = row.take()?;
    let birth_date: Option<String> = row.take()?;
    let gender = gender(row.take()?)?;
    Ok(Profile {
        nickname: nickname.unwrap_or_else(|| person.username.clone()),
        person,
        deleted,
        about: about.unwrap_or_default(),
        birth_date: birth_date.map(|day| day.parse()).transpose().context("a birthday")?,
        gender,
        client_key: row.take::<Option<String>>()?.unwrap_or_default(),
    })
}

fn set_profile(tx: &mut Tx<'_>, account: AccountId, change: &ProfileChange) -> Result<()> {
    const NAME: &str =
        "UPDATE account SET first_name = COALESCE($2, first_name) WHERE id = $1 AND deleted_at IS NULL";
    const ADD: &str = "INSERT INTO profile (account, about, client_key) VALUES ($1, '', '')
        ON CONFLICT (account) DO NOTHING";
    const SET: &str = "
        UPDATE profile SET nickname = COALESCE($2, nickname), about = COALESCE($3, about),
            client_key = COALESCE($4, client_key), birth_date = CASE WHEN $5 THEN $6 ELSE birth_date END,
            gender = CASE WHEN $7 THEN $8 ELSE gender END
        WHERE account = $1";
    if tx.exec(NAME, vals![account, change.first_name.as_ref()])? == 0 {
        return Err(Error::NotFound(Noun::Account));
    }
    tx.exec(ADD, vals![account])?;
    let values = vals![
        account,
        change.nickname.as_ref(),
        change.about.as_ref(),
        change.client_key.as_ref(),
        change.birth_date.is_some(),
        change.birth_date.flatten().map(|day| day.to_string()),
        change.gender.is_some(),
        change.gender.flatten().map(Gender::number),
    ];
    tx.exec(SET, values)?;
    Ok(())
}
