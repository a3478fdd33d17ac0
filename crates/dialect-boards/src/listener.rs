//! What a dashboard hears of the account's other dashboards, and when.
//!
//! A client makes its picture of answers and of `widget` events, and it has to come out as the one that is stored. So an
//! answer stands among the events where it belongs: a list before all that happened after it was read, the answer to a
//! change where that change stands in the order of the commits.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use domain::{
    Event,
    widgets::{DashboardId, WidgetChange},
};
use realtime::{Close, Ear, Heard, Queue, Shape};
use socketio::event_frame;
use tokio::{sync::Notify, time::timeout};

use crate::{DIALECT, NAMESPACE, wire::Change};

/// How long a change of one's own may take from the store to the hub, before its answer waits no more for its place.
const PATIENCE: Duration = Duration::from_secs(2);

/// Events that are held back at most, before the socket counts as too slow.
const MOST_HELD: usize = 10_000;

/// The listening half of a dashboard.
pub(crate) struct Listener {
    dashboard: DashboardId,
    queue: Arc<Queue>,
    state: Mutex<State>,
    /// Told when [`Flow::UntilMine`] is over.
    is_over: Notify,
}

struct State {
    flow: Flow,
    turn: Turn,
}

/// What happens to the events of others.
enum Flow {
    /// They go to the client.
    Open,
    /// They do until the dashboard's own change is heard of; then they are held.
    UntilMine,
    /// They wait for the answer that has to go before them.
    Held(Vec<Bytes>),
}

/// What is to be made of the event whose shape was asked for last: the hub asks for it right after.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// The same bytes go to all.
    Shared,
    /// It is the dashboard's own.
    Mine,
    /// It is to be held, if that is still so.
    Held,
}

impl Listener {
    /// To whom all goes at once.
    pub(crate) fn new(dashboard: DashboardId, queue: Arc<Queue>) -> Self {
        let state = Mutex::new(State { flow: Flow::Open, turn: Turn::Shared });
        Self { dashboard, queue, state, is_over: Notify::new() }
    }

    /// Whose it is.
    pub(crate) fn dashboard(&self) -> DashboardId {
        self.dashboard
    }

    /// From now on others' changes wait for [`Self::answer`]. To be called before something is read.
    pub(crate) fn hold(&self) {
        self.lock().flow = Flow::Held(Vec::new());
    }

    /// The same from the dashboard's own next change on. To be called before that is made.
    pub(crate) fn hold_after_mine(&self) {
        self.lock().flow = Flow::UntilMine;
    }

    /// Waits until the dashboard's own change was heard of; not for ever.
    pub(crate) async fn mine(&self) {
        let heard = async {
            while matches!(self.lock().flow, Flow::UntilMine) {
                self.is_over.notified().await;
            }
        };
        if timeout(PATIENCE, heard).await.is_err() {
            tracing::debug!("a change was not heard of in time");
        }
    }

    /// Queues an answer, and behind it what was held.
    pub(crate) fn answer(&self, frames: impl IntoIterator<Item = Bytes>) {
        // Queued under the lock: an event that finds the flow open again comes behind them.
        let mut state = self.lock();
        let held = match std::mem::replace(&mut state.flow, Flow::Open) {
            Flow::Held(held) => held,
            Flow::Open | Flow::UntilMine => Vec::new(),
        };
        for frame in frames.into_iter().chain(held) {
            self.queue.push(frame);
        }
    }

    /// The client has left: nobody needs to wait any more.
    pub(crate) fn leave(&self) {
        self.lock().flow = Flow::Open;
        self.is_over.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ear for Listener {
    fn shape(&self, event: &Event) -> Shape {
        let mut state = self.lock();
        state.turn = match (event, &state.flow) {
            (Event::WidgetChanged(change), _) if change.by == self.dashboard => Turn::Mine,
            (Event::WidgetChanged(_), Flow::Held(_)) => Turn::Held,
            _ => Turn::Shared,
        };
        // A number of one's own, so that the event is not encoded for another dashboard in this one's stead.
        let alone = self.dashboard.0.as_u64_pair().1;
        let variant = if state.turn == Turn::Shared { 0 } else { alone };
        Shape { dialect: DIALECT, base: Arc::default(), variant }
    }

    fn heard(&self, event: &Event) -> Heard {
        let Event::WidgetChanged(change) = event else { return Heard::Nothing };
        let mut state = self.lock();
        match (state.turn, &mut state.flow) {
            (Turn::Mine, flow) => {
                if matches!(flow, Flow::UntilMine) {
                    *flow = Flow::Held(Vec::new());
                    self.is_over.notify_one();
                }
                Heard::Nothing
            }
            (Turn::Held, Flow::Held(held)) if held.len() >= MOST_HELD => Heard::Close(Close::TOO_SLOW),
            (Turn::Held, Flow::Held(held)) => {
                held.push(frame(change));
                Heard::Nothing
            }
            (Turn::Held | Turn::Shared, _) => Heard::Frame(frame(change).into()),
        }
    }
}

fn frame(change: &WidgetChange) -> Bytes {
    event_frame(NAMESPACE, "widget", &Change::from(change.clone()))
}

#[cfg(test)]
mod tests {
    use domain::{
        AccountId, Topic, WidgetId,
        ports::Bus as _,
        widgets::{Deed, Tag, Tile, Widget},
    };
    use realtime::{Hub, Listening, LocalBus};
    use uuid::Uuid;

    use super::*;

    const ACCOUNT: AccountId = AccountId(1);

    struct Stage {
        bus: Arc<LocalBus>,
        hub: Arc<Hub>,
    }

    struct Seat {
        listener: Arc<Listener>,
        queue: Arc<Queue>,
        _listening: Listening,
    }

    impl Stage {
        fn new() -> Self {
            let (bus, hub) = (LocalBus::new(), Hub::new());
            let hearing = Arc::clone(&hub);
            bus.heed_with(move |event| hearing.hear(event));
            Self { bus, hub }
        }

        fn seat(&self, number: u64) -> Seat {
            let queue = Arc::new(Queue::new(1 << 20));
            let listener = Arc::new(Listener::new(dashboard(number), Arc::clone(&queue)));
            let ear: Arc<dyn Ear> = Arc::clone(&listener) as _;
            let listening = self.hub.listen(&[Topic::WidgetsOf(ACCOUNT)], ear, Arc::clone(&queue));
            Seat { listener, queue, _listening: listening }
        }

        /// A change by a dashboard; `x` tells it apart.
        fn change(&self, by: u64, x: i32) {
            let tile = Tile { tag: Tag::of("t").unwrap(), x, y: 0, size_x: 0, size_y: 0 };
            let widget = Widget { id: WidgetId(Uuid::nil()), tile };
            let change = WidgetChange { account: ACCOUNT, deed: Deed::Updated, widget, by: dashboard(by) };
            self.bus.publish(Arc::new(Event::WidgetChanged(change)));
        }
    }

    fn dashboard(number: u64) -> DashboardId {
        DashboardId(Uuid::from_u64_pair(7, number))
    }

    impl Seat {
        /// Waits for so many frames: `A` for an answer, the `x` of a change.
        async fn told(&self, count: usize) -> Vec<String> {
            let mut told = Vec::new();
            while told.len() < count {
                timeout(Duration::from_secs(20), self.queue.wait()).await.expect("nothing comes");
                told.extend(self.queue.take(usize::MAX).frames.into_iter().map(|frame| {
                    let text = String::from_utf8(frame.bytes.to_vec()).unwrap();
                    match text.split_once("\"widget_x\":") {
                        Some((_, rest)) => rest.split(',').next().unwrap().to_owned(),
                        None => text,
                    }
                }));
            }
            told
        }
    }

    /// An answer, as it is queued.
    fn answer() -> Bytes {
        Bytes::from_static(b"A")
    }

    #[tokio::test]
    async fn a_change_is_heard_by_all_but_the_one_who_made_it() {
        let stage = Stage::new();
        let [one, two, three] = [stage.seat(1), stage.seat(2), stage.seat(3)];
        stage.change(1, 10);
        stage.change(2, 20);
        assert_eq!(one.told(1).await, ["20"]);
        assert_eq!(two.told(1).await, ["10"]);
        assert_eq!(three.told(2).await, ["10", "20"]);
    }

    #[tokio::test]
    async fn what_happens_while_a_list_is_read_comes_behind_it() {
        let stage = Stage::new();
        let [reader, other] = [stage.seat(1), stage.seat(2)];
        stage.change(3, 1);
        assert_eq!((reader.told(1).await, other.told(1).await), (vec!["1".into()], vec!["1".into()]));
        reader.listener.hold();
        stage.change(3, 2);
        stage.change(2, 3);
        stage.change(3, 4);
        // Others wait for nothing, and by now the hub has dealt with all of it.
        assert_eq!(other.told(2).await, ["2", "4"]);
        assert!(reader.queue.take(usize::MAX).frames.is_empty());
        reader.listener.answer([answer()]);
        stage.change(3, 5);
        assert_eq!(reader.told(5).await, ["A", "2", "3", "4", "5"]);
    }

    #[tokio::test]
    async fn the_answer_to_a_change_stands_where_the_change_does() {
        let stage = Stage::new();
        let [writer, other] = [stage.seat(1), stage.seat(2)];
        writer.listener.hold_after_mine();
        stage.change(3, 1);
        stage.change(1, 2);
        stage.change(3, 3);
        writer.listener.mine().await;
        assert_eq!(other.told(3).await, ["1", "2", "3"]);
        writer.listener.answer([answer()]);
        stage.change(3, 4);
        assert_eq!(writer.told(4).await, ["1", "A", "3", "4"]);
    }

    #[tokio::test]
    async fn nothing_is_held_after_a_change_that_failed() {
        let stage = Stage::new();
        let writer = stage.seat(1);
        writer.listener.hold_after_mine();
        stage.change(3, 1);
        writer.listener.answer([]);
        writer.listener.mine().await;
        stage.change(3, 2);
        assert_eq!(writer.told(2).await, ["1", "2"]);
    }

    #[tokio::test]
    async fn nobody_waits_for_one_who_left() {
        let stage = Stage::new();
        let writer = stage.seat(1);
        writer.listener.hold_after_mine();
        let listener = Arc::clone(&writer.listener);
        let waiting = tokio::spawn(async move { listener.mine().await });
        tokio::task::yield_now().await;
        writer.listener.leave();
        timeout(PATIENCE / 2, waiting).await.expect("it still waits").unwrap();
    }
}
