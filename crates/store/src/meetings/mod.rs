//! Meetings.

mod cells;
mod search;

use anyhow::anyhow;
use async_trait::async_trait;
use domain::{
    AccountId, Error, MeetingId, Noun, Result, Time,
    meetings::{Category, Draft, Found, Grouping, Meeting, MeetingChange, Meetings, Point, Quota, Search},
};

pub use self::cells::Spot;
use self::cells::{cell_of, on_sphere};
use crate::{
    SqlStore,
    engine::{Shown, Tx, vals},
};

/// The columns of a meeting `m`: [`meeting`] reads them in this order.
macro_rules! meeting_columns {
    () => {
        "m.id, m.owner, m.title, m.description, m.day, m.attendance, m.category, m.lat, m.lng"
    };
}
use meeting_columns;

#[async_trait]
impl Meetings for SqlStore {
    async fn add_meeting(
        &self,
        owner: AccountId,
        draft: Draft,
        day: jiff::civil::Date,
        now: Time,
        quota: Quota,
    ) -> Result<Meeting> {
        self.write(move |tx| add_meeting(tx, owner, &draft, day, now, quota)).await
    }

    async fn meetings_made(&self, owner: AccountId, quota: Quota) -> Result<usize> {
        self.read(move |tx| made(tx, owner, quota)).await
    }

    async fn meeting(&self, id: MeetingId) -> Result<Option<Meeting>> {
        const MEETING: &str = concat!("SELECT ", meeting_columns!(), " FROM meeting m WHERE m.id = $1");
        self.read(move |tx| Ok(tx.list(MEETING, vals![id], meeting)?.pop())).await
    }

    async fn meetings(&self, search: Search, viewer: AccountId) -> Result<Found> {
        self.snapshot(move |tx| search::found(tx, &search, viewer)).await
    }

    async fn set_meeting(&self, id: MeetingId, owner: AccountId, change: MeetingChange) -> Result<Meeting> {
        self.write(move |tx| set_meeting(tx, id, owner, &change)).await
    }

    async fn is_approved(&self, account: AccountId, meeting: MeetingId) -> Result<bool> {
        let approved = self.read(move |tx| approved_between(tx, account, meeting, meeting)).await?;
        Ok(!approved.is_empty())
    }
}

/// From the first of these meetings to the last, those to which the account has an approved request, by id.
fn approved_between(
    tx: &mut Tx<'_>,
    account: AccountId,
    first: MeetingId,
    last: MeetingId,
) -> Result<Vec<MeetingId>> {
    const APPROVED: &str = "SELECT meeting FROM meeting_request
        WHERE account = $1 AND meeting >= $2 AND meeting <= $3 AND decision = 'approved' ORDER BY meeting";
    tx.column(APPROVED, vals![account, first, last])
}

/// The meeting of the next columns of the row.
fn meeting(row: &mut Shown<'_>) -> Result<Meeting> {
    let id = row.take()?;
    meeting_of(row, id)
}

/// The meeting of this id, and of the next columns of the row.
fn meeting_of(row: &mut Shown<'_>, id: MeetingId) -> Result<Meeting> {
    Ok(Meeting {
        id,
        owner: row.take()?,
        title: row.take()?,
        description: row.take()?,
        day: row.parsed()?.ok_or_else(|| anyhow!("a meeting has no day"))?,
        grouping: Grouping::numbered(row.take()?).ok_or_else(|| anyhow!("a meeting's attendance"))?,
        category: Category::numbered(row.take()?).ok_or_else(|| anyhow!("a meeting's category"))?,
        place: Point::new(row.take()?, row.take()?).ok_or_else(|| anyhow!("a meeting's place"))?,
    })
}

fn made(tx: &mut Tx<'_>, owner: AccountId, quota: Quota) -> Result<usize> {
    const MADE: &str =
        "SELECT COUNT(*) FROM meeting WHERE owner = $1 AND created_at >= $2 AND created_at < $3";
    let count = tx.column::<i64>(MADE, vals![owner, quota.since, quota.until])?.pop().unwrap_or(0);
    Ok(usize::try_from(count).unwrap_or(0))
}

fn add_meeting(
    tx: &mut Tx<'_>,
    owner: AccountId,
    draft: &Draft,
    day: jiff::civil::Date,
    now: Time,
    quota: Quota,
) -> Result<Meeting> {
    // Whoever makes meetings at the same moment waits here, and is counted.
    const LOCK: &str = "SELECT id FROM account WHERE id = $1 AND deleted_at IS NULL FOR UPDATE";
    const ADD: &str = "
        INSERT INTO meeting (owner, title, description, day, attendance, category, lat, lng, x, y, z, cell, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id";
    tx.first(LOCK, vals![owner])?.ok_or(Error::NotFound(Noun::Account))?;
    if quota.most > 0 && made(tx, owner, quota)? >= quota.most {
        return Err(Error::Forbidden(Noun::DailyMeeting));
    }
    let [x, y, z] = on_sphere(draft.place);
    let values = vals![
        owner,
        &draft.title,
        &draft.description,
        day.to_string(),
        draft.grouping.number(),
        draft.category.number(),
        draft.place.lat(),
        draft.place.lng(),
        x,
        y,
        z,
        cell_of(draft.place),
        now,
    ];
    let id = tx.column(ADD, values)?.pop().ok_or_else(|| anyhow!("a new meeting has no id"))?;
    Ok(Meeting {
        id,
        owner,
        title: draft.title.clone(),
        description: draft.description.clone(),
        day,
        grouping: draft.grouping,
        category: draft.category,
        place: draft.place,
    })
}

fn set_meeting(tx: &mut Tx<'_>, id: MeetingId, owner: AccountId, change: &MeetingChange) -> Result<Meeting> {
    const MINE: &str =
        concat!("SELECT ", meeting_columns!(), " FROM meeting m WHERE m.id = $1 AND m.owner = $2 FOR UPDATE");
    const SET: &str = "UPDATE meeting SET title = $2, description = $3, day = $4, lat = $5, lng = $6, x = $7,
        y = $8, z = $9, cell = $10 WHERE id = $1";
    let found = tx.list(MINE, vals![id, owner], meeting)?.pop();
    let mut meeting = found.ok_or(Error::Forbidden(Noun::Meeting))?;
    if let Some(title) = &change.title {
        meeting.title.clone_from(title);
        tx.exec("UPDATE chat SET title = $2 WHERE meeting = $1", vals![id, title])?;
    }
    if let Some(description) = &change.description {
        meeting.description.clone_from(description);
    }
    meeting.day = change.day.unwrap_or(meeting.day);
    meeting.place = change.place.unwrap_or(meeting.place);
    let [x, y, z] = on_sphere(meeting.place);
    let values = vals![
        id,
        &meeting.title,
        &meeting.description,
        meeting.day.to_string(),
        meeting.place.lat(),
        meeting.place.lng(),
        x,
        y,
        z,
        cell_of(meeting.place),
    ];
    tx.exec(SET, values)?;
    Ok(meeting)
}

/// Removes what a deleted account had to do with meetings. The chats stay, with what was written in them; it is in none
/// of them any more.
pub(crate) fn forget(tx: &mut Tx<'_>, account: AccountId) -> Result<()> {
    const DETACH: &str =
        "UPDATE chat SET meeting = NULL WHERE meeting IN (SELECT id FROM meeting WHERE owner = $1)";
    const REQUESTS: &str =
        "DELETE FROM meeting_request WHERE meeting IN (SELECT id FROM meeting WHERE owner = $1)";
    const LEAVE: &str = "DELETE FROM member WHERE account = $1
        AND conversation IN (SELECT me.conversation FROM member me JOIN chat h ON h.conversation = me.conversation
            WHERE me.account = $1)";
    for sql in [
        DETACH,
        REQUESTS,
        "DELETE FROM meeting_request WHERE account = $1",
        "DELETE FROM meeting WHERE owner = $1",
        LEAVE,
        "DELETE FROM profile WHERE account = $1",
    ] {
        tx.exec(sql, vals![account])?;
    }
    Ok(())
}
