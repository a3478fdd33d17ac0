//! Sessions known to live, so that a request with a token asks the store nothing.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use dashmap::DashMap;

use super::Session;
use crate::{Grant, SessionId, Time};

/// A session is looked up again after this long, should the news of its end have been lost.
const FRESH: Duration = Duration::from_mins(1);

/// Sessions kept at most; then all are forgotten at once, which costs one look-up each.
const MOST: usize = 200_000;

#[derive(Debug, Default)]
pub(crate) struct SessionCache {
    by_id: DashMap<SessionId, Known>,
    by_opaque: DashMap<[u8; 32], SessionId>,
    /// Counts ends, so that what was read before an end is not kept after it.
    ends: AtomicU64,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    session: Session,
    read_at: Time,
}

/// How many ends there were when a look-up began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Began(u64);

impl SessionCache {
    pub(crate) fn by_id(&self, id: SessionId, now: Time) -> Option<Session> {
        let known = self.by_id.get(&id)?;
        (now < known.read_at.after(FRESH)).then_some(known.session)
    }

    pub(crate) fn by_opaque(&self, hash: &[u8; 32], now: Time) -> Option<Session> {
        let id = *self.by_opaque.get(hash)?;
        self.by_id(id, now)
    }

    /// To be called before the store is asked, and its answer handed to [`Self::keep`].
    pub(crate) fn begin(&self) -> Began {
        Began(self.ends.load(Ordering::SeqCst))
    }

    /// Keeps a session that the store called live, unless any session ended meanwhile.
    pub(crate) fn keep(&self, began: Began, session: Session, opaque: Option<[u8; 32]>, now: Time) {
        if self.by_id.len() >= MOST {
            self.by_id.clear();
            self.by_opaque.clear();
        }
        self.by_id.insert(session.id, Known { session, read_at: now });
        if let Some(hash) = opaque {
            self.by_opaque.insert(hash, session.id);
        }
        // After the insertion: whichever of the two comes last removes it.
        if self.ends.load(Ordering::SeqCst) != began.0 {
            self.by_id.remove(&session.id);
        }
    }

    /// Notes that a session was used, and says whether the store should hear of it.
    pub(crate) fn is_touch_due(&self, id: SessionId, interval: Duration, now: Time) -> bool {
        self.by_id.get_mut(&id).is_some_and(|mut known| {
            let due = now >= known.session.used_at.after(interval);
            if due {
                known.session.used_at = now;
            }
            due
        })
    }

    pub(crate) fn forget(&self, grant: Grant) {
        self.ends.fetch_add(1, Ordering::SeqCst);
        if let Grant::Session(id) = grant {
            self.by_id.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::AccountId;

    fn session() -> Session {
        Session { id: SessionId(Uuid::from_u128(1)), account: AccountId(1), used_at: Time(0) }
    }

    #[test]
    fn what_was_read_before_an_end_is_not_kept_after_it() {
        let cache = SessionCache::default();
        let began = cache.begin();
        cache.forget(Grant::Session(session().id));
        cache.keep(began, session(), Some([1; 32]), Time(0));
        assert!(cache.by_id(session().id, Time(0)).is_none());
        assert!(cache.by_opaque(&[1; 32], Time(0)).is_none());
    }

    #[test]
    fn a_kept_session_is_found_both_ways_until_it_ends_or_grows_stale() {
        let cache = SessionCache::default();
        cache.keep(cache.begin(), session(), Some([1; 32]), Time(0));
        assert!(cache.by_opaque(&[1; 32], Time(59_999_999)).is_some());
        assert!(cache.by_id(session().id, Time(60_000_000)).is_none());
        cache.forget(Grant::Session(session().id));
        assert!(cache.by_id(session().id, Time(0)).is_none());
    }

    #[test]
    fn a_use_is_noted_once_an_interval() {
        let cache = SessionCache::default();
        cache.keep(cache.begin(), session(), None, Time(0));
        let minute = Duration::from_mins(1);
        assert!(!cache.is_touch_due(session().id, minute, Time(59_000_000)));
        assert!(cache.is_touch_due(session().id, minute, Time(60_000_000)));
        assert!(!cache.is_touch_due(session().id, minute, Time(61_000_000)));
    }
}
