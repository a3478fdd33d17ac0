//! WebSockets (RFC 6455), from the handshake to the last close frame.
//!
//! Our own, since this is where most of the server's memory and time go: an idle socket holds no buffer, a frame that
//! goes to many is encoded once, and what waits for a socket is written at once.

mod frame;
mod handshake;
mod pump;
mod rate;

pub use handshake::Handshake;
pub use pump::{Limits, Live, Said, Sockets};
pub use rate::MessageRate;
