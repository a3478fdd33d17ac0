//! A connection that polls: a task of its own, to which its requests come.

use std::time::Duration;

use bytes::Bytes;
use realtime::Close;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until},
};

use crate::{
    engine::{Invalid, Packet, encode},
    session::{End, Session},
};

/// Packets of one answer at most: python-engineio refuses more.
const PACKETS: usize = 16;

/// Bytes taken from a queue for one answer.
const ENOUGH: usize = 4 << 10;

/// While a WebSocket is probed, a poll is held up for so long at most, so that the client can go on.
const NOOP_AFTER: Duration = Duration::from_millis(100);

/// How long a connection that is to be closed waits for the poll that can be told so.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// Requests on their way to the task at most.
pub(crate) const DESK: usize = 8;

/// What a request asks.
pub(crate) enum Ask {
    /// A payload, when there is something to be sent.
    Poll(oneshot::Sender<Polled>),
    /// These packets are to be looked at; answered when they were.
    Post(Vec<Result<Packet, Invalid>>, oneshot::Sender<Posted>),
    /// A WebSocket is probed: polls are not to be held up any more.
    Probed,
    /// The probe came to nothing.
    Abandoned,
    /// The WebSocket takes over.
    TakeOver(oneshot::Sender<Box<Session>>),
}

/// What comes of a poll.
#[derive(Debug)]
pub(crate) enum Polled {
    /// Some packets, or the end of the connection.
    Payload(Vec<u8>),
    /// There was another poll already. That ends the connection.
    Overlap,
}

/// What comes of a post.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Posted {
    Done,
    /// It held what is no packet, or there was another post already. That ends the connection.
    Refused,
}

const NOOP: Bytes = Bytes::from_static(b"6");
const CLOSE: Bytes = Bytes::from_static(b"1");

struct Poll {
    answer: oneshot::Sender<Polled>,
    came_at: Instant,
}

struct Poller {
    session: Box<Session>,
    poll: Option<Poll>,
    post: Option<oneshot::Sender<Posted>>,
    /// Its first poll, the handshake, is not answered yet.
    is_new: bool,
    is_probed: bool,
    /// The client knows that the connection is over.
    is_told: bool,
    close_by: Option<Instant>,
}

/// Something happened that is no request.
enum News {
    Asked(Option<Ask>),
    Woken,
    /// The client has dropped its poll.
    PollDropped,
    /// It is time for a noop, or to give up.
    Time,
}

/// Serves the requests of a connection until it ends, or a WebSocket takes over.
pub(crate) async fn run(session: Box<Session>, mut desk: mpsc::Receiver<Ask>) {
    let mut poller = Poller {
        session,
        poll: None,
        post: None,
        is_new: true,
        is_probed: false,
        is_told: false,
        close_by: None,
    };
    while poller.settle() {
        match poller.news(&mut desk).await {
            News::Asked(Some(Ask::TakeOver(taker))) => {
                poller.hand_over(taker).await;
                return;
            }
            News::Asked(Some(ask)) => poller.asked(ask),
            News::Asked(None) | News::PollDropped => poller.session.finish(End::Left),
            News::Woken => {}
            News::Time => poller.time(),
        }
    }
    drop(desk);
    poller.session.wind_up().await;
}

impl Poller {
    /// Answers what can be answered. `false` when it is over.
    fn settle(&mut self) -> bool {
        // First, since what is taken from the session makes room for more of a post.
        self.answer_poll();
        match self.session.end() {
            Some(End::Broken(_)) => self.answer_post(Posted::Refused),
            Some(_) => self.answer_post(Posted::Done),
            None if self.session.is_caught_up() => self.answer_post(Posted::Done),
            None => {}
        }
        match self.session.end() {
            None => true,
            Some(End::Close(_)) => {
                let now = Instant::now();
                !self.is_told && now < *self.close_by.get_or_insert(now + CLOSE_WITHIN)
            }
            Some(End::Broken(_) | End::Left | End::Gone) => false,
        }
    }

    fn answer_post(&mut self, posted: Posted) {
        if let Some(post) = self.post.take() {
            // Nobody may be there any more.
            let _ = post.send(posted);
        }
    }

    /// Answers the poll if there is something for it.
    fn answer_poll(&mut self) {
        if self.poll.is_none() {
            return;
        }
        // The handshake is answered with the opening packet alone, as the reference does.
        let most = if std::mem::take(&mut self.is_new) { 1 } else { PACKETS };
        let packets = self.session.waiting(most, ENOUGH);
        if !packets.is_empty() {
            self.reply(&packets);
            // A server that stops cannot wait for another poll, which may find nobody who listens.
            let is_stopping = self.session.end() == Some(End::Close(Close::GOING_AWAY));
            self.is_told |= is_stopping && self.session.has_said_all();
            return;
        }
        // Not along with other packets: socket.io-client would heed the close before a DISCONNECT that it came behind.
        match self.session.end() {
            None => {}
            Some(End::Left) => self.reply(&[NOOP]),
            Some(End::Close(_) | End::Broken(_) | End::Gone) => {
                self.reply(&[CLOSE]);
                self.is_told = true;
            }
        }
    }

    fn reply(&mut self, packets: &[Bytes]) {
        if let Some(poll) = self.poll.take() {
            let _ = poll.answer.send(Polled::Payload(encode(packets, self.session.protocol())));
        }
    }

    async fn news(&mut self, desk: &mut mpsc::Receiver<Ask>) -> News {
        let noop_at = self.poll.as_ref().filter(|_| self.is_probed).map(|poll| poll.came_at + NOOP_AFTER);
        let time = noop_at.into_iter().chain(self.close_by).min();
        let is_open = self.session.end().is_none();
        let dropped = async {
            match &mut self.poll {
                Some(poll) => poll.answer.closed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ask = desk.recv() => News::Asked(ask),
            () = dropped => News::PollDropped,
            () = self.session.wake(), if is_open => News::Woken,
            () = sleep_until(time.unwrap_or_else(Instant::now)), if time.is_some() => News::Time,
        }
    }

    fn asked(&mut self, ask: Ask) {
        match ask {
            Ask::Poll(answer) if self.poll.is_some() => {
                let _ = answer.send(Polled::Overlap);
                self.session.finish(End::Gone);
            }
            Ask::Poll(answer) => self.poll = Some(Poll { answer, came_at: Instant::now() }),
            Ask::Post(_, answer) if self.post.is_some() => {
                let _ = answer.send(Posted::Refused);
                self.session.finish(End::Gone);
            }
            Ask::Post(packets, answer) => {
                self.is_told |= packets.contains(&Ok(Packet::Close));
                self.post = Some(answer);
                for packet in packets {
                    self.session.offer(packet);
                }
            }
            Ask::Probed => self.is_probed = true,
            Ask::Abandoned => self.is_probed = false,
            Ask::TakeOver(_) => {}
        }
    }

    fn time(&mut self) {
        if self.is_probed && self.session.end().is_none() {
            self.reply(&[NOOP]);
        }
    }

    /// Gives the connection away; requests that are still open are told so.
    async fn hand_over(mut self, taker: oneshot::Sender<Box<Session>>) {
        self.reply(&[NOOP]);
        self.answer_post(Posted::Done);
        self.session.registered().is_websocket_now();
        if let Err(session) = taker.send(self.session) {
            session.wind_up().await;
        }
    }
}
