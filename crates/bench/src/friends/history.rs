//! Pages of the history of two friends, by how long it is.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use uuid::Uuid;

use super::people::{Person, befriend, sign_up};
use crate::{
    asking,
    bulk::{Bulk, Cell, Dice},
    http::{Connection, post},
    number::count,
    report::Row,
    server::{Data, Server},
    stage::Stage,
};

/// Messages a page, where nothing else is asked for.
const PAGE: u64 = 10;

/// Microseconds from a message to the next.
const PACE: i64 = 10_000_000;

/// When the first one was sent: the 1st of January 2020.
const BEGAN: i64 = 1_577_836_800_000_000;

/// What fills a message up to the length of a usual one.
const FILLING: &str = "the tide comes in, the lantern goes out, and nobody minds";

/// Who reads, and what.
struct Reader {
    person: Person,
    channel: String,
}

/// A page, and the positions that it is to show.
struct Asked {
    what: &'static str,
    query: String,
    /// On all pages.
    count: u64,
    /// Of the page, as they stand on it.
    positions: Vec<u64>,
}

pub(super) async fn run(stage: &Stage, messages: u64) -> Result<Vec<Row>> {
    stage
        .with_filled(
            prepare,
            async |data, _| fill(data, messages).await,
            async |server, reader| {
                stage
                    .measured(&format!("a history of {messages}"), ask(stage, server, &reader, messages))
                    .await
            },
        )
        .await
}

/// Makes two friends who have talked once.
async fn prepare(server: &Server) -> Result<Reader> {
    let mut connection = Connection::open(server.address).await?;
    let writer = sign_up(&mut connection, "writer").await?;
    let person = sign_up(&mut connection, "reader").await?;
    let channel = befriend(&mut connection, &writer, &person).await?;
    let body = json!({ "channel": channel, "content": "first" });
    connection.json(201, &post("/api/messages/friendship/", &writer.token, &body)).await?;
    Ok(Reader { person, channel })
}

/// Puts a long history in the place of that one message: by both in turns, received and seen.
async fn fill(data: &Data, messages: u64) -> Result<()> {
    let bulk = Bulk::open(&data.tables()).await?;
    let conversation = bulk.number("SELECT id FROM conversation").await?;
    let people = [
        bulk.number("SELECT low FROM conversation").await?,
        bulk.number("SELECT high FROM conversation").await?,
    ];
    bulk.run("DELETE FROM message").await?;
    let last = i64::try_from(messages)?;
    let row = |position: i64| {
        let sent_at = BEGAN + position * PACE;
        let author = usize::from(position % 2 == 0);
        vec![
            Cell::Int(position),
            Cell::Uuid(uuid_of(position.unsigned_abs()).as_u128()),
            Cell::Int(conversation),
            Cell::Int(position),
            Cell::Int(people[author]),
            Cell::Text(format!("{position}:{FILLING}")),
            Cell::Int(sent_at),
            Cell::Int(people[1 - author]),
            Cell::Int(sent_at + 1_000_000),
            Cell::Int(sent_at + 2_000_000),
        ]
    };
    let columns = "id,uuid,conversation,position,author,text,created_at,receiver,received_at,seen_at";
    bulk.fill("message", columns, (1..=last).map(row)).await?;
    bulk.run(&format!(
        "UPDATE conversation SET message_count = {last}, last_message = {last}, last_at = {}",
        BEGAN + last * PACE
    ))
    .await?;
    bulk.close().await
}

/// The id of the message at a position: random, and known.
fn uuid_of(position: u64) -> Uuid {
    Uuid::from_u128(Dice::new(position).uuid())
}

/// The time of the message at a position, as a query has it.
fn time_of(position: u64) -> Result<String> {
    let time = jiff::Timestamp::from_microsecond(BEGAN + i64::try_from(position)? * PACE)?;
    Ok(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// What is asked of a history.
fn asked(messages: u64) -> Result<Vec<Asked>> {
    let middle = messages / 2;
    let ascending = |from: u64, size: u64| (from..from + size).collect::<Vec<_>>();
    let descending = |from: u64| (from - PAGE + 1..=from).rev().collect::<Vec<_>>();
    let page = |what, query, count, positions| Asked { what, query, count, positions };
    let (half, last) = (middle / PAGE, messages.div_ceil(PAGE));
    let (time, id) = (time_of(middle)?, uuid_of(middle));
    Ok(vec![
        page("page 1", "page=1".into(), messages, ascending(1, PAGE)),
        page(
            "a page in the middle",
            format!("page={half}"),
            messages,
            ascending((half - 1) * PAGE + 1, PAGE),
        ),
        page("the last page", format!("page={last}"), messages, ((last - 1) * PAGE + 1..=messages).collect()),
        page("page 1 of 100", "page_size=100".into(), messages, ascending(1, 100)),
        page("newest first", "before".into(), messages, descending(messages)),
        page(
            "from a date",
            format!("after&start_date={time}"),
            messages - middle + 1,
            ascending(middle, PAGE),
        ),
        page("up to a date", format!("before&start_date={time}"), middle, descending(middle)),
        page(
            "from a message",
            format!("after&message_id={id}"),
            messages - middle + 1,
            ascending(middle, PAGE),
        ),
        page("up to a message", format!("before&message_id={id}"), middle, descending(middle)),
    ])
}

async fn ask(stage: &Stage, server: &Server, reader: &Reader, messages: u64) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for asked in asked(messages)? {
        let path = format!("/api/messages/status/friendship/{}/messages/?{}", reader.channel, asked.query);
        let row = stage.row().with("messages", messages).with("what", asked.what);
        let whom = (path.as_str(), reader.person.token.as_str());
        rows.push(asking::again_and_again(stage, server, row, whom, |page| check(page, &asked)).await?);
    }
    Ok(rows)
}

/// The page must hold these messages, and count all.
fn check(page: &Value, asked: &Asked) -> Result<()> {
    ensure!(page["count"] == asked.count, "{} are counted of {}", page["count"], asked.count);
    let results = page["results"].as_array().context("no page")?;
    let positions = results.iter().map(|result| {
        let text = result["message"]["content"].as_str()?;
        let position = text.split(':').next()?.parse().ok()?;
        (result["message"]["id"] == uuid_of(position).to_string()).then_some(position)
    });
    let positions: Option<Vec<u64>> = positions.collect();
    let positions = positions.context("a message that was never written")?;
    ensure!(positions == asked.positions, "{} messages, {positions:?}", count(positions.len()));
    Ok(())
}
