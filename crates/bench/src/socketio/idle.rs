//! Sockets on which nothing happens: what each costs in memory.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::{task::JoinSet, time::sleep};

use super::{
    Case, Stage,
    client::Client,
    contender::{Contender, Room, Running},
    figures::{Figures, Rounds},
    source,
};
use crate::{
    number::{count, real},
    procfs::{self, KernelMemory},
    progress,
    report::Row,
};

/// Handshakes at a time.
const AT_A_TIME: usize = 64;

/// Open files of this program and of the server that are no sockets of this load.
const OTHER_FILES: u64 = 256;

/// What comes to rest after the start, and after the handshakes.
const REST: Duration = Duration::from_secs(3);

/// Long enough for every socket to be pinged once: both servers do so after 25 seconds.
const PINGS: Duration = Duration::from_secs(32);

/// Memory at one time, in bytes.
struct Memory {
    server: u64,
    kernel: KernelMemory,
}

impl Memory {
    async fn now(server: &Running) -> Result<Self> {
        server.tidy().await?;
        Ok(Self { server: procfs::resident(server.pid())?, kernel: procfs::kernel_memory()? })
    }
}

/// Measures each in turn, in a process that has done nothing else.
pub(super) async fn run(stage: &Stage, contenders: &[Contender]) -> Result<Vec<Row>> {
    let files = usize::try_from(procfs::open_files()?.saturating_sub(OTHER_FILES))?;
    let number = stage.idle_sockets.min(files);
    if number < stage.idle_sockets {
        progress(&format!("the open-file limit allows {number} idle sockets"));
    }
    let mut rounds: Vec<Rounds> = contenders
        .iter()
        .map(|one| Rounds::new(vec![("server", one.name().into()), ("sockets", number.to_string())]))
        .collect();
    for round in 0..stage.rounds {
        for (contender, rounds) in contenders.iter().zip(&mut rounds) {
            progress(&format!("  round {} of {}, {}", round + 1, stage.rounds, contender.name()));
            let (rooms, with_teachers) = Case::Idle.rooms();
            let (running, rooms) = contender.start(rooms, with_teachers).await?;
            match measure(&running, &rooms, number).await {
                Ok(figures) => rounds.add(figures),
                Err(fault) => {
                    let log = running.kill();
                    return Err(fault.context(format!("{}, whose log ends:\n{log}", contender.name())));
                }
            }
            running.stop().await?;
        }
    }
    rounds.into_iter().map(Rounds::row).collect()
}

async fn measure(server: &Running, rooms: &[Room], number: usize) -> Result<Figures> {
    let tokens: Vec<&String> = rooms.iter().flat_map(|room| &room.tokens).collect();
    sleep(REST).await;
    let before = Memory::now(server).await?;
    let mut clients = JoinSet::new();
    for first in (0..number).step_by(AT_A_TIME) {
        let mut opening = JoinSet::new();
        for client in first..(first + AT_A_TIME).min(number) {
            let (address, token) = (server.address, tokens[client % tokens.len()].clone());
            opening.spawn_local(async move {
                let opened = Client::open(address, Some(source(client)?), &token).await;
                opened.with_context(|| format!("opening idle socket {client}"))
            });
        }
        while let Some(opened) = opening.join_next().await {
            clients.spawn_local(opened??.rest());
        }
    }
    sleep(REST).await;
    let open = Memory::now(server).await?;
    tokio::select! {
        () = sleep(PINGS) => {}
        Some(ended) = clients.join_next() => {
            ended??;
            bail!("an idle socket ended");
        }
    }
    let pinged = Memory::now(server).await?;
    let each = |after: u64, before: u64| real(after.saturating_sub(before)) / real(count(number));
    Ok(vec![
        ("server bytes/socket", each(open.server, before.server)),
        ("server bytes/socket, after pings", each(pinged.server, before.server)),
        ("server before, MiB", real(before.server) / real(1 << 20)),
        ("server with all, MiB", real(pinged.server) / real(1 << 20)),
        ("kernel bytes/socket, both ends", each(pinged.kernel.slab, before.kernel.slab)),
    ])
}
