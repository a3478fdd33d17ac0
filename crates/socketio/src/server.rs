//! The server: namespaces, limits, and the way from a request to its connection.

use std::sync::Arc;

use axum::{Router, extract::Request, routing::any};
use domain::ports::Ids;
use kit::{
    context::{Context, SocketLimits},
    websocket::Sockets,
};

use crate::{
    Namespace, Protocol,
    namespace::Silence,
    registry::{Registry, Sid},
    requests,
};

/// Connections that poll at a time, unless it is set otherwise: each costs a task and its queues.
const MAX_POLLING: usize = 10_000;

/// A Socket.IO server: all namespaces of all dialects, under one path.
pub struct SocketIo(Shared);

/// What connections share.
#[derive(Clone)]
pub(crate) struct Shared {
    namespaces: Vec<Host>,
    ids: Arc<dyn Ids>,
    pub(crate) sockets: Sockets,
    pub(crate) limits: SocketLimits,
    pub(crate) max_polling: usize,
    pub(crate) registry: Arc<Registry>,
}

#[derive(Clone)]
struct Host {
    name: &'static str,
    namespace: Arc<dyn Namespace>,
}

/// Closes all connections of a [`SocketIo`].
#[derive(Clone)]
pub struct Stop(Arc<Registry>);

impl SocketIo {
    /// A server without namespaces. Its sockets count among `sockets`; messages are limited by `limits.max_frame`
    /// bytes, queues by `limits.queue_bytes` each.
    pub fn new(ids: Arc<dyn Ids>, sockets: Sockets, limits: SocketLimits) -> Self {
        let registry = Arc::default();
        Self(Shared { namespaces: Vec::new(), ids, sockets, limits, max_polling: MAX_POLLING, registry })
    }

    /// The same, with what the context holds.
    pub fn of(context: &Context) -> Self {
        Self::new(Arc::clone(&context.app.ids), context.sockets.clone(), context.socket_limits)
    }

    /// Adds a namespace; `name` begins with a slash. A name that is there already, and more than 63 names, are a
    /// mistake of the caller's.
    pub fn namespace(mut self, name: &'static str, namespace: impl Namespace) -> Self {
        debug_assert!(name.starts_with('/') && self.0.namespaces.iter().all(|host| host.name != name));
        debug_assert!(self.0.namespaces.len() < 63);
        self.0.namespaces.push(Host { name, namespace: Arc::new(namespace) });
        self
    }

    /// Lets so many connections poll at a time; 10,000 unless said. Those over a WebSocket do not count.
    pub fn max_polling(mut self, most: usize) -> Self {
        self.0.max_polling = most;
        self
    }

    /// The route, `/socket.io` with and without its slash, and the means to close all connections.
    pub fn routes(self) -> (Router, Stop) {
        let mut shared = self.0;
        // Found by old clients alone, and only when no dialect has the name.
        shared.namespaces.push(Host { name: "/", namespace: Arc::new(Silence) });
        let stop = Stop(Arc::clone(&shared.registry));
        let shared = Arc::new(shared);
        let answer = move |request: Request| {
            let shared = Arc::clone(&shared);
            async move { requests::answer(&shared, request).await }
        };
        let routes = Router::new().route("/socket.io/", any(answer.clone())).route("/socket.io", any(answer));
        (routes, stop)
    }
}

impl Stop {
    /// Closes all connections: DISCONNECT to the namespaces, then the WebSockets with 1001. No more are let in. Those
    /// who wait for the end wait for [`Sockets::closed`].
    pub fn close_all(&self) {
        self.0.stop();
    }
}

impl Shared {
    /// The number of a namespace, if there is one of that name.
    pub(crate) fn namespace(&self, name: &str, protocol: Protocol) -> Option<usize> {
        let at = self.namespaces.iter().position(|host| host.name == name)?;
        let is_silence = at + 1 == self.namespaces.len();
        (protocol == Protocol::V3 || !is_silence).then_some(at)
    }

    /// The name of a namespace.
    pub(crate) fn name(&self, namespace: usize) -> &'static str {
        self.namespaces[namespace].name
    }

    /// A namespace.
    pub(crate) fn host(&self, namespace: usize) -> Arc<dyn Namespace> {
        Arc::clone(&self.namespaces[namespace].namespace)
    }

    /// A new id.
    pub(crate) fn sid(&self) -> Sid {
        let mut sid = [0; 15];
        self.ids.fill(&mut sid);
        Sid(sid)
    }
}
