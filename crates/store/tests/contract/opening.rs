//! Opening, reopening, and several stores on one database.

use std::sync::Arc;

use domain::{accounts::Accounts as _, conversations::Conversations as _, messages::Messages as _};
use tertulia_store::{Database, Options};

use crate::{
    crowd::at_once,
    world::{Recorder, World, new_message},
};

pub(crate) async fn what_was_stored_is_there_after_reopening(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let place = world.direct(ana, ben).await;
    let message = world.post(place, ana, "kept").await;
    world.close().await;
    for position in 2..4 {
        let (store, _) = world.reopened().await;
        assert_eq!(store.account_named("ana").await.unwrap(), Some(ana));
        let page = domain::conversations::Page { before: None, limit: 9 };
        assert_eq!(store.messages_in(place, page).await.unwrap().last(), Some(&message));
        assert_eq!(
            store.add_message(new_message(place, ben, "more")).await.unwrap().posted.message.position,
            position
        );
        // Dropped, not closed.
    }
}

pub(crate) async fn a_newer_database_is_refused(world: &World) {
    world.execute("INSERT INTO migration (number, name, checksum) VALUES (9999, '9999_future', '')").await;
    let opened = Database::open(&world.location, Arc::new(Recorder::default()), Options::default()).await;
    let refusal = format!("{:#}", opened.err().unwrap());
    assert!(refusal.contains("newer than this program"), "{refusal}");
}

pub(crate) async fn opening_at_once_migrates_once(world: &World) {
    let opened =
        at_once(6, |_| {
            let location = world.location.clone();
            async move {
                Database::open(&location, Arc::new(Recorder::default()), Options::default()).await.unwrap()
            }
        })
        .await;
    let steps = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite")).unwrap().count();
    assert_eq!(usize::try_from(world.number("SELECT COUNT(*) FROM migration").await), Ok(steps));
    for store in opened {
        store.close().await;
    }
}

pub(crate) async fn two_stores_write_to_one_database(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let place = world.direct(ana, ben).await;
    let (second, told_second) = world.reopened().await;
    at_once(32, |task| {
        let (one, other) = (world.store.clone(), second.clone());
        async move {
            for number in 0..10 {
                let new = new_message(place, ana, "x");
                if task % 2 == 0 { one.add_message(new).await } else { other.add_message(new).await }
                    .unwrap();
                let account = World::new_account(&format!("{task}-{number}"));
                if task % 2 == 0 { other.add_account(account).await } else { one.add_account(account).await }
                    .unwrap();
            }
        }
    })
    .await;
    let history = world.history(place).await;
    assert!(history.iter().map(|message| message.position).rev().eq(1..=320));
    assert!(history.is_sorted_by(|one, next| one.id > next.id));
    // Each store publishes its own messages, in order.
    for told in [world.bus.posted(), told_second.posted()] {
        assert_eq!(told.len(), 160);
        assert!(told.is_sorted_by(|one, next| one.message.id < next.message.id));
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM account").await, 322);
    second.close().await;
}
