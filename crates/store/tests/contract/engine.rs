//! The store as a whole.

use domain::{Error, Noun};

use crate::{
    crowd::at_once,
    world::{World, is, new_message},
};

pub(crate) async fn ping_answers(world: &World) {
    world.store.ping().await.unwrap();
}

pub(crate) async fn a_closed_store_is_unavailable(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let place = world.direct(ana, ben).await;
    let unavailable = Error::Unavailable(Noun::Store);
    // What was accepted before is stored.
    let waiting = at_once(20, |_| {
        let store = world.store.clone();
        async move { store.add_message(new_message(place, ana, "x")).await }
    });
    let (results, ()) = tokio::join!(waiting, world.close());
    assert!(results.iter().all(|result| result.is_ok() || is(result, &unavailable)), "{results:?}");
    let stored = usize::try_from(world.number("SELECT COUNT(*) FROM message").await).unwrap();
    assert_eq!(stored, results.iter().filter(|result| result.is_ok()).count());
    for _ in 0..2 {
        let change = world.store.add_account(World::new_account("carol")).await;
        assert!(is(&change, &unavailable), "{change:?}");
        let reading = world.store.account_named("ana").await;
        assert!(is(&reading, &unavailable), "{reading:?}");
        let message = world.store.add_message(new_message(place, ana, "x")).await;
        assert!(is(&message, &unavailable), "{message:?}");
        assert!(is(&world.store.ping().await, &unavailable));
        world.close().await;
    }
}

pub(crate) async fn a_read_sees_what_was_answered_before(world: &World) {
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let place = world.direct(ana, ben).await;
    at_once(16, |task| {
        let store = world.store.clone();
        async move {
            for number in 0..10 {
                let name = format!("{task}-{number}");
                let id = store.add_account(World::new_account(&name)).await.unwrap();
                assert_eq!(store.account_named(&name).await.unwrap(), Some(id));
                let message =
                    store.add_message(new_message(place, ana, "x")).await.unwrap().posted.message.clone();
                let page = domain::conversations::Page { before: None, limit: 500 };
                assert!(store.messages_in(place, page).await.unwrap().contains(&message));
            }
        }
    })
    .await;
}
