//! Sessions, and the marks of spent refresh tokens.

use async_trait::async_trait;
use domain::{
    AccountId, Error, Event, Grant, KeyId, Noun, Result, SessionId, Time, codes,
    sessions::{CodeVerdict, NewSession, Session, SessionBy, Sessions},
};

use crate::{
    SqlStore,
    accounts::living,
    engine::{Row, Tx, vals},
};

#[async_trait]
impl Sessions for SqlStore {
    async fn add_session(&self, new: NewSession, code: Option<[u8; 32]>) -> Result<CodeVerdict> {
        self.write(move |tx| add_session(tx, &new, code)).await
    }

    async fn session(&self, by: SessionBy) -> Result<Option<Session>> {
        const BY_ID: &str =
            "SELECT s.id, s.account, s.used_at FROM session s JOIN account a ON a.id = s.account
            WHERE s.id = $1 AND s.ended_at IS NULL AND a.deleted_at IS NULL";
        const BY_HASH: &str =
            "SELECT s.id, s.account, s.used_at FROM session s JOIN account a ON a.id = s.account
            WHERE s.opaque_hash = $1 AND s.ended_at IS NULL AND a.deleted_at IS NULL";
        self.read(move |tx| {
            let row = match by {
                SessionBy::Id(id) => tx.first(BY_ID, vals![id]),
                SessionBy::OpaqueHash(hash) => tx.first(BY_HASH, vals![hash]),
            };
            row?.map(session).transpose()
        })
        .await
    }

    async fn take_up_session(&self, new: NewSession, live_since: Time) -> Result<SessionId> {
        self.write(move |tx| take_up_session(tx, &new, live_since)).await
    }

    async fn session_of(
        &self,
        account: AccountId,
        dialect: &'static str,
        live_since: Time,
    ) -> Result<Option<Session>> {
        const NEWEST: &str = "SELECT s.id, s.account, s.used_at FROM session s JOIN account a ON a.id = s.account
            WHERE s.account = $1 AND s.dialect = $2 AND s.ended_at IS NULL AND s.used_at >= $3 AND a.deleted_at IS NULL
            ORDER BY s.created_at DESC, s.id LIMIT 1";
        self.read(move |tx| tx.first(NEWEST, vals![account, dialect, live_since])?.map(session).transpose())
            .await
    }

    async fn touch_sessions(&self, ids: Vec<SessionId>, now: Time) -> Result<()> {
        const TOUCH: &str =
            "UPDATE session SET used_at = $2 WHERE id IN UUIDS($1) AND ended_at IS NULL AND used_at < $2";
        self.write(move |tx| Ok(tx.exec(TOUCH, vals![ids.as_slice(), now]).map(drop)?)).await
    }

    async fn end_session(&self, id: SessionId, now: Time) -> Result<bool> {
        const END: &str =
            "UPDATE session SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL RETURNING id, account";
        self.write(move |tx| Ok(end(tx, END, id.into(), now)? > 0)).await
    }

    async fn end_idle_sessions(&self, live_since: Time, now: Time) -> Result<()> {
        const END: &str =
            "UPDATE session SET ended_at = $2 WHERE used_at < $1 AND ended_at IS NULL RETURNING id, account";
        self.write(move |tx| end(tx, END, live_since.into(), now).map(drop)).await
    }

    async fn ended_since(&self, since: Time) -> Result<Vec<(Grant, AccountId)>> {
        self.snapshot(move |tx| ended_since(tx, since)).await
    }

    async fn spend_refresh(&self, jti: [u8; 16], expires_at: Time, forget_before: Time) -> Result<bool> {
        const SPEND: &str =
            "INSERT INTO spent_refresh (jti, expires_at) VALUES ($1, $2) ON CONFLICT (jti) DO NOTHING";
        self.write(move |tx| {
            let spent_now = tx.exec(SPEND, vals![jti, expires_at])? == 1;
            tx.exec("DELETE FROM spent_refresh WHERE expires_at < $1", vals![forget_before])?;
            Ok(spent_now)
        })
        .await
    }

    async fn is_refresh_spent(&self, jti: [u8; 16]) -> Result<bool> {
        self.read(move |tx| Ok(tx.first("SELECT 1 FROM spent_refresh WHERE jti = $1", vals![jti])?.is_some()))
            .await
    }
}

fn session(mut row: Row) -> Result<Session> {
    Ok(Session { id: row.take()?, account: row.take()?, used_at: row.take()? })
}

fn add_session(tx: &mut Tx<'_>, new: &NewSession, code: Option<[u8; 32]>) -> Result<CodeVerdict> {
    const ADD: &str = "INSERT INTO session (id, account, opaque_hash, dialect, created_at, used_at)
        VALUES ($1, $2, $3, $4, $5, $5)";
    if living(tx, &[new.account])? == 0 {
        return Err(Error::NotFound(Noun::Account));
    }
    if let Some(mac) = code
        && use_code(tx, new.account, mac, new.created_at)? == CodeVerdict::Wrong
    {
        return Ok(CodeVerdict::Wrong);
    }
    tx.exec(ADD, vals![new.id, new.account, new.opaque_hash, new.dialect, new.created_at])?;
    Ok(CodeVerdict::Good)
}

fn take_up_session(tx: &mut Tx<'_>, new: &NewSession, live_since: Time) -> Result<SessionId> {
    // Two sign-ins at once wait for each other here, so that they get one session.
    const LOCK: &str = "SELECT id FROM account WHERE id = $1 AND deleted_at IS NULL FOR UPDATE";
    const NEWEST: &str =
        "SELECT id FROM session WHERE account = $1 AND dialect = $2 AND ended_at IS NULL AND used_at >= $3
        ORDER BY created_at DESC, id LIMIT 1";
    const TOUCH: &str = "UPDATE session SET used_at = $2 WHERE id = $1 AND used_at < $2";
    tx.first(LOCK, vals![new.account])?.ok_or(Error::NotFound(Noun::Account))?;
    if let Some(present) = tx.column(NEWEST, vals![new.account, new.dialect, live_since])?.pop() {
        tx.exec(TOUCH, vals![present, new.created_at])?;
        return Ok(present);
    }
    add_session(tx, new, None)?;
    Ok(new.id)
}

/// Uses the account's code up when `mac` is its MAC, and counts a wrong try when not.
fn use_code(tx: &mut Tx<'_>, account: AccountId, mac: [u8; 32], now: Time) -> Result<CodeVerdict> {
    const CODE: &str = "SELECT mac, expires_at, wrong FROM code WHERE account = $1 FOR UPDATE";
    let Some(mut row) = tx.first(CODE, vals![account])? else { return Ok(CodeVerdict::Wrong) };
    let present: [u8; 32] = row.take()?;
    let (expires_at, wrong): (Time, i64) = (row.take()?, row.take()?);
    if present == mac && now < expires_at && wrong < codes::MAX_WRONG {
        tx.exec("DELETE FROM code WHERE account = $1", vals![account])?;
        Ok(CodeVerdict::Good)
    } else {
        tx.exec("UPDATE code SET wrong = wrong + 1 WHERE account = $1", vals![account])?;
        Ok(CodeVerdict::Wrong)
    }
}

/// Ends the sessions that `sql` names, and tells it; how many those were.
fn end(tx: &mut Tx<'_>, sql: &'static str, which: crate::engine::Val, now: Time) -> Result<usize> {
    let ended = tx.query(sql, &[which, now.into()])?;
    let count = ended.len();
    for mut row in ended {
        let grant = Grant::Session(row.take()?);
        tx.tell(Event::GrantEnded { grant, account: row.take()? });
    }
    Ok(count)
}

fn ended_since(tx: &mut Tx<'_>, since: Time) -> Result<Vec<(Grant, AccountId)>> {
    const SESSIONS: &str = "SELECT id, account FROM session WHERE ended_at >= $1 ORDER BY ended_at";
    const KEYS: &str = "SELECT id, account FROM access_key WHERE revoked_at >= $1 ORDER BY revoked_at";
    let session = |mut row: Row| Ok((Grant::Session(row.take::<SessionId>()?), row.take()?));
    let key = |mut row: Row| Ok((Grant::Key(row.take::<KeyId>()?), row.take()?));
    let sessions = tx.query(SESSIONS, vals![since])?.into_iter().map(session);
    let keys = tx.query(KEYS, vals![since])?.into_iter().map(key);
    sessions.chain(keys).collect()
}
