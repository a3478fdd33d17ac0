//! Accounts.

mod cards;
mod change;
mod identity;
pub(crate) mod parts;
mod people;
mod search;
mod sign_up;

use async_trait::async_trait;
use domain::{
    AccountId, Result, Time,
    accounts::{AccountChange, Accounts, Card, Cards, Identity, NewAccount, PasswordHolder, Person},
};
use uuid::Uuid;

pub(crate) use cards::cards_of_pair;
pub(crate) use people::{people, person, person_columns, person_tables};

use crate::{
    SqlStore,
    engine::{Row, Tx, vals},
};

#[async_trait]
impl Accounts for SqlStore {
    async fn add_account(&self, new: NewAccount) -> Result<AccountId> {
        self.write(move |tx| sign_up::add_account(tx, &new)).await
    }

    async fn add_identity(&self, identity: Identity, new: NewAccount) -> Result<(AccountId, bool)> {
        identity::add_identity(self, identity, new).await
    }

    async fn identity(&self, identity: Identity) -> Result<Option<AccountId>> {
        self.read(move |tx| identity::account_of(tx, &identity)).await
    }

    async fn password_holder(&self, username_folded: &str) -> Result<Option<PasswordHolder>> {
        const HOLDER: &str =
            "SELECT id, username, email, password, two_factor FROM account WHERE username_folded = $1";
        let name = username_folded.to_owned();
        self.read(move |tx| tx.first(HOLDER, vals![&name])?.map(password_holder).transpose()).await
    }

    async fn password_holder_of(&self, account: AccountId) -> Result<Option<PasswordHolder>> {
        const HOLDER: &str = "SELECT id, username, email, password, two_factor FROM account
            WHERE id = $1 AND deleted_at IS NULL";
        self.read(move |tx| tx.first(HOLDER, vals![account])?.map(password_holder).transpose()).await
    }

    async fn rehash_password(&self, account: AccountId, old: &str, new: String) -> Result<()> {
        const REHASH: &str = "UPDATE account SET password = $3 WHERE id = $1 AND password = $2";
        let old = old.to_owned();
        self.write(move |tx| Ok(tx.exec(REHASH, vals![account, &old, &new]).map(drop)?)).await
    }

    async fn account_named(&self, username_folded: &str) -> Result<Option<AccountId>> {
        let name = username_folded.to_owned();
        self.read(move |tx| {
            let row = tx.first("SELECT id FROM account WHERE username_folded = $1", vals![&name])?;
            row.map(|mut row| row.take()).transpose()
        })
        .await
    }

    async fn account_of(&self, uuid: Uuid) -> Result<Option<AccountId>> {
        const OF: &str = "SELECT id FROM account WHERE uuid = $1 AND deleted_at IS NULL";
        self.read(move |tx| Ok(tx.column(OF, vals![uuid])?.pop())).await
    }

    async fn people_named(&self, search: &str, skip: usize, limit: usize) -> Result<(usize, Vec<Person>)> {
        let search = search.to_owned();
        self.snapshot(move |tx| search::people_named(tx, &search, skip, limit)).await
    }

    async fn people(&self, ids: Vec<AccountId>) -> Result<Vec<Person>> {
        self.read(move |tx| people(tx, &ids)).await
    }

    async fn people_after(&self, after: &str, limit: usize) -> Result<Vec<Person>> {
        let after = after.to_owned();
        self.read(move |tx| people::people_after(tx, &after, limit)).await
    }

    async fn cards(&self, which: Cards, live_since: Time) -> Result<Vec<Card>> {
        self.together(move |tx| cards::cards(tx, &which, live_since)).await
    }

    async fn set_account(&self, account: AccountId, change: AccountChange, now: Time) -> Result<Vec<String>> {
        self.write(move |tx| change::set_account(tx, account, &change, now)).await
    }

    async fn remove_account(&self, account: AccountId, now: Time) -> Result<Vec<String>> {
        self.write(move |tx| change::remove_account(tx, account, now)).await
    }
}

fn password_holder(mut row: Row) -> Result<PasswordHolder> {
    Ok(PasswordHolder {
        id: row.take()?,
        username: row.take()?,
        email: row.take()?,
        password: row.take()?,
        two_factor: row.take()?,
    })
}

/// How many of these accounts exist and are not deleted. They stay so until the transaction ends.
pub(crate) fn living(tx: &mut Tx<'_>, ids: &[AccountId]) -> Result<usize> {
    const LIVING: &str =
        "SELECT id FROM account WHERE id IN LIST($1) AND deleted_at IS NULL ORDER BY id FOR SHARE";
    Ok(tx.query(LIVING, vals![ids])?.len())
}
