//! Receipts of direct messages.

use std::{collections::HashMap, sync::Arc};

use domain::{
    Error, MessageId, Noun, Posted, RelationId,
    messages::{Message, Receipt},
    relations::Status,
};

use crate::{
    chance::Chance,
    crowd::at_once,
    world::{START, World, at, file, is, new_message, uuid},
};

fn receipt(posted: &Posted) -> (bool, bool) {
    let receipt = posted.message.receipt.unwrap();
    (receipt.received_at.is_some(), receipt.seen_at.is_some())
}

async fn stored(world: &World, message: &Message) -> Receipt {
    let history = world.history(message.conversation).await;
    history.iter().find(|one| one.id == message.id).unwrap().receipt.unwrap()
}

pub(crate) async fn receiving_is_told_once(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let relation = RelationId(uuid());
    world.store.add_relation(relation, ben, ana, Status::Accepted, START).await.unwrap();
    let place = world.direct(ana, ben).await;
    let mut new = new_message(place, ana, "one");
    new.media = vec![file("b"), file("a")];
    new.client_id = Some("mine".into());
    let posted = Posted::clone(&world.store.add_message(new).await.unwrap().posted);
    let (one, two) = (posted.message.clone(), world.post(place, ben, "two").await);
    let ids = vec![two.id, one.id, MessageId(999), one.id];
    assert_eq!(world.store.mark_received(ids.clone(), at(5)).await.unwrap(), [one.id, two.id]);
    assert!(world.store.mark_received(ids, at(6)).await.unwrap().is_empty());
    assert!(world.store.mark_received(Vec::new(), at(6)).await.unwrap().is_empty());
    let told = world.bus.receipts();
    assert_eq!(told.len(), 2);
    // As it was posted, but for the receipt.
    let mut expected = posted;
    expected.message.receipt.as_mut().unwrap().received_at = Some(at(5));
    assert_eq!(format!("{:?}", told[0]), format!("{expected:?}"));
    assert_eq!((told[0].relation, told[0].client_id.as_deref()), (Some(relation), Some("mine")));
    assert_eq!((told[1].message.id, told[1].author.username.as_str()), (two.id, "ben"));
    assert_eq!(stored(world, &one).await, expected.message.receipt.unwrap());
    assert_eq!(
        (stored(world, &two).await.receiver, stored(world, &two).await.received_at),
        (ana, Some(at(5)))
    );
}

pub(crate) async fn what_is_delivered_is_told_once_as_it_was_posted(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let place = world.direct(ana, ben).await;
    let post = async |text| world.store.add_message(new_message(place, ana, text)).await.unwrap().posted;
    let (one, two, three) = (post("one").await, post("two").await, post("three").await);
    world.store.mark_received(vec![two.message.id], at(4)).await.unwrap();
    let all = vec![Arc::clone(&three), Arc::clone(&two), Arc::clone(&one), Arc::clone(&three)];
    world.store.mark_delivered(all.clone(), at(5)).await.unwrap();
    world.store.mark_delivered(all, at(6)).await.unwrap();
    world.store.mark_delivered(Vec::new(), at(6)).await.unwrap();
    let told = world.bus.receipts();
    let ids: Vec<_> = told.iter().map(|posted| posted.message.id).collect();
    assert_eq!(ids, [two.message.id, one.message.id, three.message.id]);
    let mut expected = Posted::clone(&one);
    expected.message.receipt.as_mut().unwrap().received_at = Some(at(5));
    assert_eq!(format!("{:?}", told[1]), format!("{expected:?}"));
    for (posted, received) in [(&one, at(5)), (&two, at(4)), (&three, at(5))] {
        let receipt = stored(world, &posted.message).await;
        assert_eq!((receipt.received_at, receipt.seen_at), (Some(received), None));
    }
}

pub(crate) async fn seeing_is_receiving(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let place = world.direct(ana, ben).await;
    let (early, late) = (world.post(place, ana, "early").await, world.post(place, ana, "late").await);
    world.store.mark_received(vec![early.id], at(5)).await.unwrap();
    for _ in 0..2 {
        world.store.mark_seen(early.uuid, ben, None, at(6)).await.unwrap();
        world.store.mark_seen(late.uuid, ben, None, at(7)).await.unwrap();
    }
    assert!(world.store.mark_received(vec![late.id], at(8)).await.unwrap().is_empty());
    let times = async |message| {
        let receipt = stored(world, message).await;
        (receipt.received_at, receipt.seen_at)
    };
    assert_eq!(times(&early).await, (Some(at(5)), Some(at(6))));
    assert_eq!(times(&late).await, (Some(at(7)), Some(at(7))));
    let told = world.bus.receipts();
    assert_eq!(told.iter().map(receipt).collect::<Vec<_>>(), [(true, false), (true, true), (true, true)]);
    assert_eq!(told[2].message.receipt, Some(stored(world, &late).await));
}

pub(crate) async fn only_the_receiver_sees(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let (relation, other) = (RelationId(uuid()), RelationId(uuid()));
    world.store.add_relation(relation, ana, ben, Status::Accepted, START).await.unwrap();
    world.store.add_relation(other, carol, ben, Status::Accepted, START).await.unwrap();
    let message = world.post(world.direct(ana, ben).await, ana, "x").await;
    for (uuid, receiver, via) in [
        (message.uuid, ana, None),
        (message.uuid, carol, None),
        (uuid(), ben, None),
        (message.uuid, ben, Some(other)),
        (message.uuid, ben, Some(RelationId(message.uuid))),
    ] {
        let refused = world.store.mark_seen(uuid, receiver, via, at(1)).await;
        assert!(is(&refused, &Error::NotFound(Noun::Message)), "{refused:?}");
    }
    assert!(world.bus.receipts().is_empty());
    world.store.mark_seen(message.uuid, ben, Some(relation), at(1)).await.unwrap();
    assert_eq!(world.bus.receipts().len(), 1);
    world.store.unfriend(ana, ben).await.unwrap();
    let refused = world.store.mark_seen(message.uuid, ben, Some(relation), at(1)).await;
    assert!(is(&refused, &Error::NotFound(Noun::Message)), "{refused:?}");
    world.store.mark_seen(message.uuid, ben, None, at(1)).await.unwrap();
}

pub(crate) async fn racing_receipts_only_grow_and_are_told_once(world: &World) {
    const TASKS: usize = 12;
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let place = world.direct(ana, ben).await;
    at_once(TASKS, |task| {
        let store = world.store.clone();
        async move {
            let mut chance = Chance::new(task as u64 + 1);
            let page = domain::conversations::Page { before: None, limit: 30 };
            for step in 0..25 {
                let known = store.messages_in(place, page).await.unwrap();
                let now = at(step);
                match chance.below(3) {
                    0 => {
                        let author = chance.of(&[ana, ben]);
                        store.add_message(new_message(place, author, "x")).await.unwrap();
                    }
                    1 => {
                        // In an order of each task's own.
                        let mut ids: Vec<MessageId> = known.iter().map(|message| message.id).collect();
                        for place in (1..ids.len()).rev() {
                            ids.swap(place, chance.below(place + 1));
                        }
                        store.mark_received(ids, now).await.unwrap();
                    }
                    _ if known.is_empty() => {}
                    _ => {
                        let message = &known[chance.below(known.len())];
                        let receiver = message.receipt.unwrap().receiver;
                        store.mark_seen(message.uuid, receiver, None, now).await.unwrap();
                    }
                }
            }
        }
    })
    .await;
    let posted: Vec<MessageId> = world.bus.posted().iter().map(|posted| posted.message.id).collect();
    let mut last: HashMap<MessageId, Receipt> = HashMap::new();
    for told in world.bus.receipts() {
        let new = told.message.receipt.unwrap();
        assert!(posted.contains(&told.message.id) && new.received_at.is_some());
        if let Some(before) = last.insert(told.message.id, new) {
            // Received, then seen: nothing else can be told twice of one message.
            assert_eq!((before.received_at, before.seen_at), (new.received_at, None));
            assert!(new.seen_at.is_some());
        }
    }
    for message in world.history(place).await {
        let receipt = message.receipt.unwrap();
        assert_eq!(
            last.get(&message.id).copied().unwrap_or(Receipt { received_at: None, seen_at: None, ..receipt }),
            receipt
        );
    }
    assert_eq!(posted.len(), world.history(place).await.len());
}

pub(crate) async fn nothing_is_told_of_a_message_before_the_message(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let place = world.direct(ana, ben).await;
    world.bus.slow_down(std::time::Duration::from_millis(3));
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let reader = tokio::spawn({
        let (store, done) = (world.store.clone(), done.clone());
        async move {
            let page = domain::conversations::Page { before: None, limit: 50 };
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let ids = store.messages_in(place, page).await.unwrap().iter().map(|one| one.id).collect();
                store.mark_received(ids, START).await.unwrap();
            }
        }
    });
    at_once(8, |_| {
        let store = world.store.clone();
        async move {
            for _ in 0..10 {
                store.add_message(new_message(place, ana, "x")).await.unwrap();
            }
        }
    })
    .await;
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    reader.await.unwrap();
    let mut posted = std::collections::HashSet::new();
    for (message, is_receipt) in world.bus.of_messages() {
        if is_receipt {
            assert!(posted.contains(&message), "{message:?}");
        } else {
            assert!(posted.insert(message));
        }
    }
    assert_eq!(posted.len(), 80);
}
