//! A server of this dialect alone, on a database of its own.

use std::{
    io::Write as _,
    net::SocketAddr,
    ops::Range,
    sync::{
        Arc, Once,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    AccountId, App, Ports, Result, Time,
    accounts::{NewAccount, Role, names},
    identities::{self, IdentityProvider},
    keys,
    ports::{Blobs, Clock, Ids, Mail, Mailer, Picture, Pictures, Store},
    secrets::Secrets,
    sessions::{self, Tokens},
};
use kit::{
    context::{Context, SocketLimits},
    listen, service,
    websocket::{MessageRate, Sockets},
};
use rand::{TryRng as _, rngs::SysRng};
use realtime::{Hub, LocalBus};
use socketio::SocketIo;
use store::{Database, Location, Options};
use tempfile::TempDir;
use tertulia_dialect_boards::{NAMESPACE, Settings, namespace, routes};
use tokio::{net::TcpListener, sync::watch};

use crate::stand_in::{StandIn, shared};

/// The redirect URI of the stand-in.
pub(crate) const REDIRECT: &str = "https://boards.example.org/back";

/// The most widgets of an account.
pub(crate) const LIMIT: usize = 20;

/// Messages that a socket may send at once.
pub(crate) const BURST: u32 = 300;

pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) address: SocketAddr,
    pub(crate) stand_in: Arc<StandIn>,
    clock: Arc<Moving>,
    database: Arc<Database>,
    location: Location,
    shutdown: watch::Sender<bool>,
    _folder: TempDir,
}

/// A clock that moves when it is told to.
struct Moving(AtomicI64);

impl Clock for Moving {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }
}

struct Random;

impl Ids for Random {
    fn fill(&self, buffer: &mut [u8]) {
        SysRng.try_fill_bytes(buffer).unwrap();
    }
}

/// What this dialect has no use for.
struct Nothing;

#[async_trait]
impl Blobs for Nothing {
    async fn put(&self, _: &str, _: Bytes) -> Result<()> {
        Ok(())
    }

    async fn size(&self, _: &str) -> Result<Option<u64>> {
        Ok(None)
    }

    async fn read(&self, _: &str, _: Range<u64>) -> Result<Option<Bytes>> {
        Ok(None)
    }

    async fn delete(&self, _: &str) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl Pictures for Nothing {
    async fn refit(&self, _: Bytes, _: u32) -> Result<Option<Picture>> {
        Ok(None)
    }

    async fn square(&self, _: Bytes, _: u32) -> Result<Option<Picture>> {
        Ok(None)
    }

    fn recognise(&self, _: &[u8]) -> Option<&'static str> {
        None
    }
}

impl Mailer for Nothing {
    fn send(&self, _: Mail) {}
}

impl World {
    pub(crate) async fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let location = Location::Sqlite(folder.path().join("tertulia.db"));
        Self::on(location, folder).await
    }

    /// `None` when no server is named: then the test is skipped, and says so once.
    pub(crate) async fn postgres() -> Option<Self> {
        static SAID: Once = Once::new();
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let Ok(server) = std::env::var("TEST_POSTGRES_URL") else {
            // Written past the capture of the test's output, or nobody would see it.
            SAID.call_once(|| {
                let line = b"TEST_POSTGRES_URL is not set: the tests on PostgreSQL are SKIPPED\n";
                std::io::stderr().write_all(line).unwrap();
            });
            return None;
        };
        let name = format!("boards_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        admin(&server, &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        let (before, _) = server.rsplit_once('/').expect("TEST_POSTGRES_URL ends in /database");
        Some(Self::on(Location::Postgres(format!("{before}/{name}")), TempDir::new().unwrap()).await)
    }

    async fn on(location: Location, folder: TempDir) -> Self {
        let bus = LocalBus::new();
        let options = Options { readers: 2, connections: 8 };
        let database = Database::open(&location, bus.clone(), options).await.unwrap();
        let clock = Arc::new(Moving(AtomicI64::new(1_767_225_600_000_000)));
        let ports = Ports {
            store: Arc::clone(&database) as Arc<dyn Store>,
            blobs: Arc::new(Nothing),
            pictures: Arc::new(Nothing),
            mailer: Arc::new(Nothing),
            clock: Arc::clone(&clock) as _,
            ids: Arc::new(Random),
        };
        let settings = domain::Settings { max_widgets: LIMIT, ..domain::Settings::default() };
        let app = App::new(ports, settings, Secrets::derive(&[7; 32]));
        let heeding = app.clone();
        let hub = Hub::new();
        let hearing = Arc::clone(&hub);
        bus.heed_with(move |event| {
            sessions::heed(&heeding, event);
            hearing.hear(event);
        });
        let socket_limits = SocketLimits {
            rate: Some(MessageRate { a_second: 200, burst: BURST }),
            ..SocketLimits::default()
        };
        let context = Context { app: app.clone(), hub, sockets: Sockets::default(), socket_limits };
        let stand_in = Arc::<StandIn>::default();
        let settings = Settings { providers: providers(&stand_in) };
        let (sockets, _) = SocketIo::of(&context).namespace(NAMESPACE, namespace(&context)).routes();
        let (routes, _) = routes(&context, settings).split_for_parts();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shutdown, is_down) = watch::channel(false);
        let service = service::wrap(routes.merge(sockets), &service::Settings::default());
        tokio::spawn(listen::serve(listener, service, is_down, listen::Options::default()));
        Self { app, address, stand_in, clock, database, location, shutdown, _folder: folder }
    }

    /// Stops listening, and removes the database.
    pub(crate) async fn end(self) {
        let _ = self.shutdown.send(true);
        self.database.close().await;
        if let Location::Postgres(url) = &self.location {
            let name = url.rsplit_once('/').unwrap().1;
            let server = std::env::var("TEST_POSTGRES_URL").unwrap();
            admin(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }

    pub(crate) async fn account(&self, name: &str) -> AccountId {
        let new = NewAccount {
            uuid: self.app.ids.uuid(),
            username: name.to_owned(),
            username_folded: names::folded(name),
            email: String::new(),
            first_name: String::new(),
            last_name: String::new(),
            password: None,
            two_factor: false,
            role: Role::Student,
            photo: None,
            created_at: self.app.clock.now(),
        };
        self.app.store.add_account(new).await.unwrap()
    }

    /// A new account's access key.
    pub(crate) async fn key(&self, name: &str) -> String {
        self.account(name).await;
        keys::make(&self.app, name, "tests").await.unwrap()
    }

    /// The tokens of a session of a new account.
    pub(crate) async fn signed_in(&self, name: &str) -> Tokens {
        let key = self.key(name).await;
        self.again(&key).await
    }

    /// The tokens of another session of that key's account.
    pub(crate) async fn again(&self, key: &str) -> Tokens {
        let providers = [IdentityProvider::AccessKeys];
        identities::sign_in(&self.app, &providers, key, "boards", self.address.ip()).await.unwrap()
    }

    /// Moves the clock.
    pub(crate) fn wait(&self, span: Duration) {
        self.clock.0.fetch_add(span.as_micros().try_into().unwrap(), Ordering::SeqCst);
    }
}

/// Keys, opaque tokens, and the stand-in.
pub(crate) fn providers(stand_in: &Arc<StandIn>) -> Vec<IdentityProvider> {
    vec![
        IdentityProvider::AccessKeys,
        IdentityProvider::OpaqueTokens,
        IdentityProvider::OAuth {
            name: "discord",
            provider: shared(stand_in),
            redirect_uri: REDIRECT.to_owned(),
        },
    ]
}

async fn admin(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    drop(client);
    driver.await.unwrap().unwrap();
}
