//! Who listens to what on this node, and how what has happened gets to them.
//!
//! The way of an event: the store publishes it on the [`LocalBus`] after its commit; [`Hub::hear`] is called with events in
//! that order, has each encoded once a shape, and puts the shared bytes on the [`Queue`] of every listener. A listener that
//! is too slow overflows its own queue, and nobody waits for it.

mod bus;
mod flusher;
mod hub;
mod queue;

pub use bus::LocalBus;
pub use flusher::{Flusher, Outlet};
pub use hub::{Ear, Heard, Hub, Listening, Shape};
pub use queue::{Close, Frame, Note, Queue, Waiting};
