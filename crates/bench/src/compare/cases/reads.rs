//! Lists, asked for by many connections at once.

use anyhow::Result;

use super::{Load, requests::closed, span::Names};
use crate::compare::{door::Ask, figures::Measured, running::Running};

/// Kept connections.
const CONNECTIONS: usize = 64;

/// Messages in the history.
const MESSAGES: usize = 10_000;

const NAMES: Names =
    Names { rate: "requests/s", server: "server CPU µs/request", client: "client CPU µs/request" };

/// A list of 20 people.
pub(super) async fn list(server: &Running, load: &Load) -> Result<Vec<Measured>> {
    let ask = server.contender().list(server).await?;
    put(server, load, ask).await
}

/// The newest 50 messages.
pub(super) async fn history(server: &Running, load: &Load) -> Result<Vec<Measured>> {
    let ask = server.contender().history(server, MESSAGES).await?;
    put(server, load, ask).await
}

async fn put(server: &Running, load: &Load, ask: Ask) -> Result<Vec<Measured>> {
    let span = closed(server, &[ask], CONNECTIONS, load.lasts).await?;
    Ok(vec![NAMES.figures(format!("{CONNECTIONS} connections"), &span, server)?])
}
