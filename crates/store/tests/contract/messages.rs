//! Messages.

use std::collections::HashMap;

use domain::{
    ConversationId, Error, MessageId, Noun,
    accounts::Avatar,
    messages::{Message, NewMessage, Receipt},
};

use crate::{
    crowd::at_once,
    world::{START, World, at, file, ids, is, new_message, uuid},
};

pub(crate) async fn a_message_is_stored_told_and_read(world: &World) {
    let mut new = World::new_account("Ana");
    new.photo = Some("a.png".into());
    let author_uuid = new.uuid;
    let ana = world.store.add_account(new).await.unwrap();
    let new = World::new_account("ben");
    let receiver_uuid = new.uuid;
    let ben = world.store.add_account(new).await.unwrap();
    let place = world.direct(ben, ana).await;
    let new = new_message(place, ana, "¡Hola! 🦜\n\"x\"");
    let message = world.store.add_message(new.clone()).await.unwrap().posted.message.clone();
    let expected = Message {
        id: message.id,
        uuid: new.uuid,
        conversation: place,
        position: 1,
        author: ana,
        author_uuid,
        author_name: "Ana".into(),
        text: new.text.clone(),
        image: String::new(),
        created_at: START,
        media: Vec::new(),
        receipt: Some(Receipt { receiver: ben, receiver_uuid, received_at: None, seen_at: None }),
    };
    assert_eq!(message, expected);
    assert_eq!(world.history(place).await, std::slice::from_ref(&message));
    let told = world.bus.posted();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].message, message);
    assert_eq!(told[0].direct_pair, [ben, ana]);
    assert_eq!(told[0].author.username, "Ana");
    assert_eq!(told[0].author.avatar, Avatar { photo: Some("a.png".into()), text: None });
    assert_eq!(world.post(place, ben, "").await.position, 2);
}

pub(crate) async fn media_stay_with_their_message_in_order(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let place = world.direct(ana, ben).await;
    let mut new = new_message(place, ana, "");
    new.media = ["ñ \"quoted\" \\ \u{1}\n.png", "", "b", "a"].map(file).to_vec();
    let message = world.store.add_message(new.clone()).await.unwrap().posted.message.clone();
    assert_eq!(message.media, new.media);
    let plain = world.post(place, ben, "plain").await;
    let mut other = new_message(place, ben, "two");
    other.media = vec![file("c")];
    let other = world.store.add_message(other).await.unwrap().posted.message.clone();
    assert_eq!(world.history(place).await, [other, plain, message.clone()]);
    assert_eq!(world.bus.posted()[0].message, message);
}

async fn refusal(world: &World, new: NewMessage) -> Error {
    world.store.add_message(new).await.unwrap_err()
}

pub(crate) async fn strangers_and_unknown_places_are_refused(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let place = world.direct(ana, ben).await;
    let error = refusal(world, new_message(ConversationId(999), ana, "x")).await;
    assert!(matches!(error, Error::NotFound(Noun::Conversation)), "{error:?}");
    let mut new = new_message(place, carol, "x");
    new.media = vec![file("lost")];
    let error = refusal(world, new).await;
    assert!(matches!(error, Error::Forbidden(Noun::Conversation)), "{error:?}");
    assert!(world.history(place).await.is_empty());
    assert!(world.bus.posted().is_empty());
    assert_eq!(world.number("SELECT COUNT(*) FROM media").await, 0);
    assert_eq!(world.post(place, ana, "first").await.position, 1);
}

pub(crate) async fn a_rejected_pair_cannot_write(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let (place, other) = (world.direct(ana, ben).await, world.direct(ana, carol).await);
    world.store.befriend(ana, ben, uuid(), START).await.unwrap();
    for (from, to) in [("rejected", "accepted"), ("pending", "rejected")] {
        world.set_statuses(from, to).await;
        for author in [ana, ben] {
            let error = refusal(world, new_message(place, author, "x")).await;
            assert!(matches!(error, Error::Forbidden(Noun::RejectedRelation)), "{error:?}");
        }
        let error = refusal(world, new_message(place, carol, "x")).await;
        assert!(matches!(error, Error::Forbidden(Noun::Conversation)), "{error:?}");
    }
    world.post(other, ana, "elsewhere").await;
    world.set_statuses("accepted", "pending").await;
    assert_eq!(world.post(place, ana, "pending is no refusal").await.position, 1);
    world.store.unfriend(ana, ben).await.unwrap();
    world.post(place, ben, "without a relation").await;
}

pub(crate) async fn a_deleted_author_cannot_write(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let place = world.direct(ana, ben).await;
    world.store.remove_account(ana, at(1)).await.unwrap();
    let error = refusal(world, new_message(place, ana, "x")).await;
    assert!(matches!(error, Error::Forbidden(Noun::Conversation)), "{error:?}");
    world.post(place, ben, "into the void").await;
}

pub(crate) async fn racing_messages_stand_in_one_order(world: &World) {
    const TASKS: usize = 64;
    const EACH: usize = 25;
    let authors = world.accounts(["a", "b", "c", "d", "e", "f", "g", "h", "i"]).await;
    let mut places = Vec::new();
    for other in &authors[1..] {
        places.push(world.direct(authors[0], *other).await);
    }
    let stranger = world.account("stranger").await;
    at_once(TASKS, |task| {
        let (store, places) = (world.store.clone(), places.clone());
        async move {
            let mut newest = HashMap::new();
            for number in 0..EACH {
                let index = (task + number) % places.len();
                let author = if task % 2 == 0 { authors[0] } else { authors[index + 1] };
                let new = new_message(places[index], author, &format!("{task} {number}"));
                let message = store.add_message(new).await.unwrap().posted.message.clone();
                // One writer's own messages stand in the order of writing.
                let before: Option<MessageId> = newest.insert(index, message.id);
                assert!(before < Some(message.id));
                let refused = store.add_message(new_message(places[index], stranger, "no")).await;
                assert!(is(&refused, &Error::Forbidden(Noun::Conversation)), "{refused:?}");
            }
        }
    })
    .await;
    let told = world.bus.posted();
    assert_eq!(told.len(), TASKS * EACH);
    for place in &places {
        let mut history = world.history(*place).await;
        history.reverse();
        let positions: Vec<i64> = history.iter().map(|message| message.position).collect();
        assert_eq!(positions, (1..).take(history.len()).collect::<Vec<i64>>());
        let all = ids(&history);
        assert!(all.is_sorted_by(|one, next| one < next));
        let heard: Vec<_> = told
            .iter()
            .map(|posted| &posted.message)
            .filter(|message| message.conversation == *place)
            .collect();
        assert!(heard.iter().copied().eq(history.iter()));
        let count = format!("SELECT message_count FROM conversation WHERE id = {place}");
        assert_eq!(usize::try_from(world.number(&count).await), Ok(history.len()));
        let last = format!("SELECT last_message FROM conversation WHERE id = {place}");
        assert_eq!(Some(MessageId(world.number(&last).await)), all.last().copied());
    }
    assert_eq!(usize::try_from(world.number("SELECT COUNT(*) FROM message").await), Ok(told.len()));
}

pub(crate) async fn a_refused_message_does_not_disturb_others(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let place = world.direct(ana, ben).await;
    let results = at_once(60, |number| {
        let store = world.store.clone();
        let new = match number % 3 {
            0 => new_message(place, ana, "good"),
            1 => new_message(place, carol, "stranger"),
            _ => new_message(ConversationId(999), ana, "nowhere"),
        };
        async move { store.add_message(new).await }
    })
    .await;
    for (number, result) in results.iter().enumerate() {
        let expected = match number % 3 {
            0 => result.is_ok(),
            1 => is(result, &Error::Forbidden(Noun::Conversation)),
            _ => is(result, &Error::NotFound(Noun::Conversation)),
        };
        assert!(expected, "{number}: {result:?}");
    }
    assert_eq!(world.history(place).await.len(), 20);
    assert_eq!(world.bus.posted().len(), 20);
}

pub(crate) async fn a_repeated_uuid_fails_alone(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let place = world.direct(ana, ben).await;
    let known = world.post(place, ana, "first").await.uuid;
    let results = at_once(40, |number| {
        let store = world.store.clone();
        let mut new = new_message(place, ana, "again");
        if number == 20 {
            new.uuid = known;
        }
        async move { store.add_message(new).await }
    })
    .await;
    for (number, result) in results.iter().enumerate() {
        match result {
            Ok(_) => assert_ne!(number, 20),
            Err(error) => assert!(number == 20 && matches!(error, Error::Internal(_)), "{number}: {error:?}"),
        }
    }
    let positions: Vec<i64> =
        world.history(place).await.iter().map(|message| message.position).rev().collect();
    assert_eq!(positions, (1..=40).collect::<Vec<i64>>());
    assert_eq!(world.bus.posted().len(), 40);
}

pub(crate) async fn what_was_written_stays_under_the_name_deleted(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let place = world.direct(ana, ben).await;
    world.post(place, ana, "words").await;
    world.store.remove_account(ana, at(1)).await.unwrap();
    let history = world.history(place).await;
    assert_eq!((history[0].author_name.as_str(), history[0].text.as_str()), ("deleted", "words"));
    let overview = world.store.overviews(ben, 10).await.unwrap();
    assert_eq!(overview[0].last_message.as_ref(), Some(&history[0]));
}
