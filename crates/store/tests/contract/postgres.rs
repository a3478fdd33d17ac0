//! What PostgreSQL alone can do to a store.

use std::time::Duration;

use domain::{Error, Noun};

use crate::world::{World, is, new_message};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_is_unavailable_and_comes_back() {
    let Some(world) = World::postgres().await else { return };
    let [ana, ben] = world.accounts(["ana", "ben"]).await;
    let place = world.direct(ana, ben).await;
    world.post(place, ana, "before").await;
    let unavailable = Error::Unavailable(Noun::Store);
    for _ in 0..5 {
        world
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await;
        // The pool may still hold connections that do not know of their end.
        let mut tries = 0;
        loop {
            let posted = world.store.add_message(new_message(place, ana, "after")).await;
            let named = world.store.account_named("ana").await;
            let changed = world.store.set_code(ana, [1; 32], domain::Time(0)).await;
            assert!(posted.is_ok() || is(&posted, &unavailable), "{posted:?}");
            assert!(named.is_ok() || is(&named, &unavailable), "{named:?}");
            assert!(changed.is_ok() || is(&changed, &unavailable), "{changed:?}");
            if posted.is_ok() && named.is_ok() && changed.is_ok() {
                break;
            }
            tries += 1;
            assert!(tries < 100, "the store did not recover");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let stored = usize::try_from(world.number("SELECT COUNT(*) FROM message").await).unwrap();
    assert_eq!(world.bus.posted().len(), stored);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreachable_server_is_named_at_the_start() {
    let bus = std::sync::Arc::new(crate::world::Recorder::default());
    // Port 1 of the loopback interface: nothing listens there.
    let location = tertulia_store::Location::Postgres("postgres://nobody@127.0.0.1:1/nothing".into());
    let opened = tertulia_store::Database::open(&location, bus, tertulia_store::Options::default()).await;
    let cause = format!("{:#}", opened.err().unwrap());
    assert!(cause.contains("cannot connect to the database"), "{cause}");
}
