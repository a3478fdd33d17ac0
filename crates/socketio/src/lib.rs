//! Socket.IO, the server's side: Engine.IO 4 and 3 over polling and WebSockets, and Socket.IO's packets on it
//! (protocol 5, and 4 for clients v2).
//!
//! A dialect gives a [`Namespace`]; [`SocketIo`] serves all of them under `/socket.io/`. Our own for the same reason
//! as the kit's WebSockets: an idle connection holds no buffers, an event is encoded once for all who hear it, and
//! what waits for a connection is written at once.
//!
//! The way of a packet: a transport ([`websocket`], [`polling`]) hands what came to the [`session`], which knows no
//! transport. It asks namespaces and live sessions, each socket has a bounded queue of its own, and the transport
//! takes from there what is to be sent.

mod credentials;
mod engine;
mod handshake;
mod lenient;
mod namespace;
mod packet;
mod polling;
mod registry;
mod requests;
mod server;
mod session;
#[cfg(test)]
mod silence;
mod websocket;

pub use credentials::{Denied, authenticate};
pub use engine::Protocol;
pub use handshake::Handshake;
pub use namespace::{Answer, Arguments, Entrance, Event, Knock, Live, Namespace, Said};
pub use packet::event_frame;
pub use server::{SocketIo, Stop};
