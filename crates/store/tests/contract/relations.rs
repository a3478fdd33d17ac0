//! Relations.

use domain::{AccountId, accounts::Cards, relations::Befriended};

use crate::{
    crowd::at_once,
    world::{NO_ACCOUNT, START, World, at, is, uuid},
};

async fn are_friends(world: &World, one: AccountId) -> bool {
    !world.store.cards(Cards::FriendsOf(one), START).await.unwrap().is_empty()
}

/// Whether the sides have answered: `from`, `to`.
async fn answers(world: &World) -> (bool, bool) {
    let count = async |side| {
        let sql = format!("SELECT COUNT(*) FROM relation WHERE answered_{side}");
        world.number(&sql).await == 1
    };
    (count("from").await, count("to").await)
}

pub(crate) async fn befriending_makes_and_lifts_a_relation(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    // From the later account to the earlier one: low and high are not the direction.
    assert_eq!(world.store.befriend(ben, ana, uuid(), at(1)).await.unwrap(), Befriended::Yes);
    assert!(are_friends(world, ana).await && are_friends(world, ben).await);
    assert_eq!(world.number("SELECT from_account FROM relation").await, ben.0);
    assert_eq!(answers(world).await, (true, false));

    assert_eq!(world.store.befriend(ben, ana, uuid(), at(2)).await.unwrap(), Befriended::Yes);
    assert_eq!(world.number("SELECT changed_at FROM relation").await, at(1).0);
    assert_eq!(world.store.befriend(ana, ben, uuid(), at(3)).await.unwrap(), Befriended::Yes);
    assert_eq!(answers(world).await, (true, true));
    assert_eq!(world.number("SELECT from_account FROM relation").await, ben.0);

    world.set_statuses("accepted", "pending").await;
    world.execute("UPDATE relation SET answered_to = FALSE").await;
    assert!(!are_friends(world, ana).await);
    assert_eq!(world.store.befriend(ben, ana, uuid(), at(4)).await.unwrap(), Befriended::Yes);
    assert!(are_friends(world, ana).await);
    assert_eq!(answers(world).await, (true, false));
    assert_eq!(world.number("SELECT COUNT(*) FROM relation").await, 1);
}

pub(crate) async fn a_rejected_one_cannot_be_befriended(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    world.store.befriend(ana, ben, uuid(), at(1)).await.unwrap();
    world.set_statuses("pending", "rejected").await;
    assert_eq!(world.store.befriend(ana, ben, uuid(), at(2)).await.unwrap(), Befriended::Declined);
    assert_eq!(world.number("SELECT COUNT(*) FROM relation WHERE status_from = 'pending'").await, 1);
    assert_eq!(world.number("SELECT changed_at FROM relation").await, at(1).0);
    assert!(!are_friends(world, ana).await);
}

pub(crate) async fn the_one_who_rejected_can_change_their_mind(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    world.store.befriend(ana, ben, uuid(), at(1)).await.unwrap();
    world.set_statuses("accepted", "rejected").await;
    assert_eq!(world.store.befriend(ben, ana, uuid(), at(2)).await.unwrap(), Befriended::Yes);
    assert!(are_friends(world, ana).await);
}

pub(crate) async fn unfriending_deletes_and_is_harmless_twice(world: &World) {
    let [ana, ben, carol] = world.accounts(["ana", "ben", "carol"]).await;
    world.store.befriend(ana, ben, uuid(), at(1)).await.unwrap();
    world.store.befriend(ana, carol, uuid(), at(1)).await.unwrap();
    for _ in 0..2 {
        world.store.unfriend(ben, ana).await.unwrap();
        assert!(!are_friends(world, ben).await && are_friends(world, carol).await);
    }
    world.set_statuses("rejected", "rejected").await;
    world.store.unfriend(ana, carol).await.unwrap();
    assert_eq!(world.number("SELECT COUNT(*) FROM relation").await, 0);
}

pub(crate) async fn deleted_accounts_cannot_be_befriended(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    world.store.remove_account(ben, at(1)).await.unwrap();
    for (me, other) in [(ana, ben), (ben, ana), (ana, AccountId(999))] {
        let refused = world.store.befriend(me, other, uuid(), at(2)).await;
        assert!(is(&refused, &NO_ACCOUNT), "{refused:?}");
    }
}

pub(crate) async fn racing_friends_make_one_relation(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let made = at_once(64, |number| {
        let store = world.store.clone();
        let (me, other) = if number % 2 == 0 { (ana, ben) } else { (ben, ana) };
        async move { store.befriend(me, other, uuid(), at(1)).await.unwrap() }
    })
    .await;
    assert!(made.iter().all(|befriended| *befriended == Befriended::Yes));
    assert_eq!(world.number("SELECT COUNT(*) FROM relation").await, 1);
    assert_eq!(answers(world).await, (true, true));
}

pub(crate) async fn befriending_and_unfriending_at_once_stay_sound(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    at_once(32, |number| {
        let store = world.store.clone();
        async move {
            for _ in 0..4 {
                if number % 2 == 0 {
                    assert_eq!(store.befriend(ana, ben, uuid(), at(1)).await.unwrap(), Befriended::Yes);
                } else {
                    store.unfriend(ben, ana).await.unwrap();
                }
            }
        }
    })
    .await;
    assert!(world.number("SELECT COUNT(*) FROM relation").await <= 1);
    world.store.unfriend(ana, ben).await.unwrap();
    assert!(!are_friends(world, ana).await);
    world.store.befriend(ana, ben, uuid(), at(1)).await.unwrap();
    assert!(are_friends(world, ana).await);
}
