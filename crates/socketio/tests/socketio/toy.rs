//! A server with two namespaces that show what the crate can do.
//!
//! Whoever shows a token that is not `bad` is in, and the token names the session. `/` refuses others by
//! CONNECT_ERROR (those of protocol 4 stay, and get `error`); `/widget` lets them in, tells them why not, and shows
//! them out.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::{AccountId, Event as CoreEvent, Grant, SessionId, Topic, ports::Bus, ports::Ids};
use kit::{context::SocketLimits, listen, service, websocket::Sockets};
use realtime::{Close, Ear, Heard, Hub, LocalBus, Queue, Shape};
use serde_json::{Value, json};
use tertulia_socketio::{
    Answer, Arguments, Entrance, Event, Knock, Live, Namespace, Protocol, Said, SocketIo, Stop, event_frame,
};
use tokio::{net::TcpListener, sync::watch};
use uuid::Uuid;

/// The toy, running.
pub(crate) struct Toy {
    pub(crate) address: SocketAddr,
    pub(crate) world: World,
    sockets: Sockets,
    hub: Arc<Hub>,
    stop: Stop,
    shutdown: watch::Sender<bool>,
}

/// What the namespaces share.
#[derive(Clone)]
pub(crate) struct World {
    bus: Arc<LocalBus>,
    hub: Arc<Hub>,
    members: Arc<Mutex<Vec<Arc<Queue>>>>,
}

/// Counts: not secret at all, but never twice the same.
struct Counted(AtomicU64);

impl Ids for Counted {
    fn fill(&self, buffer: &mut [u8]) {
        buffer[..8].copy_from_slice(&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    }
}

struct Deaf;

impl Ear for Deaf {
    fn shape(&self, _: &CoreEvent) -> Shape {
        Shape { dialect: "toy", base: "".into(), variant: 0 }
    }

    fn heard(&self, _: &CoreEvent) -> Heard {
        Heard::Nothing
    }
}

/// The grant that a token stands for.
fn grant(token: &str) -> Grant {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(token.bytes()).for_each(|(to, from)| *to = from);
    Grant::Session(SessionId(Uuid::from_bytes(bytes)))
}

impl World {
    /// Ends the session of this token.
    pub(crate) fn end(&self, token: &str) {
        self.bus.publish(Arc::new(CoreEvent::GrantEnded { grant: grant(token), account: AccountId(1) }));
    }

    /// Sends the event `said` to all in `/`.
    pub(crate) fn tell_all(&self, what: &Value) {
        let frame = event_frame("/", "said", what);
        for member in self.members.lock().unwrap().iter() {
            member.push(frame.clone());
        }
    }

    /// The number of sockets that are signed in on `/`.
    pub(crate) fn members(&self) -> usize {
        self.members.lock().unwrap().len()
    }

    fn admit(&self, token: &str, queue: &Arc<Queue>) -> realtime::Listening {
        self.hub.listen(&[Topic::Grant(grant(token))], Arc::new(Deaf), Arc::clone(queue))
    }
}

fn token(knock: &Knock) -> Option<String> {
    let header = knock.handshake.authorization.as_deref().and_then(|header| header.strip_prefix("Bearer "));
    let in_query = |query: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == "token").map(|(_, value)| value.to_owned())
    };
    let token = header
        .map(str::to_owned)
        .or_else(|| Some(knock.auth.get("token")?.as_str()?.to_owned()))
        .or_else(|| in_query(&knock.query))
        .or_else(|| in_query(&knock.handshake.query));
    token.filter(|token| token != "bad")
}

struct Root(World);

#[async_trait]
impl Namespace for Root {
    async fn connect(&self, knock: Knock) -> Entrance {
        let world = self.0.clone();
        let Some(token) = token(&knock) else {
            if knock.handshake.protocol == Protocol::V3 {
                let live = Talk { world, queue: None, token: String::new() };
                return Entrance::Open { live: Box::new(live), listening: None, events: Vec::new() };
            }
            return Entrance::Refused("Not you".into());
        };
        let listening = world.admit(&token, &knock.queue);
        world.members.lock().unwrap().push(Arc::clone(&knock.queue));
        // What is told meanwhile must not be lost.
        if token == "slow" {
            world.tell_all(&json!("early"));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Entrance::Open {
            listening: Some(listening),
            events: vec![event_frame("/", "welcome", &token)],
            live: Box::new(Talk { world, queue: Some(Arc::clone(&knock.queue)), token }),
        }
    }
}

struct Talk {
    world: World,
    /// None: not signed in.
    queue: Option<Arc<Queue>>,
    token: String,
}

impl Drop for Talk {
    fn drop(&mut self) {
        let members = &mut self.world.members.lock().unwrap();
        members.retain(|member| self.queue.as_ref().is_none_or(|mine| !Arc::ptr_eq(member, mine)));
    }
}

fn error(message: &str) -> Answer {
    Answer::event("/", "error", json!({ "message": message }))
}

impl Live for Talk {
    fn said(&mut self, event: Event) -> Said {
        let Some(queue) = &self.queue else { return Said::Answer(error("Sign in")) };
        let argument = event.argument().cloned();
        match (event.name.as_str(), argument) {
            ("echo", Some(what)) => Said::Answer(Answer::event("/", "echo", what)),
            ("echo", None) if event.arguments == Arguments::Unusable => Said::Answer(error("Unusable")),
            ("echo", None) => Said::Answer(error("What?")),
            ("later", Some(Value::Number(millis))) => Said::Later(Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(millis.as_u64().unwrap())).await;
                Answer::event("/", "echo", json!(millis))
            })),
            ("alone", Some(Value::Number(millis))) => Said::Alone(Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(millis.as_u64().unwrap())).await;
                Answer::event("/", "echo", json!(millis))
            })),
            ("say", Some(what)) => {
                self.world.tell_all(&what);
                Said::Answer(Answer::acked(json!("told")))
            }
            ("sum", _) => match event.arguments {
                Arguments::Values(values) => {
                    let sum: i64 = values.iter().filter_map(Value::as_i64).sum();
                    Said::Answer(Answer::acked(json!(sum)))
                }
                Arguments::Unusable => Said::Answer(error("Unusable")),
            },
            ("end", _) => {
                self.world.end(&self.token);
                Said::Answer(Answer::nothing())
            }
            ("overflow", _) => {
                queue.close(Close::TOO_SLOW);
                Said::Answer(Answer::nothing())
            }
            _ => Said::Answer(Answer::unknown_event()),
        }
    }

    fn throttled(&mut self, _: &Event) -> Answer {
        error("Slow down")
    }
}

struct Widget(World);

#[async_trait]
impl Namespace for Widget {
    async fn connect(&self, knock: Knock) -> Entrance {
        let Some(token) = token(&knock) else {
            let refusal = json!({ "data": { "message": "Not you" }, "code": 401, "request_id": "" });
            return Entrance::ShownOut(vec![event_frame("/widget", "message", &refusal)]);
        };
        Entrance::Open {
            listening: Some(self.0.admit(&token, &knock.queue)),
            live: Box::new(Board),
            events: vec![event_frame("/widget", "message", &"connected")],
        }
    }
}

struct Board;

impl Live for Board {
    fn said(&mut self, event: Event) -> Said {
        match event.name.as_str() {
            "get" => Said::Later(Box::pin(async { Answer::event("/widget", "message", json!([])) })),
            _ => Said::Answer(Answer::acked(json!({ "code": 400 }))),
        }
    }

    fn throttled(&mut self, _: &Event) -> Answer {
        Answer::event("/widget", "message", json!({ "code": 429 }))
    }
}

impl Toy {
    /// A toy with the usual limits.
    pub(crate) async fn start() -> Self {
        Self::with(SocketLimits::default(), 100).await
    }

    /// A toy with these limits, and so many polling sessions at most.
    pub(crate) async fn with(limits: SocketLimits, max_polling: usize) -> Self {
        let (bus, hub) = (LocalBus::new(), Hub::new());
        let hearing = Arc::clone(&hub);
        bus.heed_with(move |event| hearing.hear(event));
        let world = World { bus, hub: Arc::clone(&hub), members: Arc::default() };
        let sockets = Sockets::default();
        let (routes, stop) = SocketIo::new(Arc::new(Counted(AtomicU64::new(0))), sockets.clone(), limits)
            .max_polling(max_polling)
            .namespace("/", Root(world.clone()))
            .namespace("/widget", Widget(world.clone()))
            .routes();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shutdown, is_down) = watch::channel(false);
        let service = service::wrap(routes, &service::Settings::default());
        tokio::spawn(listen::serve(listener, service, is_down, listen::Options::default()));
        Self { address, world, sockets, hub, stop, shutdown }
    }

    /// Stops as the server does, and tells whether all sockets were closed in time.
    pub(crate) async fn stop(self) -> bool {
        self.hub.close_all(Close::GOING_AWAY);
        self.stop.close_all();
        let sockets = self.sockets.clone();
        let closed =
            tokio::time::timeout(Duration::from_secs(20), sockets.closed(Duration::from_mins(1))).await;
        let _ = self.shutdown.send(true);
        closed.is_ok()
    }
}
