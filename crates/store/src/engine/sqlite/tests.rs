//! The grouped commits: what one change does must not touch the others.

use std::{
    sync::{Mutex, mpsc},
    time::Duration,
};

use domain::{AccountId, Event, Grant, KeyId};
use tempfile::TempDir;

use super::*;
use crate::engine::{Val, vals};

/// Keeps the numbers of the keys whose end was told.
#[derive(Default)]
struct Told(Mutex<Vec<i64>>);

impl Bus for Told {
    fn publish(&self, event: Arc<Event>) {
        let Event::GrantEnded { grant: Grant::Key(key), .. } = *event else {
            panic!("not told by these tests")
        };
        assert_ne!(key.0, 666, "a listener that panics");
        self.0.lock().unwrap().push(key.0);
    }
}

fn ended(number: i64) -> Event {
    Event::GrantEnded { grant: Grant::Key(KeyId(number)), account: AccountId(1) }
}

struct Fixture {
    sqlite: Arc<Sqlite>,
    told: Arc<Told>,
    _folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("test.db");
        let writer = Connection::to_write(&path).unwrap();
        let tables = "CREATE TABLE entry (number INTEGER PRIMARY KEY); \
            CREATE TABLE child (entry INTEGER REFERENCES entry (number) DEFERRABLE INITIALLY DEFERRED)";
        writer.raw.execute_batch(tables).unwrap();
        let told = Arc::new(Told::default());
        let sqlite = Arc::new(Sqlite::start(&path, writer, 2, told.clone()).unwrap());
        Self { sqlite, told, _folder: folder }
    }

    /// Holds the writer until what is returned is dropped, so that all that is sent meanwhile makes one batch.
    async fn hold(&self) -> mpsc::Sender<()> {
        let (release, held) = mpsc::channel::<()>();
        let (started, starts) = oneshot::channel();
        let sqlite = Arc::clone(&self.sqlite);
        let mut started = Some(started);
        tokio::spawn(async move {
            let wait = move |_: &mut Tx<'_>| {
                started.take().map(|started| started.send(()));
                let _ = held.recv_timeout(Duration::from_secs(30));
                Ok(())
            };
            sqlite.write(wait).await
        });
        starts.await.unwrap();
        release
    }

    /// Adds an entry and tells it, as a task of its own; then does `then`.
    fn add(
        &self,
        number: i64,
        mut then: impl FnMut(&mut Tx<'_>) -> Result<()> + Send + 'static,
    ) -> tokio::task::JoinHandle<Result<()>> {
        let sqlite = Arc::clone(&self.sqlite);
        tokio::spawn(async move {
            let work = move |tx: &mut Tx<'_>| {
                tx.exec("INSERT INTO entry (number) VALUES ($1)", vals![number])?;
                tx.tell(ended(number));
                then(tx)
            };
            sqlite.write(work).await
        })
    }

    /// Waits until so many changes wait.
    async fn queued(&self, count: usize) {
        for _ in 0..3000 {
            if self.sqlite.changes.len() == count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{} changes wait, not {count}", self.sqlite.changes.len());
    }

    async fn entries(&self) -> Vec<i64> {
        self.sqlite
            .read(false, |tx| tx.column("SELECT number FROM entry ORDER BY number", &[]))
            .await
            .unwrap()
    }

    fn told(&self) -> Vec<i64> {
        self.told.0.lock().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_and_a_panicking_change_leave_the_others_of_their_batch() {
    let fixture = Fixture::new();
    let release = fixture.hold().await;
    let mut tasks = Vec::new();
    for number in 1..=6 {
        tasks.push(fixture.add(number, move |_| match number {
            2 => Err(Error::Conflict(Noun::Username)),
            4 => panic!("on purpose"),
            _ => Ok(()),
        }));
        fixture.queued(tasks.len()).await;
    }
    drop(release);
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    assert!(matches!(answers[1], Err(Error::Conflict(Noun::Username))), "{answers:?}");
    let Err(Error::Internal(cause)) = &answers[3] else { panic!("{answers:?}") };
    assert!(cause.to_string().contains("on purpose"), "{cause}");
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 4);
    assert_eq!(fixture.entries().await, [1, 3, 5, 6]);
    assert_eq!(fixture.told(), [1, 3, 5, 6]);
    // The writer lives on.
    fixture.add(7, |_| Ok(())).await.unwrap().unwrap();
    assert_eq!(fixture.told(), [1, 3, 5, 6, 7]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_statement_undoes_its_change_alone() {
    let fixture = Fixture::new();
    let release = fixture.hold().await;
    let first = fixture.add(1, |_| Ok(()));
    fixture.queued(1).await;
    let second = fixture.add(2, |tx| Ok(tx.exec("INSERT INTO entry (number) VALUES (1)", &[]).map(drop)?));
    fixture.queued(2).await;
    drop(release);
    first.await.unwrap().unwrap();
    assert!(matches!(second.await.unwrap(), Err(Error::Internal(_))));
    assert_eq!(fixture.entries().await, [1]);
    assert_eq!(fixture.told(), [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_commit_answers_all_with_an_error_and_tells_nothing() {
    let fixture = Fixture::new();
    let release = fixture.hold().await;
    let orphan = |tx: &mut Tx<'_>| Ok(tx.exec("INSERT INTO child (entry) VALUES (99)", &[]).map(drop)?);
    let tasks = [fixture.add(1, |_| Ok(())), fixture.add(2, orphan), fixture.add(3, |_| Ok(()))];
    fixture.queued(3).await;
    drop(release);
    for task in tasks {
        let answer = task.await.unwrap();
        assert!(matches!(answer, Err(Error::Internal(_))), "{answer:?}");
    }
    assert!(fixture.entries().await.is_empty());
    assert!(fixture.told().is_empty());
    fixture.add(4, |_| Ok(())).await.unwrap().unwrap();
    assert_eq!(fixture.told(), [4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_is_unavailable_at_once() {
    let fixture = Fixture::new();
    let release = fixture.hold().await;
    let tasks: Vec<_> = (0..4096).map(|number| fixture.add(number, |_| Ok(()))).collect();
    fixture.queued(ROOM).await;
    let refused = fixture.sqlite.write(|_| Ok(())).await;
    assert!(matches!(refused, Err(Error::Unavailable(Noun::Store))), "{refused:?}");
    drop(release);
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(fixture.entries().await.len(), ROOM);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panicking_listener_stops_nothing() {
    let fixture = Fixture::new();
    fixture.add(666, |_| Ok(())).await.unwrap().unwrap();
    fixture.add(1, |_| Ok(())).await.unwrap().unwrap();
    assert_eq!(fixture.told(), [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panicking_reading_is_an_error_and_the_reader_lives_on() {
    let fixture = Fixture::new();
    fixture.add(1, |_| Ok(())).await.unwrap().unwrap();
    for _ in 0..4 {
        let answer: Result<()> = fixture.sqlite.read(true, |_| panic!("on purpose")).await;
        assert!(matches!(answer, Err(Error::Internal(_))), "{answer:?}");
    }
    assert_eq!(fixture.entries().await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_stands_still_while_others_write() {
    let fixture = Fixture::new();
    fixture.add(1, |_| Ok(())).await.unwrap().unwrap();
    let (begun, begins) = oneshot::channel();
    let (release, held) = mpsc::channel::<()>();
    let sqlite = Arc::clone(&fixture.sqlite);
    let reading = tokio::spawn(async move {
        let count = |tx: &mut Tx<'_>| tx.column::<i64>("SELECT COUNT(*) FROM entry", &[]);
        let twice = move |tx: &mut Tx<'_>| {
            let before = count(tx)?;
            let _ = begun.send(());
            let _ = held.recv_timeout(Duration::from_secs(30));
            Ok((before, count(tx)?))
        };
        sqlite.read(true, twice).await
    });
    begins.await.unwrap();
    fixture.add(2, |_| Ok(())).await.unwrap().unwrap();
    drop(release);
    assert_eq!(reading.await.unwrap().unwrap(), (vec![1], vec![1]));
    assert_eq!(fixture.entries().await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_cannot_write() {
    let fixture = Fixture::new();
    let written =
        fixture.sqlite.read(false, |tx| Ok(tx.exec("INSERT INTO entry (number) VALUES (1)", &[])?)).await;
    assert!(matches!(written, Err(Error::Internal(_))), "{written:?}");
    assert!(fixture.entries().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_value_comes_back() {
    let fixture = Fixture::new();
    let uuid = uuid::Uuid::from_u128(7);
    let mut row = fixture
        .sqlite
        .read(false, move |tx| {
            let values = vals![-7i64, true, 1.5, "é\0", [1u8, 2], uuid, None::<i64>];
            Ok(tx.first("SELECT $1, $2, $3, $4, $5, $6, $7", values)?)
        })
        .await
        .unwrap()
        .unwrap();
    assert_eq!((row.take::<i64>().unwrap(), row.take::<bool>().unwrap()), (-7, true));
    assert_eq!(row.take::<f64>().unwrap().to_bits(), 1.5f64.to_bits());
    assert_eq!(row.take::<String>().unwrap(), "é\u{fffd}");
    assert_eq!(row.take::<[u8; 2]>().unwrap(), [1, 2]);
    assert_eq!(row.take::<uuid::Uuid>().unwrap(), uuid);
    assert_eq!(row.take::<Option<i64>>().unwrap(), None);
    assert!(row.take::<i64>().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_matched_by_number_text_and_uuid() {
    let fixture = Fixture::new();
    let found = fixture
        .sqlite
        .read(false, |tx| {
            let id = uuid::Uuid::from_u128(7);
            let lists = [Val::from(vec![1i64, 2]), Val::from(vec!["a\"b".to_owned()]), Val::from(vec![id])];
            let values = [&lists[..], &[Val::from("a\"b"), Val::from(id)]].concat();
            tx.column::<bool>("SELECT 2 IN LIST($1) AND $4 IN LIST($2) AND $5 IN UUIDS($3)", &values)
        })
        .await
        .unwrap();
    assert_eq!(found, [true]);
}
