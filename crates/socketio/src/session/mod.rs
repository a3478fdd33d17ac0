//! A connection, whatever transport carries it: packets in, packets out, sockets in namespaces between them.

mod heartbeat;
mod incoming;
mod socket;
mod work;

use std::{collections::VecDeque, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream::FuturesOrdered};
use kit::websocket::Bucket;
use realtime::Close;
use serde_json::json;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::{
    Handshake, Protocol,
    engine::{Invalid, Packet as EnginePacket},
    namespace::Entrance,
    packet::{Packet, connect_error_frame, connect_frame, disconnect_frame},
    registry::Registered,
    server::Shared,
};
use heartbeat::{Beat, Heartbeat};
pub(crate) use heartbeat::{PING_INTERVAL, PING_TIMEOUT};
use socket::{Socket, any_news};
use work::{Done, Work};

/// A client that is in no namespace for this long is not waited for.
const CONNECT_WITHIN: Duration = Duration::from_secs(45);

/// How long after its CONNECT one that is shown out gets its DISCONNECT: python-socketio's asyncio client overlooks one
/// that comes before its `connect()` has returned, and would then wait for ever.
const SHOW_OUT_AFTER: Duration = Duration::from_millis(100);

/// Events of one connection in the works at a time; further ones wait.
const IN_FLIGHT: usize = 256;

/// Packets that may wait beside the queues before the client is no longer listened to.
const OUTBOX: usize = 256;

/// The state of a connection.
pub(crate) struct Session {
    shared: Arc<Shared>,
    registered: Registered,
    handshake: Arc<Handshake>,
    sockets: Vec<Socket>,
    next_socket: u32,
    /// The namespaces that the client has knocked at, as bits: what it says to one that it was put out of is dropped,
    /// what it says to others is a violation.
    known: u64,
    /// What goes out before all that is queued.
    outbox: VecDeque<Bytes>,
    /// What has come and is not looked at yet.
    backlog: VecDeque<Result<EnginePacket, Invalid>>,
    /// A packet whose attachments are on their way, and how many of them.
    incomplete: Option<Box<(Packet, usize)>>,
    in_flight: FuturesOrdered<Work>,
    /// Whether the last one in flight has to be done before anything else is begun.
    alone: bool,
    bucket: Bucket,
    heartbeat: Heartbeat,
    /// Since when the client is in no namespace.
    idle_since: Option<Instant>,
    alarm: Pin<Box<Sleep>>,
    end: Option<End>,
}

/// How a connection ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// What is in the outbox goes out, then it is closed; on a WebSocket with this code.
    Close(Close),
    /// The client broke the protocol: it is closed, on a WebSocket with this code.
    Broken(Close),
    /// The client has left.
    Left,
    /// Nothing is heard of it any more.
    Gone,
}

impl Session {
    /// A new connection; its first packet tells the client of it.
    pub(crate) fn open(
        shared: Arc<Shared>,
        registered: Registered,
        handshake: Handshake,
        upgrades: &[&str],
    ) -> Box<Self> {
        let now = Instant::now();
        let opening = json!({
            "sid": registered.sid().to_string(),
            "upgrades": upgrades,
            "pingInterval": PING_INTERVAL.as_millis(),
            "pingTimeout": PING_TIMEOUT.as_millis(),
            "maxPayload": shared.limits.max_frame,
        });
        let mut session = Box::new(Self {
            bucket: Bucket::new(shared.limits.rate, now.into_std()),
            heartbeat: Heartbeat::new(handshake.protocol, now),
            alarm: Box::pin(sleep_until(now + PING_INTERVAL)),
            shared,
            registered,
            handshake: Arc::new(handshake),
            sockets: Vec::new(),
            next_socket: 0,
            known: 0,
            outbox: VecDeque::from([format!("0{opening}").into()]),
            backlog: VecDeque::new(),
            incomplete: None,
            in_flight: FuturesOrdered::new(),
            alone: false,
            idle_since: Some(now),
            end: None,
        });
        if session.protocol() == Protocol::V3
            && let Some(root) = session.shared.namespace("/", Protocol::V3)
        {
            session.knock(root, serde_json::Map::new(), String::new());
        }
        session
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.handshake.protocol
    }

    pub(crate) fn registered(&self) -> &Registered {
        &self.registered
    }

    /// Why the connection is to be closed, once [`Self::waiting`] gives nothing more.
    pub(crate) fn end(&self) -> Option<End> {
        self.end
    }

    /// Whether a packet that is offered now would be looked at at once.
    pub(crate) fn is_ready(&self) -> bool {
        self.end.is_none()
            && self.backlog.is_empty()
            && !self.alone
            && self.in_flight.len() < IN_FLIGHT
            && self.outbox.len() < OUTBOX
    }

    /// Takes what the client has sent; looked at in order, as soon as may be.
    pub(crate) fn offer(&mut self, packet: Result<EnginePacket, Invalid>) {
        self.heartbeat.heard(Instant::now());
        if self.is_ready() {
            self.take(packet);
        } else if self.end.is_none() {
            self.backlog.push_back(packet);
        }
    }

    /// Whether all that was offered was looked at.
    pub(crate) fn is_caught_up(&self) -> bool {
        self.backlog.is_empty()
    }

    /// Waits until there may be something to be sent, or the connection is to be closed; not to be called any more
    /// once it is. Safe to cancel.
    pub(crate) async fn wake(&mut self) {
        let alarm_at = self.alarm_at();
        if self.alarm.is_elapsed() || self.alarm.deadline() > alarm_at {
            self.alarm.as_mut().reset(alarm_at);
        }
        tokio::select! {
            Some(done) = self.in_flight.next(), if !self.in_flight.is_empty() => self.finished(done),
            () = any_news(&mut self.sockets) => {}
            () = self.registered.stopped() => self.put_out(Close::GOING_AWAY, |_| true),
            () = self.alarm.as_mut() => self.alarmed(),
        }
        self.heed_closed_queues();
        self.catch_up();
    }

    /// Takes what is to be sent: `most` packets at most, and from each queue no more than `enough` bytes at a time.
    pub(crate) fn waiting(&mut self, most: usize, enough: usize) -> Vec<Bytes> {
        self.heed_closed_queues();
        for socket in &self.sockets {
            if self.outbox.len() < most {
                self.outbox.extend(socket.queue.take(enough).frames.into_iter().map(|frame| frame.bytes));
            }
        }
        let packets = self.outbox.drain(..self.outbox.len().min(most)).collect();
        if self.outbox.is_empty() {
            self.outbox = VecDeque::new();
        }
        self.catch_up();
        packets
    }

    /// Whether nothing is left of what had to be sent before a close.
    pub(crate) fn has_said_all(&self) -> bool {
        self.outbox.is_empty()
    }

    /// The connection is to be closed; nothing more is heard of anybody's.
    pub(crate) fn finish(&mut self, end: End) {
        if self.end.is_none() {
            self.end = Some(end);
            for socket in self.sockets.drain(..) {
                self.outbox.extend(socket.drain());
            }
            self.backlog.clear();
            self.incomplete = None;
        }
    }

    /// Leaves everything, and waits until what was begun is done, though nobody is there to hear the answer.
    pub(crate) async fn wind_up(self: Box<Self>) {
        let Self { mut in_flight, .. } = *self;
        while in_flight.next().await.is_some() {}
    }

    fn catch_up(&mut self) {
        while !self.alone && self.in_flight.len() < IN_FLIGHT && self.outbox.len() < OUTBOX {
            let Some(packet) = self.backlog.pop_front() else { return };
            self.take(packet);
        }
    }

    fn finished(&mut self, done: Done) {
        // What is to be done alone is the last that was begun.
        self.alone &= !self.in_flight.is_empty();
        if self.end.is_some() {
            return;
        }
        match done {
            Done::ShownOut { namespace } => {
                self.outbox.push_back(disconnect_frame(self.shared.name(namespace)));
            }
            Done::Answered { socket, ack, answer } => {
                if let Some(socket) = self.sockets.iter_mut().find(|other| other.id == socket) {
                    socket.answer(self.shared.name(socket.namespace), ack, answer);
                }
            }
            Done::Entered { namespace, queue, entrance } => {
                let name = self.shared.name(namespace);
                let connect = || connect_frame(name, self.handshake.protocol, &self.shared.sid().to_string());
                match entrance {
                    Entrance::Refused(message) => {
                        self.outbox.push_back(connect_error_frame(name, self.handshake.protocol, &message));
                    }
                    Entrance::ShownOut(events) => {
                        self.outbox.push_back(connect());
                        self.outbox.extend(events);
                        self.alone = true;
                        self.in_flight
                            .push_back(Work::ShowingOut { namespace, time: Box::pin(sleep(SHOW_OUT_AFTER)) });
                    }
                    Entrance::Open { live, listening, events } => {
                        self.outbox.push_back(connect());
                        self.outbox.extend(events);
                        let id = self.next_socket;
                        self.next_socket = id.wrapping_add(1);
                        self.sockets.push(Socket { namespace, id, live, listening, queue });
                        self.idle_since = None;
                    }
                }
            }
        }
    }

    /// Ends the sockets whose queue was closed: an ended session's, or one that overflowed.
    fn heed_closed_queues(&mut self) {
        if let Some(why) = self.sockets.iter().find_map(Socket::closing) {
            self.put_out(why, |socket| socket.closing().is_some());
        }
    }

    /// Ends sockets from this side: what waits for them goes out, then a DISCONNECT each. When nobody is left who
    /// listens, the connection is closed.
    fn put_out(&mut self, why: Close, whom: impl Fn(&Socket) -> bool) {
        let out = |outbox: &mut VecDeque<Bytes>, shared: &Shared, socket: &Socket| {
            outbox.extend(socket.drain());
            outbox.push_back(disconnect_frame(shared.name(socket.namespace)));
        };
        for socket in self.sockets.extract_if(.., |socket| whom(socket)) {
            out(&mut self.outbox, &self.shared, &socket);
        }
        if !self.sockets.iter().any(|socket| socket.listening.is_some()) {
            for socket in self.sockets.drain(..) {
                out(&mut self.outbox, &self.shared, &socket);
            }
            self.finish(End::Close(why));
        }
    }

    fn alarm_at(&self) -> Instant {
        let beat_at = self.heartbeat.alarm_at();
        self.idle_since.map_or(beat_at, |since| beat_at.min(since + CONNECT_WITHIN))
    }

    fn alarmed(&mut self) {
        let now = Instant::now();
        match self.heartbeat.beat(now) {
            Beat::Nothing => {}
            Beat::Ping => self.outbox.push_back(Bytes::from_static(b"2")),
            Beat::Gone => self.finish(End::Gone),
        }
        if self.idle_since.is_some_and(|since| now >= since + CONNECT_WITHIN) {
            self.finish(End::Close(NORMAL));
        }
    }
}

/// The connection has served its purpose (RFC 6455, 7.4.1).
const NORMAL: Close = Close(1000);
