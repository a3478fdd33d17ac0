//! Making, changing and finding meetings.

use std::sync::Arc;

use jiff::civil::Date;

use super::{Draft, Filter, Found, Meeting, MeetingChange, Quota, Search, Seen, Standing};
use crate::{App, Caller, Error, MeetingId, Noun, Result};

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
    seen(app, caller, made).await
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
    Ok(all_seen(caller, app.store.meetings(search, caller.account).await?))
}

/// One meeting. `NotFound(Meeting)`.
pub async fn meeting(app: &App, caller: &Caller, id: MeetingId) -> Result<Seen> {
    let found = app.store.meeting(id).await?.ok_or(Error::NotFound(Noun::Meeting))?;
    seen(app, caller, found).await
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
    seen(app, caller, changed).await
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

/// The meeting as the caller sees it. `NotFound(Meeting)` when its owner was deleted in this moment, and took it along.
async fn seen(app: &App, caller: &Caller, meeting: Meeting) -> Result<Seen> {
    let owners = app.store.portraits(vec![meeting.owner]).await?;
    let is_guest = meeting.owner != caller.account;
    let is_approved = is_guest && app.store.is_approved(caller.account, meeting.id).await?;
    let approved = if is_approved { vec![meeting.id] } else { Vec::new() };
    let found = Found { meetings: vec![meeting], owners, approved };
    all_seen(caller, found).pop().ok_or(Error::NotFound(Noun::Meeting))
}

/// What was found, as the caller sees it.
fn all_seen(caller: &Caller, found: Found) -> Vec<Seen> {
    let Found { meetings, owners, approved } = found;
    let owners: Vec<_> = owners.into_iter().map(Arc::new).collect();
    let seen = meetings.into_iter().filter_map(|meeting| {
        let place = owners.binary_search_by_key(&meeting.owner, |owner| owner.account).ok()?;
        let owner = Arc::clone(&owners[place]);
        let standing = if meeting.owner == caller.account {
            Standing::Mine
        } else if approved.binary_search(&meeting.id).is_ok() {
            Standing::Approved
        } else {
            Standing::Disapproved
        };
        Some(Seen { meeting, owner, standing })
    });
    seen.collect()
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
}
