//! What an account has missed.

use domain::{AccountId, MessageId, Posted, RelationId, relations::Status};

use crate::{
    chance::Chance,
    world::{START, World, at, file, new_message, uuid},
};

async fn after(world: &World, account: AccountId, after: MessageId, limit: usize) -> Vec<Posted> {
    world.store.messages_after(account, after, limit).await.unwrap()
}

fn ids(posted: &[Posted]) -> Vec<MessageId> {
    posted.iter().map(|posted| posted.message.id).collect()
}

pub(crate) async fn missed_messages_come_as_they_were_posted(world: &World) {
    let people = world.accounts(["ana", "ben", "carol", "dora", "eve"]).await;
    let ana = people[0];
    let mut places = Vec::new();
    for other in &people[1..4] {
        world.store.add_relation(RelationId(uuid()), ana, *other, Status::Pending, START).await.unwrap();
        places.push((world.direct(ana, *other).await, *other));
    }
    // Without a relation, and of others.
    places.push((world.direct(ana, people[4]).await, people[4]));
    world.store.add_relation(RelationId(uuid()), people[1], people[2], Status::Pending, START).await.unwrap();
    let foreign = world.direct(people[1], people[2]).await;
    let mut chance = Chance::new(3);
    let mut posted = Vec::new();
    for number in 0..60 {
        let (place, other) = places[chance.below(4)];
        let mut new = new_message(place, chance.of(&[ana, other]), &number.to_string());
        if number % 7 == 0 {
            new.media = vec![file("a"), file("b")];
            new.client_id = Some(number.to_string());
        }
        let stored = world.store.add_message(new).await.unwrap().posted;
        if other != people[4] {
            posted.push(Posted::clone(&stored));
        }
        world.post(foreign, people[1], "foreign").await;
    }
    let all = after(world, ana, MessageId(0), 1000).await;
    assert_eq!(format!("{all:?}"), format!("{posted:?}"));
    assert!(after(world, ana, MessageId(0), 0).await.is_empty());
    assert!(after(world, ana, MessageId(i64::MAX), usize::MAX).await.is_empty());
    assert_eq!(ids(&after(world, ana, MessageId(0), usize::MAX).await), ids(&posted));
    for _ in 0..40 {
        let (start, limit) = (chance.below(posted.len()), chance.below(12) + 1);
        let expected: Vec<_> = ids(&posted).into_iter().skip(start + 1).take(limit).collect();
        assert_eq!(ids(&after(world, ana, posted[start].message.id, limit).await), expected);
    }
    // Receipts are as they are now, rejected relations are relations.
    world.set_statuses("rejected", "pending").await;
    world.store.mark_received(vec![posted[5].message.id], at(1)).await.unwrap();
    let again = after(world, ana, posted[4].message.id, 1).await;
    assert_eq!(again[0].message.receipt.unwrap().received_at, Some(at(1)));
    assert!(after(world, AccountId(999), MessageId(0), 10).await.is_empty());
}

pub(crate) async fn a_message_of_ones_own_conversations_is_known(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let message = world.post(world.direct(ana, ben).await, ana, "x").await;
    let known = async |account| world.store.message_of(account, message.uuid).await.unwrap();
    world.store.add_relation(RelationId(uuid()), ben, ana, Status::Pending, START).await.unwrap();
    assert_eq!((known(ana).await, known(ben).await), (Some(message.id), Some(message.id)));
    assert_eq!(known(carol).await, None);
    assert_eq!(world.store.message_of(ana, uuid()).await.unwrap(), None);
    // A friendship that ends takes none of it away.
    world.store.unfriend(ana, ben).await.unwrap();
    assert_eq!((known(ana).await, known(ben).await), (Some(message.id), Some(message.id)));
    assert_eq!(known(carol).await, None);
}
