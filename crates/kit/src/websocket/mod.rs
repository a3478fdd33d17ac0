//! WebSockets (RFC 6455), from the handshake to the last close frame.
//!
//! Our own, since this is where most of the server's memory and time go: an idle socket holds no buffer, a frame that
//! goes to many is encoded once, and what waits for a socket is written at once.

pub mod frame;
mod handshake;
mod live;
mod outgoing;
mod pump;
mod rate;
mod shared;
mod sockets;

pub use handshake::{Handshake, Raw};
pub use live::{Limits, Live, Replay, Said};
pub use rate::{Bucket, MessageRate};
pub use sockets::Sockets;
