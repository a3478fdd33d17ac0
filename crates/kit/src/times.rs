//! Times as they stand on the wire.

use std::fmt;

use domain::Time;
use serde::{Serialize, Serializer};

/// A time as `2021-08-26T07:42:42.087078Z`: UTC, always six digits of fraction (common.md, HTTP).
///
/// Years outside 0 to 9999 are written with as many digits as they need.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WireTime(pub Time);

/// `time` as text; see [`WireTime`], which writes it without a `String`.
pub fn wire_time(time: Time) -> String {
    let text = Parts::of(time).text();
    let text = text.and_then(|text| String::from_utf8(text.to_vec()).ok());
    text.unwrap_or_else(|| WireTime(time).to_string())
}

const MICROS_A_DAY: i64 = 86_400_000_000;
/// `YYYY-MM-DDTHH:MM:SS.ffffffZ`
const WIDTH: usize = 27;

/// The parts of a time.
struct Parts {
    year: i64,
    /// Month and day, each from 1, then hour, minute, second.
    rest: [i64; 5],
    micros: i64,
}

impl Parts {
    fn of(time: Time) -> Self {
        let (year, month, day) = civil(time.0.div_euclid(MICROS_A_DAY));
        let in_day = time.0.rem_euclid(MICROS_A_DAY);
        let seconds = in_day / 1_000_000;
        Self {
            year,
            rest: [month, day, seconds / 3600, seconds / 60 % 60, seconds % 60],
            micros: in_day % 1_000_000,
        }
    }

    /// The text, for the years that have four digits.
    fn text(&self) -> Option<[u8; WIDTH]> {
        if !(0..=9999).contains(&self.year) {
            return None;
        }
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        put(&mut text[..4], self.year);
        for (at, part) in [5, 8, 11, 14, 17].into_iter().zip(self.rest) {
            put(&mut text[at..at + 2], part);
        }
        put(&mut text[20..26], self.micros);
        Some(text)
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar
/// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Writes the decimal digits of `number`, which has no more of them, into the whole of `place`.
fn put(place: &mut [u8], number: i64) {
    let mut number = u32::try_from(number).unwrap_or_default();
    for digit in place.iter_mut().rev() {
        let [lowest, ..] = (number % 10).to_le_bytes();
        *digit = b'0' + lowest;
        number /= 10;
    }
}

impl fmt::Display for WireTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = Parts::of(self.0);
        if let Some(text) = parts.text()
            && let Ok(text) = std::str::from_utf8(&text)
        {
            return f.write_str(text);
        }
        let [month, day, hour, minute, second] = parts.rest;
        write!(
            f,
            "{:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:06}Z",
            parts.year, parts.micros
        )
    }
}

impl Serialize for WireTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match Parts::of(self.0).text() {
            Some(text) => serializer.serialize_str(std::str::from_utf8(&text).unwrap_or_default()),
            None => serializer.collect_str(self),
        }
    }
}

/// A date, or a date and time, as clients write it in queries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// `2024-12-20`: a day in UTC, by its first microsecond.
    Day(Time),
    /// `2024-12-20T10:00:00Z`: a point in time (ISO 8601).
    Point(Time),
}

impl Moment {
    /// Reads `YYYY-MM-DD`, or an ISO 8601 date and time with any fraction, with `Z`, an offset, or neither, which is UTC.
    /// A blank may stand for the `T`, and for the plus of an offset, as an unescaped plus in a query becomes one.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() == "YYYY-MM-DD".len() && text.bytes().filter(|byte| *byte == b'-').count() == 2 {
            let day = text.parse::<jiff::civil::Date>().ok()?;
            return utc(day.at(0, 0, 0, 0), jiff::tz::Offset::UTC).map(Self::Day);
        }
        let point = point(text).or_else(|| {
            let (before, offset) = text.rsplit_once(' ')?;
            point(&format!("{before}+{offset}"))
        });
        point.map(Self::Point)
    }

    /// The first microsecond of it.
    pub fn start(self) -> Time {
        match self {
            Self::Day(time) | Self::Point(time) => time,
        }
    }

    /// The last microsecond of it.
    pub fn end(self) -> Time {
        match self {
            Self::Day(start) => Time(start.0 + MICROS_A_DAY - 1),
            Self::Point(time) => time,
        }
    }
}

fn point(text: &str) -> Option<Time> {
    // No names of time zones or calendars (RFC 9557), and nothing without a time of day.
    if text.contains('[') || !text.contains(['T', 't', ' ']) {
        return None;
    }
    let pieces = jiff::fmt::temporal::Pieces::parse(text).ok()?;
    let offset = pieces.to_numeric_offset().unwrap_or(jiff::tz::Offset::UTC);
    utc(pieces.date().to_datetime(pieces.time()?), offset)
}

/// A wall clock's time at that offset. Reckoned by the calendar, for jiff's own points in time end a day before the year
/// 9999 does.
fn utc(civil: jiff::civil::DateTime, offset: jiff::tz::Offset) -> Option<Time> {
    let since_1970 = civil.duration_since(jiff::civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
    let behind = i64::from(offset.seconds()) * 1_000_000;
    // Rounded down, before 1970 as after it.
    let micros = since_1970.as_nanos().div_euclid(1_000);
    Some(Time(i64::try_from(micros).ok()? - behind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn has_six_digits_of_fraction_always() {
        assert_eq!(wire_time(Time(1_629_963_762_087_078)), "2021-08-26T07:42:42.087078Z");
        assert_eq!(wire_time(Time(0)), "1970-01-01T00:00:00.000000Z");
        assert_eq!(wire_time(Time(-1)), "1969-12-31T23:59:59.999999Z");
        assert_eq!(
            serde_json::to_string(&WireTime(Time(951_782_400_000_000))).unwrap(),
            "\"2000-02-29T00:00:00.000000Z\""
        );
    }

    #[test]
    fn the_ends_of_the_range_are_written_too() {
        assert_eq!(wire_time(Time(i64::MAX)), "294247-01-10T04:00:54.775807Z");
        assert!(wire_time(Time(i64::MIN)).starts_with("-290308-12-21T19:59:05"));
        assert_eq!(
            serde_json::to_string(&WireTime(Time(i64::MAX))).unwrap(),
            "\"294247-01-10T04:00:54.775807Z\""
        );
    }

    proptest! {
        #[test]
        fn agrees_with_jiff(micros in -62_135_596_800_000_000_i64..253_400_000_000_000_000) {
            let reference = jiff::Timestamp::from_microsecond(micros).unwrap();
            prop_assert_eq!(wire_time(Time(micros)), format!("{reference:.6}"));
        }

        #[test]
        fn never_panics(micros: i64) {
            prop_assert!(wire_time(Time(micros)).ends_with('Z'));
        }
    }

    #[test]
    fn a_date_alone_is_the_whole_day_in_utc() {
        let day = Moment::parse("2000-02-29").unwrap();
        assert_eq!(wire_time(day.start()), "2000-02-29T00:00:00.000000Z");
        assert_eq!(wire_time(day.end()), "2000-02-29T23:59:59.999999Z");
    }

    #[test]
    fn days_and_times_go_to_the_end_of_the_year_9999() {
        let day = Moment::parse("9999-12-31").unwrap();
        assert_eq!(wire_time(day.start()), "9999-12-31T00:00:00.000000Z");
        assert_eq!(wire_time(day.end()), "9999-12-31T23:59:59.999999Z");
        assert_eq!(wire_time(Moment::parse("0001-01-01").unwrap().start()), "0001-01-01T00:00:00.000000Z");
        for (text, time) in [
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
            ("9999-12-31T23:59:59", "9999-12-31T23:59:59.000000Z"),
            ("9999-12-31T23:00:00-02:00", "10000-01-01T01:00:00.000000Z"),
        ] {
            let moment = Moment::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(wire_time(moment.start()), time, "{text}");
        }
    }

    #[test]
    fn a_point_in_time_may_have_an_offset_a_fraction_and_a_blank() {
        for (text, time) in [
            ("2021-08-26T07:42:42.087078Z", "2021-08-26T07:42:42.087078Z"),
            ("2021-08-26T07:42:42", "2021-08-26T07:42:42.000000Z"),
            ("2021-08-26 07:42", "2021-08-26T07:42:00.000000Z"),
            ("2021-08-26T07:42:42+02:00", "2021-08-26T05:42:42.000000Z"),
            ("2021-08-26T07:42:42 02:00", "2021-08-26T05:42:42.000000Z"),
            ("2021-08-26 07:42:42.5 02:00", "2021-08-26T05:42:42.500000Z"),
            ("2021-08-26T07:42:42-0130", "2021-08-26T09:12:42.000000Z"),
            ("1969-12-31T23:59:59.9999995Z", "1969-12-31T23:59:59.999999Z"),
        ] {
            let moment = Moment::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(wire_time(moment.start()), time, "{text}");
            assert_eq!(moment.start(), moment.end());
        }
    }

    #[test]
    fn all_else_is_no_moment() {
        for text in [
            "",
            "yesterday",
            "2021-02-29",
            "2021-13-01",
            "2021-1-1",
            "21-08-2026",
            "2021-08-26T",
            "2021-08-26T25:00:00Z",
            "2021-08-26T07:42:42Zz",
            "2021-08-26T07:42:42+02:00[Europe/Paris]",
            "2021-08-26\0",
            "1629963762",
            "07:42",
            "-00000-0-0",
            "99999999999-01-01T00:00:00Z",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(micros in -62_135_596_800_000_000_i64..253_400_000_000_000_000) {
            prop_assert_eq!(Moment::parse(&wire_time(Time(micros))), Some(Moment::Point(Time(micros))));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", near in "[-0-9T: .Z+]{0,40}") {
            let _ = (Moment::parse(&text).map(Moment::end), Moment::parse(&near).map(Moment::end));
        }
    }
}
