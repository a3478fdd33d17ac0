//! The filters of the list of meetings, as a query has them.

use domain::{
    meetings::{Category, Circle, Filter, MAX_RADIUS, Point},
    profiles::Gender,
};

use crate::forms::finite;

/// Where the map is when a client does not say it in numbers: the middle of Moscow, and all around it.
const HOME: (f64, f64) = (55.751_244, 37.618_423);

/// The filters of a query; `None` when they leave nothing to be found. What makes no sense filters nothing, but for
/// the place. Of repeated parameters the last counts.
pub(crate) fn filter(query: &str) -> Option<Filter> {
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let sent = |name: &str| pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.trim());
    let number = |name: &str| sent(name).and_then(whole);
    let around = match (sent("lat"), sent("lng"), sent("r")) {
        (Some(lat), Some(lng), Some(radius)) => Some(circle(lat, lng, radius)?),
        _ => None,
    };
    Some(Filter {
        around,
        category: sent("category").and_then(Category::named),
        gender: number("gender").and_then(Gender::numbered),
        age: number("age_from").zip(number("age_to")),
    })
}

fn circle(lat: &str, lng: &str, radius: &str) -> Option<Circle> {
    let (lat, lng, radius) = match (finite(lat), finite(lng), finite(radius)) {
        (Some(lat), Some(lng), Some(radius)) => (lat, lng, radius),
        _ => (HOME.0, HOME.1, MAX_RADIUS),
    };
    let middle = Point::new(lat, lng)?;
    (radius >= 0.0).then(|| Circle { middle, radius: radius.min(MAX_RADIUS) })
}

/// A whole number; one beyond the range stops at its end.
fn whole(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn around(query: &str) -> Option<(f64, f64, f64)> {
        let circle = filter(query)?.around?;
        Some((circle.middle.lat(), circle.middle.lng(), circle.radius))
    }

    #[test]
    fn a_place_needs_all_three_and_falls_back_to_moscow() {
        assert_eq!(around("lat=10&lng=20&r=5"), Some((10.0, 20.0, 5.0)));
        assert_eq!(around("lat=10&lng=20&r=31"), Some((10.0, 20.0, 30.0)));
        assert_eq!(around("lat=10&lng=20"), None);
        assert!(filter("lat=10&lng=20").is_some() && filter("").is_some());
        let moscow = Some((55.751_244, 37.618_423, 30.0));
        for query in [
            "lat=&lng=&r=",
            "lat=10&lng=20&r=x",
            "lat=NaN&lng=20&r=5",
            "lat=10&lng=inf&r=5",
            "lat=1e999&lng=1&r=1",
        ] {
            assert_eq!(around(query), moscow, "{query}");
        }
        for query in ["lat=91&lng=20&r=5", "lat=10&lng=-181&r=5", "lat=10&lng=20&r=-1"] {
            assert_eq!(filter(query), None, "{query}");
        }
    }

    #[test]
    fn other_filters_apply_on_their_own_and_what_is_unknown_does_not() {
        let found = |query| filter(query).unwrap();
        assert_eq!(found("category=bar").category, Some(Category::Bar));
        assert_eq!(found("gender=0").gender, Some(Gender::Female));
        assert_eq!(found("age_from=18&age_to=30").age, Some((18, 30)));
        let huge = "age_from=-99999999999999999999&age_to=99999999999999999999";
        assert_eq!(found(huge).age, Some((i64::MIN, i64::MAX)));
        for query in [
            "category=opera",
            "category=",
            "gender=2",
            "gender=x",
            "age_from=18",
            "age_to=30",
            "age_from=18&age_to=x",
            "age_from=1.5&age_to=9",
        ] {
            assert_eq!(found(query), Filter::default(), "{query}");
        }
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic(query in "\\PC{0,80}", lat in "[-+0-9.eNaInf]{0,8}") {
            filter(&query);
            filter(&format!("lat={lat}&lng={lat}&r={lat}&age_from={lat}&age_to={lat}"));
        }
    }
}
