//! PostgreSQL: threads with a connection each, on which closures run, and a small pool for batches of messages.

mod fault;
mod session;
#[cfg(test)]
mod tests;
mod turns;
mod workers;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use deadpool_postgres::{
    GenericClient as _, Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
};
use domain::{Error, Noun, Result, ports::Bus};
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Runtime as Tokio;
use tokio_postgres::{Config, IsolationLevel, NoTls, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

pub(crate) use fault::PostgresFault;
pub(crate) use session::{parameters, row};
pub(crate) use turns::{Turn, Turns};

use self::{session::PostgresSession, workers::Workers};
use super::{Flavour, Tx, panic_text, publish, text::Texts};

/// How long a task waits for a free connection, and a new connection for the server.
const PATIENCE: Duration = Duration::from_secs(5);

/// What each connection is told first. To compile a statement takes longer than any statement of ours gains by it; the
/// planner, which knows only how dear it expects a statement to be, would have it done for long lists.
const SETTINGS: &str = "SET jit = off";

/// Connections that are not the workers', where there are many.
const POOLED: usize = 2;

/// How often a transaction that collided with another is tried.
pub(crate) const TRIES: u32 = 10;

/// The PostgreSQL side of the store.
#[derive(Clone)]
pub(crate) struct Postgres {
    /// For what is not done by closures: batches of messages, one after another, and migrations.
    pool: Pool,
    workers: Arc<Workers>,
    texts: Arc<Mutex<Texts>>,
    bus: Arc<dyn Bus>,
    turns: Turns,
}

impl Postgres {
    /// Up to so many connections to `url`; none is made yet.
    pub(crate) fn new(url: &str, connections: usize, bus: Arc<dyn Bus>) -> anyhow::Result<Self> {
        let mut config: Config = url.parse().context("the database URL is not understood")?;
        config.connect_timeout(PATIENCE).keepalives_idle(Duration::from_secs(30));
        if config.get_application_name().is_none() {
            config.application_name("tertulia");
        }
        let pooled = if connections > 2 * POOLED { POOLED } else { 1 };
        let workers = connections.saturating_sub(pooled).max(1);
        let pools = (0..workers).map(|_| pool_of(&config, 1)).collect::<anyhow::Result<_>>()?;
        let pool = pool_of(&config, pooled)?;
        let workers = Arc::new(Workers::new(pools));
        let texts = Arc::new(Mutex::new(Texts::new(Flavour::Postgres)));
        Ok(Self { pool, workers, texts, bus, turns: Turns::new() })
    }

    /// A connection of the pool; with the cause when there is none.
    pub(crate) async fn connect(&self) -> anyhow::Result<Object> {
        self.pool.get().await.context("cannot connect to the database")
    }

    /// A connection of the pool, or `Unavailable(Store)`.
    pub(crate) async fn connection(&self) -> Result<Object> {
        connection_of(&self.pool).await
    }

    /// Where events go.
    pub(crate) fn bus(&self) -> &dyn Bus {
        &*self.bus
    }

    /// Whose turn it is to publish.
    pub(crate) fn turns(&self) -> &Turns {
        &self.turns
    }

    /// Makes a change, and tries it again when it collides with another.
    pub(crate) async fn write<T, F>(&self, mut work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let this = self.clone();
        let mut write = move |runtime: &Tokio, pool: &Pool| {
            let mut client = runtime.block_on(connection_of(pool))?;
            for attempt in 1..=TRIES {
                match this.try_write(&mut client, runtime, &mut work) {
                    Attempt::Done(answer) => return answer,
                    Attempt::Collided => thread::sleep(pause(attempt)),
                }
            }
            Err(anyhow!("a transaction collided with others {TRIES} times").into())
        };
        self.workers.run(move |runtime, pool| caught("a change", || write(runtime, pool))).await
    }

    fn try_write<T>(
        &self,
        client: &mut Object,
        runtime: &Tokio,
        work: &mut impl FnMut(&mut Tx<'_>) -> Result<T>,
    ) -> Attempt<T> {
        let transaction = match runtime.block_on(client.transaction()) {
            Ok(transaction) => transaction,
            Err(cause) => return failed(cause),
        };
        let mut session = PostgresSession::new(&transaction, runtime, &self.texts);
        let mut tx = Tx::new(&mut session);
        let outcome = work(&mut tx);
        let told = tx.into_told();
        match (outcome, session.trouble) {
            (Ok(value), _) => {
                let turn = (!told.is_empty()).then(|| self.turns.take());
                if let Err(cause) = runtime.block_on(transaction.commit()) {
                    return failed(cause);
                }
                if let Some(turn) = turn {
                    runtime.block_on(turn.come());
                    publish(self.bus(), told);
                }
                Attempt::Done(Ok(value))
            }
            (Err(error), trouble) => {
                if let Err(cause) = runtime.block_on(transaction.rollback()) {
                    tracing::debug!("a rollback failed, with it the connection: {cause}");
                }
                if trouble == Some(PostgresFault::Collision) {
                    Attempt::Collided
                } else {
                    Attempt::Done(Err(error))
                }
            }
        }
    }

    /// Reads what was committed before. With `snapshot`, all queries see the same state.
    pub(crate) async fn read<T, F>(&self, snapshot: bool, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let texts = Arc::clone(&self.texts);
        let read = move |runtime: &Tokio, pool: &Pool| {
            let mut client = runtime.block_on(connection_of(pool))?;
            if !snapshot {
                return work(&mut Tx::new(&mut PostgresSession::new(&client, runtime, &texts)));
            }
            let builder = client.build_transaction().read_only(true);
            let begun = runtime.block_on(builder.isolation_level(IsolationLevel::RepeatableRead).start());
            let transaction = begun.map_err(explained)?;
            let answer = work(&mut Tx::new(&mut PostgresSession::new(&transaction, runtime, &texts)));
            let ended = runtime.block_on(transaction.rollback());
            answer.and_then(|value| ended.map(|()| value).map_err(explained))
        };
        self.workers.run(move |runtime, pool| caught("a reading", || read(runtime, pool))).await
    }

    /// Does what waits and closes all connections; one of the pool that is in use ends when it comes back.
    pub(crate) async fn close(&self) {
        self.workers.close().await;
        self.pool.close();
    }
}

/// A pool of up to so many connections.
fn pool_of(config: &Config, connections: usize) -> anyhow::Result<Pool> {
    let fast = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = if config.get_ssl_mode() == SslMode::Require {
        Manager::from_config(config.clone(), MakeRustlsConnect::new(tls()?), fast)
    } else {
        Manager::from_config(config.clone(), NoTls, fast)
    };
    let set = Hook::async_fn(|client, _| {
        Box::pin(async { client.batch_execute(SETTINGS).await.map_err(HookError::Backend) })
    });
    Pool::builder(manager)
        .max_size(connections)
        .post_create(set)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(PATIENCE))
        .create_timeout(Some(PATIENCE))
        .recycle_timeout(Some(PATIENCE))
        .build()
        .context("cannot make the pool of database connections")
}

/// A connection of a pool, or `Unavailable(Store)`.
async fn connection_of(pool: &Pool) -> Result<Object> {
    pool.get().await.map_err(|cause| {
        tracing::warn!("cannot connect to the database: {:#}", anyhow::Error::from(cause));
        Error::Unavailable(Noun::Store)
    })
}

/// The result of `work`, or an error that tells its panic.
fn caught<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|payload| Err(anyhow!("{what} panicked: {}", panic_text(&*payload)).into()))
}

/// What came of one try.
enum Attempt<T> {
    Done(Result<T>),
    Collided,
}

fn failed<T>(cause: tokio_postgres::Error) -> Attempt<T> {
    match PostgresFault::of(&cause) {
        PostgresFault::Collision => Attempt::Collided,
        _ => Attempt::Done(Err(explained(cause))),
    }
}

/// The core's error for one of PostgreSQL's.
pub(crate) fn explained(cause: tokio_postgres::Error) -> Error {
    if PostgresFault::of(&cause) == PostgresFault::Unavailable {
        tracing::warn!("the database is not reachable: {cause}");
        Error::Unavailable(Noun::Store)
    } else {
        Error::Internal(cause.into())
    }
}

/// How long to wait after the `attempt`th collision: longer each time, so that those who collide drift apart.
pub(crate) fn pause(attempt: u32) -> Duration {
    Duration::from_millis(u64::from(attempt * attempt))
}

/// TLS with the certificate authorities that browsers trust. (libpq's `require` would take any certificate.)
fn tls() -> anyhow::Result<ClientConfig> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    Ok(ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .context("no usable TLS version")?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
