//! What a server does by itself: it hears what other processes ended, and ends what nobody uses.

use std::{collections::HashSet, sync::Arc, time::Duration};

use domain::{App, Event, Grant, Result, ports::Bus, sessions};
use realtime::{Hub, LocalBus};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::Node;

/// How often the store is asked for what has ended. Within a second all nodes have to know.
const LISTENING_PAUSE: Duration = Duration::from_millis(300);

/// How far back it is asked: longer than any commit takes.
const LOOKING_BACK: Duration = Duration::from_secs(10);

/// The longest pause between two looks for idle sessions.
const SWEEPING_PAUSE: Duration = Duration::from_mins(1);

/// The tasks; they run until they are stopped.
pub(super) struct Housekeeping(JoinSet<()>);

impl Housekeeping {
    pub(super) fn start(node: &Node) -> Self {
        let mut tasks = JoinSet::new();
        tasks.spawn(hear(node.context.app.clone(), Arc::clone(&node.bus)));
        tasks.spawn(sweep(node.context.app.clone(), Arc::clone(&node.context.hub)));
        Self(tasks)
    }

    pub(super) fn stop(mut self) {
        self.0.abort_all();
    }
}

/// Tells this node of the sessions and keys that other processes ended, such as the command line.
async fn hear(app: App, bus: Arc<LocalBus>) {
    let mut ticks = ticks(LISTENING_PAUSE);
    let mut watch = Watch::default();
    let mut told = HashSet::new();
    loop {
        ticks.tick().await;
        let since = app.clock.now().before(LOOKING_BACK);
        let Some(ended) = watch.judge("what has ended elsewhere", app.store.ended_since(since).await) else {
            continue;
        };
        for (grant, account) in &ended {
            if !told.contains(grant) {
                bus.publish(Arc::new(Event::GrantEnded { grant: *grant, account: *account }));
            }
        }
        told = ended.into_iter().map(|(grant, _)| grant).collect();
    }
}

/// Ends sessions that nobody used for too long; one with an open socket is in use.
async fn sweep(app: App, hub: Arc<Hub>) {
    let mut ticks = ticks((app.settings.session_idle / 4).min(SWEEPING_PAUSE));
    let mut watch = Watch::default();
    loop {
        ticks.tick().await;
        let session = |grant| match grant {
            Grant::Session(id) => Some(id),
            Grant::Key(_) => None,
        };
        let in_use = hub.grants_in_use().into_iter().filter_map(session).collect();
        watch.judge("idle sessions", sessions::end_idle(&app, in_use).await);
    }
}

fn ticks(pause: Duration) -> tokio::time::Interval {
    let mut ticks = interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Logs the first of a row of failures, and the end of the row.
#[derive(Default)]
struct Watch {
    failing: bool,
}

impl Watch {
    fn judge<T>(&mut self, about: &str, done: Result<T>) -> Option<T> {
        match done {
            Ok(value) => {
                if self.failing {
                    tracing::info!(about, "housekeeping works again");
                }
                self.failing = false;
                Some(value)
            }
            Err(error) => {
                if !self.failing {
                    tracing::warn!(about, ?error, "housekeeping failed; it is tried again");
                }
                self.failing = true;
                None
            }
        }
    }
}
