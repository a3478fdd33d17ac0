//! The values that only this document has: days, points and choices.

use domain::meetings::Point;
use jiff::civil::Date;
use kit::fields::Fields;
use serde_json::Value;

/// What Django REST framework says to a day it cannot read.
const BAD_DAY: &str = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.";

/// The longest part of a wrong value that an answer repeats, in characters.
const SHOWN: usize = 150;

/// A day as `2017-05-06` or `2017-5-6`.
pub(crate) fn day_of(text: &str) -> Option<Date> {
    let mut parts = text.trim().split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let number = |part: &str, digits: std::ops::RangeInclusive<usize>| {
        let good = digits.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        good.then(|| part.parse::<i16>().ok()).flatten()
    };
    if parts.next().is_some() {
        return None;
    }
    let (month, day) = (number(month, 1..=2)?, number(day, 1..=2)?);
    let year = number(year, 4..=4).filter(|year| *year > 0)?;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// Reads a day if one was sent. An empty one is none.
pub(crate) fn optional_day(fields: &mut Fields<'_>, name: &str) -> Option<Date> {
    nullable_day(fields, name).flatten()
}

/// Reads a day if one was sent: `Some(None)` for null and for an empty text.
#[expect(clippy::option_option, reason = "not sent, sent as null, sent: three cases")]
pub(crate) fn nullable_day(fields: &mut Fields<'_>, name: &str) -> Option<Option<Date>> {
    let day = match fields.value(name)? {
        Value::Null => return Some(None),
        Value::String(text) if text.is_empty() => return Some(None),
        Value::String(text) => day_of(text),
        _ => None,
    };
    if day.is_none() {
        fields.error(name, BAD_DAY);
    }
    day.map(Some)
}

/// Reads a number that stands for one of a few things, if it was sent. An empty one is none.
pub(crate) fn choice<T>(fields: &mut Fields<'_>, name: &str, of: impl Fn(i64) -> Option<T>) -> Option<T> {
    nullable_choice(fields, name, of).flatten()
}

/// Reads a number that stands for one of a few things: `Some(None)` for null and for an empty text.
#[expect(clippy::option_option, reason = "not sent, sent as null, sent: three cases")]
pub(crate) fn nullable_choice<T>(
    fields: &mut Fields<'_>,
    name: &str,
    of: impl Fn(i64) -> Option<T>,
) -> Option<Option<T>> {
    let sent = fields.value(name)?;
    let number = match sent {
        Value::Null => return Some(None),
        Value::String(text) if text.is_empty() => return Some(None),
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    };
    let chosen = number.and_then(of);
    if chosen.is_none() {
        let shown = match sent {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let shown: String = shown.chars().take(SHOWN).collect();
        fields.error(name, format!("\"{shown}\" is not a valid choice."));
    }
    chosen.map(Some)
}

/// Reads `{"lat": …, "lng": …}`; a missing one is an error where it is required.
pub(crate) fn point(fields: &mut Fields<'_>, name: &str, required: bool) -> Option<Point> {
    let sent = fields.structured(name).map(std::borrow::Cow::into_owned);
    let problem = match sent {
        Some(sent) if !sent.is_null() && sent != "" => match point_of(&sent) {
            Ok(point) => return Some(point),
            Err(problem) => problem,
        },
        _ if required => "This field is required.",
        _ => return None,
    };
    fields.error(name, problem);
    None
}

fn point_of(sent: &Value) -> Result<Point, &'static str> {
    let coordinate = |name: &str| match sent.get(name)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => finite(text),
        _ => None,
    };
    if !sent.is_object() {
        return Err("Expected an object with \"lat\" and \"lng\".");
    }
    let (Some(lat), Some(lng)) = (coordinate("lat"), coordinate("lng")) else {
        return Err("\"lat\" and \"lng\" must be numbers.");
    };
    Point::new(lat, lng).ok_or("\"lat\" must be from -90 to 90, and \"lng\" from -180 to 180.")
}

/// A number that is neither infinite nor none at all.
pub(crate) fn finite(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use domain::meetings::Grouping;
    use jiff::civil::date;
    use kit::body::Content;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn days_may_go_without_zeros() {
        assert_eq!(day_of("2017-5-6"), Some(date(2017, 5, 6)));
        assert_eq!(day_of(" 2017-05-06 "), Some(date(2017, 5, 6)));
        for bad in [
            "",
            "2017",
            "2017-5",
            "2017-5-6-7",
            "17-5-6",
            "2017-13-1",
            "2017-2-29",
            "0000-1-1",
            "2017-005-1",
            "+2017-5-6",
            "2017-5-6T00:00",
            "２０１７-5-6",
            "20170-5-6",
        ] {
            assert_eq!(day_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_day_is_taken_away_by_null_and_by_nothing() {
        for (sent, read) in [
            (json!({}), None),
            (json!({ "d": null }), Some(None)),
            (json!({ "d": "" }), Some(None)),
            (json!({ "d": "2017-5-6" }), Some(Some(date(2017, 5, 6)))),
        ] {
            let content = Content::of_json(sent);
            let mut fields = Fields::of(&content);
            assert_eq!(nullable_day(&mut fields, "d"), read);
            assert!(fields.done().is_ok());
        }
        for bad in [json!(5), json!("soon"), json!({})] {
            let content = Content::of_json(json!({ "d": bad }));
            let mut fields = Fields::of(&content);
            assert_eq!(nullable_day(&mut fields, "d"), None);
            assert_eq!(fields.done().unwrap_err().body, json!({ "d": [BAD_DAY] }));
        }
    }

    #[test]
    fn a_choice_is_one_of_its_numbers() {
        let read = |sent: Value| {
            let content = Content::of_json(json!({ "c": sent }));
            let mut fields = Fields::of(&content);
            let choice = choice(&mut fields, "c", Grouping::numbered);
            (choice, fields.done().map_err(|reply| reply.body["c"][0].to_string()))
        };
        assert_eq!(read(json!(1)), (Some(Grouping::Group), Ok(())));
        assert_eq!(read(json!("0")), (Some(Grouping::Pair), Ok(())));
        assert_eq!(read(json!(null)), (None, Ok(())));
        let huge = json!("99999999999999999999");
        for bad in [json!(2), json!(-1), json!("x"), json!(0.5), json!(true), json!([1]), huge] {
            let (choice, done) = read(bad.clone());
            assert_eq!(choice, None, "{bad}");
            assert!(done.unwrap_err().contains("is not a valid choice."), "{bad}");
        }
    }

    #[test]
    fn points_are_objects_of_two_numbers_within_the_globe() {
        let good = Point::new(20.0, 30.5).unwrap();
        assert_eq!(point_of(&json!({ "lat": 20, "lng": 30.5 })), Ok(good));
        assert_eq!(point_of(&json!({ "lat": "20", "lng": " 30.5" })), Ok(good));
        for bad in [
            json!([20, 30]),
            json!("20,30"),
            json!({ "lat": 20 }),
            json!({ "lat": 20, "lng": null }),
            json!({ "lat": 20, "lng": true }),
            json!({ "lat": "NaN", "lng": 1 }),
            json!({ "lat": 90.1, "lng": 1 }),
            json!({ "lat": 1, "lng": -180.1 }),
            json!({ "lat": {}, "lng": [] }),
            json!(5),
        ] {
            assert!(point_of(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_point_in_a_form_is_json() {
        let content = Content::of_json(json!({ "coordinates": { "lat": 1, "lng": 2 } }));
        assert_eq!(point(&mut Fields::of(&content), "coordinates", true), Point::new(1.0, 2.0));
        let mut fields = Fields::of_query("coordinates=%7B%22lat%22:1,%22lng%22:2%7D");
        assert_eq!(point(&mut fields, "coordinates", true), Point::new(1.0, 2.0));
        let empty = Content::empty();
        let mut fields = Fields::of(&empty);
        assert_eq!(point(&mut fields, "coordinates", false), None);
        assert!(fields.done().is_ok());
        assert_eq!(point(&mut fields, "coordinates", true), None);
        assert!(fields.done().is_err());
    }

    proptest! {
        #[test]
        fn every_day_is_read_with_and_without_zeros(year in 1i16..=9999, month in 1i8..=12, day in 1i8..=31) {
            let expected = Date::new(year, month, day).ok();
            prop_assert_eq!(day_of(&format!("{year:04}-{month}-{day}")), expected);
            prop_assert_eq!(day_of(&format!("{year:04}-{month:02}-{day:02}")), expected);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}") {
            let _ = (day_of(&text), finite(&text), point_of(&json!({ "lat": text, "lng": text })));
        }
    }
}
