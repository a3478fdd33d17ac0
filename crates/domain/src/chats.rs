//! Chats of meetings: their owners and those whose requests are approved talk there.

use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use uuid::Uuid;

use crate::{
    AccountId, App, Caller, ConversationId, Error, MessageId, Noun, Result, Time,
    conversations::Page,
    messages::Message,
    profiles::{Profile, profiles},
};

/// Most chats of one list.
pub const MAX_LIST: usize = 1_000;

/// Most messages of one list.
pub const MAX_HISTORY: usize = 10_000;

/// What a chat is made with, where one has to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewChat {
    /// The conversation's other id.
    pub uuid: Uuid,
    /// The name under which sockets find it: 20 hex digits, random.
    pub slug: String,
    /// When.
    pub now: Time,
}

/// A chat as one of its members sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chat {
    /// Its conversation.
    pub id: ConversationId,
    /// The name under which sockets find it.
    pub slug: String,
    /// The meeting's title.
    pub title: String,
    /// Who made the meeting.
    pub owner: AccountId,
    /// The approved people, by id.
    pub guests: Vec<AccountId>,
    /// When it was made.
    pub created_at: Time,
    /// Its newest message.
    pub last_message: Option<Message>,
    /// How far everyone is.
    pub marks: Marks,
}

/// How far somebody has come in a chat: up to these messages, and those before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mark {
    /// Received: written to an open socket of theirs, or read. `None`: nothing.
    pub received: Option<MessageId>,
    /// Read in the history.
    pub read: Option<MessageId>,
}

/// How far a member has come, and the farthest of the others, past members among them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Marks {
    /// The member.
    pub mine: Mark,
    /// The farthest of the others.
    pub others: Mark,
}

/// What the core asks of the store about chats.
#[async_trait]
pub trait Chats: Send + Sync {
    /// The chats that the account is in and has not hidden, newest activity first, at most `limit`, in a constant number
    /// of queries.
    async fn chats_of(&self, account: AccountId, limit: usize) -> Result<Vec<Chat>>;

    /// The chat of that name.
    async fn chat_named(&self, slug: &str) -> Result<Option<ConversationId>>;

    /// Whether the account is in the chat; `None` when there is no such chat.
    async fn is_in_chat(&self, chat: ConversationId, account: AccountId) -> Result<Option<bool>>;

    /// How far the account and the others are.
    async fn marks(&self, chat: ConversationId, account: AccountId) -> Result<Marks>;

    /// Notes how far people have come, each in a chat. What they had before stays, where it is farther.
    async fn set_marks(&self, marks: Vec<(ConversationId, AccountId, Mark)>) -> Result<()>;

    /// Takes the account out of the chat, and publishes it; a chat of its own is hidden until its next message instead.
    /// `Forbidden(Conversation)` when it is not in it, or there is none.
    async fn leave_chat(&self, chat: ConversationId, account: AccountId) -> Result<()>;
}

/// A message as one member of its chat sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The message.
    pub message: Message,
    /// Its author.
    pub author: Profile,
    /// Whether it is the member's own.
    pub is_mine: bool,
    /// One's own: whether anyone else has received it. Another's: whether the member has, before now.
    pub is_received: bool,
    /// One's own: whether anyone else has read it. Another's: whether the member has, before now.
    pub is_read: bool,
}

/// A chat with its people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Overview {
    /// The chat.
    pub chat: Chat,
    /// Who made the meeting.
    pub owner: Profile,
    /// The approved people, by id.
    pub guests: Vec<Profile>,
    /// Its newest message.
    pub last_line: Option<Line>,
}

/// Twenty hex digits that nobody can guess.
pub(crate) fn new_slug(app: &App) -> String {
    let mut random = [0; 10];
    app.ids.fill(&mut random);
    hex::encode(random)
}

/// The caller's chats, newest activity first, at most [`MAX_LIST`].
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<Overview>> {
    let mut chats = app.store.chats_of(caller.account, MAX_LIST).await?;
    let mut ids = Vec::new();
    for chat in &chats {
        ids.push(chat.owner);
        ids.extend(&chat.guests);
        ids.extend(chat.last_message.iter().map(|message| message.author));
    }
    let people = profiles(app, ids).await?;
    let person = |id: &AccountId| people.get(id).cloned().ok_or(Error::NotFound(Noun::Account));
    chats
        .iter_mut()
        .map(|chat| {
            let last = chat.last_message.take();
            Ok(Overview {
                owner: person(&chat.owner)?,
                guests: chat.guests.iter().map(person).collect::<Result<_>>()?,
                last_line: last
                    .map(|message| {
                        Ok::<_, Error>(line(caller, person(&message.author)?, message, chat.marks))
                    })
                    .transpose()?,
                chat: chat.clone(),
            })
        })
        .collect()
}

/// A page of a chat's messages, oldest first; they are read now, and shown as they were before.
/// `NotFound(Conversation)`, `Forbidden(Conversation)` when the caller is not in it.
pub async fn history(app: &App, caller: &Caller, chat: ConversationId, page: Page) -> Result<Vec<Line>> {
    check(app, caller, chat).await?;
    let marks = app.store.marks(chat, caller.account).await?;
    let mut messages = app.store.messages_in(chat, page).await?;
    messages.reverse();
    let newest = messages.last().map(|message| message.id);
    if newest > marks.mine.read {
        let mark = Mark { received: newest, read: newest };
        app.store.set_marks(vec![(chat, caller.account, mark)]).await?;
    }
    let people = profiles(app, messages.iter().map(|message| message.author).collect()).await?;
    messages
        .into_iter()
        .map(|message| {
            let author = people.get(&message.author).cloned().ok_or(Error::NotFound(Noun::Account))?;
            Ok(line(caller, author, message, marks))
        })
        .collect()
}

fn line(caller: &Caller, author: Profile, message: Message, marks: Marks) -> Line {
    let is_mine = message.author == caller.account;
    let mark = if is_mine { marks.others } else { marks.mine };
    Line {
        is_mine,
        is_received: mark.received >= Some(message.id),
        is_read: mark.read >= Some(message.id),
        author,
        message,
    }
}

/// The chat of that name. `NotFound(Conversation)`.
pub async fn named(app: &App, slug: &str) -> Result<ConversationId> {
    app.store.chat_named(slug).await?.ok_or(Error::NotFound(Noun::Conversation))
}

/// Whether the caller is in the chat: `NotFound(Conversation)`, `Forbidden(Conversation)` when not. Who listens has to
/// ask when the end of it would be heard.
pub async fn check(app: &App, caller: &Caller, chat: ConversationId) -> Result<()> {
    match app.store.is_in_chat(chat, caller.account).await? {
        None => Err(Error::NotFound(Noun::Conversation)),
        Some(false) => Err(Error::Forbidden(Noun::Conversation)),
        Some(true) => Ok(()),
    }
}

/// Takes the caller out of a chat until they are approved anew; the owner's is hidden until its next message.
/// `Forbidden(Conversation)` when the caller is not in it.
pub async fn leave(app: &App, caller: &Caller, chat: ConversationId) -> Result<()> {
    app.store.leave_chat(chat, caller.account).await
}

/// What was written to open sockets and is not yet noted.
#[derive(Debug, Default)]
pub(crate) struct MarkQueue(Mutex<Pending>);

#[derive(Debug, Default)]
struct Pending {
    received: HashMap<(ConversationId, AccountId), MessageId>,
    /// Whether a task is at work that will take what is added.
    has_writer: bool,
}

/// Notes that the caller has received messages of a chat up to this one. Returns at once; while one batch is written, the
/// next one gathers. What is lost in a crash is noted when the receiver reads next.
pub fn received(app: &App, caller: &Caller, chat: ConversationId, message: MessageId) {
    let mut pending = app.marks.0.lock().unwrap_or_else(PoisonError::into_inner);
    let known = pending.received.entry((chat, caller.account)).or_insert(message);
    *known = message.max(*known);
    if !mem::replace(&mut pending.has_writer, true) {
        drop(pending);
        tokio::spawn(write(app.clone()));
    }
}

async fn write(app: App) {
    loop {
        let received = {
            let mut pending = app.marks.0.lock().unwrap_or_else(PoisonError::into_inner);
            if pending.received.is_empty() {
                pending.has_writer = false;
                return;
            }
            mem::take(&mut pending.received)
        };
        let marks = received
            .into_iter()
            .map(|((chat, account), message)| (chat, account, Mark { received: Some(message), read: None }));
        if let Err(fault) = app.store.set_marks(marks.collect()).await {
            tracing::warn!(?fault, "it could not be noted what was received");
        }
    }
}
