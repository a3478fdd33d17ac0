//! What the closures rely on, asked of a server. Skipped, with a line that says so, without `TEST_POSTGRES_URL`.

use std::{
    io::Write as _,
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
};

use domain::{AccountId, Event, Grant, KeyId};

use super::*;
use crate::engine::{Val, vals};

#[derive(Default)]
struct Counter(AtomicUsize);

impl Bus for Counter {
    fn publish(&self, _: Arc<Event>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn server() -> Option<(Postgres, Arc<Counter>)> {
    let Ok(url) = std::env::var("TEST_POSTGRES_URL") else {
        // Written past the capture of the test's output, or nobody would see it.
        let line = b"TEST_POSTGRES_URL is not set: a test on PostgreSQL is SKIPPED\n";
        std::io::stderr().write_all(line).unwrap();
        return None;
    };
    let told = Arc::new(Counter::default());
    Some((Postgres::new(&url, 4, told.clone()).unwrap(), told))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_deadlocks_is_repeated_and_told_once() {
    let Some((postgres, told)) = server() else { return };
    let table = "DROP TABLE IF EXISTS store_deadlock; CREATE TABLE store_deadlock (id BIGINT, count BIGINT); \
        INSERT INTO store_deadlock VALUES (1, 0), (2, 0)";
    postgres.connect().await.unwrap().batch_execute(table).await.unwrap();
    let (meeting, runs) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
    let change = |first: i64, second: i64| {
        let (meeting, runs) = (Arc::clone(&meeting), Arc::clone(&runs));
        let mut met = false;
        postgres.write(move |tx| {
            const COUNT: &str = "UPDATE store_deadlock SET count = count + 1 WHERE id = $1";
            runs.fetch_add(1, Ordering::Relaxed);
            tx.tell(Event::GrantEnded { grant: Grant::Key(KeyId(first)), account: AccountId(1) });
            tx.exec(COUNT, vals![first])?;
            if !std::mem::replace(&mut met, true) {
                meeting.wait();
            }
            Ok(tx.exec(COUNT, vals![second])?)
        })
    };
    let (one, other) = tokio::join!(change(1, 2), change(2, 1));
    assert_eq!((one.unwrap(), other.unwrap()), (1, 1));
    assert_eq!(runs.load(Ordering::Relaxed), 3);
    assert_eq!(told.0.load(Ordering::Relaxed), 2);
    let counts: Vec<i64> =
        postgres.read(true, |tx| tx.column("SELECT count FROM store_deadlock", &[])).await.unwrap();
    assert_eq!(counts, [2, 2]);
    postgres.connect().await.unwrap().batch_execute("DROP TABLE store_deadlock").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panicking_change_is_undone_and_its_connection_is_good_again() {
    let Some((postgres, told)) = server() else { return };
    for _ in 0..8 {
        let panicked: Result<()> = postgres
            .write(|tx| {
                tx.exec("CREATE TABLE store_panic (id BIGINT)", &[])?;
                tx.tell(Event::GrantEnded { grant: Grant::Key(KeyId(1)), account: AccountId(1) });
                panic!("on purpose")
            })
            .await;
        assert!(matches!(panicked, Err(Error::Internal(_))), "{panicked:?}");
    }
    let tables: Vec<i64> = postgres
        .read(false, |tx| tx.column("SELECT COUNT(*) FROM pg_tables WHERE tablename = 'store_panic'", &[]))
        .await
        .unwrap();
    assert_eq!(tables, [0]);
    assert_eq!(told.0.load(Ordering::Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_value_comes_back() {
    const ECHO: &str =
        "SELECT $1::BIGINT, $2::BOOLEAN, $3::DOUBLE PRECISION, $4::TEXT, $5::BYTEA, $6::UUID, $7::BIGINT,
        2::BIGINT IN LIST($8) AND 'b'::TEXT IN LIST($9) AND $6 IN UUIDS($10)";
    let Some((postgres, _)) = server() else { return };
    let uuid = uuid::Uuid::from_u128(7);
    let row = postgres.read(false, move |tx| {
        let lists = [Val::from(vec![1i64, 2]), Val::from(vec!["b".to_owned()]), Val::from(vec![uuid])];
        let plain = vals![-7i64, true, 1.5, "é\0", [1u8, 2], uuid, None::<i64>];
        Ok(tx.first(ECHO, &[plain, &lists[..]].concat())?)
    });
    let mut row = row.await.unwrap().unwrap();
    assert_eq!((row.take::<i64>().unwrap(), row.take::<bool>().unwrap()), (-7, true));
    assert_eq!(row.take::<f64>().unwrap().to_bits(), 1.5f64.to_bits());
    assert_eq!(row.take::<String>().unwrap(), "é\u{fffd}");
    assert_eq!(row.take::<[u8; 2]>().unwrap(), [1, 2]);
    assert_eq!(row.take::<uuid::Uuid>().unwrap(), uuid);
    assert_eq!(row.take::<Option<i64>>().unwrap(), None);
    assert!(row.take::<bool>().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_connection_compiles_statements() {
    let Some((postgres, _)) = server() else { return };
    let closures = postgres.read(false, |tx| tx.column::<String>("SHOW jit", &[])).await.unwrap();
    let batches = postgres.connect().await.unwrap().query_one("SHOW jit", &[]).await.unwrap();
    assert_eq!((closures, batches.get(0)), (vec!["off".to_owned()], "off"));
}
