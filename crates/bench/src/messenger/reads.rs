//! Lists, asked for by many connections at once.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use serde_json::Value;
use tokio::{task::JoinSet, time::sleep};

use super::{
    Stage, WARM_UP, frames,
    people::{self, Person},
};
use crate::{
    http::{Connection, get},
    latency::Latency,
    meter::Meter,
    number::{count, real},
    parallel::each,
    report::Row,
    server::Server,
    websocket::Socket,
};

/// People in the list; each is a friend of the next.
const PEOPLE: usize = 20;

/// Messages in the history.
const MESSAGES: u64 = 10_000;

/// Messages under way while the history is made.
const WINDOW: u64 = 200;

/// Kept connections; each asks again when it is answered.
const CONNECTIONS: usize = 64;

pub(super) async fn run(stage: &Stage) -> Result<Vec<Row>> {
    stage
        .with_server(async |server| {
            let people = people::make(server, PEOPLE).await?;
            let friends: Vec<(Person, Person)> =
                people.iter().cloned().zip(people.iter().cloned().cycle().skip(1)).collect();
            each(server.address, 1, friends, async |connection, (one, other): (Person, Person)| {
                people::befriend(connection, &one, &other).await
            })
            .await?;
            let conversation = people::conversation(server, &people[0], &people[1]).await?;
            talk(server, &people[0], conversation).await?;
            let token = &people[0].token;
            let history = format!("/conversations/{conversation}/");
            let last_50 = format!("{history}?limit=50");
            let asks = [
                ("20 people", "/users/user_list/", "", 20, 1),
                ("newest 50 of 10,000 messages", &last_50, "message_set", 50, 1),
                // So slow that a short load would be all beginning and end.
                ("all 10,000 messages", &history, "message_set", 10_000, 4),
            ];
            let mut rows = Vec::new();
            for (what, path, key, entries, times) in asks {
                let request = get(path, token);
                check(server, &request, key, entries).await?;
                rows.push(measure(stage, server, what, request, stage.lasts * times).await?);
            }
            Ok(rows)
        })
        .await
}

/// Fills a conversation.
async fn talk(server: &Server, person: &Person, conversation: i64) -> Result<()> {
    let mut socket = Socket::open(server.address, None, &frames::path(conversation), &person.token).await?;
    let (mut sent, mut heard) = (0, 0);
    while heard < MESSAGES {
        while sent < MESSAGES && sent < heard + WINDOW {
            socket.queue(frames::said(0, sent).as_bytes());
            sent += 1;
        }
        socket.flush().await?;
        socket.receive(|frame| frames::heard(frame).map(|_| heard += 1)).await?;
    }
    Ok(())
}

/// What is measured shall be the right answer.
async fn check(server: &Server, request: &[u8], key: &str, entries: usize) -> Result<()> {
    let answer = Connection::open(server.address).await?.json(200, request).await?;
    let list = if key.is_empty() { &answer } else { &answer[key] };
    let found = list.as_array().map_or(0, Vec::len);
    ensure!(found == entries, "{found} entries where {entries} were due");
    Ok(())
}

async fn measure(
    stage: &Stage,
    server: &Server,
    what: &str,
    request: Vec<u8>,
    lasts: Duration,
) -> Result<Row> {
    let (measuring, stopping) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
    let request: Rc<[u8]> = request.into();
    let mut readers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let mut connection = Connection::open(server.address).await?;
        let (measuring, stopping, request) =
            (Rc::clone(&measuring), Rc::clone(&stopping), Rc::clone(&request));
        readers.spawn_local(async move {
            let (mut latency, mut answers, mut bytes) = (Latency::new()?, 0_u64, 0);
            while !stopping.get() {
                let began = Instant::now();
                let (status, body) = connection.ask(&request).await?;
                ensure!(status == 200, "status {status}: {}", String::from_utf8_lossy(body));
                if measuring.get() {
                    answers += 1;
                    latency.record(began.elapsed());
                }
                bytes = body.len();
            }
            anyhow::Ok((latency, answers, bytes))
        });
    }
    sleep(WARM_UP).await;
    let meter = Meter::start(server.pid())?;
    measuring.set(true);
    tokio::select! {
        () = sleep(lasts) => {}
        Some(ended) = readers.join_next() => {
            ended??;
            bail!("a reader ended before its time")
        }
    }
    measuring.set(false);
    let usage = meter.stop()?;
    stopping.set(true);
    let (mut latency, mut answers, mut size) = (Latency::new()?, 0, 0);
    while let Some(ended) = readers.join_next().await {
        let (of_one, answers_of_one, bytes) = ended??;
        latency.add(&of_one)?;
        answers += answers_of_one;
        size = size.max(bytes);
    }
    Ok(stage
        .row()
        .with("what", Value::from(what))
        .with("answer, KiB", real(count(size)) / 1024.0)
        .with("requests/s", usage.rate(answers))
        .with("p50 ms", latency.millis_at(0.5))
        .with("p99 ms", latency.millis_at(0.99))
        .with("server CPU µs/request", usage.server_each(answers))
        .with("client CPU µs/request", usage.client_each(answers))
        .with("other cores busy", usage.other_cores()))
}
