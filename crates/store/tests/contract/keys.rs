//! Access keys.

use domain::{Error, Grant, Noun};

use crate::world::{START, World, at, hash, is};

pub(crate) async fn a_key_lives_until_it_is_revoked(world: &World) {
    let ana = world.account("ana").await;
    let (one, two) = (hash(), hash());
    let first = world.store.add_key(ana, "one", one, START).await.unwrap();
    let second = world.store.add_key(ana, "two", two, START).await.unwrap();
    let live = world.store.key(one).await.unwrap().unwrap();
    assert_eq!((live.id, live.account), (first, ana));
    assert!(world.store.key(hash()).await.unwrap().is_none());
    assert!(world.store.revoke_key(ana, "one", at(3)).await.unwrap());
    assert!(!world.store.revoke_key(ana, "one", at(4)).await.unwrap());
    assert!(!world.store.revoke_key(ana, "three", at(4)).await.unwrap());
    assert_eq!(world.bus.ended(), [(Grant::Key(first), ana)]);
    assert_eq!(world.store.ended_since(at(3)).await.unwrap(), [(Grant::Key(first), ana)]);
    assert!(world.store.key(one).await.unwrap().is_none());
    assert_eq!(world.store.key(two).await.unwrap().unwrap().id, second);
}

pub(crate) async fn a_label_is_taken_while_its_key_lives(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    world.store.add_key(ana, "cli", hash(), START).await.unwrap();
    let again = world.store.add_key(ana, "cli", hash(), START).await;
    assert!(is(&again, &Error::Conflict(Noun::KeyLabel)), "{again:?}");
    world.store.add_key(ben, "cli", hash(), START).await.unwrap();
    world.store.revoke_key(ana, "cli", at(1)).await.unwrap();
    world.store.add_key(ana, "cli", hash(), at(2)).await.unwrap();
}

pub(crate) async fn a_deleted_accounts_keys_are_dead(world: &World) {
    let ana = world.account("ana").await;
    let key = hash();
    let id = world.store.add_key(ana, "cli", key, START).await.unwrap();
    world.store.remove_account(ana, at(1)).await.unwrap();
    assert!(world.store.key(key).await.unwrap().is_none());
    assert_eq!(world.bus.ended(), [(Grant::Key(id), ana)]);
}
