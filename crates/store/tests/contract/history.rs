//! Pages of a pair's history.

use domain::{
    AccountId, Error, Noun, Numbered, RelationId, Result, Time,
    conversations::{Bound, Span},
    messages::Message,
    relations::Status,
};

use crate::{
    chance::Chance,
    world::{START, World, at, file, is, new_message, uuid},
};

const ALL: Numbered = Numbered { number: 1, size: 1000 };

async fn related(world: &World, from: AccountId, to: AccountId) -> RelationId {
    let id = RelationId(uuid());
    world.store.add_relation(id, from, to, Status::Accepted, START).await.unwrap();
    id
}

/// What the span has, by looking at each message.
fn model(messages: &[Message], span: Span) -> Vec<Message> {
    let position = |uuid| messages.iter().find(|message| message.uuid == uuid).unwrap().position;
    let (bound, is_after) = match span {
        Span::After(bound) => (bound, true),
        Span::Before(bound) => (bound, false),
    };
    let is_in = |message: &Message| match bound {
        None => true,
        Some(Bound::Time(bound)) if is_after => message.created_at >= bound,
        Some(Bound::Time(bound)) => message.created_at <= bound,
        Some(Bound::Message(bound)) if is_after => message.position >= position(bound),
        Some(Bound::Message(bound)) => message.position <= position(bound),
    };
    let mut all: Vec<Message> = messages.iter().filter(|message| is_in(message)).cloned().collect();
    if !is_after {
        all.reverse();
    }
    all
}

pub(crate) async fn pages_of_history_agree_with_a_model(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let (relation, other) = (related(world, ana, ben).await, related(world, ana, carol).await);
    let (place, elsewhere) = (world.direct(ana, ben).await, world.direct(ana, carol).await);
    let mut chance = Chance::new(7);
    let mut messages = Vec::new();
    for size in [0, 1, 2, 31, 34, 70] {
        while messages.len() < size {
            let mut new = new_message(place, chance.of(&[ana, ben]), "x");
            // Some at the same moment, some by a clock that goes back.
            new.created_at = at(i64::try_from(chance.below(8) + messages.len() / 2).unwrap());
            if chance.below(4) == 0 {
                new.media = vec![file("a"), file("b")];
            }
            messages.push(world.store.add_message(new).await.unwrap().posted.message.clone());
            world.post(elsewhere, ana, "elsewhere").await;
        }
        for _ in 0..60 {
            let time =
                Time(at(i64::try_from(chance.below(50)).unwrap() - 2).0 + i64::from(chance.below(2) == 0));
            let mut bounds = vec![None, Some(Bound::Time(time)), Some(Bound::Time(Time(i64::MAX)))];
            if !messages.is_empty() {
                bounds.push(Some(Bound::Message(messages[chance.below(messages.len())].uuid)));
            }
            let bound = chance.of(&bounds);
            let span = if chance.below(2) == 0 { Span::After(bound) } else { Span::Before(bound) };
            let page = Numbered { number: chance.below(5) + 1, size: chance.below(20) + 1 };
            let expected = model(&messages, span);
            let asker = chance.of(&[ana, ben]);
            let (count, shown) = world.store.history_of(relation, asker, span, page).await.unwrap();
            assert_eq!(count, expected.len(), "{span:?} of {size}");
            let expected: Vec<_> = expected.into_iter().skip(page.skip()).take(page.size).collect();
            assert_eq!(shown, expected, "{span:?} {page:?} of {size}");
        }
    }
    let far = Numbered { number: usize::MAX, size: usize::MAX };
    assert_eq!(world.store.history_of(relation, ana, Span::Before(None), far).await.unwrap(), (70, vec![]));
    assert_eq!(world.store.history_of(other, ana, Span::After(None), ALL).await.unwrap().0, 70);
}

pub(crate) async fn a_history_is_for_its_two_people(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let (relation, other) = (related(world, ana, ben).await, related(world, carol, ana).await);
    let read = async |relation, account, span| -> Result<(usize, Vec<Message>)> {
        world.store.history_of(relation, account, span, ALL).await
    };
    let unknown = Span::After(Some(Bound::Message(uuid())));
    let no_message = Error::NotFound(Noun::Message);
    // Before anything was said.
    assert_eq!(read(relation, ana, Span::After(None)).await.unwrap(), (0, vec![]));
    assert_eq!(read(relation, ana, Span::Before(Some(Bound::Time(START)))).await.unwrap(), (0, vec![]));
    assert!(is(&read(relation, ana, unknown).await, &no_message));
    let place = world.direct(ana, ben).await;
    assert_eq!(read(relation, ana, Span::Before(None)).await.unwrap(), (0, vec![]));
    let message = world.post(place, ben, "x").await;
    let foreign = world.post(world.direct(ana, carol).await, ana, "y").await;
    assert_eq!(read(relation, ana, Span::After(None)).await.unwrap(), (1, vec![message.clone()]));
    for bound in [uuid(), foreign.uuid] {
        for span in [Span::After(Some(Bound::Message(bound))), Span::Before(Some(Bound::Message(bound)))] {
            assert!(is(&read(relation, ana, span).await, &no_message));
        }
    }
    for (relation, account) in [(relation, carol), (other, ben), (RelationId(uuid()), ana)] {
        let refused = read(relation, account, Span::After(None)).await;
        assert!(is(&refused, &Error::NotFound(Noun::Relation)), "{refused:?}");
    }
    // A later relation of the pair has the same history, the earlier relation none.
    world.store.unfriend(ana, ben).await.unwrap();
    assert!(is(&read(relation, ana, Span::After(None)).await, &Error::NotFound(Noun::Relation)));
    let later = related(world, ben, ana).await;
    assert_eq!(read(later, ben, Span::Before(None)).await.unwrap(), (1, vec![message]));
}

pub(crate) async fn times_never_go_back_along_a_conversation(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let place = world.direct(ana, ben).await;
    let mut times = Vec::new();
    for second in [5, 3, 9, -4, 10] {
        let mut new = new_message(place, ana, "x");
        new.created_at = at(second);
        times.push(world.store.add_message(new).await.unwrap().posted.message.created_at);
    }
    assert_eq!(times, [5, 5, 9, 9, 10].map(at));
    let told: Vec<Time> = world.bus.posted().iter().map(|posted| posted.message.created_at).collect();
    let stored: Vec<Time> =
        world.history(place).await.iter().rev().map(|message| message.created_at).collect();
    assert_eq!((&told, &stored), (&times, &times));
}

pub(crate) async fn an_older_database_gets_receivers_and_rising_times(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let places = [world.direct(ben, ana).await, world.direct(ana, carol).await];
    for (place, author) in [(places[0], ana), (places[1], ana), (places[0], ben), (places[0], ana)] {
        world.post(place, author, "x").await;
    }
    world.store.remove_account(carol, at(1)).await.unwrap();
    world.close().await;
    for sql in [
        "DROP TABLE name_part",
        "DROP TABLE widget",
        "DROP TABLE room",
        "ALTER TABLE message DROP COLUMN image",
        "DROP TABLE chat_mark",
        "DROP TABLE chat",
        "DROP TABLE meeting_request",
        "DROP TABLE meeting",
        "DROP TABLE profile",
        "ALTER TABLE photo DROP COLUMN thumbnail_key",
        "ALTER TABLE message DROP COLUMN receiver",
        "ALTER TABLE message DROP COLUMN received_at",
        "ALTER TABLE message DROP COLUMN seen_at",
        "DROP TABLE client_message",
        "DROP TABLE account_count",
        "DELETE FROM migration WHERE number >= 2",
        "UPDATE message SET created_at = created_at + 1000 - id * 10",
        "UPDATE conversation SET last_at = (SELECT created_at FROM message WHERE id = last_message)",
    ] {
        world.execute(sql).await;
    }
    let (store, _) = world.reopened().await;
    let page = domain::conversations::Page { before: None, limit: 9 };
    let store: std::sync::Arc<dyn domain::ports::Store> = store;
    let messages = store.messages_in(places[0], page).await.unwrap();
    let shown: Vec<_> = messages
        .iter()
        .map(|message| (message.receipt.unwrap().receiver, message.created_at.0 - START.0))
        .collect();
    assert_eq!(shown, [(ben, 990), (ana, 990), (ben, 990)]);
    assert_eq!(store.messages_in(places[1], page).await.unwrap()[0].receipt.unwrap().receiver, carol);
    let last = format!("SELECT last_at FROM conversation WHERE id = {}", places[0]);
    assert_eq!(world.number(&last).await, START.0 + 990);
    assert_eq!(store.people_named("", 0, 9).await.unwrap().0, 2);
    store.add_message(new_message(places[0], ana, "y")).await.unwrap();
}
