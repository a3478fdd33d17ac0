//! The connections of this process, by their session id.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use dashmap::DashMap;
use tokio::sync::{Notify, mpsc};

use crate::{Protocol, polling::Ask};

/// A session's id: 20 letters that nobody can guess.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Sid(pub(crate) [u8; 15]);

/// All connections.
#[derive(Default)]
pub(crate) struct Registry {
    entries: DashMap<Sid, Arc<Entry>>,
    polling: AtomicUsize,
    stopping: AtomicBool,
}

/// What requests need to know of a connection.
pub(crate) struct Entry {
    pub(crate) protocol: Protocol,
    place: Mutex<Place>,
    stopped: Notify,
}

/// Which transport carries it.
enum Place {
    Polling { desk: mpsc::Sender<Ask>, upgrading: bool },
    WebSocket,
}

/// A connection's place in the registry; dropping it gives it up.
pub(crate) struct Registered {
    registry: Arc<Registry>,
    sid: Sid,
    entry: Arc<Entry>,
}

/// A connection's upgrade, which may be tried by one WebSocket at a time; dropping it gives it up.
pub(crate) struct Upgrading {
    entry: Arc<Entry>,
    pub(crate) desk: mpsc::Sender<Ask>,
}

/// There is no room for more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Full;

impl Sid {
    /// Reads what a client sends back.
    pub(crate) fn read(text: &str) -> Option<Self> {
        BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl Registry {
    /// Adds a connection over a WebSocket.
    pub(crate) fn add_websocket(self: &Arc<Self>, sid: Sid, protocol: Protocol) -> Result<Registered, Full> {
        self.add(sid, protocol, Place::WebSocket)
    }

    /// Adds a connection that polls, one of `most`; its requests go to `desk`.
    pub(crate) fn add_polling(
        self: &Arc<Self>,
        sid: Sid,
        protocol: Protocol,
        desk: mpsc::Sender<Ask>,
        most: usize,
    ) -> Result<Registered, Full> {
        if self.polling.fetch_add(1, Ordering::Relaxed) >= most {
            self.polling.fetch_sub(1, Ordering::Relaxed);
            return Err(Full);
        }
        let added = self.add(sid, protocol, Place::Polling { desk, upgrading: false });
        if added.is_err() {
            self.polling.fetch_sub(1, Ordering::Relaxed);
        }
        added
    }

    fn add(self: &Arc<Self>, sid: Sid, protocol: Protocol, place: Place) -> Result<Registered, Full> {
        let entry = Arc::new(Entry { protocol, place: Mutex::new(place), stopped: Notify::new() });
        self.entries.insert(sid, Arc::clone(&entry));
        // Looked at after the insertion: whoever is not told by `stop` sees that it has begun.
        if self.stopping.load(Ordering::SeqCst) {
            self.entries.remove(&sid);
            return Err(Full);
        }
        Ok(Registered { registry: Arc::clone(self), sid, entry })
    }

    /// The connection of that id.
    pub(crate) fn find(&self, sid: Sid) -> Option<Arc<Entry>> {
        self.entries.get(&sid).map(|entry| Arc::clone(&entry))
    }

    /// Tells all connections to close, and lets no more in.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        for entry in &self.entries {
            entry.stopped.notify_one();
        }
    }
}

impl Entry {
    /// Where requests of a connection that polls go.
    pub(crate) fn desk(&self) -> Option<mpsc::Sender<Ask>> {
        match &*self.place() {
            Place::Polling { desk, .. } => Some(desk.clone()),
            Place::WebSocket => None,
        }
    }

    /// Begins an upgrade, unless it is upgraded, or another one tries.
    pub(crate) fn upgrade(self: &Arc<Self>) -> Option<Upgrading> {
        match &mut *self.place() {
            Place::Polling { desk, upgrading } if !*upgrading => {
                *upgrading = true;
                Some(Upgrading { entry: Arc::clone(self), desk: desk.clone() })
            }
            _ => None,
        }
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registered {
    pub(crate) fn sid(&self) -> Sid {
        self.sid
    }

    /// The connection polls no more.
    pub(crate) fn is_websocket_now(&self) {
        let before = std::mem::replace(&mut *self.entry.place(), Place::WebSocket);
        if let Place::Polling { .. } = before {
            self.registry.polling.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Returns when the server stops, once.
    pub(crate) async fn stopped(&self) {
        self.entry.stopped.notified().await;
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.is_websocket_now();
        self.registry.entries.remove(&self.sid);
    }
}

impl Drop for Upgrading {
    fn drop(&mut self) {
        if let Place::Polling { upgrading, .. } = &mut *self.entry.place() {
            *upgrading = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sid(seed: u8) -> Sid {
        Sid([seed; 15])
    }

    fn polling(registry: &Arc<Registry>, seed: u8) -> Result<Registered, Full> {
        registry.add_polling(sid(seed), Protocol::V4, mpsc::channel(1).0, 2)
    }

    #[test]
    fn ids_are_twenty_letters_and_read_back() {
        let text = sid(250).to_string();
        assert_eq!(text.len(), 20);
        assert_eq!(Sid::read(&text).map(|sid| sid.0), Some([250; 15]));
        for bad in ["", "abc", "a/b+aaaaaaaaaaaaaaaa", &format!("{text}a"), "é"] {
            assert!(Sid::read(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn polling_sessions_are_bounded_and_upgraded_ones_do_not_count() {
        let registry = Arc::new(Registry::default());
        let (first, second) = (polling(&registry, 1).ok().unwrap(), polling(&registry, 2).ok().unwrap());
        assert_eq!(polling(&registry, 3).err(), Some(Full));
        assert!(registry.find(sid(3)).is_none());
        first.is_websocket_now();
        assert!(registry.find(sid(1)).unwrap().desk().is_none());
        let third = polling(&registry, 3).ok().unwrap();
        drop((second, third, first));
        assert!(registry.entries.is_empty());
        assert_eq!(registry.polling.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn one_upgrade_is_tried_at_a_time() {
        let registry = Arc::new(Registry::default());
        let registered = polling(&registry, 1).ok().unwrap();
        let entry = registry.find(sid(1)).unwrap();
        let upgrade = entry.upgrade();
        assert!(upgrade.is_some() && entry.upgrade().is_none());
        drop(upgrade);
        assert!(entry.upgrade().is_some());
        registered.is_websocket_now();
        assert!(entry.upgrade().is_none());
    }

    #[tokio::test]
    async fn a_stop_reaches_all_and_lets_no_more_in() {
        let registry = Arc::new(Registry::default());
        let registered = registry.add_websocket(sid(1), Protocol::V4).ok().unwrap();
        registry.stop();
        registered.stopped().await;
        assert_eq!(polling(&registry, 2).err(), Some(Full));
        assert!(registry.find(sid(2)).is_none());
    }
}
