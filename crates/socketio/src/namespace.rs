//! What a dialect gives: a namespace, which decides who comes in, and a live session for each who does.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use realtime::{Listening, Queue};
use serde_json::{Map, Value};

use crate::{Handshake, packet::event_frame};

/// A namespace of a dialect, such as `/widget`. It knows no transport.
#[async_trait]
pub trait Namespace: Send + Sync + 'static {
    /// A client asks to come in. The connection's further packets wait for the answer, those to other namespaces too.
    ///
    /// Subscribe (on [`Knock::queue`]) before you answer, so that nothing is missed: what is queued meanwhile goes out
    /// after the CONNECT and the [`Entrance::Open`] events.
    async fn connect(&self, knock: Knock) -> Entrance;
}

/// A client at the door of a namespace.
pub struct Knock {
    /// The request with which its connection began.
    pub handshake: Arc<Handshake>,
    /// The auth payload of the CONNECT packet (protocol 5); else empty.
    pub auth: Map<String, Value>,
    /// The namespace's query, as in `/widget?token=…` (protocol 4); else empty.
    pub query: String,
    /// The socket's queue, for [`Hub::listen`](realtime::Hub::listen). Frames are made by [`event_frame`].
    pub queue: Arc<Queue>,
}

/// What comes of a [`Knock`].
pub enum Entrance {
    /// The client is in: CONNECT, then `events`, then what is queued.
    Open {
        /// What it says goes here. Dropped as soon as it has left.
        live: Box<dyn Live>,
        /// Ends with the socket. `None`: a bystander, who hears nothing of the hub; when all others in a connection
        /// were put out, such a one does not keep it open.
        listening: Option<Listening>,
        /// What it is told first: frames of [`event_frame`].
        events: Vec<Bytes>,
    },
    /// CONNECT_ERROR with this message.
    Refused(String),
    /// CONNECT, these frames of [`event_frame`], and a tenth of a second later DISCONNECT. What it says is dropped.
    ShownOut(Vec<Bytes>),
}

/// The speaking half of a socket.
pub trait Live: Send {
    /// What comes of an event.
    fn said(&mut self, event: Event) -> Said;

    /// Queues an answer that is due now: the ack's frame if one was asked for, then the events. To be done otherwise
    /// where something else has to stand behind it, and nothing between.
    fn answered(&mut self, queue: &Queue, ack: Option<Bytes>, events: Vec<Bytes>) {
        for frame in ack.into_iter().chain(events) {
            queue.push(frame);
        }
    }

    /// The answer to an event that came too fast (see [`MessageRate`](kit::websocket::MessageRate)); it does not
    /// happen otherwise.
    fn throttled(&mut self, event: &Event) -> Answer;
}

/// An event of a client's.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// What came with it.
    pub arguments: Arguments,
    /// Whether an ack is due: see [`Answer::ack`].
    pub wants_ack: bool,
}

/// The arguments of an event.
#[derive(Clone, PartialEq, Debug)]
pub enum Arguments {
    /// As they were sent.
    Values(Vec<Value>),
    /// They hold binary attachments, or JSON that cannot be read here: lone surrogates, nesting beyond 128 levels,
    /// numbers beyond a double, Python's `NaN`. Bad input, wherever an argument is looked at.
    Unusable,
}

/// What goes back to a socket alone.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Answer {
    /// Frames of [`event_frame`].
    pub events: Vec<Bytes>,
    /// The ack's one argument. It is sent if the client asked for one, before the events; without a value the ack
    /// holds `null`.
    pub ack: Option<Value>,
}

/// What comes of an event.
pub enum Said {
    /// Nothing to wait for.
    Answer(Answer),
    /// It is in the works, and its answer comes later. The next events need not wait: they are begun in order, and
    /// answered in order.
    Later(BoxFuture<'static, Answer>),
    /// As `Later`, but nothing else that the connection says is begun before it is done.
    Alone(BoxFuture<'static, Answer>),
}

impl Event {
    /// The first argument: `None` when it is missing, `null` or unusable.
    pub fn argument(&self) -> Option<&Value> {
        match &self.arguments {
            Arguments::Values(values) => values.first().filter(|value| !value.is_null()),
            Arguments::Unusable => None,
        }
    }
}

impl Answer {
    /// No event, and an empty ack.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// An event, and the same payload as ack.
    pub fn event(namespace: &str, name: &str, payload: Value) -> Self {
        Self { events: vec![event_frame(namespace, name, &payload)], ack: Some(payload) }
    }

    /// An ack alone.
    pub fn acked(payload: Value) -> Self {
        Self { events: Vec::new(), ack: Some(payload) }
    }

    /// What an event without a meaning gets: no event, and `{"message":"Unknown event"}` as ack.
    pub fn unknown_event() -> Self {
        Self::acked(serde_json::json!({ "message": "Unknown event" }))
    }
}

/// What old clients find in `/` where no dialect has it: silence.
pub(crate) struct Silence;

#[async_trait]
impl Namespace for Silence {
    async fn connect(&self, _: Knock) -> Entrance {
        Entrance::Open { live: Box::new(Self), listening: None, events: Vec::new() }
    }
}

impl Live for Silence {
    fn said(&mut self, _: Event) -> Said {
        Said::Answer(Answer::unknown_event())
    }

    fn throttled(&mut self, _: &Event) -> Answer {
        Answer::unknown_event()
    }
}
