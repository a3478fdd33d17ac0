//! Conversations: who talks with whom, and who may read.

use async_trait::async_trait;
use uuid::Uuid;

use crate::{
    AccountId, App, Caller, ConversationId, Error, MessageId, Noun, Numbered, RelationId, Result, Time,
    accounts::{self, Card, Cards},
    messages::Message,
};

/// What kind of conversation it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Of two people; one per unordered pair.
    Direct,
    /// A student's room.
    Room,
    /// The chat of a meeting.
    Meeting,
}

impl Kind {
    /// The word for it in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Room => "room",
            Self::Meeting => "meeting",
        }
    }

    /// The kind of that word.
    pub fn named(word: &str) -> Option<Self> {
        [Self::Direct, Self::Room, Self::Meeting].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A direct conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Direct {
    /// Its id.
    pub id: ConversationId,
    /// Who started it.
    pub initiator: AccountId,
    /// The other one.
    pub receiver: AccountId,
}

/// A direct conversation with its newest message.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The conversation.
    pub direct: Direct,
    /// Its newest message, and the author's name.
    pub last_message: Option<Message>,
}

impl Direct {
    /// `Forbidden(Conversation)` unless the account is one of the two.
    pub fn check(&self, account: AccountId) -> Result<()> {
        if account == self.initiator || account == self.receiver {
            Ok(())
        } else {
            Err(Error::Forbidden(Noun::Conversation))
        }
    }
}

/// A message, as far as `messenger` shows it in a history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its id.
    pub id: MessageId,
    /// Who wrote it: one of the conversation's two.
    pub author: AccountId,
    /// What it says.
    pub text: String,
    /// When it was stored.
    pub created_at: Time,
    /// The key of its first file, if it has any.
    pub attachment: Option<String>,
}

/// A page of messages, by the messages' order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Page {
    /// Only messages before this one.
    pub before: Option<MessageId>,
    /// At most so many.
    pub limit: usize,
}

/// Which messages of a history, and in which order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Span {
    /// From the bound on, oldest first; all without one.
    After(Option<Bound>),
    /// Up to the bound, newest first; all without one.
    Before(Option<Bound>),
}

/// Where a span begins; what lies on it belongs to the span.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// A time.
    Time(Time),
    /// A message of the conversation.
    Message(Uuid),
}

/// What the core asks of the store about conversations.
#[async_trait]
pub trait Conversations: Send + Sync {
    /// The pair's direct conversation; made with these ids when there is none yet.
    /// `NotFound(Account)` when either is deleted.
    async fn start_direct(
        &self,
        initiator: AccountId,
        receiver: AccountId,
        uuid: Uuid,
        now: Time,
    ) -> Result<Direct>;

    /// The direct conversation of that id.
    async fn direct(&self, id: ConversationId) -> Result<Option<Direct>>;

    /// The account's direct conversations, newest activity first, at most `limit`, in a constant number of queries.
    async fn overviews(&self, account: AccountId, limit: usize) -> Result<Vec<Overview>>;

    /// A page of the history of a relation's pair: how many messages the span has, and those of the page. By position,
    /// so that a late page costs no more than an early one. `NotFound(Relation)`, also when it is not of `account`;
    /// `NotFound(Message)` when the bound is not a message of the conversation.
    async fn history_of(
        &self,
        relation: RelationId,
        account: AccountId,
        span: Span,
        page: Numbered,
    ) -> Result<(usize, Vec<Message>)>;

    /// A page of a direct conversation for one of its two people, newest first, and both. `live_since`: a session used since
    /// then is live. `NotFound(Conversation)`, `Forbidden(Conversation)`.
    async fn direct_history(
        &self,
        id: ConversationId,
        account: AccountId,
        page: Page,
        live_since: Time,
    ) -> Result<Introduced<(Direct, Vec<Entry>)>>;

    /// Messages of a conversation, newest first, with their media.
    async fn messages_in(&self, conversation: ConversationId, page: Page) -> Result<Vec<Message>>;
}

/// Most conversations of one list.
pub const MAX_OVERVIEWS: usize = 1_000;

/// A direct conversation with both people.
#[derive(Clone, Debug)]
pub struct Introduced<T> {
    /// The conversation, or what is shown of it.
    pub what: T,
    /// Who started it.
    pub initiator: Card,
    /// The other one.
    pub receiver: Card,
}

/// Starts the direct conversation of the caller with the account of that name, or finds the one that there is.
///
/// `Conflict(Oneself)`, `NotFound(Account)`, `Unavailable(DisconnectedAccount)` when the other has no live session.
pub async fn start(app: &App, caller: &Caller, username: &str) -> Result<Introduced<Direct>> {
    let other = accounts::account_named(app, username).await?;
    if other == caller.account {
        return Err(Error::Conflict(Noun::Oneself));
    }
    if !accounts::card(app, other).await?.connected {
        return Err(Error::Unavailable(Noun::DisconnectedAccount));
    }
    let direct = app.store.start_direct(caller.account, other, app.ids.uuid(), app.clock.now()).await?;
    introduce(app, direct).await
}

/// The direct conversation of that id, for one of its two people.
/// `NotFound(Conversation)`, `Forbidden(Conversation)`.
pub async fn open(app: &App, caller: &Caller, id: ConversationId) -> Result<Direct> {
    let direct = app.store.direct(id).await?.ok_or(Error::NotFound(Noun::Conversation))?;
    direct.check(caller.account)?;
    Ok(direct)
}

/// A page of a direct conversation, newest first, and both people. Errors as for [`open`].
pub async fn history(
    app: &App,
    caller: &Caller,
    id: ConversationId,
    page: Page,
) -> Result<Introduced<(Direct, Vec<Entry>)>> {
    app.store.direct_history(id, caller.account, page, accounts::live_since(app)).await
}

/// A page of the caller's history with the other side of a relation, and how many messages the span has. What the
/// caller reads here is received, and shown so.
///
/// `NotFound(Relation)`, `NotFound(Message)` for a bound of another conversation, `NotFound(Page)` beyond the last page.
pub async fn read(
    app: &App,
    caller: &Caller,
    relation: RelationId,
    span: Span,
    page: Numbered,
) -> Result<(usize, Vec<Message>)> {
    let (count, mut messages) = app.store.history_of(relation, caller.account, span, page).await?;
    page.check(count)?;
    let now = app.clock.now();
    let mut new = Vec::new();
    for message in &mut messages {
        if let Some(receipt) = &mut message.receipt
            && receipt.receiver == caller.account
            && receipt.received_at.is_none()
        {
            receipt.received_at = Some(now);
            new.push(message.id);
        }
    }
    if !new.is_empty() {
        app.store.mark_received(new, now).await?;
    }
    Ok((count, messages))
}

/// The caller's direct conversations, newest activity first, at most [`MAX_OVERVIEWS`].
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<Introduced<Overview>>> {
    let overviews = app.store.overviews(caller.account, MAX_OVERVIEWS).await?;
    let mut ids: Vec<_> = overviews.iter().flat_map(|o| [o.direct.initiator, o.direct.receiver]).collect();
    ids.sort_unstable();
    ids.dedup();
    let cards = accounts::cards(app, Cards::Of(ids)).await?;
    overviews
        .into_iter()
        .map(|overview| {
            Ok(Introduced {
                initiator: card_of(&cards, overview.direct.initiator)?,
                receiver: card_of(&cards, overview.direct.receiver)?,
                what: overview,
            })
        })
        .collect()
}

async fn introduce(app: &App, direct: Direct) -> Result<Introduced<Direct>> {
    let cards = accounts::cards(app, Cards::Of(vec![direct.initiator, direct.receiver])).await?;
    Ok(Introduced {
        initiator: card_of(&cards, direct.initiator)?,
        receiver: card_of(&cards, direct.receiver)?,
        what: direct,
    })
}

fn card_of(cards: &[Card], account: AccountId) -> Result<Card> {
    cards.iter().find(|card| card.id == account).cloned().ok_or(Error::NotFound(Noun::Account))
}
