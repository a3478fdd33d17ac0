//! The log, on standard error.

use std::{backtrace::Backtrace, io::IsTerminal};

use tracing_subscriber::EnvFilter;

/// What commands other than `serve` log: what goes wrong beside what they say themselves.
pub(crate) const OF_COMMANDS: &str = "warn,tertulia_domain::journal=off";

/// Begins to log what `filter` lets through, panics among it.
pub(crate) fn start(filter: &str) {
    let wants_no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && !wants_no_colour)
        .init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "-".to_owned(), ToString::to_string);
        let text = panic.payload_as_str().unwrap_or("-");
        // Captured only when RUST_BACKTRACE asks for it.
        tracing::error!(place, backtrace = %Backtrace::capture(), "panic: {text}");
    }));
}
