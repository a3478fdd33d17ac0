//! The hub: topics, listeners, and each event encoded once for all who want the same bytes.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use dashmap::DashMap;
use domain::{Event, Grant, Topic};

use crate::{Close, Frame, Queue};

/// Which bytes a listener wants of an event: two listeners with equal shapes share them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shape {
    /// The dialect (and transport, where frames differ by it).
    pub dialect: &'static str,
    /// The base of absolute URLs in the frame; empty where there are none.
    pub base: Arc<str>,
    /// What else tells frames apart, such as whose message it is.
    pub variant: u64,
}

/// What a listener makes of an event.
#[derive(Clone, Debug)]
pub enum Heard {
    /// Nothing.
    Nothing,
    /// This goes to the socket.
    Frame(Frame),
    /// The socket has to be closed.
    Close(Close),
}

/// The listening half of a live session: it turns events into frames, and knows no socket.
pub trait Ear: Send + Sync {
    /// Tells listeners that want other bytes apart.
    fn shape(&self, event: &Event) -> Shape;

    /// Encodes the event. Called once for all listeners of one shape.
    fn heard(&self, event: &Event) -> Heard;
}

/// Who listens to what on this node.
pub struct Hub {
    topics: DashMap<Topic, Vec<Arc<Listener>>>,
    next_listener: AtomicU64,
    /// The number of the event that is handed out, or was last.
    last_event: Mutex<u64>,
}

struct Listener {
    id: u64,
    ear: Arc<dyn Ear>,
    queue: Arc<Queue>,
    /// The number of the last event put on the queue, so that one that is heard under two topics comes once.
    last_event: AtomicU64,
}

/// A listener's place in the hub; dropping it ends the listening.
pub struct Listening {
    hub: Arc<Hub>,
    id: u64,
    topics: Box<[Topic]>,
}

impl Hub {
    /// A hub without listeners.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { topics: DashMap::new(), next_listener: AtomicU64::new(0), last_event: Mutex::new(0) })
    }

    /// From now on `queue` gets what `ear` makes of the events of `topics`, each once, and the close of an ended grant.
    #[must_use = "dropping it ends the listening"]
    pub fn listen(self: &Arc<Self>, topics: &[Topic], ear: Arc<dyn Ear>, queue: Arc<Queue>) -> Listening {
        let id = self.next_listener.fetch_add(1, Ordering::Relaxed);
        let listener = Arc::new(Listener { id, ear, queue, last_event: AtomicU64::new(0) });
        for topic in topics {
            self.topics.entry(*topic).or_default().push(Arc::clone(&listener));
        }
        Listening { hub: Arc::clone(self), id, topics: topics.into() }
    }

    /// Puts an event on the queues of all who listen to its topics. Events are handed out one after another, in the
    /// order of the calls. Never waits for a listener.
    pub fn hear(&self, event: &Event) {
        let mut number = self.last_event.lock().unwrap_or_else(PoisonError::into_inner);
        *number += 1;
        self.hand_out(event, *number);
    }

    /// The grants that have an open socket on this node.
    pub fn grants_in_use(&self) -> Vec<Grant> {
        let grant = |topic: &Topic| match topic {
            Topic::Grant(grant) => Some(*grant),
            _ => None,
        };
        self.topics.iter().filter_map(|entry| grant(entry.key())).collect()
    }

    /// Closes every socket that listens, after what waits for it and after the event that is being handed out.
    pub fn close_all(&self, why: Close) {
        let _handing_out = self.last_event.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in &self.topics {
            for listener in entry.value() {
                listener.queue.close(why);
            }
        }
    }

    fn hand_out(&self, event: &Event, number: u64) {
        let mut encoded: Vec<(Shape, Heard)> = Vec::new();
        event.topics(|topic| {
            let Some(listeners) = self.topics.get(&topic) else { return };
            for listener in listeners.iter() {
                if listener.last_event.swap(number, Ordering::Relaxed) == number {
                    continue;
                }
                if let Event::GrantEnded { .. } = event {
                    listener.queue.close(Close::SESSION_ENDED);
                    continue;
                }
                match encode(&mut encoded, &*listener.ear, event) {
                    Heard::Nothing => {}
                    Heard::Frame(frame) => listener.queue.push(frame),
                    Heard::Close(why) => listener.queue.close(why),
                }
            }
        });
    }

    fn forget(&self, id: u64, topic: Topic) {
        if let Some(mut listeners) = self.topics.get_mut(&topic) {
            if let Some(at) = listeners.iter().position(|listener| listener.id == id) {
                listeners.swap_remove(at);
            }
            if listeners.len() * 4 < listeners.capacity() {
                listeners.shrink_to_fit();
            }
        }
        self.topics.remove_if(&topic, |_, listeners| listeners.is_empty());
    }
}

/// What this ear makes of the event: encoded now, or before for another ear of the same shape.
fn encode(encoded: &mut Vec<(Shape, Heard)>, ear: &dyn Ear, event: &Event) -> Heard {
    let shape = ear.shape(event);
    if let Some((_, heard)) = encoded.iter().rev().find(|(known, _)| *known == shape) {
        return heard.clone();
    }
    let heard = ear.heard(event);
    encoded.push((shape, heard.clone()));
    heard
}

impl Drop for Listening {
    fn drop(&mut self) {
        for topic in &self.topics {
            self.hub.forget(self.id, *topic);
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        AccountId, ConversationId, MessageId, Posted, SessionId, Time,
        accounts::{Avatar, Person, Role},
        messages::Message,
        ports::Bus,
    };
    use uuid::Uuid;

    use super::*;
    use crate::LocalBus;

    /// Hears the text of messages, and counts how often it had to encode.
    struct Listener(u64, Arc<AtomicU64>);

    impl Ear for Listener {
        fn shape(&self, _: &Event) -> Shape {
            Shape { dialect: "test", base: "".into(), variant: self.0 }
        }

        fn heard(&self, event: &Event) -> Heard {
            self.1.fetch_add(1, Ordering::Relaxed);
            match event {
                Event::MessagePosted(posted) => Heard::Frame(posted.message.text.clone().into()),
                _ => Heard::Nothing,
            }
        }
    }

    fn posted(text: &str) -> Arc<Event> {
        let author = Person {
            id: AccountId(1),
            uuid: Uuid::nil(),
            username: "ana".into(),
            email: String::new(),
            first_name: String::new(),
            last_name: String::new(),
            role: Role::Student,
            two_factor: false,
            avatar: Avatar::default(),
        };
        let message = Message {
            id: MessageId(1),
            uuid: Uuid::nil(),
            conversation: ConversationId(7),
            position: 1,
            author: AccountId(1),
            author_uuid: Uuid::nil(),
            author_name: "ana".into(),
            text: text.into(),
            image: String::new(),
            created_at: Time(0),
            media: Vec::new(),
            receipt: None,
        };
        let direct_pair = vec![AccountId(1), AccountId(2)];
        Arc::new(Event::MessagePosted(Arc::new(Posted {
            message,
            author,
            direct_pair,
            room_members: Vec::new(),
            relation: None,
            client_id: None,
        })))
    }

    struct Stage {
        hub: Arc<Hub>,
        bus: Arc<LocalBus>,
        encodings: Arc<AtomicU64>,
    }

    fn stage() -> Stage {
        let (bus, hub) = (LocalBus::new(), Hub::new());
        let hearing = Arc::clone(&hub);
        bus.heed_with(move |event| hearing.hear(event));
        Stage { hub, bus, encodings: Arc::default() }
    }

    impl Stage {
        fn listen(&self, topics: &[Topic], variant: u64) -> (Arc<Queue>, Listening) {
            let queue = Arc::new(Queue::new(1 << 20));
            let ear = Arc::new(Listener(variant, Arc::clone(&self.encodings)));
            let listening = self.hub.listen(topics, ear, Arc::clone(&queue));
            (queue, listening)
        }
    }

    #[tokio::test]
    async fn one_encoding_serves_all_of_a_shape_and_nothing_comes_twice() {
        let stage = stage();
        let both = [Topic::Conversation(ConversationId(7)), Topic::Account(AccountId(2))];
        let listeners: Vec<_> = (0..100).map(|i| stage.listen(&both, i % 2)).collect();
        stage.bus.publish(posted("hello"));
        for (queue, _) in &listeners {
            queue.wait().await;
            assert_eq!(queue.take(usize::MAX).frames, [Frame::from("hello")]);
        }
        assert_eq!(stage.encodings.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn who_left_hears_no_more_and_leaves_nothing_behind() {
        let stage = stage();
        let topic = [Topic::Conversation(ConversationId(7))];
        let (gone, listening) = stage.listen(&topic, 0);
        let (here, still) = stage.listen(&topic, 0);
        drop(listening);
        stage.bus.publish(posted("hello"));
        here.wait().await;
        assert!(gone.take(usize::MAX).frames.is_empty());
        drop(still);
        assert!(stage.hub.topics.is_empty());
    }

    /// Encodes only when it may.
    struct Slow(Mutex<std::sync::mpsc::Receiver<()>>);

    impl Ear for Slow {
        fn shape(&self, _: &Event) -> Shape {
            Shape { dialect: "slow", base: "".into(), variant: 0 }
        }

        fn heard(&self, _: &Event) -> Heard {
            self.0.lock().unwrap().recv().unwrap();
            Heard::Frame("hello".into())
        }
    }

    #[test]
    fn an_event_that_is_being_handed_out_is_before_the_close_of_all() {
        let stage = stage();
        let (go, wait) = std::sync::mpsc::channel();
        let queue = Arc::new(Queue::new(1 << 20));
        let topic = [Topic::Conversation(ConversationId(7))];
        let _listening = stage.hub.listen(&topic, Arc::new(Slow(Mutex::new(wait))), Arc::clone(&queue));
        std::thread::scope(|scope| {
            scope.spawn(|| stage.bus.publish(posted("hello")));
            while stage.hub.last_event.try_lock().is_ok() {
                std::thread::yield_now();
            }
            let closing = scope.spawn(|| stage.hub.close_all(Close::GOING_AWAY));
            // Were nothing in its way, it would be done soon.
            for _ in 0..1000 {
                assert!(!closing.is_finished());
                std::thread::yield_now();
            }
            go.send(()).unwrap();
        });
        let all = queue.take(usize::MAX);
        assert_eq!((all.frames, all.close), (vec![Frame::from("hello")], Some(Close::GOING_AWAY)));
    }

    #[tokio::test]
    async fn an_ended_grant_closes_its_sockets_alone() {
        let stage = stage();
        let (mine, theirs) =
            (Grant::Session(SessionId(Uuid::from_u128(1))), Grant::Session(SessionId(Uuid::from_u128(2))));
        let (closed, _a) = stage.listen(&[Topic::Grant(mine)], 0);
        let (open, _b) = stage.listen(&[Topic::Grant(theirs)], 0);
        stage.bus.publish(Arc::new(Event::GrantEnded { grant: mine, account: AccountId(1) }));
        closed.wait().await;
        assert_eq!(closed.take(usize::MAX).close, Some(Close::SESSION_ENDED));
        assert_eq!(open.take(usize::MAX).close, None);
        assert_eq!(stage.hub.grants_in_use().len(), 2);
    }
}
