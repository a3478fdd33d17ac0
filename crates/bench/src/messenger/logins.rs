//! Sign-ins with password and code, and how many passwords the machine could check if it did nothing else.

use std::{
    num::NonZero,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use argon2::Argon2;

use super::{Stage, people};
use crate::{
    latency::Latency,
    meter::{Meter, Usage},
    number::{count, micros_each, real},
    parallel::each,
    procfs,
    report::Row,
    server::Server,
};

/// Accounts; each has one good code at a time.
const PEOPLE: usize = 64;

/// Sign-ins at a time.
const CONNECTIONS: usize = 32;

/// How long Argon2id has the machine to itself before each round of sign-ins.
const ALONE_FOR: Duration = Duration::from_secs(1);

pub(super) async fn run(stage: &Stage) -> Result<Vec<Row>> {
    stage.with_server(async |server| Ok(vec![measure(stage, server).await?])).await
}

async fn measure(stage: &Stage, server: &Server) -> Result<Row> {
    let people = people::make(server, PEOPLE).await?;
    let mut alone = Alone::default();
    let (mut usage, mut latency, mut signed_in) = (Usage::default(), Latency::new()?, 0);
    while usage.elapsed < stage.lasts {
        // The codes are made and read while nothing is measured.
        let logins = people::logins(server, &people).await?;
        // In turns with the logins, so that both meet the same machine.
        alone.hash_for(ALONE_FOR)?;
        let meter = Meter::start(server.pid())?;
        let times = each(server.address, CONNECTIONS, logins, async |connection, login| {
            let began = Instant::now();
            people::sign_in(connection, login).await?;
            Ok(began.elapsed())
        })
        .await?;
        usage = usage.and(meter.stop()?);
        signed_in += count(times.len());
        for took in times {
            latency.record(took);
        }
    }
    let bound = real(alone.hashes) / alone.elapsed.as_secs_f64();
    Ok(stage
        .row()
        .with("at a time", CONNECTIONS)
        .with("logins/s", usage.rate(signed_in))
        .with("Argon2id alone/s", bound)
        .with("part of the bound", usage.rate(signed_in) / bound)
        .with("p50 ms", latency.millis_at(0.5))
        .with("p99 ms", latency.millis_at(0.99))
        .with("server CPU ms/login", usage.server_each(signed_in) / 1000.0)
        .with("Argon2id CPU ms", micros_each(alone.cpu, alone.hashes) / 1000.0)
        .with("server memory after, MiB", real(procfs::resident(server.pid())?) / real(1 << 20))
        .with("other cores busy", usage.other_cores()))
}

/// Argon2id at the server's parameters, on all cores, in this process.
#[derive(Default)]
struct Alone {
    hashes: u64,
    elapsed: Duration,
    cpu: Duration,
}

impl Alone {
    /// Hashes for this long, while the server has nothing to do.
    fn hash_for(&mut self, lasts: Duration) -> Result<()> {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let before = procfs::cpu(std::process::id())?;
        let began = Instant::now();
        self.hashes += thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| hash_for(began, lasts))).collect();
            let done =
                workers.into_iter().map(|worker| worker.join().map_err(|_| anyhow!("a thread panicked"))?);
            done.sum::<Result<u64>>()
        })?;
        self.elapsed += began.elapsed();
        self.cpu += procfs::cpu(std::process::id())?.saturating_sub(before);
        Ok(())
    }
}

fn hash_for(began: Instant, lasts: Duration) -> Result<u64> {
    let argon2 = Argon2::default();
    let (mut hashes, mut hash) = (0, [0; 32]);
    while began.elapsed() < lasts {
        let hashed = argon2.hash_password_into(b"lantern-tide-42", b"salt of 16 bytes", &mut hash);
        hashed.map_err(|fault| anyhow!("hashing: {fault}"))?;
        hashes += 1;
    }
    Ok(hashes)
}
