//! A connection over a WebSocket: from the start, or from an upgrade on.

mod pump;
mod upgrade;
mod wire;

pub(crate) use pump::run;
pub(crate) use upgrade::probe;
