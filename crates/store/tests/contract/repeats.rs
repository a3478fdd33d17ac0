//! Clients' own ids of messages, and writing to a relation.

use domain::{
    AccountId, ConversationId, Error, Noun, RelationId,
    messages::{NewMessage, REPEAT_WITHIN},
    relations::Status,
};

use crate::{
    crowd::at_once,
    world::{START, World, at, file, is, new_message, uuid},
};

fn named(place: ConversationId, author: AccountId, client_id: &str, text: &str) -> NewMessage {
    NewMessage { client_id: Some(client_id.to_owned()), ..new_message(place, author, text) }
}

pub(crate) async fn a_repeat_is_answered_and_not_stored(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let (place, other) = (world.direct(ana, ben).await, world.direct(ana, carol).await);
    let mut new = named(place, ana, "c", "first");
    new.media = vec![file("a")];
    let first = world.store.add_message(new).await.unwrap();
    assert!(!first.repeated && first.posted.client_id.as_deref() == Some("c"));
    let seen = at(9);
    world.store.mark_seen(first.posted.message.uuid, ben, None, seen).await.unwrap();
    // Elsewhere, too, and by an author who may not write any more: it is what was stored that is asked for.
    world.store.befriend(ana, ben, uuid(), START).await.unwrap();
    world.set_statuses("accepted", "rejected").await;
    for place in [place, other, ConversationId(999)] {
        let again = world.store.add_message(named(place, ana, "c", "again")).await.unwrap();
        assert!(again.repeated);
        let mut expected = first.posted.message.clone();
        let receipt = expected.receipt.as_mut().unwrap();
        (receipt.received_at, receipt.seen_at) = (Some(seen), Some(seen));
        assert_eq!(again.posted.message, expected);
        assert_eq!(again.posted.direct_pair, [ana, ben]);
        assert_eq!((again.posted.client_id.as_deref(), again.posted.relation.is_some()), (Some("c"), true));
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM message").await, 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM media").await, 1);
    assert_eq!(world.bus.posted().len(), 1);
    assert_eq!(world.post(other, ana, "x").await.position, 1);
}

pub(crate) async fn client_ids_are_an_authors_own_and_compared_by_bytes(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let place = world.direct(ana, ben).await;
    for (author, client_id) in [
        (ana, "c"),
        (ben, "c"),
        (ana, "C"),
        (ana, "c "),
        (ana, ""),
        (ana, "é"),
        (ana, "e\u{301}"),
        (ana, "🦜"),
    ] {
        let stored = world.store.add_message(named(place, author, client_id, "x")).await.unwrap();
        assert!(!stored.repeated, "{client_id}");
        let again = world.store.add_message(named(place, author, client_id, "y")).await.unwrap();
        assert!(again.repeated && again.posted.message.id == stored.posted.message.id, "{client_id}");
    }
    assert_eq!(world.post(place, ana, "without").await.position, 9);
    assert_eq!(world.post(place, ana, "without").await.position, 10);
}

pub(crate) async fn a_client_id_is_forgotten_after_a_day(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let place = world.direct(ana, ben).await;
    let write = async |client_id, now| {
        let mut new = named(place, ana, client_id, "x");
        new.created_at = now;
        !world.store.add_message(new).await.unwrap().repeated
    };
    let day = START.after(REPEAT_WITHIN);
    assert!(write("a", START).await);
    assert!(write("b", at(1)).await);
    assert!(!write("a", day).await);
    assert!(write("a", domain::Time(day.0 + 1)).await);
    assert!(!write("b", domain::Time(day.0 + 1)).await);
    // The new use counts from its own time.
    assert!(!write("a", domain::Time(day.0 + 5)).await);
    assert!(write("c", at(86_400 + 2)).await);
    assert_eq!(world.number("SELECT COUNT(*) FROM client_message").await, 2);
    world.store.remove_account(ana, day).await.unwrap();
    assert_eq!(world.number("SELECT COUNT(*) FROM client_message").await, 0);
    let refused = world.store.add_message(named(place, ana, "a", "x")).await;
    assert!(is(&refused, &Error::Forbidden(Noun::Conversation)), "{refused:?}");
}

pub(crate) async fn racing_repeats_store_one(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let place = world.direct(ana, ben).await;
    for round in 0..5 {
        let client_id = round.to_string();
        let stored = at_once(32, |task| {
            let store = world.store.clone();
            let new = named(place, ana, &client_id, &task.to_string());
            async move { store.add_message(new).await.unwrap() }
        })
        .await;
        assert_eq!(stored.iter().filter(|stored| !stored.repeated).count(), 1);
        assert!(stored.iter().all(|one| one.posted.message == stored[0].posted.message));
    }
    assert_eq!(world.history(place).await.len(), 5);
    assert_eq!(world.bus.posted().len(), 5);
}

pub(crate) async fn two_stores_store_a_repeat_once(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let places = [world.direct(ana, ben).await, world.direct(carol, ana).await];
    let (second, told_second) = world.reopened().await;
    let stored = at_once(16, |task| {
        let stores: [std::sync::Arc<dyn domain::ports::Store>; 2] = [world.store.clone(), second.clone()];
        async move {
            let mut stored = Vec::new();
            for number in 0..12 {
                // Each store writes to a conversation of its own, so that no lock of one keeps the other out.
                let new = named(places[task % 2], ana, &number.to_string(), "x");
                stored.push(stores[task % 2].add_message(new).await.unwrap());
            }
            stored
        }
    })
    .await;
    for number in 0..12 {
        let same: Vec<_> = stored.iter().map(|stored| &stored[number]).collect();
        assert!(same.iter().all(|one| one.posted.message == same[0].posted.message));
        assert_eq!(same.iter().filter(|one| !one.repeated).count(), 1);
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM message").await, 12);
    assert_eq!(world.bus.posted().len() + told_second.posted().len(), 12);
    for place in places {
        let history = world.history(place).await;
        assert!(history.iter().rev().map(|message| message.position).eq((1..).take(history.len())));
    }
    second.close().await;
}

pub(crate) async fn a_refused_message_is_nobodys_first(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let (place, foreign) = (world.direct(ana, ben).await, world.direct(ben, carol).await);
    let results = at_once(40, |task| {
        let store = world.store.clone();
        let new = named(if task % 2 == 0 { foreign } else { place }, ana, "c", "x");
        async move { store.add_message(new).await }
    })
    .await;
    assert_eq!(results.iter().flatten().filter(|stored| !stored.repeated).count(), 1);
    for (task, result) in results.iter().enumerate() {
        let is_refused = is(result, &Error::Forbidden(Noun::Conversation));
        assert!(result.is_ok() || (task % 2 == 0 && is_refused), "{task}: {result:?}");
    }
    assert_eq!(world.history(place).await.len(), 1);
    assert!(world.history(foreign).await.is_empty());
}

pub(crate) async fn one_writes_to_the_present_relation_alone(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let place = world.direct(ana, ben).await;
    let write = async |author, via| {
        let new = NewMessage { via, ..new_message(place, author, "x") };
        world.store.add_message(new).await.map(|stored| stored.posted.relation)
    };
    let no_relation = Error::NotFound(Noun::Relation);
    assert_eq!(write(ana, None).await.unwrap(), None);
    let id = RelationId(uuid());
    assert!(is(&write(ana, Some(id)).await, &no_relation));
    world.store.add_relation(id, ana, ben, Status::Accepted, START).await.unwrap();
    for via in [None, Some(id)] {
        assert_eq!(write(ben, via).await.unwrap(), Some(id));
    }
    assert_eq!(world.bus.posted().last().unwrap().relation, Some(id));
    assert!(is(&write(carol, Some(id)).await, &Error::Forbidden(Noun::Conversation)));
    world.store.set_relation(id, ben, Status::Rejected, at(1)).await.unwrap();
    for via in [None, Some(id)] {
        assert!(is(&write(ana, via).await, &Error::Forbidden(Noun::RejectedRelation)));
    }
    assert!(is(&write(ana, Some(RelationId(uuid()))).await, &no_relation));
    world.store.unfriend(ana, ben).await.unwrap();
    let later = RelationId(uuid());
    world.store.add_relation(later, ben, ana, Status::Pending, at(2)).await.unwrap();
    assert!(is(&write(ana, Some(id)).await, &no_relation));
    assert_eq!(write(ana, Some(later)).await.unwrap(), Some(later));
    let positions: Vec<i64> = world.history(place).await.iter().map(|message| message.position).collect();
    assert_eq!(positions, [4, 3, 2, 1]);
}
