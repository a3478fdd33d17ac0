//! Meetings: somewhere, on some day, for people to ask to take part.

use std::collections::HashSet;

use async_trait::async_trait;
use jiff::civil::Date;

use crate::{
    AccountId, App, Caller, Error, MeetingId, Noun, Result, Time,
    profiles::{Gender, Portrait, portraits},
};

/// Most characters of a title.
pub const MAX_TITLE: usize = 32;

/// Most kilometres around a point.
pub const MAX_RADIUS: f64 = 30.0;

/// Most meetings of one list.
pub const MAX_LIST: usize = 10_000;

/// A point on the globe, in degrees.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    lat: f64,
    lng: f64,
}

impl Point {
    /// The point of that latitude (-90 to 90) and longitude (-180 to 180). `None` beyond, and for what is no number.
    pub fn new(lat: f64, lng: f64) -> Option<Self> {
        let good = (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lng);
        good.then_some(Self { lat, lng })
    }

    /// The latitude.
    pub fn lat(self) -> f64 {
        self.lat
    }

    /// The longitude.
    pub fn lng(self) -> f64 {
        self.lng
    }
}

/// Who takes part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grouping {
    /// The owner and one other: everyone who is approved gets a chat of their own. 0 on the wire of `meetups`.
    Pair,
    /// Many, in one chat. 1.
    Group,
}

impl Grouping {
    /// Its number.
    pub fn number(self) -> i64 {
        match self {
            Self::Pair => 0,
            Self::Group => 1,
        }
    }

    /// The one of that number.
    pub fn numbered(number: i64) -> Option<Self> {
        [Self::Pair, Self::Group].into_iter().find(|grouping| grouping.number() == number)
    }
}

/// What a meeting is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Category {
    /// Anything. 0 on the wire of `meetups`, and in the database.
    General,
    /// 1.
    Sport,
    /// 2.
    Bar,
    /// 3.
    Dance,
}

impl Category {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::General, Self::Sport, Self::Bar, Self::Dance];

    /// Its number.
    pub fn number(self) -> i64 {
        match self {
            Self::General => 0,
            Self::Sport => 1,
            Self::Bar => 2,
            Self::Dance => 3,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Sport => "sport",
            Self::Bar => "bar",
            Self::Dance => "dance",
        }
    }

    /// The one of that number.
    pub fn numbered(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.number() == number)
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.name() == name)
    }
}

/// A meeting.
#[derive(Clone, PartialEq, Debug)]
pub struct Meeting {
    /// Its id.
    pub id: MeetingId,
    /// Who made it.
    pub owner: AccountId,
    /// Its title, at most [`MAX_TITLE`] characters.
    pub title: String,
    /// What is to be known of it, or `""`.
    pub description: String,
    /// The day.
    pub day: Date,
    /// Who takes part.
    pub grouping: Grouping,
    /// What it is about.
    pub category: Category,
    /// Where.
    pub place: Point,
}

/// A meeting to be made.
#[derive(Clone, PartialEq, Debug)]
pub struct Draft {
    /// Its title, checked.
    pub title: String,
    /// What is to be known of it, or `""`.
    pub description: String,
    /// The day; today, where the settings say, without.
    pub day: Option<Date>,
    /// Who takes part.
    pub grouping: Grouping,
    /// What it is about.
    pub category: Category,
    /// Where.
    pub place: Point,
}

/// Changes to a meeting: `None` leaves as it is.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct MeetingChange {
    /// A new title, checked; the meeting's chats get it, too.
    pub title: Option<String>,
    /// A new description.
    pub description: Option<String>,
    /// A new day.
    pub day: Option<Date>,
    /// A new place.
    pub place: Option<Point>,
}

/// The meetings that an account has made in a span of time, and may make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quota {
    /// The span's first moment.
    pub since: Time,
    /// The first moment after it.
    pub until: Time,
    /// How many; 0 for any number.
    pub most: usize,
}

/// Which meetings. What is `None` filters nothing; all filters have to fit.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Filter {
    /// Within this distance of the point.
    pub around: Option<Circle>,
    /// About this.
    pub category: Option<Category>,
    /// By an owner of that gender.
    pub gender: Option<Gender>,
    /// By an owner of an age in whole years between these two, both included. Owners without a birthday drop out.
    pub age: Option<(i64, i64)>,
}

/// A point and a great-circle distance from it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Circle {
    /// The middle.
    pub middle: Point,
    /// Kilometres, from 0 to [`MAX_RADIUS`].
    pub radius: f64,
}

/// What the store is asked for: [`Filter`] with ages as birthdays, and a page by id.
#[derive(Clone, PartialEq, Debug)]
pub struct Search {
    /// Within this distance of the point.
    pub around: Option<Circle>,
    /// About this.
    pub category: Option<Category>,
    /// By an owner of that gender.
    pub gender: Option<Gender>,
    /// By an owner born after the first and not after the second of these days, each `YYYY-MM-DD`; the day need not exist.
    pub born: Option<(String, String)>,
    /// Only ids after this one.
    pub after: MeetingId,
    /// At most so many.
    pub limit: usize,
}

/// What the core asks of the store about meetings.
#[async_trait]
pub trait Meetings: Send + Sync {
    /// Makes a meeting. `Forbidden(DailyMeeting)` when the quota is used up, however many ask at once;
    /// `NotFound(Account)`.
    async fn add_meeting(
        &self,
        owner: AccountId,
        draft: Draft,
        day: Date,
        now: Time,
        quota: Quota,
    ) -> Result<Meeting>;

    /// How many meetings the account has made in the quota's span.
    async fn meetings_made(&self, owner: AccountId, quota: Quota) -> Result<usize>;

    /// The meeting of that id.
    async fn meeting(&self, id: MeetingId) -> Result<Option<Meeting>>;

    /// Meetings by id. The cost depends on how many lie around the point, not on how many there are.
    async fn meetings(&self, search: Search) -> Result<Vec<Meeting>>;

    /// Changes a meeting. `Forbidden(Meeting)` when it is not of `owner`, or there is none.
    async fn set_meeting(&self, id: MeetingId, owner: AccountId, change: MeetingChange) -> Result<Meeting>;

    /// Which of these meetings the account has an approved request to.
    async fn approved_among(&self, account: AccountId, meetings: Vec<MeetingId>) -> Result<Vec<MeetingId>>;
}

/// What a meeting is to who looks at it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Their own.
    Mine,
    /// Their request to take part is approved.
    Approved,
    /// Neither.
    Disapproved,
}

/// A meeting as somebody sees it.
#[derive(Clone, PartialEq, Debug)]
pub struct Seen {
    /// The meeting.
    pub meeting: Meeting,
    /// Its owner.
    pub owner: Portrait,
    /// What it is to them.
    pub standing: Standing,
}

/// Whether the caller may make one more meeting today: `Forbidden(DailyMeeting)` when not.
pub async fn check_quota(app: &App, caller: &Caller) -> Result<()> {
    let quota = quota(app);
    if quota.most > 0 && app.store.meetings_made(caller.account, quota).await? >= quota.most {
        return Err(Error::Forbidden(Noun::DailyMeeting));
    }
    Ok(())
}

/// Makes a meeting of the caller's. `Forbidden(DailyMeeting)`.
pub async fn create(app: &App, caller: &Caller, draft: Draft) -> Result<Seen> {
    let now = app.clock.now();
    let day = draft.day.unwrap_or_else(|| app.settings.day_of(now));
    let made = app.store.add_meeting(caller.account, draft, day, now, quota(app)).await?;
    only(seen(app, caller, vec![made]).await?)
}

/// Meetings by id, after that one, at most `limit`.
pub async fn list(
    app: &App,
    caller: &Caller,
    filter: Filter,
    after: MeetingId,
    limit: usize,
) -> Result<Vec<Seen>> {
    let search = Search {
        around: filter.around,
        category: filter.category,
        gender: filter.gender,
        born: filter.age.map(|(from, to)| born(app.settings.day_of(app.clock.now()), from, to)),
        after,
        limit,
    };
    let found = app.store.meetings(search).await?;
    seen(app, caller, found).await
}

/// One meeting. `NotFound(Meeting)`.
pub async fn meeting(app: &App, caller: &Caller, id: MeetingId) -> Result<Seen> {
    let found = app.store.meeting(id).await?.ok_or(Error::NotFound(Noun::Meeting))?;
    only(seen(app, caller, vec![found]).await?)
}

/// Whether the meeting is the caller's: `Forbidden(Meeting)` when it is not, or there is none.
pub async fn check_owner(app: &App, caller: &Caller, id: MeetingId) -> Result<()> {
    let found = app.store.meeting(id).await?;
    let is_own = found.is_some_and(|meeting| meeting.owner == caller.account);
    if is_own { Ok(()) } else { Err(Error::Forbidden(Noun::Meeting)) }
}

/// Changes a meeting of the caller's. `Forbidden(Meeting)` when it is not.
pub async fn update(app: &App, caller: &Caller, id: MeetingId, change: MeetingChange) -> Result<Seen> {
    let changed = app.store.set_meeting(id, caller.account, change).await?;
    only(seen(app, caller, vec![changed]).await?)
}

fn quota(app: &App) -> Quota {
    let day = app.settings.day_of(app.clock.now());
    let next = day.tomorrow().unwrap_or(day);
    Quota {
        since: app.settings.start_of(day),
        until: app.settings.start_of(next),
        most: app.settings.meetings_per_day,
    }
}

/// Who is between `from` and `to` years old today was born after the first of these days, and not after the second.
/// Days as texts compare like calendar days; that the 29th of February is not in every year does not matter to them.
fn born(today: Date, from: i64, to: i64) -> (String, String) {
    let years_ago = |years: i64| {
        let year = i64::from(today.year()).saturating_sub(years).clamp(0, 9999);
        format!("{year:04}-{:02}-{:02}", today.month(), today.day())
    };
    (years_ago(to.saturating_add(1)), years_ago(from))
}

/// The meetings as the caller sees them. By three queries.
async fn seen(app: &App, caller: &Caller, meetings: Vec<Meeting>) -> Result<Vec<Seen>> {
    let owners = portraits(app, meetings.iter().map(|meeting| meeting.owner).collect()).await?;
    let others = meetings.iter().filter(|meeting| meeting.owner != caller.account);
    let others: Vec<_> = others.map(|meeting| meeting.id).collect();
    let approved =
        if others.is_empty() { Vec::new() } else { app.store.approved_among(caller.account, others).await? };
    let approved: HashSet<_> = approved.into_iter().collect();
    let seen = meetings.into_iter().filter_map(|meeting| {
        // An owner who was deleted in this moment took the meeting along.
        let owner = owners.get(&meeting.owner)?.clone();
        let standing = if meeting.owner == caller.account {
            Standing::Mine
        } else if approved.contains(&meeting.id) {
            Standing::Approved
        } else {
            Standing::Disapproved
        };
        Some(Seen { meeting, owner, standing })
    });
    Ok(seen.collect())
}

fn only(mut seen: Vec<Seen>) -> Result<Seen> {
    seen.pop().ok_or(Error::NotFound(Noun::Meeting))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// Whether somebody born then is of that age today, by the search.
    fn is_found(today: Date, birth: Date, from: i64, to: i64) -> bool {
        let (after, until) = born(today, from, to);
        let birth = birth.to_string();
        birth > after && birth <= until
    }

    #[test]
    fn ages_are_whole_years() {
        let today = date(2021, 8, 26);
        for (birth, age) in [
            (date(2000, 8, 26), 21),
            (date(2000, 8, 27), 20),
            (date(2000, 8, 25), 21),
            (date(2001, 1, 1), 20),
            (date(2021, 8, 26), 0),
        ] {
            assert!(is_found(today, birth, age, age), "{birth}");
            assert!(!is_found(today, birth, age + 1, age + 9), "{birth}");
            assert!(!is_found(today, birth, -9, age - 1), "{birth}");
        }
    }

    #[test]
    fn who_was_born_on_a_leap_day_grows_older_on_the_first_of_march() {
        let birth = date(2004, 2, 29);
        assert!(is_found(date(2021, 2, 28), birth, 16, 16));
        assert!(is_found(date(2021, 3, 1), birth, 17, 17));
        assert!(is_found(date(2024, 2, 29), birth, 20, 20));
    }

    #[test]
    fn any_two_numbers_are_ages() {
        let today = date(2021, 8, 26);
        assert!(is_found(today, date(1, 1, 1), i64::MIN, i64::MAX));
        assert!(!is_found(today, date(2000, 1, 1), i64::MAX, i64::MIN));
        assert!(!is_found(today, date(2000, 1, 1), 40, 30));
    }

    #[test]
    fn points_are_within_the_globe() {
        assert!(Point::new(90.0, -180.0).is_some());
        for (lat, lng) in
            [(90.1, 0.0), (-90.1, 0.0), (0.0, 180.1), (0.0, -180.1), (f64::NAN, 0.0), (0.0, f64::INFINITY)]
        {
            assert_eq!(Point::new(lat, lng), None);
        }
    }
}
