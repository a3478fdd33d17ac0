//! Chat at a calm pace, by turns alone and while 200 sign-ins a second arrive.

use std::time::Duration;

use anyhow::{Context, Result};

use super::{
    Load, WARM_UP,
    chat::Chat,
    requests::Arrivals,
    sends::{CALM, ROOMS},
    span::memory,
};
use crate::{
    compare::{door::Ask, figures::Measured, running::Running},
    number::real,
    tally::Span,
};

/// Accounts that sign in.
const PEOPLE: usize = 64;

/// Between two sign-ins.
const EVERY: Duration = Duration::from_millis(5);

/// Sign-ins under way at most: whoever comes while all of these are waits for one to end.
const AT_A_TIME: usize = 64;

/// How often calm and storm are measured, in turns: a latency that one message in a hundred exceeds needs thousands of
/// them, and a machine is not equally fast from one moment to the next.
const TURNS: usize = 4;

/// What was measured in calm or in storm.
struct Weather {
    span: Span,
    sign_ins: u64,
}

pub(super) async fn measure(server: &Running, load: &Load) -> Result<Vec<Measured>> {
    let rooms = server.contender().rooms(server, ROOMS, 2).await?;
    let asks = server.contender().sign_ins(server, PEOPLE).await?;
    let mut chat = Chat::begin(server, &rooms, CALM).await?;
    let (mut quiet, mut stormy) = (None, None);
    for _ in 0..TURNS {
        calm(server, load, &mut chat).await?.add_to(&mut quiet)?;
        storm(server, load, &mut chat, &asks).await?.add_to(&mut stormy)?;
    }
    let order = chat.finish().await?;
    let (quiet, stormy) = (quiet.context("no calm")?, stormy.context("no storm")?);
    let millis = |weather: &Weather, part| weather.span.latency.millis_at(part);
    let measured = Measured::of("640 messages/s, 200 sign-ins/s arrive")
        .beside("quiet p50 ms", millis(&quiet, 0.5))
        .beside("quiet p99 ms", millis(&quiet, 0.99))
        .beside("quiet p99.9 ms", millis(&quiet, 0.999))
        .beside("stormy p50 ms", millis(&stormy, 0.5))
        .less("stormy p99 ms", millis(&stormy, 0.99))
        .beside("stormy p99.9 ms", millis(&stormy, 0.999))
        .less("stormy p99 / quiet p99", millis(&stormy, 0.99) / millis(&quiet, 0.99))
        .beside("messages quiet", real(quiet.span.count))
        .beside("messages stormy", real(stormy.span.count))
        .beside("sign-ins/s", real(stormy.sign_ins) / stormy.span.usage.elapsed.as_secs_f64())
        .beside("server cores busy, quiet", quiet.span.usage.server_cores())
        .beside("server cores busy, stormy", stormy.span.usage.server_cores())
        .beside("client cores busy, quiet", quiet.span.usage.client_cores())
        .beside("client cores busy, stormy", stormy.span.usage.client_cores())
        .beside("other cores busy", stormy.span.usage.other_cores());
    Ok(vec![memory(measured, server)?.heard(order)])
}

async fn calm(server: &Running, load: &Load, chat: &mut Chat) -> Result<Weather> {
    chat.pass(WARM_UP).await?;
    Ok(Weather { span: chat.measure(server, load.lasts).await?, sign_ins: 0 })
}

async fn storm(server: &Running, load: &Load, chat: &mut Chat, asks: &[Ask]) -> Result<Weather> {
    let arrivals = Arrivals::begin(server, asks, AT_A_TIME, EVERY).await?;
    chat.pass(WARM_UP).await?;
    arrivals.count();
    let span = chat.measure(server, load.lasts).await?;
    Ok(Weather { span, sign_ins: arrivals.end().await? })
}

impl Weather {
    /// Adds this turn to those before.
    fn add_to(self, all: &mut Option<Self>) -> Result<()> {
        match all {
            Some(all) => {
                all.span.add(&self.span)?;
                all.sign_ins += self.sign_ins;
            }
            None => *all = Some(self),
        }
        Ok(())
    }
}
