//! A fresh database for one test, and short words for what every test does.

use std::{
    io::Write as _,
    path::PathBuf,
    sync::{
        Arc, Mutex, Once,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::{
    AccountId, ConversationId, Error, Event, Grant, MessageId, Noun, Posted, Result, SessionId, Time,
    accounts::NewAccount,
    accounts::Role,
    messages::{MediaFile, Message, NewMessage},
    ports::{Bus, Store},
    relations::Friendship,
    rooms::NewRoom,
    sessions::{CodeVerdict, NewSession},
    widgets::WidgetChange,
};
use tempfile::TempDir;
use tertulia_store::{Database, Location, Options, SqlStore};
use uuid::Uuid;

/// A time to count from: 2026-01-01T00:00:00Z.
pub(crate) const START: Time = Time(1_767_225_600_000_000);

/// The time `seconds` after [`START`].
pub(crate) fn at(seconds: i64) -> Time {
    Time(START.0 + seconds * 1_000_000)
}

/// A UUID that no other call gives.
pub(crate) fn uuid() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u64_pair(0x7465_7374, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// 32 bytes that no other call gives.
pub(crate) fn hash() -> [u8; 32] {
    let mut bytes = [7; 32];
    bytes[..16].copy_from_slice(uuid().as_bytes());
    bytes
}

/// Keeps what was published.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<Vec<Arc<Event>>>, AtomicU64);

impl Bus for Recorder {
    fn publish(&self, event: Arc<Event>) {
        if matches!(*event, Event::MessagePosted(_)) {
            std::thread::sleep(Duration::from_millis(self.1.load(Ordering::Relaxed)));
        }
        self.0.lock().unwrap().push(event);
    }
}

impl Recorder {
    /// From now on, each message takes so long to be published.
    pub(crate) fn slow_down(&self, lag: Duration) {
        self.1.store(u64::try_from(lag.as_millis()).unwrap(), Ordering::Relaxed);
    }

    /// The grants that ended, in order.
    pub(crate) fn ended(&self) -> Vec<(Grant, AccountId)> {
        let events = self.0.lock().unwrap();
        let ended = events.iter().filter_map(|event| match **event {
            Event::GrantEnded { grant, account } => Some((grant, account)),
            _ => None,
        });
        ended.collect()
    }

    /// The messages posted, in order.
    pub(crate) fn posted(&self) -> Vec<Posted> {
        let events = self.0.lock().unwrap();
        let posted = events.iter().filter_map(|event| match &**event {
            Event::MessagePosted(posted) => Some(Posted::clone(posted)),
            _ => None,
        });
        posted.collect()
    }

    /// The messages whose receipts changed, as they were then, in order.
    pub(crate) fn receipts(&self) -> Vec<Posted> {
        let events = self.0.lock().unwrap();
        let changed = events.iter().filter_map(|event| match &**event {
            Event::ReceiptChanged(posted) => Some(posted.clone()),
            _ => None,
        });
        changed.collect()
    }

    /// What was told of messages, in order: of which, and whether it was a receipt.
    pub(crate) fn of_messages(&self) -> Vec<(MessageId, bool)> {
        let events = self.0.lock().unwrap();
        let told = events.iter().filter_map(|event| match &**event {
            Event::MessagePosted(posted) => Some((posted.message.id, false)),
            Event::ReceiptChanged(posted) => Some((posted.message.id, true)),
            _ => None,
        });
        told.collect()
    }

    /// What happened in rooms, but for messages, in short words, in order.
    pub(crate) fn rooms(&self) -> Vec<String> {
        let events = self.0.lock().unwrap();
        let told = events.iter().filter_map(|event| match &**event {
            Event::RoomJoined { room, teacher } => Some(format!("{} joined by {}", room.id, teacher.id)),
            Event::RoomClosed(room) => Some(format!("{} closed", room.id)),
            Event::RoomSeen { room, author } => Some(format!("{} seen of {author}", room.id)),
            Event::RoomAnnounced(announced) => Some(format!("{} announced", announced.room.id)),
            _ => None,
        });
        told.collect()
    }

    /// Who left which conversation, in order.
    pub(crate) fn left(&self) -> Vec<(ConversationId, AccountId)> {
        let events = self.0.lock().unwrap();
        let left = events.iter().filter_map(|event| match **event {
            Event::MemberLeft { conversation, account } => Some((conversation, account)),
            _ => None,
        });
        left.collect()
    }

    /// Whether anything of this kind was told.
    pub(crate) fn told(&self, is_it: impl Fn(&Event) -> bool) -> bool {
        self.0.lock().unwrap().iter().any(|event| is_it(event))
    }

    /// The changes of widgets, in order.
    pub(crate) fn widgets(&self) -> Vec<WidgetChange> {
        let events = self.0.lock().unwrap();
        let told = events.iter().filter_map(|event| match &**event {
            Event::WidgetChanged(change) => Some(change.clone()),
            _ => None,
        });
        told.collect()
    }

    /// The relations that were made or changed, as they were then, in order.
    pub(crate) fn relations(&self) -> Vec<Friendship> {
        let events = self.0.lock().unwrap();
        let changed = events.iter().filter_map(|event| match &**event {
            Event::RelationChanged(friendship) => Some(friendship.clone()),
            _ => None,
        });
        changed.collect()
    }
}

/// A database, a store on it, and what was published.
pub(crate) struct World {
    pub store: Arc<dyn Store>,
    pub bus: Arc<Recorder>,
    pub location: Location,
    sql: Arc<SqlStore>,
    /// The folder goes with it.
    _folder: Option<TempDir>,
}

impl World {
    pub(crate) async fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let location = Location::Sqlite(folder.path().join("tertulia.db"));
        Self::on(location, Some(folder)).await
    }

    /// `None` when no server is named: then the test is skipped, and says so once.
    pub(crate) async fn postgres() -> Option<Self> {
        static SAID: Once = Once::new();
        let Ok(server) = std::env::var("TEST_POSTGRES_URL") else {
            // Written past the capture of the test's output, or nobody would see it.
            SAID.call_once(|| {
                let line = b"TEST_POSTGRES_URL is not set: the tests on PostgreSQL are SKIPPED\n";
                std::io::stderr().write_all(line).unwrap();
            });
            return None;
        };
        let name = format!("store_{}_{}", std::process::id(), uuid().as_u128() & 0xffff_ffff);
        admin(&server, &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        let (before, _) = server.rsplit_once('/').expect("TEST_POSTGRES_URL ends in /database");
        Some(Self::on(Location::Postgres(format!("{before}/{name}")), None).await)
    }

    async fn on(location: Location, folder: Option<TempDir>) -> Self {
        let bus = Arc::new(Recorder::default());
        let sql = open(&location, bus.clone()).await;
        Self { store: sql.clone(), bus, location, sql, _folder: folder }
    }

    /// Closes the store and removes the database.
    pub(crate) async fn end(self) {
        self.sql.close().await;
        if let Location::Postgres(url) = &self.location {
            let name = url.rsplit_once('/').unwrap().1;
            let server = std::env::var("TEST_POSTGRES_URL").unwrap();
            admin(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }

    /// Closes the store, but leaves the database.
    pub(crate) async fn close(&self) {
        self.sql.close().await;
    }

    /// Another store on the same database, as another process would open it.
    pub(crate) async fn reopened(&self) -> (Arc<SqlStore>, Arc<Recorder>) {
        let bus = Arc::new(Recorder::default());
        (open(&self.location, bus.clone()).await, bus)
    }

    /// Runs SQL from outside the store, as later parts of it, or an operator, would.
    pub(crate) async fn execute(&self, sql: &str) {
        match &self.location {
            Location::Sqlite(path) => outside(path).execute_batch(sql).unwrap(),
            Location::Postgres(url) => admin(url, sql).await,
        }
    }

    /// The only number that a query gives.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        match &self.location {
            Location::Sqlite(path) => outside(path).query_row(sql, [], |row| row.get(0)).unwrap(),
            Location::Postgres(url) => {
                let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
                let driver = tokio::spawn(connection);
                let number = client.query_one(sql, &[]).await.unwrap().get(0);
                drop(client);
                driver.await.unwrap().unwrap();
                number
            }
        }
    }

    /// The texts and numbers that a query gives.
    pub(crate) async fn texts_and_numbers(&self, sql: &str) -> Vec<(String, i64)> {
        match &self.location {
            Location::Sqlite(path) => {
                let connection = outside(path);
                let mut query = connection.prepare(sql).unwrap();
                let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
                rows.map(Result::unwrap).collect()
            }
            Location::Postgres(url) => {
                let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
                let driver = tokio::spawn(connection);
                let rows = client.query(sql, &[]).await.unwrap();
                drop(client);
                driver.await.unwrap().unwrap();
                rows.iter().map(|row| (row.get(0), row.get(1))).collect()
            }
        }
    }

    pub(crate) fn new_account(name: &str) -> NewAccount {
        NewAccount {
            uuid: uuid(),
            username: name.to_owned(),
            username_folded: domain::accounts::names::folded(name),
            email: format!("{name}@example.org"),
            first_name: "First".into(),
            last_name: "Last".into(),
            password: Some("hash".into()),
            two_factor: false,
            role: Role::Student,
            photo: None,
            created_at: START,
        }
    }

    pub(crate) async fn account(&self, name: &str) -> AccountId {
        self.store.add_account(Self::new_account(name)).await.unwrap()
    }

    pub(crate) async fn accounts<const N: usize>(&self, names: [&str; N]) -> [AccountId; N] {
        let mut ids = [AccountId(0); N];
        for (id, name) in ids.iter_mut().zip(names) {
            *id = self.account(name).await;
        }
        ids
    }

    pub(crate) fn new_session(account: AccountId, now: Time) -> NewSession {
        NewSession {
            id: SessionId(uuid()),
            account,
            opaque_hash: hash(),
            dialect: "messenger",
            created_at: now,
        }
    }

    pub(crate) async fn session(&self, account: AccountId, now: Time) -> SessionId {
        let new = Self::new_session(account, now);
        let id = new.id;
        assert_eq!(self.store.add_session(new, None).await.unwrap(), CodeVerdict::Good);
        id
    }

    pub(crate) async fn direct(&self, one: AccountId, other: AccountId) -> ConversationId {
        self.store.start_direct(one, other, uuid(), START).await.unwrap().id
    }

    pub(crate) async fn post(&self, place: ConversationId, author: AccountId, text: &str) -> Message {
        self.store.add_message(new_message(place, author, text)).await.unwrap().posted.message.clone()
    }

    pub(crate) async fn teacher(&self, name: &str) -> AccountId {
        let new = NewAccount { role: Role::Teacher, ..Self::new_account(name) };
        self.store.add_account(new).await.unwrap()
    }

    pub(crate) async fn room(&self, student: AccountId) -> ConversationId {
        let (text, image) = ("help".to_owned(), String::new());
        let new = NewRoom { uuid: uuid(), student, text, image, created_at: START };
        self.store.add_room(new).await.unwrap().id
    }

    /// Sets both statuses of the pair's relation.
    pub(crate) async fn set_statuses(&self, from: &str, to: &str) {
        self.execute(&format!("UPDATE relation SET status_from = '{from}', status_to = '{to}'")).await;
    }

    /// All messages of a conversation, newest first.
    pub(crate) async fn history(&self, place: ConversationId) -> Vec<Message> {
        let page = domain::conversations::Page { before: None, limit: 100_000 };
        self.store.messages_in(place, page).await.unwrap()
    }
}

pub(crate) fn new_message(conversation: ConversationId, author: AccountId, text: &str) -> NewMessage {
    NewMessage {
        uuid: uuid(),
        conversation,
        author,
        text: text.to_owned(),
        image: String::new(),
        created_at: START,
        media: Vec::new(),
        kind: None,
        via: None,
        client_id: None,
    }
}

pub(crate) fn file(label: &str) -> MediaFile {
    let id = uuid();
    MediaFile { uuid: id, key: format!("chat/{id}.png"), label: label.into(), size: 5, uploaded_at: at(3) }
}

pub(crate) fn ids(messages: &[Message]) -> Vec<MessageId> {
    messages.iter().map(|message| message.id).collect()
}

/// Whether it is that error.
pub(crate) fn is<T>(result: &Result<T>, expected: &Error) -> bool {
    let Err(error) = result else { return false };
    format!("{error:?}") == format!("{expected:?}")
}

pub(crate) const NO_ACCOUNT: Error = Error::NotFound(Noun::Account);

async fn open(location: &Location, bus: Arc<Recorder>) -> Arc<SqlStore> {
    Database::open(location, bus, Options { readers: 2, connections: 8 }).await.unwrap()
}

fn outside(path: &PathBuf) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(5)).unwrap();
    connection
}

async fn admin(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    drop(client);
    driver.await.unwrap().unwrap();
}
