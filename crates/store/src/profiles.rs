//! Profiles.

use anyhow::{Context as _, anyhow};
use async_trait::async_trait;
use domain::{
    AccountId, Error, Noun, Result,
    profiles::{Gender, Profile, ProfileChange, Profiles},
};

use crate::{
    SqlStore,
    accounts::{person, person_columns, person_tables},
    engine::{Row, Tx, vals},
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
        self.read(move |tx| tx.list(PROFILES, vals![ids.as_slice()], profile)).await
    }

    async fn set_profile(&self, account: AccountId, change: ProfileChange) -> Result<()> {
        self.write(move |tx| set_profile(tx, account, &change)).await
    }
}

fn profile(row: &mut Row) -> Result<Profile> {
    let person = person(row)?;
    let deleted = row.take()?;
    let nickname: Option<String> = row.take()?;
    let about: Option<String> = row.take()?;
    let birth_date: Option<String> = row.take()?;
    let gender: Option<i64> = row.take()?;
    Ok(Profile {
        nickname: nickname.unwrap_or_else(|| person.username.clone()),
        person,
        deleted,
        about: about.unwrap_or_default(),
        birth_date: birth_date.map(|day| day.parse()).transpose().context("a birthday")?,
        gender: gender
            .map(|number| Gender::numbered(number).ok_or_else(|| anyhow!("a gender is {number}")))
            .transpose()?,
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
