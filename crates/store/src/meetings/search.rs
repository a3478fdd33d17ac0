//! The search for meetings, all filters in one query; with their owners, all of the same moment.

use domain::{
    AccountId, MeetingId, Result,
    meetings::{Found, Meeting, Search},
};

use super::{
    approved_between,
    cells::{cells_around, chord_squared, on_sphere},
    meeting, meeting_columns, meeting_of,
};
use crate::{
    engine::{Flavour, Tx, vals},
    profiles::portraits,
};

/// What lies in the circle: `$8` to `$11`.
macro_rules! in_circle {
    () => {
        "m.id + 0 > $1
        AND (m.x - $8) * (m.x - $8) + (m.y - $9) * (m.y - $9) + (m.z - $10) * (m.z - $10) <= $11"
    };
}

/// What owner and category have to be like; `$1` to `$6` are the same in all queries. Casts give the parameters their types
/// on PostgreSQL. Profiles are looked up only where something of theirs is asked for: that counts at a thousand meetings.
macro_rules! filters {
    () => {
        " AND m.category = COALESCE(CAST($3 AS BIGINT), m.category)
        AND (CAST($4 AS BIGINT) IS NULL
            OR $4 = (SELECT f.gender FROM profile f WHERE f.account = m.owner))
        AND (CAST($5 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM profile f
            WHERE f.account = m.owner AND f.birth_date > $5 AND f.birth_date <= $6))"
    };
}

/// The meetings by id, after the one named, with what `viewer` is to know of them.
pub(super) fn found(tx: &mut Tx<'_>, search: &Search, viewer: AccountId) -> Result<Found> {
    let meetings = meetings(tx, search)?;
    let (Some(first), Some(last)) = (meetings.first(), meetings.last()) else { return Ok(Found::default()) };
    let mut approved = approved_between(tx, viewer, first.id, last.id)?;
    approved.retain(|id| meetings.binary_search_by_key(id, |meeting| meeting.id).is_ok());
    let mut owners: Vec<AccountId> = meetings.iter().map(|meeting| meeting.owner).collect();
    owners.sort_unstable();
    owners.dedup();
    Ok(Found { owners: portraits(tx, &owners)?, meetings, approved })
}

fn meetings(tx: &mut Tx<'_>, search: &Search) -> Result<Vec<Meeting>> {
    const ANYWHERE: &str = concat!(
        "SELECT ",
        meeting_columns!(),
        " FROM meeting m WHERE m.id > $1",
        filters!(),
        " ORDER BY m.id LIMIT $2"
    );
    // The sums keep either database from walking along the ids in search of what lies in the circle.
    const AROUND: &str = concat!(
        "SELECT ",
        meeting_columns!(),
        " FROM meeting m WHERE m.cell IN LIST($7) AND ",
        in_circle!(),
        filters!(),
        " ORDER BY m.id + 0 LIMIT $2"
    );
    // SQLite takes as long to sort a thousand rows as to find them: they come as they lie, and are sorted here.
    const AS_THEY_LIE: &str = concat!(
        "SELECT ",
        meeting_columns!(),
        " FROM json_each($7) CROSS JOIN meeting m WHERE m.cell = json_each.value AND ",
        in_circle!(),
        filters!()
    );
    let mut values = vals![
        search.after,
        search.limit,
        search.category.map(domain::meetings::Category::number),
        search.gender.map(domain::profiles::Gender::number),
        search.born.as_ref().map(|(after, _)| after),
        search.born.as_ref().map(|(_, until)| until),
    ]
    .to_vec();
    let Some(circle) = search.around else { return tx.list(ANYWHERE, &values, meeting) };
    let [x, y, z] = on_sphere(circle.middle);
    values.extend_from_slice(vals![cells_around(circle), x, y, z, chord_squared(circle.radius)]);
    if tx.flavour() == Flavour::Postgres {
        return tx.list(AROUND, &values, meeting);
    }
    let mut least = Least::new(search.limit);
    tx.each(AS_THEY_LIE, &values, |row| {
        let id = row.take()?;
        if least.has_room_for(id) {
            least.keep(meeting_of(row, id)?);
        }
        Ok(())
    })?;
    Ok(least.by_id())
}

/// Of meetings in any order, those with the least ids.
struct Least {
    most: usize,
    /// Up to twice as many as are wanted.
    kept: Vec<Meeting>,
    /// Ids behind this one are too great.
    bound: MeetingId,
}

impl Least {
    /// At most so many.
    fn new(most: usize) -> Self {
        Self { most, kept: Vec::new(), bound: MeetingId(i64::MAX) }
    }

    fn has_room_for(&self, id: MeetingId) -> bool {
        self.most > 0 && id <= self.bound
    }

    fn keep(&mut self, meeting: Meeting) {
        self.kept.push(meeting);
        if self.kept.len() >= self.most.saturating_mul(2) {
            let (_, last, _) = self.kept.select_nth_unstable_by_key(self.most - 1, |meeting| meeting.id);
            self.bound = last.id;
            self.kept.truncate(self.most);
        }
    }

    fn by_id(mut self) -> Vec<Meeting> {
        self.kept.sort_unstable_by_key(|meeting| meeting.id);
        self.kept.truncate(self.most);
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use domain::meetings::{Category, Grouping, Point};
    use jiff::civil::date;

    use super::*;

    fn meeting(id: i64) -> Meeting {
        Meeting {
            id: MeetingId(id),
            owner: AccountId(1),
            title: String::new(),
            description: String::new(),
            day: date(2026, 1, 1),
            grouping: Grouping::Pair,
            category: Category::Bar,
            place: Point::new(0.0, 0.0).unwrap(),
        }
    }

    #[test]
    fn the_least_ids_are_kept_in_whatever_order_they_come() {
        // Each of these steps goes through all ids below 31, in another order.
        for step in 1..31 {
            for most in 0..40 {
                let mut least = Least::new(most);
                for id in (0..31).map(|number| number * step % 31) {
                    if least.has_room_for(MeetingId(id)) {
                        least.keep(meeting(id));
                    }
                }
                let kept: Vec<i64> = least.by_id().iter().map(|meeting| meeting.id.0).collect();
                let least: Vec<i64> = (0..31).take(most).collect();
                assert_eq!(kept, least, "{most} by steps of {step}");
            }
        }
    }
}
