//! How clients get in and speak: data, by which one client program serves all contenders.

/// Marks a text of ours in whatever frame it comes. No contender's frames contain it otherwise.
pub(crate) const MARK: u8 = b'~';

/// What fills a message up to the length of a usual one.
const FILLING: &str = "the tide comes in, the lantern goes out, and nobody minds";

/// The text of the message `number` of a sender: letters that need no escape in JSON.
pub(crate) fn text(sender: usize, number: u64) -> String {
    format!("~{sender}:{number}:{FILLING}")
}

/// The way of one client into one room.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    /// What it speaks.
    pub(crate) wire: Wire,
    /// Path and query of the opening request.
    pub(crate) path: String,
    /// More lines of the opening request's head, each ended by CR LF: `Authorization: Bearer …\r\n`.
    pub(crate) headers: String,
    /// What is to be done before it hears everything.
    pub(crate) greeting: Vec<Step>,
    /// How it says something.
    pub(crate) say: Say,
}

/// What a client speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wire {
    /// Text frames.
    WebSocket,
    /// Socket.IO 5 on Engine.IO 4, by WebSocket alone. Engine.IO's open packet is awaited, and pings are answered,
    /// before anything of the door is asked.
    SocketIo,
    /// A kept `GET` whose answer is a stream of server-sent events; the client speaks by `POST`.
    EventStream,
}

/// One step of a greeting.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Sends a text frame.
    Send(String),
    /// Waits for a frame (or an event's data) that contains this.
    Await(String),
    /// Takes what stands behind this, up to the next double quote, in a frame (or an event's data): the next steps
    /// have it in place of `{}`.
    Take(String),
    /// Asks by HTTP, on a connection of its own. The body may hold `{}`.
    Post {
        /// Path and query.
        path: String,
        /// More lines of the head, each ended by CR LF.
        headers: String,
        /// A JSON body.
        body: String,
        /// The status that is expected.
        status: u16,
    },
}

/// How a client says a text. The text stands between the two halves; it needs no escape in JSON.
#[derive(Clone, Debug)]
pub(crate) enum Say {
    /// By a text frame; what is said is acknowledged by its echo.
    Frame {
        /// What stands before the text.
        before: String,
        /// What stands behind it.
        after: String,
    },
    /// By a request on a kept connection of its own; what is said is acknowledged by the answer, and heard as by
    /// everyone else.
    Post {
        /// Path and query.
        path: String,
        /// More lines of the head, each ended by CR LF.
        headers: String,
        /// What stands before the text in the JSON body.
        before: String,
        /// What stands behind it.
        after: String,
        /// The status that acknowledges.
        status: u16,
    },
}

/// A request by HTTP and what its answer has to be.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// The whole request. The connection is kept.
    pub(crate) request: Vec<u8>,
    /// The status that is expected.
    pub(crate) status: u16,
    /// Where in the answer the list stands, as a JSON pointer (`""` for the answer itself, `"/items"`), and how many
    /// entries it has to have. Nothing for answers without a list.
    pub(crate) entries: Option<(&'static str, usize)>,
}
