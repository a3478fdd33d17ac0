//! The search for meetings, all filters in one query.

use domain::{
    Result,
    meetings::{Meeting, Search},
};

use super::{
    cells::{cells_around, chord_squared, on_sphere},
    meeting, meeting_columns,
};
use crate::engine::{Tx, vals};

/// What owner and category have to be like; `$1` to `$6` are the same in both queries. Casts give the parameters their types
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

/// Meetings by id, after the one named.
pub(super) fn meetings(tx: &mut Tx<'_>, search: &Search) -> Result<Vec<Meeting>> {
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
        " FROM meeting m
        WHERE m.cell IN LIST($7) AND m.id + 0 > $1
        AND (m.x - $8) * (m.x - $8) + (m.y - $9) * (m.y - $9) + (m.z - $10) * (m.z - $10) <= $11",
        filters!(),
        " ORDER BY m.id + 0 LIMIT $2"
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
    let sql = match search.around {
        None => ANYWHERE,
        Some(circle) => {
            let [x, y, z] = on_sphere(circle.middle);
            values.extend_from_slice(vals![cells_around(circle), x, y, z, chord_squared(circle.radius)]);
            AROUND
        }
    };
    tx.list(sql, &values, meeting)
}
