//! The bus within one process.

use std::sync::{Arc, OnceLock};

use domain::{Event, ports::Bus};

/// Called with each event.
type Heed = dyn Fn(&Event) + Send + Sync;

/// Carries events to the listeners of this process.
///
/// Guarantees: each event once, in the order of the calls of `publish`, and it is on every listener's queue when `publish`
/// returns. So who is answered after a change, and then begins to listen, does not hear of that change.
#[derive(Default)]
pub struct LocalBus(OnceLock<Box<Heed>>);

impl LocalBus {
    /// A bus that nobody listens to yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Sets what is called with each event before `publish` returns. It must be quick, and never wait. Only the first call
    /// counts; without one, as on the command line, nobody hears anything.
    pub fn heed_with(&self, heed: impl Fn(&Event) + Send + Sync + 'static) {
        let _ = self.0.set(Box::new(heed));
    }
}

impl Bus for LocalBus {
    fn publish(&self, event: Arc<Event>) {
        if let Some(heed) = self.0.get() {
            heed(&event);
        }
    }
}
