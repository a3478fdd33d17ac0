//! Many requests by HTTP.

use std::{cell::Cell, net::SocketAddr, rc::Rc, time::Duration};

use anyhow::{Context, Result, ensure};
use tokio::{
    sync::Mutex,
    task::JoinSet,
    time::{Instant, Interval, sleep},
};

use super::{WARM_UP, crowd};
use crate::{
    compare::{door::Ask, running::Running},
    http::Connection,
    pace::Pace,
    parallel::meanwhile,
    tally::{Span, Tally},
};

/// Asks once, and looks at the answer: what is measured shall be the right one.
pub(super) async fn check(server: &Running, ask: &Ask) -> Result<()> {
    let mut connection = Connection::open(server.address).await?;
    let answer = connection.json(ask.status, &ask.request).await?;
    if let Some((pointer, entries)) = ask.entries {
        let list = answer.pointer(pointer).and_then(|list| list.as_array());
        let found = list.with_context(|| format!("no list at {pointer:?} in {answer}"))?.len();
        ensure!(found == entries, "{found} entries where {entries} were due");
    }
    Ok(())
}

async fn ask_for(connection: &mut Connection, ask: &Ask) -> Result<()> {
    let (status, body) = connection.ask(&ask.request).await?;
    ensure!(status == ask.status, "status {status}: {}", String::from_utf8_lossy(body));
    Ok(())
}

/// So many kept connections ask these things in turn, each again as soon as it is answered.
pub(super) async fn closed(
    server: &Running,
    asks: &[Ask],
    connections: usize,
    lasts: Duration,
) -> Result<Span> {
    check(server, asks.first().context("nothing to ask")?).await?;
    let (tally, stopping) = (Rc::new(Tally::new()?), Rc::new(Cell::new(false)));
    let asks: Rc<[Ask]> = asks.into();
    let mut tasks = JoinSet::new();
    for first in 0..connections {
        let (tally, stopping, asks) = (Rc::clone(&tally), Rc::clone(&stopping), Rc::clone(&asks));
        let mut connection = Connection::open(server.address).await?;
        tasks.spawn_local(async move {
            for ask in asks.iter().cycle().skip(first % asks.len()).step_by(connections) {
                if stopping.get() {
                    break;
                }
                let began = Instant::now();
                ask_for(&mut connection, ask).await?;
                tally.add(began.elapsed());
            }
            Ok(())
        });
    }
    let span = meanwhile(&mut tasks, async {
        sleep(WARM_UP).await;
        let meter = server.meter()?;
        tally.begin();
        sleep(lasts).await;
        tally.end(meter.stop()?)
    });
    let span = span.await?;
    stopping.set(true);
    crowd::all(&mut tasks).await?;
    Ok(span)
}

/// Requests that arrive at fixed intervals, whether those before have been answered or not.
pub(super) struct Arrivals {
    count: Rc<Cell<u64>>,
    stopping: Rc<Cell<bool>>,
    tasks: JoinSet<Result<()>>,
}

impl Arrivals {
    /// The first one comes at once. At most so many are under way: the others wait.
    pub(super) async fn begin(
        server: &Running,
        asks: &[Ask],
        at_a_time: usize,
        every: Duration,
    ) -> Result<Self> {
        check(server, asks.first().context("nothing to ask")?).await?;
        let (count, stopping) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
        let asks: Rc<[Ask]> = asks.into();
        let ticks = Rc::new(Mutex::new((Pace::Every(every).ticks(Duration::ZERO), 0)));
        let mut tasks = JoinSet::new();
        for _ in 0..at_a_time {
            let shared = (Rc::clone(&count), Rc::clone(&stopping));
            tasks.spawn_local(arrive(server.address, Rc::clone(&asks), Rc::clone(&ticks), shared));
        }
        Ok(Self { count, stopping, tasks })
    }

    /// Counts from now on.
    pub(super) fn count(&self) {
        self.count.set(0);
    }

    /// How many were answered since [`Arrivals::count`]. Those under way are waited for.
    pub(super) async fn end(mut self) -> Result<u64> {
        let answered = self.count.get();
        self.stopping.set(true);
        crowd::all(&mut self.tasks).await?;
        Ok(answered)
    }
}

async fn arrive(
    address: SocketAddr,
    asks: Rc<[Ask]>,
    ticks: Rc<Mutex<(Interval, usize)>>,
    (count, stopping): (Rc<Cell<u64>>, Rc<Cell<bool>>),
) -> Result<()> {
    let mut connection = Connection::open(address).await?;
    while !stopping.get() {
        let number = {
            let mut next = ticks.lock().await;
            next.0.tick().await;
            next.1 += 1;
            next.1
        };
        ask_for(&mut connection, &asks[number % asks.len()]).await?;
        count.set(count.get() + 1);
    }
    Ok(())
}
