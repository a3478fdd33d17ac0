//! Meetings: somewhere, on some day, for people to ask to take part.

mod operations;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::civil::Date;

pub use operations::*;

use crate::{
    AccountId, MeetingId, Result, Time,
    profiles::{Gender, Portrait},
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

/// What a search finds.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Found {
    /// The meetings, by id.
    pub meetings: Vec<Meeting>,
    /// Their owners, each once, by id.
    pub owners: Vec<Portrait>,
    /// To which of the meetings the viewer has an approved request, by id.
    pub approved: Vec<MeetingId>,
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

    /// Meetings by id, with what `viewer` is to know of them; all of the same moment. The cost depends on how many lie
    /// around the point, not on how many there are.
    async fn meetings(&self, search: Search, viewer: AccountId) -> Result<Found>;

    /// Changes a meeting. `Forbidden(Meeting)` when it is not of `owner`, or there is none.
    async fn set_meeting(&self, id: MeetingId, owner: AccountId, change: MeetingChange) -> Result<Meeting>;

    /// Whether the account has an approved request to the meeting.
    async fn is_approved(&self, account: AccountId, meeting: MeetingId) -> Result<bool>;
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
    /// Its owner; meetings of one list share them.
    pub owner: Arc<Portrait>,
    /// What it is to them.
    pub standing: Standing,
}

#[cfg(test)]
mod tests {
    use super::*;

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
