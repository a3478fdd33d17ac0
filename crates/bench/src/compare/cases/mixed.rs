//! Chat at a calm pace: alone, and while 200 sign-ins a second arrive.

use std::time::Duration;

use anyhow::Result;

use super::{
    Load, WARM_UP,
    chat::Chat,
    requests::Arrivals,
    sends::{CALM, ROOMS},
};
use crate::{
    compare::{figures::Measured, running::Running},
    number::real,
};

/// Accounts that sign in.
const PEOPLE: usize = 64;

/// Between two sign-ins.
const EVERY: Duration = Duration::from_millis(5);

/// Sign-ins under way at most: whoever comes while all of these are waits for one to end.
const AT_A_TIME: usize = 64;

pub(super) async fn measure(server: &Running, load: Load) -> Result<Vec<Measured>> {
    let rooms = server.contender().rooms(server, ROOMS, 2).await?;
    let sign_ins = server.contender().sign_ins(server, PEOPLE).await?;
    let mut chat = Chat::begin(server, &rooms, CALM).await?;
    chat.pass(WARM_UP).await?;
    let quiet = chat.measure(server, load.lasts).await?;
    let storm = Arrivals::begin(server, &sign_ins, AT_A_TIME, EVERY).await?;
    chat.pass(WARM_UP).await?;
    storm.count();
    let stormy = chat.measure(server, load.lasts).await?;
    let signed_in = storm.end().await?;
    let checked = chat.finish().await?;
    let ratio = stormy.latency.millis_at(0.99) / quiet.latency.millis_at(0.99);
    Ok(vec![
        Measured::of("640 messages/s, 200 sign-ins/s arrive")
            .beside("quiet p50 ms", quiet.latency.millis_at(0.5))
            .beside("quiet p99 ms", quiet.latency.millis_at(0.99))
            .beside("stormy p50 ms", stormy.latency.millis_at(0.5))
            .less("stormy p99 ms", stormy.latency.millis_at(0.99))
            .less("stormy p99 / quiet p99", ratio)
            .beside("messages/s in the storm", stormy.usage.rate(stormy.count))
            .beside("sign-ins/s", real(signed_in) / stormy.usage.elapsed.as_secs_f64())
            .beside("other cores busy", stormy.usage.other_cores())
            .beside("peak memory, MiB", real(server.peak()?) / real(1 << 20))
            .beside("checked messages", real(checked)),
    ])
}
