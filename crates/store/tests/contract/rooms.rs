//! Rooms.

use std::sync::Arc;

use domain::{
    AccountId, ConversationId, Error, Noun, Result,
    conversations::Kind,
    messages::NewMessage,
    ports::Store,
    rooms::{NewRoom, Part, Room, Status, Whose},
};
use tokio::task::JoinSet;

use crate::world::{START, World, is, new_message, uuid};

const NO_ROOM: Error = Error::NotFound(Noun::Room);
const TAKEN: Error = Error::Conflict(Noun::Room);
const CLOSED: Error = Error::Conflict(Noun::ClosedRoom);
const FORBIDDEN: Error = Error::Forbidden(Noun::Room);

/// Rounds of each race.
const ROUNDS: usize = 1_000;

fn part(before: Option<ConversationId>, limit: usize) -> Part {
    Part { before, limit }
}

fn ids(rooms: &[Room]) -> Vec<ConversationId> {
    rooms.iter().map(|room| room.id).collect()
}

/// A message that has to go into a room.
fn to_room(room: ConversationId, author: AccountId, text: &str) -> NewMessage {
    NewMessage { kind: Some(Kind::Room), ..new_message(room, author, text) }
}

pub(crate) async fn a_room_is_opened_and_listed(world: &World) {
    let [stan, sam] = world.accounts(["stan", "sam"]).await;
    let [tess, tom] = [world.teacher("tess").await, world.teacher("tom").await];
    let new = NewRoom {
        uuid: uuid(),
        student: stan,
        text: "Is 7 prime?".into(),
        image: "http://a.example/7.png".into(),
        created_at: START,
    };
    let opened = world.store.add_room(new).await.unwrap();
    assert_eq!((opened.student, opened.teacher, opened.status), (stan, None, Status::Active));
    assert_eq!((opened.text.as_str(), opened.image.as_str()), ("Is 7 prime?", "http://a.example/7.png"));
    assert_eq!((opened.created_at, opened.is_announced), (START, false));
    assert_eq!(world.store.room(opened.id).await.unwrap(), Some(opened.clone()));
    assert_eq!(world.store.room(ConversationId(999)).await.unwrap(), None);
    let (first, second, third) = (opened.id, world.room(sam).await, world.room(sam).await);
    world.store.join_room(second, tess).await.unwrap();
    for (whose, expected) in [
        (Whose::Student(stan), vec![first]),
        (Whose::Student(sam), vec![third, second]),
        (Whose::Teacher(tess), vec![third, second, first]),
        (Whose::Teacher(tom), vec![third, first]),
        (Whose::All, vec![third, second, first]),
    ] {
        let listed = world.store.rooms(whose, part(None, 10)).await.unwrap();
        assert_eq!(ids(&listed), expected, "{whose:?}");
    }
    world.store.close_room(second, tess).await.unwrap();
    world.store.close_room(third, sam).await.unwrap();
    assert_eq!(ids(&world.store.rooms(Whose::Teacher(tess), part(None, 10)).await.unwrap()), [second, first]);
    assert_eq!(world.store.open_rooms_of(stan).await.unwrap(), [first]);
    assert_eq!(world.store.open_rooms_of(sam).await.unwrap(), []);
    world.store.remove_account(sam, START).await.unwrap();
    let (text, image) = (String::new(), String::new());
    let late = NewRoom { uuid: uuid(), student: sam, text, image, created_at: START };
    assert!(is(&world.store.add_room(late).await, &Error::NotFound(Noun::Account)));
}

pub(crate) async fn parts_of_lists_follow_each_other(world: &World) {
    let stan = world.account("stan").await;
    let tess = world.teacher("tess").await;
    let mut rooms = Vec::new();
    for _ in 0..5 {
        rooms.insert(0, world.room(stan).await);
    }
    for room in [rooms[0], rooms[3]] {
        world.store.join_room(room, tess).await.unwrap();
    }
    for whose in [Whose::Student(stan), Whose::Teacher(tess), Whose::All] {
        let (mut listed, mut before) = (Vec::new(), None);
        loop {
            let next = ids(&world.store.rooms(whose, part(before, 2)).await.unwrap());
            if next.is_empty() {
                break;
            }
            assert!(next.len() <= 2);
            before = next.last().copied();
            listed.extend(next);
        }
        assert_eq!(listed, rooms, "{whose:?}");
    }
}

pub(crate) async fn one_teacher_joins_once(world: &World) {
    let stan = world.account("stan").await;
    let [tess, tom] = [world.teacher("tess").await, world.teacher("tom").await];
    let room = world.room(stan).await;
    let joined = world.store.join_room(room, tess).await.unwrap();
    assert_eq!((joined.room.teacher, joined.room.status), (Some(tess), Status::Engaged));
    assert!(!joined.repeated && joined.teacher.username == "tess");
    assert_eq!(world.store.room(room).await.unwrap(), Some(joined.room));
    assert!(world.store.join_room(room, tess).await.unwrap().repeated);
    assert!(is(&world.store.join_room(room, tom).await, &TAKEN));
    assert!(is(&world.store.join_room(ConversationId(999), tom).await, &NO_ROOM));
    world.store.close_room(room, tess).await.unwrap();
    for teacher in [tess, tom] {
        assert!(is(&world.store.join_room(room, teacher).await, &CLOSED));
    }
    assert_eq!(world.bus.rooms(), [format!("{room} joined by {tess}"), format!("{room} closed")]);
}

pub(crate) async fn of_two_teachers_at_once_one_wins(world: &World) {
    let stan = world.account("stan").await;
    let teachers = [world.teacher("tess").await, world.teacher("tom").await];
    for _ in 0..ROUNDS {
        let room = world.room(stan).await;
        let join = |teacher| {
            let store = Arc::clone(&world.store);
            tokio::spawn(async move { store.join_room(room, teacher).await })
        };
        let (one, other) = tokio::join!(join(teachers[0]), join(teachers[1]));
        let results = [one.unwrap(), other.unwrap()];
        let won: Vec<_> = results.iter().flatten().collect();
        assert_eq!(won.len(), 1, "{results:?}");
        assert!(results.iter().any(|result| is(result, &TAKEN)), "{results:?}");
        let stored = world.store.room(room).await.unwrap().unwrap();
        assert_eq!((stored.teacher, stored.status), (won[0].room.teacher, Status::Engaged));
    }
    assert_eq!(world.bus.rooms().len(), ROUNDS);
    assert_eq!(world.number("SELECT COUNT(*) FROM member").await, 2 * i64::try_from(ROUNDS).unwrap());
}

pub(crate) async fn only_teachers_join(world: &World) {
    let [stan, sam] = world.accounts(["stan", "sam"]).await;
    let tess = world.teacher("tess").await;
    let room = world.room(stan).await;
    for student in [stan, sam] {
        assert!(is(&world.store.join_room(room, student).await, &FORBIDDEN));
    }
    // Who has become a teacher is not the other side of what was asked before.
    let own = world.room(tess).await;
    assert!(is(&world.store.join_room(own, tess).await, &FORBIDDEN));
    assert!(world.bus.rooms().is_empty());
    world.store.remove_account(tess, START).await.unwrap();
    assert!(is(&world.store.join_room(room, tess).await, &FORBIDDEN));
    assert_eq!(world.bus.rooms().len(), 1, "their own room is closed");
    assert_eq!(world.store.room(room).await.unwrap().unwrap().status, Status::Active);
}

pub(crate) async fn a_room_is_closed_by_those_who_may(world: &World) {
    let [stan, sam] = world.accounts(["stan", "sam"]).await;
    let [tess, tom] = [world.teacher("tess").await, world.teacher("tom").await];
    let (active, engaged) = (world.room(stan).await, world.room(stan).await);
    world.store.join_room(engaged, tess).await.unwrap();
    for (room, who) in [(active, sam), (active, tess), (engaged, sam), (engaged, stan), (engaged, tom)] {
        assert!(is(&world.store.close_room(room, who).await, &FORBIDDEN), "{room} {who}");
    }
    assert_eq!(world.store.close_room(active, stan).await.unwrap().status, Status::Closed);
    assert_eq!(world.store.close_room(engaged, tess).await.unwrap().status, Status::Closed);
    for (room, who) in [(active, stan), (engaged, tess), (active, sam)] {
        assert!(is(&world.store.close_room(room, who).await, &CLOSED), "{room} {who}");
    }
    assert!(is(&world.store.close_room(ConversationId(999), tess).await, &NO_ROOM));
    let told =
        [format!("{engaged} joined by {tess}"), format!("{active} closed"), format!("{engaged} closed")];
    assert_eq!(world.bus.rooms(), told);
}

pub(crate) async fn teachers_are_asked_once(world: &World) {
    let [stan, sam] = world.accounts(["stan", "sam"]).await;
    let tess = world.teacher("tess").await;
    let (room, joined) = (world.room(stan).await, world.room(stan).await);
    assert!(is(&world.store.announce_room(room, sam).await, &FORBIDDEN));
    assert!(is(&world.store.announce_room(room, tess).await, &FORBIDDEN));
    let announced = world.store.announce_room(room, stan).await.unwrap();
    assert_eq!((announced.student.username.as_str(), announced.teacher), ("stan", None));
    assert!(is(&world.store.announce_room(room, stan).await, &TAKEN));
    world.store.join_room(joined, tess).await.unwrap();
    assert!(is(&world.store.announce_room(joined, stan).await, &TAKEN));
    world.store.close_room(room, stan).await.unwrap();
    assert!(is(&world.store.announce_room(room, stan).await, &CLOSED));
    assert!(is(&world.store.announce_room(ConversationId(999), stan).await, &NO_ROOM));
    let announcements = world.bus.rooms().iter().filter(|told| told.ends_with("announced")).count();
    assert_eq!(announcements, 1);
}

pub(crate) async fn what_the_other_side_wrote_is_seen(world: &World) {
    let [stan, sam] = world.accounts(["stan", "sam"]).await;
    let tess = world.teacher("tess").await;
    let room = world.room(stan).await;
    world.post(room, stan, "1").await;
    world.store.see_room(room, stan).await.unwrap();
    world.store.join_room(room, tess).await.unwrap();
    world.post(room, tess, "2").await;
    world.post(room, stan, "3").await;
    let seen = async || {
        let room = world.store.room(room).await.unwrap().unwrap();
        let mut history = world.history(room.id).await;
        history.reverse();
        history.iter().map(|message| room.is_seen(message)).collect::<Vec<_>>()
    };
    assert_eq!(seen().await, [false, false, false]);
    let after = world.store.see_room(room, tess).await.unwrap();
    assert_eq!(Some(&after), world.store.room(room).await.unwrap().as_ref());
    assert_eq!(seen().await, [true, false, true]);
    world.store.see_room(room, tess).await.unwrap();
    world.post(room, stan, "4").await;
    assert_eq!(seen().await, [true, false, true, false]);
    world.store.see_room(room, stan).await.unwrap();
    assert_eq!(seen().await, [true, true, true, false]);
    assert!(is(&world.store.see_room(room, sam).await, &FORBIDDEN));
    assert!(is(&world.store.see_room(ConversationId(999), sam).await, &NO_ROOM));
    world.store.close_room(room, tess).await.unwrap();
    assert!(is(&world.store.see_room(room, tess).await, &CLOSED));
    assert_eq!(seen().await, [true, true, true, false]);
    let told = [
        format!("{room} joined by {tess}"),
        format!("{room} seen of {stan}"),
        format!("{room} seen of {tess}"),
        format!("{room} closed"),
    ];
    assert_eq!(world.bus.rooms(), told);
}

pub(crate) async fn messages_with_images_are_told_to_those_in_the_room(world: &World) {
    let stan = world.account("stan").await;
    let tess = world.teacher("tess").await;
    let room = world.room(stan).await;
    let with_image = NewMessage { image: "http://a.example/x.png".into(), ..to_room(room, stan, "") };
    world.store.add_message(with_image).await.unwrap();
    world.store.join_room(room, tess).await.unwrap();
    let repeated = NewMessage { client_id: Some("c".into()), ..to_room(room, tess, "seven") };
    let first = world.store.add_message(repeated.clone()).await.unwrap();
    let again = world.store.add_message(NewMessage { uuid: uuid(), ..repeated }).await.unwrap();
    assert!(!first.repeated && again.repeated);
    assert_eq!(again.posted.message, first.posted.message);
    assert_eq!(again.posted.room_members, [stan, tess]);
    let posted = world.bus.posted();
    let told: Vec<_> =
        posted.iter().map(|posted| (posted.message.image.as_str(), posted.room_members.clone())).collect();
    assert_eq!(told, [("http://a.example/x.png", vec![stan]), ("", vec![stan, tess])]);
    assert!(posted.iter().all(|posted| posted.direct_pair.is_empty() && posted.message.receipt.is_none()));
    let images: Vec<_> = world.history(room).await.into_iter().map(|message| message.image).collect();
    assert_eq!(images, ["", "http://a.example/x.png"]);
}

pub(crate) async fn only_those_in_the_room_write_there(world: &World) {
    let [stan, sam] = world.accounts(["stan", "sam"]).await;
    let tess = world.teacher("tess").await;
    let (room, direct) = (world.room(stan).await, world.direct(stan, sam).await);
    for who in [sam, tess] {
        let refused = world.store.add_message(to_room(room, who, "me too")).await;
        assert!(is(&refused, &Error::Forbidden(Noun::Conversation)), "{who}");
    }
    let misplaced = world.store.add_message(to_room(direct, stan, "x")).await;
    assert!(is(&misplaced, &Error::NotFound(Noun::Conversation)));
    let nowhere = world.store.add_message(to_room(ConversationId(999), stan, "x")).await;
    assert!(is(&nowhere, &Error::NotFound(Noun::Conversation)));
    assert!(world.bus.posted().is_empty());
}

/// Writes until it is refused, and tells how often it was not.
async fn write_on(store: Arc<dyn Store>, room: ConversationId, author: AccountId) -> Result<usize> {
    for written in 0.. {
        match store.add_message(to_room(room, author, "on")).await {
            Ok(_) => {}
            Err(Error::Conflict(Noun::ClosedRoom)) => return Ok(written),
            Err(error) => return Err(error),
        }
    }
    unreachable!("it is refused before numbers end")
}

pub(crate) async fn nothing_is_written_after_the_close(world: &World) {
    let stan = world.account("stan").await;
    let tess = world.teacher("tess").await;
    for _ in 0..ROUNDS / 20 {
        let room = world.room(stan).await;
        world.store.join_room(room, tess).await.unwrap();
        let mut writers = JoinSet::new();
        for author in [stan, tess, stan, tess] {
            writers.spawn(write_on(Arc::clone(&world.store), room, author));
        }
        tokio::task::yield_now().await;
        world.store.close_room(room, tess).await.unwrap();
        // What was stored before the close stays; a writer that was answered before it is counted here.
        let at_close = world.history(room).await.len();
        let written: usize = writers.join_all().await.into_iter().map(Result::unwrap).sum();
        let stored = world.history(room).await.len();
        assert_eq!((stored, at_close), (written, stored));
        let refused = world.store.add_message(to_room(room, stan, "late")).await;
        assert!(is(&refused, &CLOSED));
    }
}

pub(crate) async fn pairs_are_those_of_open_rooms(world: &World) {
    let [stan, sam, sue] = world.accounts(["stan", "sam", "sue"]).await;
    let [tess, tom] = [world.teacher("tess").await, world.teacher("tom").await];
    for (student, teacher) in [(stan, tess), (stan, tess), (sam, tess), (sam, tom)] {
        let room = world.room(student).await;
        world.store.join_room(room, teacher).await.unwrap();
    }
    world.room(sue).await;
    let over = world.room(sue).await;
    world.store.join_room(over, tom).await.unwrap();
    world.store.close_room(over, tom).await.unwrap();
    for (accounts, expected) in [
        (vec![stan], vec![(stan, tess)]),
        (vec![tess], vec![(stan, tess), (sam, tess)]),
        (vec![sam, tess], vec![(stan, tess), (sam, tess), (sam, tom)]),
        (vec![sue], vec![]),
        (vec![], vec![]),
    ] {
        let mut pairs = world.store.pairs_in_open_rooms(accounts.clone()).await.unwrap();
        pairs.sort_unstable();
        assert_eq!(pairs, expected, "{accounts:?}");
    }
}

pub(crate) async fn a_deleted_accounts_rooms_are_closed(world: &World) {
    let [stan, sam] = world.accounts(["stan", "sam"]).await;
    let tess = world.teacher("tess").await;
    let [of_stan, of_sam, waiting] = [world.room(stan).await, world.room(sam).await, world.room(stan).await];
    for room in [of_stan, of_sam] {
        world.store.join_room(room, tess).await.unwrap();
    }
    world.store.remove_account(stan, START).await.unwrap();
    let statuses = async || {
        let mut statuses = Vec::new();
        for room in [of_stan, of_sam, waiting] {
            statuses.push(world.store.room(room).await.unwrap().unwrap().status);
        }
        statuses
    };
    assert_eq!(statuses().await, [Status::Closed, Status::Engaged, Status::Closed]);
    world.store.remove_account(tess, START).await.unwrap();
    assert_eq!(statuses().await, [Status::Closed; 3]);
    let told = world.bus.rooms().split_off(2);
    assert_eq!(told, [of_stan, waiting, of_sam].map(|room| format!("{room} closed")));
    let refused = world.store.add_message(to_room(of_sam, sam, "hello?")).await;
    assert!(is(&refused, &CLOSED));
}
