//! Changes of accounts, and their end.

use domain::{
    AccountId, Error, Event, Grant, Noun, Result, SessionId, Time,
    accounts::{AccountChange, AvatarChange, DELETED, Role},
};
use uuid::Uuid;

use super::{
    parts,
    sign_up::{add_photo, count},
};
use crate::{
    engine::{OnUnique as _, Tx, vals},
    meetings, photos,
    rooms::close_rooms_of,
};

/// Changes an account; the keys of files that nothing uses any more.
pub(super) fn set_account(
    tx: &mut Tx<'_>,
    account: AccountId,
    change: &AccountChange,
    now: Time,
) -> Result<Vec<String>> {
    const SET: &str = "
        UPDATE account SET username = COALESCE($2, username), username_folded = COALESCE($3, username_folded),
            email = COALESCE($4, email), first_name = COALESCE($5, first_name), last_name = COALESCE($6, last_name),
            role = COALESCE($7, role), two_factor = COALESCE($8, two_factor), password = COALESCE($9, password)
        WHERE id = $1 AND deleted_at IS NULL";
    let name = match &change.username {
        Some(_) => name_of(tx, account)?,
        None => None,
    };
    let values = vals![
        account,
        change.username.as_ref().map(|(given, _)| given),
        change.username.as_ref().map(|(_, folded)| folded),
        change.email.as_ref(),
        change.first_name.as_ref(),
        change.last_name.as_ref(),
        change.role.map(Role::as_str),
        change.two_factor,
        change.password.as_ref(),
    ];
    if tx.exec(SET, values).or_conflict(Noun::Username)? == 0 {
        return Err(Error::NotFound(Noun::Account));
    }
    if let Some((_, folded)) = &change.username {
        parts::count(tx, name.as_deref(), Some(folded))?;
    }
    if change.password.is_some() {
        end_sessions(tx, account, change.keep_session, now)?;
        tx.exec("DELETE FROM code WHERE account = $1", vals![account])?;
    }
    change.avatar.as_ref().map_or(Ok(Vec::new()), |avatar| set_avatar(tx, account, avatar, now))
}

/// The folded name of an account that is not deleted. It stays so until the transaction changes it.
fn name_of(tx: &mut Tx<'_>, account: AccountId) -> Result<Option<String>> {
    const NAME: &str =
        "SELECT username_folded FROM account WHERE id = $1 AND username_folded IS NOT NULL FOR UPDATE";
    Ok(tx.column(NAME, vals![account])?.pop())
}

/// Changes the picture; the keys of files that nothing uses any more.
fn set_avatar(tx: &mut Tx<'_>, account: AccountId, change: &AvatarChange, now: Time) -> Result<Vec<String>> {
    match change {
        AvatarChange::Photo(key) => {
            const SET: &str = "UPDATE account SET avatar_photo = $2, avatar_text = NULL WHERE id = $1";
            let photo = add_photo(tx, account, key, now)?;
            tx.exec(SET, vals![account, photo])?;
            remove_unused_photos(tx, account)
        }
        AvatarChange::Text(path) => {
            tx.exec("UPDATE account SET avatar_text = $2 WHERE id = $1", vals![account, path])?;
            Ok(Vec::new())
        }
        AvatarChange::Cleared => {
            const CLEAR: &str = "UPDATE account SET avatar_photo = NULL, avatar_text = '' WHERE id = $1";
            tx.exec(CLEAR, vals![account])?;
            remove_unused_photos(tx, account)
        }
    }
}

/// Removes the photos that were given as an avatar and are it no more; their files' keys.
fn remove_unused_photos(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<String>> {
    const REMOVE: &str = "
        DELETE FROM photo WHERE account = $1 AND NOT in_album
            AND NOT EXISTS (SELECT 1 FROM account a WHERE a.id = $1 AND a.avatar_photo = photo.id)
        RETURNING file_key, thumbnail_key";
    files_of(tx, REMOVE, account)
}

/// Ends the account's sessions but for `keep`, and tells it.
fn end_sessions(tx: &mut Tx<'_>, account: AccountId, keep: Option<SessionId>, now: Time) -> Result<()> {
    const END: &str = "UPDATE session SET ended_at = $3 WHERE account = $1 AND ended_at IS NULL AND id <> $2
        RETURNING id";
    let keep = keep.unwrap_or(SessionId(Uuid::nil()));
    let ended: Vec<SessionId> = tx.column(END, vals![account, keep, now])?;
    for id in ended {
        tx.tell(Event::GrantEnded { grant: Grant::Session(id), account });
    }
    Ok(())
}

/// Deletes an account; the keys of files that nothing uses any more.
pub(super) fn remove_account(tx: &mut Tx<'_>, account: AccountId, now: Time) -> Result<Vec<String>> {
    const EMPTY: &str = "
        UPDATE account SET username = $2, username_folded = NULL, email = '', first_name = '', last_name = '',
            password = NULL, two_factor = FALSE, role = $3, avatar_photo = NULL, avatar_text = NULL, deleted_at = $4
        WHERE id = $1 AND deleted_at IS NULL";
    const REVOKE: &str =
        "UPDATE access_key SET revoked_at = $2 WHERE account = $1 AND revoked_at IS NULL RETURNING id";
    let name = name_of(tx, account)?;
    if tx.exec(EMPTY, vals![account, DELETED, Role::default().as_str(), now])? == 0 {
        return Err(Error::NotFound(Noun::Account));
    }
    close_rooms_of(tx, account)?;
    end_sessions(tx, account, None, now)?;
    for key in tx.column(REVOKE, vals![account, now])? {
        tx.tell(Event::GrantEnded { grant: Grant::Key(key), account });
    }
    tx.exec("DELETE FROM relation WHERE low = $1 OR high = $1", vals![account])?;
    tx.exec("DELETE FROM identity WHERE account = $1", vals![account])?;
    tx.exec("DELETE FROM code WHERE account = $1", vals![account])?;
    tx.exec("DELETE FROM client_message WHERE account = $1", vals![account])?;
    tx.exec("DELETE FROM widget WHERE account = $1", vals![account])?;
    count(tx, -1)?;
    parts::count(tx, name.as_deref(), None)?;
    meetings::forget(tx, account)?;
    files_of(tx, "DELETE FROM photo WHERE account = $1 RETURNING file_key, thumbnail_key", account)
}

/// The files of the photos of an account that `sql` removes.
fn files_of(tx: &mut Tx<'_>, sql: &'static str, account: AccountId) -> Result<Vec<String>> {
    let removed = tx.query(sql, vals![account])?.iter_mut().map(photos::files).collect::<Result<Vec<_>>>()?;
    Ok(removed.into_iter().flatten().collect())
}
