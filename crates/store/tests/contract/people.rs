//! People by their names.

use domain::accounts::{AccountChange, Person, names::folded};

use crate::{
    chance::Chance,
    world::{World, at, uuid},
};

fn names(people: &[Person]) -> Vec<&str> {
    people.iter().map(|person| person.username.as_str()).collect()
}

pub(crate) async fn an_account_is_found_by_its_uuid(world: &World) {
    let new = World::new_account("ana");
    let known = new.uuid;
    let ana = world.store.add_account(new).await.unwrap();
    assert_eq!(world.store.account_of(known).await.unwrap(), Some(ana));
    assert_eq!(world.store.account_of(uuid()).await.unwrap(), None);
    world.store.remove_account(ana, at(1)).await.unwrap();
    assert_eq!(world.store.account_of(known).await.unwrap(), None);
}

pub(crate) async fn pages_of_names_agree_with_a_model(world: &World) {
    let mut chance = Chance::new(11);
    let mut all: Vec<String> = Vec::new();
    assert_eq!(world.store.people_named("", 0, 10).await.unwrap(), (0, vec![]));
    for number in 0..80 {
        let name: String =
            (0..=chance.below(5)).map(|_| chance.of(&['a', 'B', 'é', '_', '.', 'я', 'c'])).collect();
        let name = format!("{name}{number}");
        let account = world.account(&name).await;
        match chance.below(6) {
            0 => drop(world.store.remove_account(account, at(1)).await.unwrap()),
            1 => {
                let changed = format!("{name}x");
                let change = AccountChange {
                    username: Some((changed.clone(), folded(&changed))),
                    ..AccountChange::default()
                };
                world.store.set_account(account, change, at(1)).await.unwrap();
                all.push(changed);
            }
            _ => all.push(name),
        }
    }
    all.sort_by_key(|name| folded(name));
    for sought in
        ["", "a", "é", "_", "%", "я1", "ab", "abc", "x", "1x", "_.", "._.", "7", "\\", "\"", "\0", "aaa"]
    {
        let expected: Vec<_> =
            all.iter().filter(|name| folded(name).contains(sought)).map(String::as_str).collect();
        for (skip, limit) in
            [(0, 10), (3, 5), (expected.len(), 5), (0, 1000), (usize::MAX, usize::MAX), (0, 0)]
        {
            let (count, people) = world.store.people_named(sought, skip, limit).await.unwrap();
            assert_eq!(count, expected.len(), "{sought}");
            let expected: Vec<_> = expected.iter().copied().skip(skip).take(limit).collect();
            assert_eq!(names(&people), expected, "{sought} {skip} {limit}");
        }
    }
}

pub(crate) async fn what_failed_is_not_counted(world: &World) {
    let ana = world.account("ana").await;
    world.store.add_account(World::new_account("Ana")).await.unwrap_err();
    world.store.remove_account(domain::AccountId(999), at(1)).await.unwrap_err();
    assert_eq!(world.store.people_named("", 0, 10).await.unwrap().0, 1);
    world.store.remove_account(ana, at(1)).await.unwrap();
    world.store.remove_account(ana, at(1)).await.unwrap_err();
    assert_eq!(world.store.people_named("", 0, 10).await.unwrap().0, 0);
}
