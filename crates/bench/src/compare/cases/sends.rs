//! 64 people, two by two in rooms of their own, send; each message is acknowledged once it is on disk.

use std::time::Duration;

use anyhow::Result;

use super::{Load, WARM_UP, chat::Chat, span::Names};
use crate::{
    compare::{door::Say, figures::Measured, running::Running},
    number::real,
    pace::Pace,
};

/// Rooms; two people talk in each.
pub(super) const ROOMS: usize = 32;

/// Ten messages a second from each of 64 people: little enough for every contender that syncs a disk.
pub(super) const CALM: Pace = Pace::Every(Duration::from_millis(100));

const NAMES: Names =
    Names { rate: "messages/s", server: "server CPU µs/message", client: "client CPU µs/message" };

pub(super) async fn measure(server: &Running, load: &Load) -> Result<Vec<Measured>> {
    let rooms = server.contender().rooms(server, ROOMS, 2).await?;
    let posts = rooms.concat().iter().any(|door| matches!(door.say, Say::Post { .. }));
    let mut measured = Vec::new();
    for (name, pace) in
        [("1 in flight each", Pace::Window(1)), ("16 in flight each", Pace::Window(16)), ("640/s", CALM)]
    {
        // A connection of HTTP/1.1 has one request at a time.
        if posts && pace == Pace::Window(16) {
            continue;
        }
        let mut chat = Chat::begin(server, &rooms, pace).await?;
        chat.pass(WARM_UP).await?;
        let span = chat.measure(server, load.lasts).await?;
        let order = chat.finish().await?;
        let figures = NAMES.figures(name.to_owned(), &span, server)?;
        measured.push(figures.beside("checked deliveries", real(order.deliveries)).heard(order));
    }
    Ok(measured)
}
