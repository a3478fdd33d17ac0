//! The bus within one process.

use std::sync::{Arc, OnceLock};

use domain::{Event, ports::Bus};
use tokio::sync::mpsc;

/// Events as they come from the bus, in order.
pub type EventStream = mpsc::UnboundedReceiver<Arc<Event>>;

/// Called with each event before `publish` returns.
type Heed = dyn Fn(&Event) + Send + Sync;

/// Carries events to the listeners of this process.
///
/// Guarantees: each event once, in the order of the calls of `publish`; what heeds at once ([`LocalBus::heed_with`]) has
/// heeded when `publish` returns.
pub struct LocalBus {
    heed: OnceLock<Box<Heed>>,
    events: mpsc::UnboundedSender<Arc<Event>>,
}

impl LocalBus {
    /// A bus, and its other end, for [`Hub::run`](crate::Hub::run).
    pub fn new() -> (Arc<Self>, EventStream) {
        let (events, stream) = mpsc::unbounded_channel();
        (Arc::new(Self { heed: OnceLock::new(), events }), stream)
    }

    /// Sets what is called with each event before `publish` returns. It must be quick. Only the first call counts.
    pub fn heed_with(&self, heed: impl Fn(&Event) + Send + Sync + 'static) {
        let _ = self.heed.set(Box::new(heed));
    }
}

impl Bus for LocalBus {
    fn publish(&self, event: Arc<Event>) {
        if let Some(heed) = self.heed.get() {
            heed(&event);
        }
        // Without a hub, as on the command line, nobody listens.
        let _ = self.events.send(event);
    }
}
