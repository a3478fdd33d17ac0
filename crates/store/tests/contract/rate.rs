//! How many messages a second are stored, from 64 tasks into 64 conversations. Not a test: it prints.
//! `cargo test --release -p tertulia-store --test contract rate -- --ignored --nocapture --test-threads 1`

use std::time::{Duration, Instant};

use crate::{
    crowd::at_once,
    world::{World, new_message},
};

const TASKS: usize = 64;
const SPAN: Duration = Duration::from_secs(3);

async fn measure(world: &World, database: &str) {
    let ana = world.account("ana").await;
    let mut places = Vec::new();
    for number in 0..TASKS {
        let other = world.account(&format!("friend{number}")).await;
        places.push(world.direct(ana, other).await);
    }
    let start = Instant::now();
    let counts = at_once(TASKS, |task| {
        let (store, place) = (world.store.clone(), places[task]);
        async move {
            let mut latencies = Vec::new();
            while start.elapsed() < SPAN {
                let asked = Instant::now();
                store
                    .add_message(new_message(place, ana, "a message of usual length, more or less"))
                    .await
                    .unwrap();
                latencies.push(asked.elapsed());
            }
            latencies
        }
    })
    .await;
    let span = start.elapsed();
    let mut latencies: Vec<Duration> = counts.into_iter().flatten().collect();
    latencies.sort();
    let count = latencies.len();
    let rate = count as u128 * 1000 / span.as_millis();
    println!(
        "{database}: {rate} messages a second from {TASKS} tasks, p50 {:?}, p99 {:?}",
        latencies[count / 2],
        latencies[count * 99 / 100]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints a rate, tests nothing"]
async fn rate_on_sqlite() {
    let world = World::sqlite().await;
    measure(&world, "SQLite").await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints a rate, tests nothing"]
async fn rate_on_postgres() {
    if let Some(world) = World::postgres().await {
        measure(&world, "PostgreSQL").await;
        world.end().await;
    }
}
