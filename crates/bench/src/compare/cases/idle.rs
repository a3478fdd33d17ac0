//! Connections on which nothing happens: what each costs in memory, and all of them in CPU time.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::{task::JoinSet, time::sleep};

use super::{Load, crowd, sends::ROOMS, served};
use crate::{
    compare::{
        client::Client,
        door::Door,
        figures::Measured,
        running::{Running, Site},
    },
    number::{count, real},
    parallel::meanwhile,
};

/// What comes to rest after the handshakes.
const REST: Duration = Duration::from_secs(3);

/// Long enough for heartbeats, which come every 20 to 25 seconds, to reach everyone.
const QUIET: Duration = Duration::from_secs(30);

pub(super) async fn measure(site: Site, load: &Load) -> Result<Vec<Measured>> {
    if !site.contender.remembers() {
        let opened = served(site, async |server| {
            let rooms = server.contender().rooms(server, ROOMS, 2).await?;
            rest(server, &doors(&rooms, load)).await
        });
        return Ok(opened.await?.0);
    }
    // What the registrations have left in the process would be taken for connections, and would hide that of others.
    let (rooms, site) = served(site, async |server| server.contender().rooms(server, ROOMS, 2).await).await?;
    let doors = doors(&rooms, load);
    Ok(served(site, async |server| rest(server, &doors).await).await?.0)
}

/// As many doors as there are to be connections: those of the rooms, again and again.
fn doors(rooms: &[Vec<Door>], load: &Load) -> Vec<Door> {
    rooms.concat().into_iter().cycle().take(load.idle).collect()
}

async fn rest(server: &Running, doors: &[Door]) -> Result<Vec<Measured>> {
    sleep(REST).await;
    let before = server.memory()?;
    let meter = server.meter()?;
    let mut tasks = JoinSet::new();
    for client in crowd::enter(server, doors).await? {
        tasks.spawn_local(hold(client));
    }
    let opening = meter.stop()?;
    let (usage, after) = meanwhile(&mut tasks, async {
        sleep(REST).await;
        let meter = server.meter()?;
        sleep(QUIET).await;
        Ok((meter.stop()?, server.memory()?))
    })
    .await?;
    let number = count(doors.len());
    let each = |after: u64, before: u64| real(after.saturating_sub(before)) / real(number);
    Ok(vec![
        Measured::of(format!("{} connections", doors.len()))
            .less("server bytes/connection", each(after.server, before.server))
            .less("server CPU ms/s", usage.server_cores() * 1000.0)
            .less("server CPU µs to open one", opening.server_each(number))
            .beside("client CPU ms/s", usage.client_cores() * 1000.0)
            .beside("client CPU µs to open one", opening.client_each(number))
            .beside("server before, MiB", real(before.server) / real(1 << 20))
            .beside("server with all, MiB", real(after.server) / real(1 << 20))
            .beside("kernel bytes/connection, both ends", each(after.kernel.slab, before.kernel.slab))
            .beside(
                "kernel bytes/connection in buffers",
                each(after.kernel.tcp_buffers, before.kernel.tcp_buffers),
            )
            .beside("other cores busy", usage.other_cores()),
    ])
}

/// Answers pings, for ever. The mouth is kept: it may hold a connection.
async fn hold(Client { mut ears, mouth: _mouth }: Client) -> Result<()> {
    loop {
        ears.hear(|message| bail!("nobody spoke: {message:?}")).await?;
    }
}
