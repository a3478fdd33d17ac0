//! Sign-ins by as many connections as can wait.

use std::time::Duration;

use anyhow::Result;

use super::{Load, requests::closed, span::Names};
use crate::compare::{figures::Measured, running::Running};

/// Accounts.
const PEOPLE: usize = 64;

/// Sign-ins at a time.
const CONNECTIONS: usize = 32;

/// The shortest load: where a hash takes half a second of a core, all who wait are served only in so long a time.
const AT_LEAST: Duration = Duration::from_secs(15);

const NAMES: Names =
    Names { rate: "sign-ins/s", server: "server CPU µs/sign-in", client: "client CPU µs/sign-in" };

pub(super) async fn measure(server: &Running, load: &Load) -> Result<Vec<Measured>> {
    let asks = server.contender().sign_ins(server, PEOPLE).await?;
    let span = closed(server, &asks, CONNECTIONS, load.lasts.max(AT_LEAST)).await?;
    Ok(vec![span.figures(format!("{CONNECTIONS} at a time"), &NAMES, server)?])
}
