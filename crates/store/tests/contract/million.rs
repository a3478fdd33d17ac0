//! How long pages of the list of people take among a million accounts. Not a test: it prints.
//! `cargo test --release -p tertulia-store --test contract million -- --ignored --nocapture --test-threads 1`

use std::time::{Duration, Instant};

use crate::world::World;

const PAGE: usize = 10;

/// Searches by what they are about: a fifth of the names begin with `user`.
const SEARCHES: [(&str, &str, usize); 11] = [
    ("no search, page 1", "", 1),
    ("no search, page 50,000", "", 50_000),
    ("no search, last page", "", 100_000),
    ("rare substring", "ser12345", 1),
    ("a few at the end", "user99", 1),
    ("a few at the end, middle page", "user99", 500),
    ("common substring, page 1", "user", 1),
    ("common substring, page 20,000", "user", 20_000),
    ("two letters", "ab", 1),
    ("two letters, middle page", "ab", 1000),
    ("a symbol that no name has", "@", 1),
];

async fn measure(world: &World, database: &str, names: &str, tidy: &str) {
    let start = Instant::now();
    world
        .execute(&format!(
            "INSERT INTO account (uuid, username, username_folded, email, first_name, last_name, two_factor, role, created_at)
            {names};
            UPDATE account_count SET living = (SELECT COUNT(*) FROM account);
            DROP TABLE name_part;
            DELETE FROM migration WHERE number >= 6"
        ))
        .await;
    // As the database does by itself in time.
    world.execute(tidy).await;
    println!("{database}: a million accounts filled in {:.1} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    world.reopened().await.0.close().await;
    println!("{database}: their parts counted in {:.1} s", start.elapsed().as_secs_f64());
    for (what, sought, page) in SEARCHES {
        let mut best = Duration::MAX;
        let mut count = 0;
        for _ in 0..7 {
            let start = Instant::now();
            count = world.store.people_named(sought, (page - 1) * PAGE, PAGE).await.unwrap().0;
            best = best.min(start.elapsed());
        }
        println!("{database}: {what} ({count} names): {:.1} ms", best.as_secs_f64() * 1000.0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints times, tests nothing"]
async fn million_on_sqlite() {
    let world = World::sqlite().await;
    let names = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000),
        named AS MATERIALIZED (
            SELECT CASE WHEN i % 5 = 0 THEN 'user' || i ELSE lower(hex(randomblob(5))) || i END AS name FROM n
        ) SELECT randomblob(16), name, name, '', '', '', 0, 'student', 1 FROM named";
    measure(&world, "SQLite", names, "").await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints times, tests nothing"]
async fn million_on_postgres() {
    let Some(world) = World::postgres().await else { return };
    let names = "SELECT gen_random_uuid(), name, name, '', '', '', FALSE, 'student', 1 FROM (
        SELECT CASE WHEN i % 5 = 0 THEN 'user' || i ELSE left(md5(i::TEXT), 10) || i END AS name
        FROM generate_series(1, 1000000) AS i) AS named";
    measure(&world, "PostgreSQL", names, "VACUUM ANALYZE account").await;
    world.end().await;
}
