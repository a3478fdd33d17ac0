//! Meetings, and the search for them.

use domain::{
    AccountId, Error, MeetingId, Noun, Time,
    meetings::{Category, Circle, Draft, Grouping, Meeting, MeetingChange, Point, Quota, Search},
    profiles::{Gender, ProfileChange},
};
use jiff::civil::{Date, date};

use crate::{
    chance::Chance,
    crowd::at_once,
    world::{NO_ACCOUNT, World, at, is},
};

const EARTH: f64 = 6371.0;

pub(crate) fn point(lat: f64, lng: f64) -> Point {
    Point::new(lat, lng).unwrap()
}

pub(crate) fn draft(title: &str, place: Point) -> Draft {
    Draft {
        title: title.into(),
        description: String::new(),
        day: None,
        grouping: Grouping::Pair,
        category: Category::General,
        place,
    }
}

pub(crate) const ANY_NUMBER: Quota = Quota { since: Time(0), until: Time(i64::MAX), most: 0 };

pub(crate) async fn add(world: &World, owner: AccountId, draft: Draft) -> Meeting {
    world.store.add_meeting(owner, draft, DAY, at(0), ANY_NUMBER).await.unwrap()
}

const DAY: Date = date(2026, 1, 1);

fn everything() -> Search {
    Search { around: None, category: None, gender: None, born: None, after: MeetingId(0), limit: 10_000 }
}

fn within(middle: Point, radius: f64) -> Search {
    Search { around: Some(Circle { middle, radius }), ..everything() }
}

async fn found(world: &World, search: Search) -> Vec<MeetingId> {
    let found = world.store.meetings(search, AccountId(999)).await.unwrap();
    found.meetings.iter().map(|meeting| meeting.id).collect()
}

pub(crate) async fn a_meeting_is_as_it_was_made(world: &World) {
    let ana = world.account("ana").await;
    let draft = Draft {
        description: "bring a ball".into(),
        grouping: Grouping::Group,
        category: Category::Sport,
        ..draft("Volleyball", point(-33.5, 179.999_999_9))
    };
    let made = add(world, ana, draft).await;
    assert_eq!((made.title.as_str(), made.day, made.owner), ("Volleyball", DAY, ana));
    assert_eq!(world.store.meeting(made.id).await.unwrap(), Some(made.clone()));
    assert_eq!(world.store.meetings(everything(), ana).await.unwrap().meetings, [made]);
    assert_eq!(world.store.meeting(MeetingId(999)).await.unwrap(), None);
    let nobody =
        world.store.add_meeting(AccountId(999), self::draft("x", point(0.0, 0.0)), DAY, at(0), ANY_NUMBER);
    assert!(is(&nobody.await, &NO_ACCOUNT));
}

pub(crate) async fn a_meeting_is_changed_by_its_owner_alone(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let made = add(world, ana, draft("x", point(1.0, 2.0))).await;
    let change = MeetingChange {
        title: Some("y".into()),
        place: Some(point(50.0, 60.0)),
        day: Some(date(2027, 2, 3)),
        ..MeetingChange::default()
    };
    let changed = world.store.set_meeting(made.id, ana, change).await.unwrap();
    let expected =
        Meeting { title: "y".into(), place: point(50.0, 60.0), day: date(2027, 2, 3), ..made.clone() };
    assert_eq!(changed, expected);
    assert_eq!(world.store.meeting(made.id).await.unwrap(), Some(expected));
    assert!(found(world, within(point(1.0, 2.0), 30.0)).await.is_empty());
    assert_eq!(found(world, within(point(50.0, 60.0), 0.0)).await, [made.id]);
    for (id, by) in [(made.id, ben), (MeetingId(999), ana)] {
        let refused = world.store.set_meeting(id, by, MeetingChange::default()).await;
        assert!(is(&refused, &Error::Forbidden(Noun::Meeting)));
    }
}

pub(crate) async fn no_more_meetings_a_day_than_the_quota_however_many_ask(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let quota = Quota { since: at(0), until: at(86_400), most: 3 };
    let made = at_once(24, |number| {
        let store = world.store.clone();
        let place = point(0.0, 0.0);
        async move { store.add_meeting(ana, draft(&number.to_string(), place), DAY, at(5), quota).await }
    })
    .await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 3);
    for refused in made.iter().filter(|made| made.is_err()) {
        assert!(is(refused, &Error::Forbidden(Noun::DailyMeeting)), "{refused:?}");
    }
    assert_eq!(world.store.meetings_made(ana, quota).await.unwrap(), 3);
    assert_eq!(world.store.meetings_made(ben, quota).await.unwrap(), 0);
    let tomorrow = Quota { since: at(86_400), until: at(172_800), most: 3 };
    assert_eq!(world.store.meetings_made(ana, tomorrow).await.unwrap(), 0);
    world.store.add_meeting(ana, draft("x", point(0.0, 0.0)), DAY, at(86_400), tomorrow).await.unwrap();
}

pub(crate) async fn pages_of_meetings_follow_each_other(world: &World) {
    let ana = world.account("ana").await;
    let mut all = Vec::new();
    for number in 0..7 {
        all.push(add(world, ana, draft(&number.to_string(), point(10.0, 10.0))).await.id);
    }
    for around in [None, Some(Circle { middle: point(10.0, 10.0), radius: 1.0 })] {
        let page = |after, limit| found(world, Search { around, after, limit, ..everything() });
        assert_eq!(page(MeetingId(0), 3).await, all[..3]);
        assert_eq!(page(all[2], 3).await, all[3..6]);
        assert_eq!(page(all[5], 3).await, all[6..]);
        assert!(page(all[6], 3).await.is_empty());
    }
}

pub(crate) async fn filters_work_together(world: &World) {
    let people = world.accounts(["ana", "ben", "carol", "dora"]).await;
    let profiles = [
        (Some(Gender::Female), Some(date(2000, 8, 26))),
        (Some(Gender::Male), Some(date(1990, 1, 1))),
        (Some(Gender::Female), None),
        (None, Some(date(2004, 2, 29))),
    ];
    let mut made = Vec::new();
    for (account, (gender, birth_date)) in people.into_iter().zip(profiles) {
        if account != people[3] {
            let change = ProfileChange {
                gender: Some(gender),
                birth_date: Some(birth_date),
                ..ProfileChange::default()
            };
            world.store.set_profile(account, change).await.unwrap();
        }
        for category in [Category::Bar, Category::Dance] {
            let draft = Draft { category, ..draft("x", point(55.75, 37.61)) };
            made.push(add(world, account, draft).await.id);
        }
    }
    let pick = |indexes: &[usize]| indexes.iter().map(|index| made[*index]).collect::<Vec<_>>();
    for around in [None, Some(Circle { middle: point(55.75, 37.7), radius: 10.0 })] {
        let search = Search { around, ..everything() };
        assert_eq!(found(world, search.clone()).await, made);
        let bar = Search { category: Some(Category::Bar), ..search.clone() };
        assert_eq!(found(world, bar.clone()).await, pick(&[0, 2, 4, 6]));
        let women = Search { gender: Some(Gender::Female), ..search.clone() };
        assert_eq!(found(world, women.clone()).await, pick(&[0, 1, 4, 5]));
        let born = |after: &str, until: &str| Some((after.to_owned(), until.to_owned()));
        let young = Search { born: born("1999-02-29", "2009-02-29"), ..search };
        assert_eq!(found(world, young.clone()).await, pick(&[0, 1]));
        assert_eq!(
            found(world, Search { born: born("2000-08-26", "2009-01-01"), ..young.clone() }).await,
            pick(&[])
        );
        assert_eq!(
            found(world, Search { born: born("0000-01-01", "2000-08-26"), ..young.clone() }).await,
            pick(&[0, 1, 2, 3])
        );
        let all = Search { category: Some(Category::Dance), gender: Some(Gender::Female), ..young };
        assert_eq!(found(world, all).await, pick(&[1]));
    }
}

/// Kilometres between two points, by the haversine formula, which is another way to the same figure.
fn distance(one: Point, other: Point) -> f64 {
    let (lat1, lat2) = (one.lat().to_radians(), other.lat().to_radians());
    let (dlat, dlng) = (lat2 - lat1, (other.lng() - one.lng()).to_radians());
    let h = (dlat / 2.0).sin().powi(2) + lat1.cos() * lat2.cos() * (dlng / 2.0).sin().powi(2);
    2.0 * EARTH * h.sqrt().min(1.0).asin()
}

pub(crate) async fn the_search_around_a_point_agrees_with_brute_force(world: &World) {
    let ana = world.account("ana").await;
    let mut chance = Chance::new(4);
    // Around Moscow, both poles, both sides of the date line and of the equator.
    let middles = [
        (55.751_244, 37.618_423),
        (90.0, 0.0),
        (89.8, 120.0),
        (-90.0, 0.0),
        (-89.9, -60.0),
        (0.0, 180.0),
        (65.0, -179.95),
        (-17.0, 179.9),
        (0.0, 0.0),
        (84.0, 10.0),
    ];
    let mut meetings = Vec::new();
    for (lat, lng) in middles {
        for _ in 0..60 {
            let near = |degrees: f64, chance: &mut Chance| (unit(chance) - 0.5) * degrees;
            let lat: f64 = (lat + near(1.2, &mut chance)).clamp(-90.0, 90.0);
            let spread = if lat.abs() > 89.0 { 360.0 } else { 1.2 / lat.to_radians().cos() };
            let lng = (lng + near(spread, &mut chance) + 540.0).rem_euclid(360.0) - 180.0;
            let place = point(lat, lng);
            meetings.push((add(world, ana, draft("x", place)).await.id, place));
        }
    }
    let mut hits = 0;
    for (lat, lng) in middles {
        for step in 0..12 {
            let middle = match step {
                0 => point(lat, lng),
                1 => point(lat, if lng > 0.0 { lng } else { -180.0 }),
                _ => meetings[chance.below(meetings.len())].1,
            };
            let radius = if step % 3 == 0 { 30.0 } else { unit(&mut chance) * 30.0 };
            let found = found(world, within(middle, radius)).await;
            hits += found.len();
            for (id, place) in &meetings {
                let distance = distance(middle, *place);
                // Where rounding decides, either is right: a tenth of a millimetre.
                if (distance - radius).abs() > 1e-7 {
                    assert_eq!(
                        found.contains(id),
                        distance < radius,
                        "{middle:?} {radius} {place:?} {distance}"
                    );
                }
            }
        }
    }
    assert!(hits > 500, "only {hits} were found");
}

/// A number from 0 to 1.
fn unit(chance: &mut Chance) -> f64 {
    f64::from(u32::try_from(chance.below(1 << 30)).unwrap()) / f64::from(1_u32 << 30)
}

pub(crate) async fn the_very_point_is_within_no_distance(world: &World) {
    let ana = world.account("ana").await;
    for (lat, lng) in [(55.751_244, 37.618_423), (90.0, 12.0), (-90.0, -180.0), (0.1, 180.0)] {
        let made = add(world, ana, draft("x", point(lat, lng))).await;
        assert_eq!(found(world, within(point(lat, lng), 0.0)).await, [made.id]);
    }
    // All longitudes of a pole are one point, and both names of the date line are one meridian.
    assert_eq!(found(world, within(point(90.0, -77.0), 0.001)).await.len(), 1);
    assert_eq!(found(world, within(point(0.1, -180.0), 0.001)).await.len(), 1);
}

pub(crate) async fn a_deleted_owner_takes_the_meetings_along(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let (one, two) = (
        add(world, ana, draft("x", point(1.0, 1.0))).await,
        add(world, ben, draft("y", point(1.0, 1.0))).await,
    );
    world.store.add_request(one.id, ben, at(1)).await.unwrap();
    world.store.add_request(two.id, ana, at(1)).await.unwrap();
    world.store.remove_account(ana, at(2)).await.unwrap();
    assert_eq!(found(world, everything()).await, [two.id]);
    assert_eq!(world.number("SELECT COUNT(*) FROM meeting_request").await, 0);
    let late = world.store.add_meeting(ana, draft("z", point(0.0, 0.0)), DAY, at(3), ANY_NUMBER).await;
    assert!(is(&late, &NO_ACCOUNT));
}
