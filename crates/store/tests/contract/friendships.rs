//! Relations with a status a side.

use std::collections::HashMap;

use domain::{
    AccountId, Error, Noun, RelationId,
    relations::{Befriended, Friendship, Status},
};

use crate::{
    chance::Chance,
    crowd::at_once,
    world::{NO_ACCOUNT, START, World, at, is, uuid},
};

const NO_RELATION: Error = Error::NotFound(Noun::Relation);

async fn asked(world: &World, from: AccountId, to: AccountId, status: Status) -> Friendship {
    world.store.add_relation(RelationId(uuid()), from, to, status, at(1)).await.unwrap()
}

pub(crate) async fn asking_makes_a_relation_and_tells_it(world: &World) {
    let [gone, ana, ben] = world.accounts(["gone", "Ana", "Ben"]).await;
    let id = RelationId(uuid());
    // From the later account to the earlier one: low and high are not the direction.
    let made = world.store.add_relation(id, ben, ana, Status::Rejected, at(1)).await.unwrap();
    let relation = made.relation;
    assert_eq!((relation.id, relation.from, relation.to, relation.created_at), (id, ben, ana, at(1)));
    assert_eq!((relation.status_from, relation.status_to), (Status::Rejected, Status::Pending));
    assert_eq!((relation.answered_from, relation.answered_to), (true, false));
    assert_eq!((made.from.username.as_str(), made.to.username.as_str()), ("Ben", "Ana"));
    assert_eq!(world.bus.relations(), std::slice::from_ref(&made));
    assert_eq!(world.store.relations_of(ana).await.unwrap(), std::slice::from_ref(&made));
    for (from, to) in [(ana, ben), (ben, ana)] {
        let again = world.store.add_relation(RelationId(uuid()), from, to, Status::Accepted, at(2)).await;
        assert!(is(&again, &Error::Conflict(Noun::Relation)), "{again:?}");
    }
    world.store.remove_account(gone, at(2)).await.unwrap();
    for (from, to) in [(ana, gone), (gone, ana), (ana, AccountId(999))] {
        let refused = world.store.add_relation(RelationId(uuid()), from, to, Status::Accepted, at(2)).await;
        assert!(is(&refused, &NO_ACCOUNT), "{refused:?}");
    }
    assert_eq!(world.bus.relations(), [made]);
}

pub(crate) async fn answering_sets_ones_own_side(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    let made = asked(world, ana, ben, Status::Pending).await;
    let id = made.relation.id;
    let set = async |by, status| world.store.set_relation(id, by, status, at(2)).await;
    let mut told = vec![made];
    for (by, status, expected) in [
        (ben, Status::Accepted, (Status::Pending, Status::Accepted, true)),
        (ana, Status::Rejected, (Status::Rejected, Status::Accepted, true)),
        (ana, Status::Accepted, (Status::Accepted, Status::Accepted, true)),
    ] {
        let answered = set(by, status).await.unwrap();
        let relation = answered.relation;
        assert_eq!((relation.status_from, relation.status_to, relation.answered_to), expected);
        told.push(answered.clone());
        // The same again is no change.
        assert_eq!(set(by, status).await.unwrap(), answered);
        assert_eq!(world.bus.relations(), told);
    }
    let foreign = set(carol, Status::Accepted).await;
    assert!(is(&foreign, &Error::Forbidden(Noun::Relation)), "{foreign:?}");
    let unknown = world.store.set_relation(RelationId(uuid()), ana, Status::Accepted, at(2)).await;
    assert!(is(&unknown, &NO_RELATION), "{unknown:?}");
    assert_eq!(world.bus.relations(), told);
}

pub(crate) async fn answering_what_another_said_for_one_is_a_change(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    world.store.befriend(ana, ben, uuid(), START).await.unwrap();
    let id = world.store.relations_of(ben).await.unwrap()[0].relation.id;
    let answered = world.store.set_relation(id, ben, Status::Accepted, at(1)).await.unwrap();
    assert!(answered.relation.answered_to);
    assert_eq!(world.bus.relations().len(), 2);
    // A status that was never given can be given by oneself, `pending` too.
    let [carol] = world.accounts(["carol"]).await;
    let made = asked(world, ana, carol, Status::Accepted).await;
    let said = world.store.set_relation(made.relation.id, carol, Status::Pending, at(2)).await.unwrap();
    assert!(said.relation.answered_to && said.relation.status_to == Status::Pending);
    assert_eq!(world.bus.relations().len(), 4);
}

pub(crate) async fn befriending_tells_what_it_changes(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let statuses = || {
        let told = world.bus.relations();
        told.iter().map(|one| (one.relation.answered_from, one.relation.answered_to)).collect::<Vec<_>>()
    };
    for _ in 0..2 {
        world.store.befriend(ana, ben, uuid(), at(1)).await.unwrap();
        assert_eq!(statuses(), [(true, false)]);
    }
    for _ in 0..2 {
        world.store.befriend(ben, ana, uuid(), at(2)).await.unwrap();
        assert_eq!(statuses(), [(true, false), (true, true)]);
    }
    let told = world.bus.relations();
    assert_eq!(told[0].relation.id, told[1].relation.id);
    assert_eq!(told[1].relation.status_from, Status::Accepted);
    world.store.set_relation(told[0].relation.id, ben, Status::Rejected, at(3)).await.unwrap();
    assert_eq!(world.store.befriend(ana, ben, uuid(), at(4)).await.unwrap(), Befriended::Declined);
    assert_eq!(world.bus.relations().len(), 3);
}

pub(crate) async fn relations_come_oldest_first_with_both_people(world: &World) {
    let [ana, ben, carol, dora, gone] = world.accounts(["ana", "Ben", "carol", "dora", "gone"]).await;
    let late = world.store.add_relation(RelationId(uuid()), ben, ana, Status::Accepted, at(9)).await.unwrap();
    let early =
        world.store.add_relation(RelationId(uuid()), ana, dora, Status::Rejected, at(1)).await.unwrap();
    let same =
        world.store.add_relation(RelationId(uuid()), carol, ana, Status::Pending, at(1)).await.unwrap();
    asked(world, ben, carol, Status::Accepted).await;
    asked(world, gone, ana, Status::Accepted).await;
    world.store.remove_account(gone, at(10)).await.unwrap();
    assert_eq!(world.store.relations_of(ana).await.unwrap(), [early, same, late]);
    assert!(world.store.relations_of(gone).await.unwrap().is_empty());
    assert!(world.store.relations_of(AccountId(999)).await.unwrap().is_empty());
}

pub(crate) async fn a_relation_leads_to_the_pairs_conversation(world: &World) {
    let [ana, ben, carol, dora] = world.accounts(["ana", "ben", "carol", "dora"]).await;
    let first = asked(world, ana, ben, Status::Accepted).await.relation.id;
    let place = world.store.conversation_of(first, ben, uuid(), at(1)).await.unwrap();
    assert_eq!(world.direct(ana, ben).await, place);
    assert_eq!(world.store.conversation_of(first, ana, uuid(), at(2)).await.unwrap(), place);
    world.post(place, ana, "hi").await;
    // A later relation of the pair leads to the same one, the earlier relation nowhere.
    world.store.unfriend(ana, ben).await.unwrap();
    let second = asked(world, ben, ana, Status::Accepted).await.relation.id;
    assert_eq!(world.store.conversation_of(second, ana, uuid(), at(3)).await.unwrap(), place);
    // One that messenger has begun.
    let begun = world.direct(carol, ana).await;
    let third = asked(world, ana, carol, Status::Pending).await.relation.id;
    assert_eq!(world.store.conversation_of(third, carol, uuid(), at(3)).await.unwrap(), begun);
    for (relation, account) in [(first, ana), (second, carol), (third, ben), (RelationId(uuid()), ana)] {
        let refused = world.store.conversation_of(relation, account, uuid(), at(4)).await;
        assert!(is(&refused, &NO_RELATION), "{refused:?}");
    }
    let fourth = asked(world, ana, dora, Status::Pending).await.relation.id;
    let made = at_once(32, |number| {
        let store = world.store.clone();
        let account = if number % 2 == 0 { ana } else { dora };
        async move { store.conversation_of(fourth, account, uuid(), at(5)).await.unwrap() }
    })
    .await;
    assert!(made.iter().all(|place| *place == made[0]));
    assert_eq!(world.number("SELECT COUNT(*) FROM conversation").await, 3);
}

pub(crate) async fn racing_askers_make_one_relation(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let made = at_once(32, |number| {
        let store = world.store.clone();
        let (from, to) = if number % 2 == 0 { (ana, ben) } else { (ben, ana) };
        async move { store.add_relation(RelationId(uuid()), from, to, Status::Pending, at(1)).await }
    })
    .await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
    for refused in made.iter().filter(|made| made.is_err()) {
        assert!(is(refused, &Error::Conflict(Noun::Relation)), "{refused:?}");
    }
    assert_eq!(world.bus.relations().len(), 1);
}

pub(crate) async fn two_people_answer_at_once(world: &World) {
    const EACH: usize = 40;
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let made = asked(world, ana, ben, Status::Pending).await;
    let id = made.relation.id;
    let said: HashMap<AccountId, Status> = at_once(2, |side| {
        let store = world.store.clone();
        let me = [ana, ben][side];
        async move {
            let mut chance = Chance::new(side as u64 + 1);
            let mut last = Status::Pending;
            for _ in 0..EACH {
                last = chance.of(&[Status::Pending, Status::Accepted, Status::Rejected]);
                let answered = store.set_relation(id, me, last, at(2)).await.unwrap().relation;
                let mine = if side == 0 { answered.status_from } else { answered.status_to };
                assert_eq!(mine, last);
            }
            (me, last)
        }
    })
    .await
    .into_iter()
    .collect();
    let stored = world.store.relations_of(ana).await.unwrap();
    assert_eq!(stored[0].relation.status_from, said[&ana]);
    assert_eq!(stored[0].relation.status_to, said[&ben]);
    // What was told is the way from the first state to the last, one side a step.
    let told = world.bus.relations();
    assert_eq!((&told[0], told.last()), (&made, stored.first()));
    for pair in told.windows(2) {
        let [before, after] = [pair[0].relation, pair[1].relation];
        let from = (before.status_from, before.answered_from) != (after.status_from, after.answered_from);
        let to = (before.status_to, before.answered_to) != (after.status_to, after.answered_to);
        assert!(from != to, "{before:?} {after:?}");
    }
}
