//! Who is here: sockets counted an account, and who is told of it.
//!
//! One task does it all, in the order in which sockets come and go. What it has told is what holds: a socket that comes is
//! told who is here by then, and hears of all who come later, each once.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use domain::{AccountId, App};
use realtime::Queue;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::ear::frame;
use crate::wire;

/// Comings and goings that one query serves.
const BATCH: usize = 256;

/// Where sockets are counted.
pub(super) struct Presence(UnboundedSender<Change>);

/// A socket that is here; dropping it tells that it has gone.
pub(super) struct Present {
    changes: UnboundedSender<Change>,
    account: AccountId,
    queue: Arc<Queue>,
}

/// What changes who is here, or who is told. Sockets are told apart by their queues.
#[derive(Clone)]
enum Change {
    Came(AccountId, Arc<Queue>),
    Went(AccountId, Arc<Queue>),
    /// The two are in a room together from now on.
    Met(AccountId, AccountId),
}

/// Who shares an open room with whom.
type Peers = HashMap<AccountId, HashSet<AccountId>>;

/// The sockets that are here.
#[derive(Default)]
struct Here(HashMap<AccountId, Vec<Arc<Queue>>>);

impl Presence {
    /// Nobody is here. The task ends when this and all that came of it are dropped.
    pub(super) fn start(app: App) -> Self {
        let (changes, coming) = mpsc::unbounded_channel();
        tokio::spawn(run(app, coming));
        Self(changes)
    }

    /// A socket of that account has come, and listens to what happens in its rooms.
    pub(super) fn arrive(&self, account: AccountId, queue: Arc<Queue>) -> Present {
        let present = Present { changes: self.0.clone(), account, queue };
        present.tell(Change::Came(account, Arc::clone(&present.queue)));
        present
    }
}

impl Present {
    /// The two have come together in a room.
    pub(super) fn met(&self, one: AccountId, other: AccountId) {
        self.tell(Change::Met(one, other));
    }

    fn tell(&self, change: Change) {
        // It fails only when the process ends.
        let _ = self.changes.send(change);
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.tell(Change::Went(self.account, Arc::clone(&self.queue)));
    }
}

async fn run(app: App, mut changes: UnboundedReceiver<Change>) {
    let (mut here, mut batch) = (Here::default(), Vec::new());
    while changes.recv_many(&mut batch, BATCH).await > 0 {
        let peers = peers_of(&app, &batch).await;
        for change in batch.drain(..) {
            here.note(change, &peers);
        }
    }
}

/// The peers of those who come or go.
async fn peers_of(app: &App, changes: &[Change]) -> Peers {
    let accounts: HashSet<AccountId> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Came(account, _) | Change::Went(account, _) => Some(*account),
            Change::Met(..) => None,
        })
        .collect();
    if accounts.is_empty() {
        return Peers::new();
    }
    let pairs = app.store.pairs_in_open_rooms(accounts.into_iter().collect()).await;
    let pairs = pairs.unwrap_or_else(|fault| {
        tracing::warn!(?fault, "who shares a room is not known: nobody is told who is online");
        Vec::new()
    });
    let mut peers = Peers::new();
    for (student, teacher) in pairs {
        peers.entry(student).or_default().insert(teacher);
        peers.entry(teacher).or_default().insert(student);
    }
    peers
}

impl Here {
    /// Notes a change, and tells those whom it concerns.
    fn note(&mut self, change: Change, peers: &Peers) {
        let peers_of = |account| peers.get(&account).into_iter().flatten().copied();
        match change {
            Change::Came(account, queue) => {
                for peer in peers_of(account).filter(|peer| self.is_here(*peer)) {
                    queue.push(online(peer));
                }
                let sockets = self.0.entry(account).or_default();
                sockets.push(queue);
                if sockets.len() == 1 {
                    peers_of(account).for_each(|peer| self.tell(peer, &online(account)));
                }
            }
            Change::Went(account, queue) => {
                let Some(sockets) = self.0.get_mut(&account) else { return };
                sockets.retain(|other| !Arc::ptr_eq(other, &queue));
                if sockets.is_empty() {
                    self.0.remove(&account);
                    peers_of(account).for_each(|peer| self.tell(peer, &offline(account)));
                }
            }
            Change::Met(one, other) => {
                for (here, there) in [(one, other), (other, one)] {
                    if self.is_here(here) {
                        self.tell(there, &online(here));
                    }
                }
            }
        }
    }

    fn is_here(&self, account: AccountId) -> bool {
        self.0.contains_key(&account)
    }

    fn tell(&self, account: AccountId, frame: &bytes::Bytes) {
        for queue in self.0.get(&account).into_iter().flatten() {
            queue.push(frame.clone());
        }
    }
}

fn online(account: AccountId) -> bytes::Bytes {
    frame("online", &wire::Presence { user: account.0 })
}

fn offline(account: AccountId) -> bytes::Bytes {
    frame("offline", &wire::Presence { user: account.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAN: AccountId = AccountId(1);
    const TESS: AccountId = AccountId(2);
    const SAM: AccountId = AccountId(3);

    /// Stan and Tess share a room; Sam shares none.
    struct Stage {
        here: Here,
        peers: Peers,
    }

    impl Stage {
        fn new() -> Self {
            let peers = [(STAN, HashSet::from([TESS])), (TESS, HashSet::from([STAN]))].into();
            Self { here: Here::default(), peers }
        }

        fn comes(&mut self, account: AccountId) -> Arc<Queue> {
            let queue = Arc::new(Queue::new(10_000));
            self.here.note(Change::Came(account, Arc::clone(&queue)), &self.peers);
            queue
        }

        fn goes(&mut self, account: AccountId, queue: &Arc<Queue>) {
            self.here.note(Change::Went(account, Arc::clone(queue)), &self.peers);
        }
    }

    fn heard(queue: &Queue) -> Vec<String> {
        let frames = queue.take(usize::MAX).frames;
        frames.iter().map(|frame| String::from_utf8(frame.bytes.to_vec()).unwrap()).collect()
    }

    #[test]
    fn the_first_socket_and_the_last_are_told_and_no_other() {
        let mut stage = Stage::new();
        let (sam, stan) = (stage.comes(SAM), stage.comes(STAN));
        let (first, second) = (stage.comes(TESS), stage.comes(TESS));
        assert_eq!(heard(&stan), [r#"42["online",{"user":2}]"#]);
        for own in [&first, &second] {
            assert_eq!(heard(own), [r#"42["online",{"user":1}]"#]);
        }
        stage.goes(TESS, &first);
        assert!(heard(&stan).is_empty());
        stage.goes(TESS, &second);
        assert_eq!(heard(&stan), [r#"42["offline",{"user":2}]"#]);
        assert!(heard(&sam).is_empty() && heard(&first).is_empty());
        stage.goes(STAN, &stan);
        stage.goes(SAM, &sam);
        assert!(stage.here.0.is_empty());
    }

    #[test]
    fn who_meets_in_a_room_is_told_of_each_other() {
        let mut stage = Stage::new();
        let (stan, sam) = (stage.comes(STAN), stage.comes(SAM));
        let other = stage.comes(SAM);
        stage.here.note(Change::Met(STAN, SAM), &Peers::new());
        assert_eq!(heard(&stan), [r#"42["online",{"user":3}]"#]);
        for queue in [sam, other] {
            assert_eq!(heard(&queue), [r#"42["online",{"user":1}]"#]);
        }
        stage.here.note(Change::Met(TESS, STAN), &Peers::new());
        assert!(heard(&stan).is_empty());
    }

    #[test]
    fn a_socket_that_goes_twice_is_harmless() {
        let mut stage = Stage::new();
        let stan = stage.comes(STAN);
        stage.goes(STAN, &stan);
        stage.goes(STAN, &stan);
        assert!(stage.here.0.is_empty());
    }
}
