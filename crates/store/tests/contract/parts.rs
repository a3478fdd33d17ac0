//! How many names hold a short text: always as many as one would count.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    AccountId,
    accounts::{AccountChange, Identity, names::folded},
    ports::Store,
};
use tertulia_store::Location;

use crate::{
    chance::Chance,
    crowd::at_once,
    world::{World, at, uuid},
};

/// Letters of names: of one, two, three and four bytes, some of which change when they are folded.
const LETTERS: [char; 16] =
    ['a', 'B', 'n', '_', '%', '.', '1', 'é', 'ß', 'я', 'Ж', '\u{301}', '李', 'ﬁ', '𝔸', '\u{10400}'];

fn name(chance: &mut Chance) -> String {
    (0..=chance.below(6)).map(|_| chance.of(&LETTERS)).collect()
}

/// How many of the names hold each text of one to three characters.
fn counted<'a>(names: impl Iterator<Item = &'a String>) -> BTreeMap<String, i64> {
    let mut counted = BTreeMap::new();
    for name in names {
        let letters: Vec<char> = name.chars().collect();
        let mut parts: Vec<String> =
            (1..=3).flat_map(|length| letters.windows(length)).map(|part| part.iter().collect()).collect();
        parts.sort();
        parts.dedup();
        for part in parts {
            *counted.entry(part).or_default() += 1;
        }
    }
    counted
}

async fn kept(world: &World) -> BTreeMap<String, i64> {
    world.texts_and_numbers("SELECT part, names FROM name_part").await.into_iter().collect()
}

/// What is kept, and what is counted in the names that are there.
async fn both(world: &World) -> [BTreeMap<String, i64>; 2] {
    const NAMES: &str = "SELECT username_folded, id FROM account WHERE username_folded IS NOT NULL";
    let names = world.texts_and_numbers(NAMES).await;
    [kept(world).await, counted(names.iter().map(|(name, _)| name))]
}

fn renamed(name: &str) -> AccountChange {
    AccountChange { username: Some((name.to_owned(), folded(name))), ..AccountChange::default() }
}

pub(crate) async fn parts_are_counted_through_any_changes(world: &World) {
    let mut chance = Chance::new(23);
    let mut model: BTreeMap<AccountId, String> = BTreeMap::new();
    for step in 1..=300 {
        let ids: Vec<AccountId> = model.keys().copied().chain([AccountId(999_999)]).collect();
        let (whose, new) = (chance.of(&ids), name(&mut chance));
        let free = |model: &BTreeMap<AccountId, String>| {
            !model.iter().any(|(id, name)| *id != whose && *name == folded(&new))
        };
        match chance.below(5) {
            0 => {
                let removed = world.store.remove_account(whose, at(1)).await;
                assert_eq!(removed.is_ok(), model.remove(&whose).is_some());
            }
            1 => {
                let changed = world.store.set_account(whose, renamed(&new), at(1)).await;
                assert_eq!(changed.is_ok(), model.contains_key(&whose) && free(&model));
                if changed.is_ok() {
                    model.insert(whose, folded(&new));
                }
            }
            2 => {
                let identity = Identity { provider: "42".into(), external_id: chance.below(40).to_string() };
                let (id, made) = world.store.add_identity(identity, World::new_account(&new)).await.unwrap();
                if made {
                    let name = world.store.people(vec![id]).await.unwrap().remove(0).username;
                    model.insert(id, folded(&name));
                }
            }
            _ => {
                if let Ok(id) = world.store.add_account(World::new_account(&new)).await {
                    model.insert(id, folded(&new));
                }
            }
        }
        if step % 20 == 0 {
            assert_eq!(kept(world).await, counted(model.values()), "after {step} changes");
        }
    }
    for (part, number) in counted(model.values()) {
        assert_eq!(
            world.store.people_named(&part, 0, 1).await.unwrap().0,
            usize::try_from(number).unwrap(),
            "{part}"
        );
    }
    for id in model.into_keys() {
        world.store.remove_account(id, at(1)).await.unwrap();
    }
    assert!(kept(world).await.is_empty());
}

/// Signs up, renames and deletes, among names that share their parts and that others want too, and accounts that
/// others rename and delete too.
async fn come_and_go(store: &Arc<dyn Store>, shared: &[AccountId], task: usize) {
    let mut chance = Chance::new(u64::try_from(task).unwrap());
    for number in 0..8 {
        // Refused when the account is deleted.
        let _ = store.set_account(chance.of(shared), renamed(&format!("{task}anan{number}")), at(1)).await;
        if number > 3 && chance.below(8) == 0 {
            let _ = store.remove_account(chance.of(shared), at(1)).await;
        }
        let mut new = World::new_account(&format!("{}anna{}", name(&mut chance), chance.below(30)));
        let id = if chance.below(3) == 0 {
            let external_id = chance.below(20).to_string();
            let identity = Identity { provider: "42".into(), external_id };
            Some(store.add_identity(identity, new).await.unwrap().0)
        } else {
            new.uuid = uuid();
            store.add_account(new).await.ok()
        };
        let Some(id) = id else { continue };
        if chance.below(2) == 0 {
            // Refused when the name is taken, or another task has deleted the account of that identity.
            let _ = store.set_account(id, renamed(&format!("nana{}", chance.below(60))), at(1)).await;
        }
        if chance.below(3) == 0 && number > 0 {
            let _ = store.remove_account(id, at(1)).await;
        }
    }
}

pub(crate) async fn changes_at_once_leave_exact_numbers(world: &World) {
    let shared = world.accounts(["ana1", "ana2", "ana3", "ana4"]).await;
    at_once(16, |task| {
        let store = world.store.clone();
        async move { come_and_go(&store, &shared, task).await }
    })
    .await;
    let [kept, counted] = both(world).await;
    assert!(counted.get("ann").is_some_and(|number| *number > 10), "{counted:?}");
    assert_eq!(kept, counted);
    world.close().await;
    if matches!(world.location, Location::Postgres(_)) {
        const DEADLOCKS: &str = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
        assert_eq!(world.number(DEADLOCKS).await, 0);
    }
}

pub(crate) async fn an_older_databases_names_are_counted(world: &World) {
    let [_, ben] = world.accounts(["Äna_Яна", "ben"]).await;
    world.store.remove_account(ben, at(1)).await.unwrap();
    world.close().await;
    let uuid = match &world.location {
        Location::Sqlite(_) => "randomblob(16)",
        Location::Postgres(_) => "gen_random_uuid()",
    };
    // More of them than are counted at a time.
    world
        .execute(&format!(
            "DROP TABLE name_part;
            DELETE FROM migration WHERE number >= 6;
            INSERT INTO account (uuid, username, username_folded, email, first_name, last_name, two_factor, role,
                created_at)
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 21000)
            SELECT {uuid}, '', 'я' || (i * 7) || 'ana' || i, '', '', '', FALSE, 'student', 1 FROM n"
        ))
        .await;
    let (store, _) = world.reopened().await;
    let [kept, counted] = both(world).await;
    assert_eq!(kept, counted);
    store.close().await;
}

pub(crate) async fn a_page_is_found_wherever_its_names_lie(world: &World) {
    let clusters = ["aaaa", "mmmm", "zzzz"];
    at_once(400, |number| {
        let store = world.store.clone();
        let name = match number {
            0..12 => format!("{}-rare{number:03}", clusters[number % 3]),
            12 => "ω".into(),
            13 => "ωψ".into(),
            14 => "a%ω1".into(),
            15 => "_~".into(),
            _ => format!("{}{number:03}", char::from(b'a' + u8::try_from(number % 26).unwrap())),
        };
        async move { store.add_account(World::new_account(&name)).await.unwrap() }
    })
    .await;
    let names = world.texts_and_numbers("SELECT username_folded, id FROM account").await;
    let mut names: Vec<String> = names.into_iter().map(|(name, _)| name).collect();
    names.sort();
    for sought in
        ["aaaa", "mmm", "zzz", "zzzz", "rar", "-rare", "z", "39", "ω", "ωψ", "%ω", "ψ", "ω1", "~", "_~", "%"]
    {
        let due: Vec<&String> = names.iter().filter(|name| name.contains(sought)).collect();
        for limit in 1..6 {
            for skip in 0..=due.len() {
                let (count, people) = world.store.people_named(sought, skip, limit).await.unwrap();
                assert_eq!(count, due.len(), "{sought}");
                let shown: Vec<&String> = people.iter().map(|person| &person.username).collect();
                let due: Vec<&String> = due.iter().copied().skip(skip).take(limit).collect();
                assert_eq!(shown, due, "{sought} {skip} {limit}");
            }
        }
    }
}
