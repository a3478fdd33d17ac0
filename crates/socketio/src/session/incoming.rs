//! What the client says.

use std::sync::Arc;

use bytes::Bytes;
use realtime::{Close, Queue};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{End, Session, Socket, Work};
use crate::{
    Protocol,
    engine::{Invalid, Packet as EnginePacket},
    namespace::{Event, Knock, Said},
    packet::{Content, Packet, connect_error_frame},
};

/// It is no packet, or not its time (RFC 6455, 7.4.1).
const VIOLATION: Close = Close(1002);

/// Binary where text is due.
const UNEXPECTED_BINARY: Close = Close(1003);

/// Bytes of a ping's content at most: those of a control frame's.
const MAX_PING: usize = 125;

/// Bytes of a namespace's name at most; it comes back when there is no such namespace.
const MAX_NAME: usize = 255;

const TOO_MANY: &str = "Too many messages. Please slow down.";

impl Session {
    /// Deals with a packet of the client's.
    pub(super) fn take(&mut self, packet: Result<EnginePacket, Invalid>) {
        let protocol = self.protocol();
        match packet {
            Ok(EnginePacket::Message(text)) => self.message(&text),
            Ok(EnginePacket::Binary(_)) => self.attachment(),
            Ok(EnginePacket::Ping(content)) if protocol == Protocol::V3 && content.len() <= MAX_PING => {
                self.outbox.push_back(Bytes::from(format!("3{content}")));
            }
            Ok(EnginePacket::Pong) if protocol == Protocol::V4 => {}
            Ok(EnginePacket::Upgrade | EnginePacket::Noop) => {}
            Ok(EnginePacket::Close) => self.finish(End::Left),
            Ok(EnginePacket::Ping(_) | EnginePacket::Pong) | Err(Invalid) => self.violated(VIOLATION),
        }
    }

    fn violated(&mut self, code: Close) {
        tracing::debug!(code = code.0, "a client broke the protocol");
        self.finish(End::Broken(code));
    }

    fn message(&mut self, text: &str) {
        match Packet::read(text, self.protocol()) {
            // Attachments were due.
            Ok(_) if self.incomplete.is_some() => self.violated(VIOLATION),
            Ok(packet) if packet.attachments > 0 => {
                let due = packet.attachments;
                self.incomplete = Some(Box::new((packet, due)));
            }
            Ok(packet) => self.packet(packet),
            Err(_) => self.violated(VIOLATION),
        }
    }

    fn attachment(&mut self) {
        match self.incomplete.take().map(|incomplete| *incomplete) {
            None => self.violated(UNEXPECTED_BINARY),
            Some((packet, 1)) => self.packet(packet),
            Some((packet, due)) => self.incomplete = Some(Box::new((packet, due - 1))),
        }
    }

    fn packet(&mut self, packet: Packet) {
        let granted = self.bucket.take(Instant::now().into_std());
        if packet.namespace.len() > MAX_NAME {
            return self.violated(VIOLATION);
        }
        let namespace = self.shared.namespace(&packet.namespace, self.protocol());
        let at = self.sockets.iter().position(|socket| Some(socket.namespace) == namespace);
        let refused = |message| connect_error_frame(&packet.namespace, self.handshake.protocol, message);
        match (packet.content, namespace, at) {
            (Content::Connect(_), None, _) => self.outbox.push_back(refused("Invalid namespace")),
            // Old clients are in `/` from the start, and some ask for it all the same.
            (Content::Connect(_), _, Some(_)) if self.protocol() == Protocol::V3 => {}
            (Content::Connect(auth), Some(namespace), None) => {
                if granted {
                    self.knock(namespace, auth, packet.query);
                } else {
                    self.outbox.push_back(refused(TOO_MANY));
                }
            }
            (Content::Event(event, ack), _, Some(at)) => self.event(at, event, ack, granted),
            (Content::Disconnect, _, Some(at)) => {
                self.sockets.remove(at);
                if self.sockets.is_empty() {
                    self.idle_since = Some(Instant::now());
                }
            }
            (Content::Ack, _, Some(_)) => {}
            // Said before the client knew that it was refused, or put out.
            (Content::Event(..) | Content::Disconnect | Content::Ack, Some(namespace), None)
                if self.known & (1 << namespace) != 0 => {}
            _ => self.violated(VIOLATION),
        }
    }

    /// Asks the namespace whether the client may come in.
    pub(super) fn knock(&mut self, namespace: usize, auth: Map<String, Value>, query: String) {
        self.known |= 1 << namespace;
        let queue = Arc::new(Queue::new(self.shared.limits.queue_bytes));
        let knock = Knock { handshake: Arc::clone(&self.handshake), auth, query, queue: Arc::clone(&queue) };
        let host = self.shared.host(namespace);
        let entrance = Box::pin(async move { host.connect(knock).await });
        self.alone = true;
        self.in_flight.push_back(Work::Entering { namespace, queue, entrance });
    }

    fn event(&mut self, at: usize, event: Event, ack: Option<u64>, granted: bool) {
        let Socket { live, id, .. } = &mut self.sockets[at];
        let socket = *id;
        let said = if granted { live.said(event) } else { Said::Answer(live.throttled(&event)) };
        match said {
            Said::Answer(answer) => {
                let socket = &mut self.sockets[at];
                socket.answer(self.shared.name(socket.namespace), ack, answer);
            }
            Said::Later(answer) => self.in_flight.push_back(Work::Answering { socket, ack, answer }),
            Said::Alone(answer) => {
                self.alone = true;
                self.in_flight.push_back(Work::Answering { socket, ack, answer });
            }
        }
    }
}
