//! Conversations, and the reading of their messages.

use async_trait::async_trait;
use domain::{
    AccountId, ConversationId, Error, MessageId, Noun, Numbered, RelationId, Result, Time,
    conversations::{Conversations, Direct, Entry, Introduced, Kind, Overview, Page, Span},
    messages::Message,
};
use uuid::Uuid;

use crate::{
    SqlStore,
    accounts::{cards_of_pair, living},
    engine::{Row, Tx, vals},
    history::history_of,
    messages::{self, listed_message_columns, media_of, message, message_columns, message_tables, narrowed},
    relations::pair,
};

#[async_trait]
impl Conversations for SqlStore {
    async fn start_direct(
        &self,
        initiator: AccountId,
        receiver: AccountId,
        uuid: Uuid,
        now: Time,
    ) -> Result<Direct> {
        self.write(move |tx| start_direct(tx, initiator, receiver, uuid, now)).await
    }

    async fn direct(&self, id: ConversationId) -> Result<Option<Direct>> {
        self.read(move |tx| direct_of(tx, id)).await
    }

    async fn overviews(&self, account: AccountId, limit: usize) -> Result<Vec<Overview>> {
        self.read(move |tx| overviews(tx, account, limit)).await
    }

    async fn history_of(
        &self,
        relation: RelationId,
        account: AccountId,
        span: Span,
        page: Numbered,
    ) -> Result<(usize, Vec<Message>)> {
        self.snapshot(move |tx| history_of(tx, relation, account, span, page)).await
    }

    async fn direct_history(
        &self,
        id: ConversationId,
        account: AccountId,
        page: Page,
        live_since: Time,
    ) -> Result<Introduced<(Direct, Vec<Entry>)>> {
        self.together(move |tx| direct_history(tx, id, account, page, live_since)).await
    }

    async fn messages_in(&self, conversation: ConversationId, page: Page) -> Result<Vec<Message>> {
        self.read(move |tx| messages_in(tx, conversation, page)).await
    }
}

fn direct_of(tx: &mut Tx<'_>, id: ConversationId) -> Result<Option<Direct>> {
    const DIRECT: &str = "SELECT id, initiator, receiver FROM conversation WHERE id = $1 AND kind = 'direct'";
    tx.first(DIRECT, vals![id])?.as_mut().map(direct).transpose()
}

/// The direct conversation of the next columns of the row: id, initiator, receiver.
fn direct(row: &mut Row) -> Result<Direct> {
    Ok(Direct { id: row.take()?, initiator: row.take()?, receiver: row.take()? })
}

/// The pair's direct conversation, made if there is none. `NotFound(Account)` when either is deleted.
pub(crate) fn start_direct(
    tx: &mut Tx<'_>,
    initiator: AccountId,
    receiver: AccountId,
    uuid: Uuid,
    now: Time,
) -> Result<Direct> {
    const PRESENT: &str = "SELECT id, initiator, receiver FROM conversation WHERE low = $1 AND high = $2";
    const ADD: &str = "
        INSERT INTO conversation (uuid, kind, low, high, initiator, receiver, message_count, last_at, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $7)
        ON CONFLICT (low, high) DO NOTHING RETURNING id, initiator, receiver";
    const JOIN: &str = "INSERT INTO member (conversation, account) VALUES ($1, $2), ($1, $3)";
    if living(tx, &[initiator, receiver])? < 2 {
        return Err(Error::NotFound(Noun::Account));
    }
    let (low, high) = pair(initiator, receiver);
    if let Some(mut row) = tx.first(PRESENT, vals![low, high])? {
        return direct(&mut row);
    }
    let values = vals![uuid, Kind::Direct.as_str(), low, high, initiator, receiver, now];
    if let Some(mut row) = tx.first(ADD, values)? {
        let made = direct(&mut row)?;
        tx.exec(JOIN, vals![made.id, low, high])?;
        return Ok(made);
    }
    // Another transaction was faster: the insertion has waited for its end.
    direct(&mut tx.first(PRESENT, vals![low, high])?.ok_or(Error::NotFound(Noun::Conversation))?)
}

fn overviews(tx: &mut Tx<'_>, account: AccountId, limit: usize) -> Result<Vec<Overview>> {
    const OVERVIEWS: &str = concat!(
        "SELECT c.id, c.initiator, c.receiver, c.last_message, ",
        message_columns!(),
        " FROM member me JOIN conversation c ON c.id = me.conversation
        LEFT JOIN message m ON m.id = c.last_message LEFT JOIN account w ON w.id = m.author
        WHERE me.account = $1 AND c.kind = 'direct' ORDER BY c.last_at DESC, c.id DESC LIMIT $2"
    );
    let mut directs = Vec::new();
    let (mut last_messages, mut with_media) = (Vec::new(), Vec::new());
    for mut row in tx.query(OVERVIEWS, vals![account, limit])? {
        let direct = direct(&mut row)?;
        let last: Option<MessageId> = row.take()?;
        if last.is_some() {
            last_messages.push(message(&mut row, &mut with_media)?);
        }
        directs.push((direct, last));
    }
    let mut last_messages = media_of(tx, last_messages, &with_media)?.into_iter();
    let overview = |(direct, last): (Direct, Option<MessageId>)| Overview {
        direct,
        last_message: last.and_then(|_| last_messages.next()),
    };
    Ok(directs.into_iter().map(overview).collect())
}

fn direct_history(
    tx: &mut Tx<'_>,
    id: ConversationId,
    account: AccountId,
    page: Page,
    live_since: Time,
) -> Result<Introduced<(Direct, Vec<Entry>)>> {
    let direct = direct_of(tx, id)?.ok_or(Error::NotFound(Noun::Conversation))?;
    direct.check(account)?;
    let mut cards = cards_of_pair(tx, [direct.initiator, direct.receiver], live_since)?;
    let mut card_of = |account| {
        let place = cards.iter().position(|card| card.id == account);
        place.map(|place| cards.swap_remove(place)).ok_or(Error::NotFound(Noun::Account))
    };
    let (initiator, receiver) = (card_of(direct.initiator)?, card_of(direct.receiver)?);
    Ok(Introduced { what: (direct, entries(tx, id, page)?), initiator, receiver })
}

/// A page of a direct conversation, newest first. A message's files count from 0.
fn entries(tx: &mut Tx<'_>, conversation: ConversationId, page: Page) -> Result<Vec<Entry>> {
    const ENTRIES: &str = "SELECT m.id, m.author, m.text, m.created_at, f.file_key
        FROM message m LEFT JOIN media f ON f.message = m.id AND f.ordinal = 0
        WHERE m.conversation = $1 AND m.position <= $2 ORDER BY m.position DESC LIMIT $3";
    let last = last_before(tx, conversation, page.before)?;
    tx.list(ENTRIES, vals![conversation, last, page.limit], |row| {
        Ok(Entry {
            id: row.take()?,
            author: row.take()?,
            text: row.take()?,
            created_at: row.take()?,
            attachment: row.take()?,
        })
    })
}

fn messages_in(tx: &mut Tx<'_>, conversation: ConversationId, page: Page) -> Result<Vec<Message>> {
    const MESSAGES: &str = concat!(
        "SELECT ",
        listed_message_columns!(),
        " FROM ",
        message_tables!(),
        " WHERE m.conversation = $1 AND m.position <= $2 ORDER BY m.position DESC LIMIT $3"
    );
    let last = last_before(tx, conversation, page.before)?;
    let rows = tx.query(MESSAGES, vals![conversation, last, page.limit])?;
    messages::messages(tx, rows)
}

/// The position of the last message before that one, which need not be of the conversation; the largest number without
/// one.
fn last_before(tx: &mut Tx<'_>, conversation: ConversationId, before: Option<MessageId>) -> Result<i64> {
    const LAST: &str = concat!(
        narrowed!("SELECT id, CAST(0 AS BIGINT), message_count FROM conversation WHERE id = $1"),
        "SELECT COALESCE(MAX(low), 0) FROM narrowed"
    );
    let Some(before) = before else { return Ok(i64::MAX) };
    Ok(tx.column(LAST, vals![conversation, before])?.pop().unwrap_or(0))
}
