//! Sockets that come: TCP, the upgrade, Engine.IO's handshake, and the namespace with its check of the token.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Instant,
};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use super::{
    client::Client,
    contender::{Room, Running},
    figures::Figures,
    source,
};
use crate::{latency::Latency, meter::Meter, number::count};

/// Sockets that come; all stay until the last one has come.
const SOCKETS: usize = 3000;

/// Handshakes at a time.
const AT_A_TIME: usize = 32;

pub(super) async fn measure(server: &Running, rooms: &[Room]) -> Result<Figures> {
    let tokens: Rc<Vec<String>> = Rc::new(rooms.iter().flat_map(|room| room.tokens.clone()).collect());
    let (next, latency) = (Rc::new(Cell::new(0)), Rc::new(RefCell::new(Latency::new()?)));
    let mut workers = JoinSet::new();
    let meter = Meter::start(server.pid())?;
    for _ in 0..AT_A_TIME {
        let (tokens, next, latency) = (Rc::clone(&tokens), Rc::clone(&next), Rc::clone(&latency));
        let address = server.address;
        workers.spawn_local(async move {
            let mut clients = Vec::new();
            while next.get() < SOCKETS {
                let number = next.replace(next.get() + 1);
                let began = Instant::now();
                let client =
                    Client::open(address, Some(source(number)?), &tokens[number % tokens.len()]).await;
                clients.push(client.with_context(|| format!("opening socket {number}"))?);
                latency.borrow_mut().record(began.elapsed());
            }
            anyhow::Ok(clients)
        });
    }
    let mut clients = Vec::new();
    while let Some(worker) = workers.join_next().await {
        clients.extend(worker??);
    }
    let usage = meter.stop()?;
    let (sockets, latency) = (count(clients.len()), latency.borrow());
    Ok(vec![
        ("connects/s", usage.rate(sockets)),
        ("p50 ms", latency.millis_at(0.5)),
        ("p99 ms", latency.millis_at(0.99)),
        ("server CPU µs/connect", usage.server_each(sockets)),
        ("client CPU µs/connect", usage.client_each(sockets)),
        ("other cores busy", usage.other_cores()),
    ])
}
