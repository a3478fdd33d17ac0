//! Engine.IO: packets, and the payloads of polling that hold several.

mod packet;
mod payload;

pub(crate) use packet::{Invalid, Packet};
pub(crate) use payload::{decode, encode};

/// Engine.IO's protocol revision, and with it Socket.IO's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Protocol {
    /// Engine.IO 3 with Socket.IO protocol 4: clients v2. The client pings, and is in `/` from the start.
    V3,
    /// Engine.IO 4 with Socket.IO protocol 5: clients v3 and v4. The server pings.
    V4,
}
