//! New accounts.

use domain::{AccountId, Error, Noun, Result, Time, accounts::NewAccount};

use super::parts;
use crate::engine::{Tx, vals};

/// Makes an account and the photo that is its avatar. `Conflict(Username)`.
pub(super) fn add_account(tx: &mut Tx<'_>, new: &NewAccount) -> Result<AccountId> {
    const ADD: &str = "
        INSERT INTO account (uuid, username, username_folded, email, first_name, last_name, password, two_factor, role,
            created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (username_folded) DO NOTHING RETURNING id";
    let values = vals![
        new.uuid,
        &new.username,
        &new.username_folded,
        &new.email,
        &new.first_name,
        &new.last_name,
        new.password.as_ref(),
        new.two_factor,
        new.role.as_str(),
        new.created_at,
    ];
    let mut row = tx.first(ADD, values)?.ok_or(Error::Conflict(Noun::Username))?;
    let id = row.take()?;
    count(tx, 1)?;
    parts::count(tx, None, Some(&new.username_folded))?;
    if let Some(key) = &new.photo {
        let photo = add_photo(tx, id, key, new.created_at)?;
        tx.exec("UPDATE account SET avatar_photo = $2 WHERE id = $1", vals![id, photo])?;
    }
    Ok(id)
}

/// Keeps count of those who are not deleted: a million are not counted anew for each page of the list of people.
pub(super) fn count(tx: &mut Tx<'_>, more: i64) -> Result<()> {
    tx.exec("UPDATE account_count SET living = living + $1 WHERE id = 1", vals![more])?;
    Ok(())
}

/// Keeps a photo that was given as an avatar; its id.
pub(super) fn add_photo(tx: &mut Tx<'_>, account: AccountId, key: &str, now: Time) -> Result<i64> {
    const ADD: &str = "INSERT INTO photo (account, file_key, in_album, created_at) VALUES ($1, $2, FALSE, $3)
        RETURNING id";
    let added: Vec<i64> = tx.column(ADD, vals![account, key, now])?;
    Ok(added.into_iter().next().ok_or_else(|| anyhow::anyhow!("a new photo has no id"))?)
}
