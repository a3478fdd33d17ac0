//! Many clients at once.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use crate::compare::{client::Client, door::Door, running::Running};

/// Source addresses, so that there are ports for everyone.
const SOURCES: usize = 8;

/// Handshakes at a time.
const AT_A_TIME: usize = 64;

/// Clients through all these doors, in their order.
pub(super) async fn enter(server: &Running, doors: &[Door]) -> Result<Vec<Client>> {
    let mut clients = Vec::with_capacity(doors.len());
    for some in doors.chunks(AT_A_TIME) {
        let mut entering = JoinSet::new();
        for (number, door) in (clients.len()..).zip(some) {
            let (address, door) = (server.address, door.clone());
            let source = Ipv4Addr::new(127, 0, 0, u8::try_from(2 + number % SOURCES)?);
            entering.spawn_local(async move {
                let entered = Client::enter(address, Some(IpAddr::V4(source)), door).await;
                anyhow::Ok((number, entered.with_context(|| format!("client {number}"))?))
            });
        }
        let mut entered = Vec::new();
        while let Some(client) = entering.join_next().await {
            entered.push(client??);
        }
        entered.sort_by_key(|(number, _)| *number);
        clients.extend(entered.into_iter().map(|(_, client)| client));
    }
    Ok(clients)
}

/// Waits until all of them have ended; the first error ends it.
pub(super) async fn all(tasks: &mut JoinSet<Result<()>>) -> Result<()> {
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}
