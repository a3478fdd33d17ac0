//! Sockets on which nothing happens: what each costs in memory.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tokio::{task::JoinSet, time::sleep};

use super::{Stage, frames, people};
use crate::{
    number::{count, real},
    procfs::{self, KernelMemory},
    progress,
    report::Row,
    server::Server,
    websocket::Socket,
};

/// Accounts, two by two in conversations, whose sockets they are.
const PEOPLE: usize = 64;

/// Source addresses, so that there are ports for everyone.
const SOURCES: usize = 8;

/// Handshakes at a time.
const AT_A_TIME: usize = 64;

/// Open files of this program and of the server that are no sockets of this load.
const OTHER_FILES: u64 = 256;

/// What comes to rest after the handshakes.
const REST: Duration = Duration::from_secs(3);

/// Long enough for every socket to be pinged once: the server does so after 25 seconds.
const PINGS: Duration = Duration::from_secs(32);

/// Memory at one time, in bytes.
struct Memory {
    server: u64,
    kernel: KernelMemory,
}

impl Memory {
    fn now(server: &Server) -> Result<Self> {
        Ok(Self { server: procfs::resident(server.pid())?, kernel: procfs::kernel_memory()? })
    }
}

pub(super) async fn run(stage: &Stage) -> Result<Vec<Row>> {
    let room = procfs::open_files()?.saturating_sub(OTHER_FILES);
    let number = usize::try_from(u64::from(stage.idle_sockets).min(room))?;
    if number < usize::try_from(stage.idle_sockets)? {
        progress(&format!("the open-file limit allows {number} idle sockets"));
    }
    let measured = async |server: &Server, doors| measure(stage, server, doors, number).await;
    // What the sign-ins have left in the process would be taken for sockets, and would hide that of others.
    Ok(vec![stage.with_rested_server(doors, measured).await?])
}

/// Where sockets can be opened: the paths of conversations, each with a token of one of its two people.
async fn doors(server: &Server) -> Result<Vec<(String, String)>> {
    let people = people::make(server, PEOPLE).await?;
    let mut doors = Vec::new();
    for pair in people.chunks_exact(2) {
        let conversation = people::conversation(server, &pair[0], &pair[1]).await?;
        doors.extend(pair.iter().map(|person| (frames::path(conversation), person.token.clone())));
    }
    Ok(doors)
}

async fn measure(stage: &Stage, server: &Server, doors: Vec<(String, String)>, number: usize) -> Result<Row> {
    sleep(REST).await;
    let before = Memory::now(server)?;
    let mut sockets = JoinSet::new();
    for first in (0..number).step_by(AT_A_TIME) {
        let mut opening = JoinSet::new();
        for socket in first..(first + AT_A_TIME).min(number) {
            let (path, token) = doors[socket % doors.len()].clone();
            opening.spawn_local(open(server.address, socket, path, token));
        }
        while let Some(opened) = opening.join_next().await {
            sockets.spawn_local(rest(opened??));
        }
    }
    sleep(REST).await;
    let open = Memory::now(server)?;
    tokio::select! {
        () = sleep(PINGS) => {}
        Some(ended) = sockets.join_next() => {
            ended??;
            bail!("an idle socket ended")
        }
    }
    let pinged = Memory::now(server)?;
    let each = |after: u64, before: u64| real(after.saturating_sub(before)) / real(count(number));
    Ok(stage
        .row()
        .with("sockets", number)
        .with("server bytes/socket", each(open.server, before.server))
        .with("server bytes/socket, after pings", each(pinged.server, before.server))
        .with("server before, MiB", real(before.server) / real(1 << 20))
        .with("server with all, MiB", real(pinged.server) / real(1 << 20))
        .with("kernel bytes/socket, both ends", each(pinged.kernel.slab, before.kernel.slab))
        .with("of that in buffers", each(pinged.kernel.tcp_buffers, before.kernel.tcp_buffers)))
}

async fn open(address: SocketAddr, number: usize, path: String, token: String) -> Result<Socket> {
    let source = Ipv4Addr::new(127, 0, 0, u8::try_from(2 + number % SOURCES)?);
    let opened = Socket::open(address, Some(IpAddr::V4(source)), &path, &token).await;
    opened.with_context(|| format!("opening idle socket {number}"))
}

/// Answers pings, for ever.
async fn rest(mut socket: Socket) -> Result<()> {
    loop {
        socket.receive(|frame| bail!("nobody spoke: {}", String::from_utf8_lossy(frame))).await?;
    }
}
