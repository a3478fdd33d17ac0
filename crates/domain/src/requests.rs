//! Requests to take part in a meeting, and what its owner says to them.

use async_trait::async_trait;

use crate::{
    AccountId, App, Caller, Error, MeetingId, Noun, RequestId, Result, Time,
    chats::{NewChat, new_slug},
    profiles::{Profile, profiles},
};

/// Most requests of one list.
pub const MAX_LIST: usize = 10_000;

/// What a meeting's owner says to a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Nothing yet, or nothing any more.
    Undecided,
    /// Yes.
    Approved,
    /// No.
    Rejected,
}

impl Decision {
    /// The word for it in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Undecided => "undecided",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }

    /// The decision of that word.
    pub fn named(word: &str) -> Option<Self> {
        [Self::Undecided, Self::Approved, Self::Rejected]
            .into_iter()
            .find(|decision| decision.as_str() == word)
    }

    /// What comes of it when these flags are set or cleared; one that is not given stays. Approving lifts a rejection,
    /// and the reverse. Not both are set.
    pub fn after(self, approved: Option<bool>, rejected: Option<bool>) -> Self {
        match (approved, rejected) {
            (Some(true), _) => Self::Approved,
            (_, Some(true)) => Self::Rejected,
            (Some(false), _) if self == Self::Approved => Self::Undecided,
            (_, Some(false)) if self == Self::Rejected => Self::Undecided,
            _ => self,
        }
    }
}

/// A request to take part in a meeting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// The meeting.
    pub meeting: MeetingId,
    /// Who asks.
    pub account: AccountId,
    /// What the meeting's owner says.
    pub decision: Decision,
    /// Whether the owner has seen it.
    pub is_read: bool,
    /// When it was made.
    pub created_at: Time,
}

/// A request with who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// The request.
    pub request: Request,
    /// Who asks.
    pub by: Profile,
}

/// What an owner changes about a request: `None` leaves as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Answer {
    /// Approves, or no longer.
    pub approved: Option<bool>,
    /// Rejects, or no longer. Not together with an approval.
    pub rejected: Option<bool>,
    /// Marks as read, or unread.
    pub read: Option<bool>,
}

/// What the core asks of the store about requests.
#[async_trait]
pub trait Requests: Send + Sync {
    /// Makes a request. `NotFound(Meeting)`, `Conflict(OwnMeeting)`, `Conflict(Request)` when `account` has asked before,
    /// whatever came of it.
    async fn add_request(&self, meeting: MeetingId, account: AccountId, now: Time) -> Result<RequestId>;

    /// The undecided requests to the meetings of `owner`, by id, at most `limit`, as they were; they are read now.
    async fn read_requests(&self, owner: AccountId, limit: usize) -> Result<Vec<Request>>;

    /// How many undecided requests to the meetings of `owner` are unread.
    async fn unread_requests(&self, owner: AccountId) -> Result<usize>;

    /// Who owns the meeting that the request is to.
    async fn owner_of_request(&self, id: RequestId) -> Result<Option<AccountId>>;

    /// Changes a request to a meeting of `owner`. An approval puts the person into the meeting's chat, which is made
    /// from `chat` where there is none; anything else takes them out, and publishes it.
    /// `Forbidden(Request)` when it is not to a meeting of `owner`, or there is none.
    async fn set_request(
        &self,
        id: RequestId,
        owner: AccountId,
        answer: Answer,
        chat: NewChat,
    ) -> Result<Request>;
}

/// Asks to take part in a meeting: once, whatever comes of it.
/// `NotFound(Meeting)`, `Conflict(OwnMeeting)`, `Conflict(Request)`.
pub async fn ask(app: &App, caller: &Caller, meeting: MeetingId) -> Result<()> {
    app.store.add_request(meeting, caller.account, app.clock.now()).await.map(drop)
}

/// The undecided requests to the caller's meetings, oldest first, at most [`MAX_LIST`]. They are read now, and shown as
/// they were before.
pub async fn undecided(app: &App, caller: &Caller) -> Result<Vec<Asked>> {
    let requests = app.store.read_requests(caller.account, MAX_LIST).await?;
    let people = profiles(app, requests.iter().map(|request| request.account).collect()).await?;
    let asked = requests.into_iter().filter_map(|request| {
        let by = people.get(&request.account)?.clone();
        Some(Asked { request, by })
    });
    Ok(asked.collect())
}

/// How many undecided requests to the caller's meetings are unread.
pub async fn unread(app: &App, caller: &Caller) -> Result<usize> {
    app.store.unread_requests(caller.account).await
}

/// Whether the request is to a meeting of the caller's: `Forbidden(Request)` when it is not, or there is none.
pub async fn check_owner(app: &App, caller: &Caller, id: RequestId) -> Result<()> {
    let is_own = app.store.owner_of_request(id).await? == Some(caller.account);
    if is_own { Ok(()) } else { Err(Error::Forbidden(Noun::Request)) }
}

/// Answers a request to a meeting of the caller's. `Forbidden(Request)` when it is not.
pub async fn answer(app: &App, caller: &Caller, id: RequestId, answer: Answer) -> Result<Asked> {
    let chat = NewChat { uuid: app.ids.uuid(), slug: new_slug(app), now: app.clock.now() };
    let request = app.store.set_request(id, caller.account, answer, chat).await?;
    let by = profiles(app, vec![request.account])
        .await?
        .remove(&request.account)
        .ok_or(Error::NotFound(Noun::Account))?;
    Ok(Asked { request, by })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_change_what_they_name_and_lift_each_other() {
        use Decision::{Approved, Rejected, Undecided};
        for (before, approved, rejected, after) in [
            (Undecided, Some(true), None, Approved),
            (Undecided, None, Some(true), Rejected),
            (Approved, None, Some(true), Rejected),
            (Rejected, Some(true), None, Approved),
            (Rejected, Some(true), Some(false), Approved),
            (Approved, Some(false), None, Undecided),
            (Approved, Some(false), Some(true), Rejected),
            (Rejected, None, Some(false), Undecided),
            (Rejected, Some(false), None, Rejected),
            (Approved, None, Some(false), Approved),
            (Approved, Some(false), Some(false), Undecided),
            (Rejected, Some(false), Some(false), Undecided),
            (Approved, None, None, Approved),
        ] {
            assert_eq!(before.after(approved, rejected), after, "{before:?} {approved:?} {rejected:?}");
        }
    }
}
