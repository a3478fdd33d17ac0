//! Requests to take part in meetings.

use std::collections::HashSet;

use anyhow::anyhow;
use async_trait::async_trait;
use domain::{
    AccountId, ConversationId, Error, MeetingId, Noun, RequestId, Result, Time,
    chats::NewChat,
    meetings::Grouping,
    requests::{Answer, Decision, Request, Requests},
};

use crate::{
    SqlStore,
    accounts::living,
    chats::{add_chat, join, leave},
    engine::{Row, Tx, vals},
};

/// The columns of a request `r`: [`request`] reads them in this order.
macro_rules! request_columns {
    () => {
        "r.id, r.meeting, r.account, r.decision, r.is_read, r.created_at"
    };
}

#[async_trait]
impl Requests for SqlStore {
    async fn add_request(&self, meeting: MeetingId, account: AccountId, now: Time) -> Result<RequestId> {
        self.write(move |tx| add_request(tx, meeting, account, now)).await
    }

    async fn read_requests(&self, owner: AccountId, limit: usize) -> Result<Vec<Request>> {
        self.write(move |tx| read_requests(tx, owner, limit)).await
    }

    async fn unread_requests(&self, owner: AccountId) -> Result<usize> {
        const UNREAD: &str = "SELECT COUNT(*) FROM meeting_request
            WHERE owner = $1 AND decision = 'undecided' AND NOT is_read";
        self.read(move |tx| {
            let count = tx.column::<i64>(UNREAD, vals![owner])?.pop().unwrap_or(0);
            Ok(usize::try_from(count).unwrap_or(0))
        })
        .await
    }

    async fn owner_of_request(&self, id: RequestId) -> Result<Option<AccountId>> {
        self.read(move |tx| {
            Ok(tx.column("SELECT owner FROM meeting_request WHERE id = $1", vals![id])?.pop())
        })
        .await
    }

    async fn set_request(
        &self,
        id: RequestId,
        owner: AccountId,
        answer: Answer,
        chat: NewChat,
    ) -> Result<Request> {
        self.write(move |tx| set_request(tx, id, owner, answer, &chat)).await
    }
}

/// The request of the next columns of the row.
fn request(row: &mut Row) -> Result<Request> {
    Ok(Request {
        id: row.take()?,
        meeting: row.take()?,
        account: row.take()?,
        decision: Decision::named(&row.take::<String>()?).ok_or_else(|| anyhow!("a request's decision"))?,
        is_read: row.take()?,
        created_at: row.take()?,
    })
}

fn add_request(tx: &mut Tx<'_>, meeting: MeetingId, account: AccountId, now: Time) -> Result<RequestId> {
    const OWNER: &str = "SELECT owner FROM meeting WHERE id = $1 FOR SHARE";
    const ADD: &str = "
        INSERT INTO meeting_request (meeting, owner, account, decision, is_read, created_at)
        VALUES ($1, $2, $3, $4, FALSE, $5) ON CONFLICT (meeting, account) DO NOTHING RETURNING id";
    let found = tx.first(OWNER, vals![meeting])?;
    let owner: AccountId = found.ok_or(Error::NotFound(Noun::Meeting))?.take()?;
    if owner == account {
        return Err(Error::Conflict(Noun::OwnMeeting));
    }
    if living(tx, &[account])? == 0 {
        return Err(Error::NotFound(Noun::Account));
    }
    let values = vals![meeting, owner, account, Decision::Undecided.as_str(), now];
    tx.first(ADD, values)?.ok_or(Error::Conflict(Noun::Request))?.take()
}

fn read_requests(tx: &mut Tx<'_>, owner: AccountId, limit: usize) -> Result<Vec<Request>> {
    // Of two who read at once, one finds the other's mark: each request is new to one of them.
    const MARK: &str = "
        UPDATE meeting_request SET is_read = TRUE WHERE id IN (
            SELECT id FROM meeting_request WHERE owner = $1 AND decision = 'undecided' ORDER BY id LIMIT $2
        ) AND NOT is_read RETURNING id";
    const UNDECIDED: &str = concat!(
        "SELECT ",
        request_columns!(),
        " FROM meeting_request r WHERE r.owner = $1 AND r.decision = 'undecided' ORDER BY r.id LIMIT $2"
    );
    let new: HashSet<RequestId> = tx.column(MARK, vals![owner, limit])?.into_iter().collect();
    let mut rows = tx.query(UNDECIDED, vals![owner, limit])?;
    let mut requests = rows.iter_mut().map(request).collect::<Result<Vec<_>>>()?;
    for request in &mut requests {
        request.is_read &= !new.contains(&request.id);
    }
    Ok(requests)
}

fn set_request(
    tx: &mut Tx<'_>,
    id: RequestId,
    owner: AccountId,
    answer: Answer,
    chat: &NewChat,
) -> Result<Request> {
    // Answers to requests of one meeting wait for each other, so that its chat is made once.
    const MEETING: &str = "SELECT m.id, m.attendance, m.title FROM meeting m
        WHERE m.id = (SELECT meeting FROM meeting_request WHERE id = $1) AND m.owner = $2 FOR UPDATE";
    const REQUEST: &str =
        concat!("SELECT ", request_columns!(), " FROM meeting_request r WHERE r.id = $1 FOR UPDATE");
    const SET: &str = "UPDATE meeting_request SET decision = $2, is_read = $3 WHERE id = $1";
    let forbidden = || Error::Forbidden(Noun::Request);
    let mut meeting = tx.first(MEETING, vals![id, owner])?.ok_or_else(forbidden)?;
    let mut request = request(&mut tx.first(REQUEST, vals![id])?.ok_or_else(forbidden)?)?;
    let before = request.decision;
    request.decision = before.after(answer.approved, answer.rejected);
    request.is_read = answer.read.unwrap_or(request.is_read);
    tx.exec(SET, vals![id, request.decision.as_str(), request.is_read])?;
    let place: MeetingId = meeting.take()?;
    let attendance: i64 = meeting.take()?;
    let guest = (attendance == Grouping::Pair.number()).then_some(request.account);
    let present = chat_of(tx, place, guest)?;
    if answer.approved == Some(true) {
        let title: String = meeting.take()?;
        let present = match present {
            Some(present) => present,
            None => add_chat(tx, chat, place, owner, guest, &title)?,
        };
        join(tx, present, request.account)?;
    } else if before == Decision::Approved
        && request.decision != Decision::Approved
        && let Some(present) = present
    {
        leave(tx, present, request.account)?;
    }
    Ok(request)
}

/// The chat of a meeting: its only one, or that with this guest.
fn chat_of(tx: &mut Tx<'_>, meeting: MeetingId, guest: Option<AccountId>) -> Result<Option<ConversationId>> {
    const OF_GROUP: &str = "SELECT conversation FROM chat WHERE meeting = $1 AND guest IS NULL";
    const OF_PAIR: &str = "SELECT conversation FROM chat WHERE meeting = $1 AND guest = $2";
    let found = match guest {
        None => tx.column(OF_GROUP, vals![meeting])?,
        Some(guest) => tx.column(OF_PAIR, vals![meeting, guest])?,
    };
    Ok(found.into_iter().next())
}
