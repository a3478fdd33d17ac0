//! Access keys.

use async_trait::async_trait;
use domain::{AccountId, Error, Event, Grant, KeyId, Noun, Result, Time, keys::Keys, sessions::LiveKey};

use crate::{
    SqlStore,
    accounts::living,
    engine::{Tx, vals},
};

#[async_trait]
impl Keys for SqlStore {
    async fn add_key(&self, account: AccountId, label: &str, hash: [u8; 32], now: Time) -> Result<KeyId> {
        let label = label.to_owned();
        self.write(move |tx| add_key(tx, account, &label, hash, now)).await
    }

    async fn revoke_key(&self, account: AccountId, label: &str, now: Time) -> Result<bool> {
        let label = label.to_owned();
        self.write(move |tx| revoke_key(tx, account, &label, now)).await
    }

    async fn key(&self, hash: [u8; 32]) -> Result<Option<LiveKey>> {
        const KEY: &str = "SELECT k.id, k.account FROM access_key k JOIN account a ON a.id = k.account
            WHERE k.hash = $1 AND k.revoked_at IS NULL AND a.deleted_at IS NULL";
        self.read(move |tx| {
            let row = tx.first(KEY, vals![hash])?;
            row.map(|mut row| Ok(LiveKey { id: row.take()?, account: row.take()? })).transpose()
        })
        .await
    }
}

fn add_key(tx: &mut Tx<'_>, account: AccountId, label: &str, hash: [u8; 32], now: Time) -> Result<KeyId> {
    const ADD: &str = "INSERT INTO access_key (account, label, hash, created_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (account, label) WHERE revoked_at IS NULL DO NOTHING RETURNING id";
    if living(tx, &[account])? == 0 {
        return Err(Error::NotFound(Noun::Account));
    }
    tx.first(ADD, vals![account, label, hash, now])?.ok_or(Error::Conflict(Noun::KeyLabel))?.take()
}

fn revoke_key(tx: &mut Tx<'_>, account: AccountId, label: &str, now: Time) -> Result<bool> {
    const REVOKE: &str = "UPDATE access_key SET revoked_at = $3
        WHERE account = $1 AND label = $2 AND revoked_at IS NULL RETURNING id";
    let revoked: Vec<KeyId> = tx.column(REVOKE, vals![account, label, now])?;
    for id in &revoked {
        tx.tell(Event::GrantEnded { grant: Grant::Key(*id), account });
    }
    Ok(!revoked.is_empty())
}
