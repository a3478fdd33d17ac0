//! Sign-ins by as many connections as can wait.

use std::time::Duration;

use anyhow::Result;

use super::{Load, requests::closed, span::Names};
use crate::compare::{figures::Measured, running::Running};

/// Accounts.
const PEOPLE: usize = 64;

/// Sign-ins at a time for each core: enough to keep all busy, and few enough that each is answered within seconds
/// where a hash takes half a second.
const EACH_CORE: usize = 4;

/// The shortest load: in less, too few would be counted where a hash takes so long.
const AT_LEAST: Duration = Duration::from_secs(15);

const NAMES: Names =
    Names { rate: "sign-ins/s", server: "server CPU µs/sign-in", client: "client CPU µs/sign-in" };

pub(super) async fn measure(server: &Running, load: &Load) -> Result<Vec<Measured>> {
    let asks = server.contender().sign_ins(server, PEOPLE).await?;
    let at_a_time = EACH_CORE * std::thread::available_parallelism()?.get();
    let span = closed(server, &asks, at_a_time, load.lasts.max(AT_LEAST)).await?;
    Ok(vec![NAMES.figures(format!("{at_a_time} at a time"), &span, server)?])
}
