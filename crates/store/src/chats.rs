//! Chats of meetings.

use std::collections::HashMap;

use anyhow::anyhow;
use async_trait::async_trait;
use domain::{
    AccountId, ConversationId, Error, Event, MeetingId, MessageId, Noun, Result,
    chats::{Chat, Chats, Mark, Marks, NewChat},
    conversations::Kind,
};

use crate::{
    SqlStore,
    accounts::living,
    engine::{OnUnique as _, Row, Tx, vals},
    messages::{media_of, message, message_columns},
};

#[async_trait]
impl Chats for SqlStore {
    async fn chats_of(&self, account: AccountId, limit: usize) -> Result<Vec<Chat>> {
        self.snapshot(move |tx| chats_of(tx, account, limit)).await
    }

    async fn chat_named(&self, slug: &str) -> Result<Option<ConversationId>> {
        let slug = slug.to_owned();
        self.read(move |tx| {
            Ok(tx.column("SELECT conversation FROM chat WHERE slug = $1", vals![&slug])?.pop())
        })
        .await
    }

    async fn is_in_chat(&self, chat: ConversationId, account: AccountId) -> Result<Option<bool>> {
        const MEMBER: &str = "SELECT me.account IS NOT NULL FROM chat h
            LEFT JOIN member me ON me.conversation = h.conversation AND me.account = $2 WHERE h.conversation = $1";
        self.read(move |tx| Ok(tx.column(MEMBER, vals![chat, account])?.pop())).await
    }

    async fn marks(&self, chat: ConversationId, account: AccountId) -> Result<Marks> {
        self.read(move |tx| Ok(marks(tx, &[chat], account)?.remove(&chat).unwrap_or_default())).await
    }

    async fn set_marks(&self, mut marks: Vec<(ConversationId, AccountId, Mark)>) -> Result<()> {
        const SET: &str = "
            INSERT INTO chat_mark (conversation, account, received_upto, read_upto, hidden_until)
            VALUES ($1, $2, $3, $4, 0)
            ON CONFLICT (conversation, account) DO UPDATE SET
                received_upto = CASE WHEN excluded.received_upto > chat_mark.received_upto
                    THEN excluded.received_upto ELSE chat_mark.received_upto END,
                read_upto = CASE WHEN excluded.read_upto > chat_mark.read_upto
                    THEN excluded.read_upto ELSE chat_mark.read_upto END";
        // In one order, so that those who write at once do not wait for each other in a circle.
        marks.sort_unstable_by_key(|(chat, account, _)| (*chat, *account));
        let number = |id: Option<MessageId>| id.map_or(0, |id| id.0);
        self.write(move |tx| {
            for (chat, account, mark) in &marks {
                tx.exec(SET, vals![*chat, *account, number(mark.received), number(mark.read)])?;
            }
            Ok(())
        })
        .await
    }

    async fn leave_chat(&self, chat: ConversationId, account: AccountId) -> Result<()> {
        self.write(move |tx| leave_chat(tx, chat, account)).await
    }
}

/// Makes a chat of a meeting, with its owner in it.
pub(crate) fn add_chat(
    tx: &mut Tx<'_>,
    new: &NewChat,
    meeting: MeetingId,
    owner: AccountId,
    guest: Option<AccountId>,
    title: &str,
) -> Result<ConversationId> {
    const ADD: &str = "
        INSERT INTO conversation (uuid, kind, message_count, last_at, created_at) VALUES ($1, $2, 0, $3, $3)
        RETURNING id";
    const ADD_CHAT: &str = "INSERT INTO chat (conversation, slug, meeting, owner, guest, title)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let made = tx.column(ADD, vals![new.uuid, Kind::Meeting.as_str(), new.now])?.pop();
    let id = made.ok_or_else(|| anyhow!("a new conversation has no id"))?;
    tx.exec(ADD_CHAT, vals![id, &new.slug, meeting, owner, guest, title]).or_conflict(Noun::Conversation)?;
    join(tx, id, owner)?;
    Ok(id)
}

/// Puts somebody into a chat, unless they are in it. `NotFound(Account)` when the account is deleted.
pub(crate) fn join(tx: &mut Tx<'_>, chat: ConversationId, account: AccountId) -> Result<()> {
    const JOIN: &str = "INSERT INTO member (conversation, account) VALUES ($1, $2)
        ON CONFLICT (conversation, account) DO NOTHING";
    if living(tx, &[account])? == 0 {
        return Err(Error::NotFound(Noun::Account));
    }
    tx.exec(JOIN, vals![chat, account])?;
    Ok(())
}

/// Takes somebody out of a chat, and tells it; `false` when they were not in it.
pub(crate) fn leave(tx: &mut Tx<'_>, chat: ConversationId, account: AccountId) -> Result<bool> {
    const LEAVE: &str = "DELETE FROM member WHERE conversation = $1 AND account = $2";
    let left = tx.exec(LEAVE, vals![chat, account])? > 0;
    if left {
        tx.tell(Event::MemberLeft { conversation: chat, account });
    }
    Ok(left)
}

fn leave_chat(tx: &mut Tx<'_>, chat: ConversationId, account: AccountId) -> Result<()> {
    const PLACE: &str =
        "SELECT h.owner, c.message_count FROM chat h JOIN conversation c ON c.id = h.conversation
        JOIN member me ON me.conversation = h.conversation AND me.account = $2 WHERE h.conversation = $1";
    const HIDE: &str = "
        INSERT INTO chat_mark (conversation, account, received_upto, read_upto, hidden_until)
        VALUES ($1, $2, 0, 0, $3)
        ON CONFLICT (conversation, account) DO UPDATE SET hidden_until = excluded.hidden_until";
    let forbidden = || Error::Forbidden(Noun::Conversation);
    let mut place = tx.first(PLACE, vals![chat, account])?.ok_or_else(forbidden)?;
    if place.take::<AccountId>()? == account {
        let next = place.take::<i64>()? + 1;
        tx.exec(HIDE, vals![chat, account, next])?;
        return Ok(());
    }
    leave(tx, chat, account).map(drop)
}

fn chats_of(tx: &mut Tx<'_>, account: AccountId, limit: usize) -> Result<Vec<Chat>> {
    const CHATS: &str = concat!(
        "SELECT c.id, h.slug, h.title, h.owner, c.created_at, c.last_message, ",
        message_columns!(),
        " FROM member me JOIN conversation c ON c.id = me.conversation JOIN chat h ON h.conversation = c.id
        LEFT JOIN chat_mark k ON k.conversation = c.id AND k.account = me.account
        LEFT JOIN message m ON m.id = c.last_message LEFT JOIN account w ON w.id = m.author
        WHERE me.account = $1 AND c.message_count >= COALESCE(k.hidden_until, 0)
        ORDER BY c.last_at DESC, c.id DESC LIMIT $2"
    );
    let mut chats = Vec::new();
    let (mut last_messages, mut with_media) = (Vec::new(), Vec::new());
    for mut row in tx.query(CHATS, vals![account, limit])? {
        chats.push(chat(&mut row)?);
        if row.take::<Option<MessageId>>()?.is_some() {
            last_messages.push(message(&mut row, &mut with_media)?);
        }
    }
    let ids: Vec<ConversationId> = chats.iter().map(|chat| chat.id).collect();
    let mut marks = marks(tx, &ids, account)?;
    let mut members = members(tx, &ids)?;
    let last_messages = media_of(tx, last_messages, &with_media)?;
    let mut last_messages: HashMap<_, _> =
        last_messages.into_iter().map(|message| (message.conversation, message)).collect();
    for chat in &mut chats {
        chat.last_message = last_messages.remove(&chat.id);
        chat.marks = marks.remove(&chat.id).unwrap_or_default();
        chat.guests = members.remove(&chat.id).unwrap_or_default();
        chat.guests.retain(|member| *member != chat.owner);
    }
    Ok(chats)
}

fn chat(row: &mut Row) -> Result<Chat> {
    Ok(Chat {
        id: row.take()?,
        slug: row.take()?,
        title: row.take()?,
        owner: row.take()?,
        guests: Vec::new(),
        created_at: row.take()?,
        last_message: None,
        marks: Marks::default(),
    })
}

/// Who is in these chats, by id.
fn members(tx: &mut Tx<'_>, chats: &[ConversationId]) -> Result<HashMap<ConversationId, Vec<AccountId>>> {
    const MEMBERS: &str = "SELECT conversation, account FROM member WHERE conversation IN LIST($1) ORDER BY conversation, account";
    let mut members: HashMap<ConversationId, Vec<AccountId>> = HashMap::new();
    for mut row in tx.query(MEMBERS, vals![numbers(chats)])? {
        members.entry(row.take()?).or_default().push(row.take()?);
    }
    Ok(members)
}

/// How far the account and the others are in these chats.
fn marks(
    tx: &mut Tx<'_>,
    chats: &[ConversationId],
    account: AccountId,
) -> Result<HashMap<ConversationId, Marks>> {
    const MARKS: &str = "
        SELECT conversation, account = $2, MAX(received_upto), MAX(read_upto) FROM chat_mark
        WHERE conversation IN LIST($1) GROUP BY conversation, account = $2";
    let mut marks: HashMap<ConversationId, Marks> = HashMap::new();
    for mut row in tx.query(MARKS, vals![numbers(chats), account])? {
        let of_chat = marks.entry(row.take()?).or_default();
        let side = if row.take()? { &mut of_chat.mine } else { &mut of_chat.others };
        let received: MessageId = row.take()?;
        let read: MessageId = row.take()?;
        *side = Mark { received: known(received), read: known(read) };
    }
    Ok(marks)
}

fn known(message: MessageId) -> Option<MessageId> {
    (message.0 > 0).then_some(message)
}

fn numbers(chats: &[ConversationId]) -> Vec<i64> {
    chats.iter().map(|chat| chat.0).collect()
}
