//! Clients' own ids of messages, on SQLite: within the change that stores the message.

use domain::{
    MessageId, Result,
    messages::{NewMessage, REPEAT_WITHIN},
};

use crate::engine::{Tx, vals};

/// The message that the author has stored under the same id of the client's before.
pub(super) fn first_of(tx: &mut Tx<'_>, new: &NewMessage) -> Result<Option<MessageId>> {
    const FIRST: &str =
        "SELECT message FROM client_message WHERE account = $1 AND client_id = $2 AND created_at >= $3";
    let Some(client_id) = &new.client_id else { return Ok(None) };
    let since = new.created_at.before(REPEAT_WITHIN);
    tx.first(FIRST, vals![new.author, client_id, since])?.map(|mut row| row.take()).transpose()
}

/// Remembers the client's own id of a message, and forgets the author's old ones.
pub(super) fn remember(tx: &mut Tx<'_>, new: &NewMessage, message: MessageId) -> Result<()> {
    const FORGET: &str = "DELETE FROM client_message WHERE account = $1 AND created_at < $2";
    const REMEMBER: &str =
        "INSERT INTO client_message (account, client_id, message, created_at) VALUES ($1, $2, $3, $4)";
    let Some(client_id) = &new.client_id else { return Ok(()) };
    tx.exec(FORGET, vals![new.author, new.created_at.before(REPEAT_WITHIN)])?;
    tx.exec(REMEMBER, vals![new.author, client_id, message, new.created_at])?;
    Ok(())
}
