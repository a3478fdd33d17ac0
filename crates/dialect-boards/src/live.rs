//! The namespace `/widget`.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    App, Caller, Result, Topic, WidgetId, sessions,
    widgets::{self, Tile, Widget},
};
use kit::context::Context;
use realtime::Queue;
use serde_json::{Value, json};
use socketio::{Answer, Denied, Entrance, Event, Knock, Live, Namespace, Said, authenticate, event_frame};

use crate::{NAMESPACE, fault, fields, listener::Listener, wire};

/// The event under which every answer comes.
const MESSAGE: &str = "message";

/// Lets people to their widgets.
pub(crate) struct Boards(Context);

impl Boards {
    pub(crate) fn new(context: &Context) -> Self {
        Self(context.clone())
    }

    /// The way in; the error is the envelope of the refusal.
    async fn admit(&self, knock: &Knock) -> Result<Entrance, Value> {
        let Context { app, hub, .. } = &self.0;
        let caller = authenticate(app, knock).await.map_err(refusal)?;
        let listener = Arc::new(Listener::new(widgets::dashboard(app), Arc::clone(&knock.queue)));
        let topics = [Topic::WidgetsOf(caller.account), Topic::Grant(caller.grant)];
        let listening = hub.listen(&topics, Arc::clone(&listener) as _, Arc::clone(&knock.queue));
        // Asked once more, now that its end would be heard.
        if !sessions::is_live(app, &caller).await.map_err(fault::of)? {
            return Err(fault::unauthorised(fault::BAD_TOKEN));
        }
        let board = Board { app: app.clone(), caller, listener };
        Ok(Entrance::Open {
            live: Box::new(Seat(board)),
            listening: Some(listening),
            events: vec![message(&json!("connected"))],
        })
    }
}

fn refusal(denied: Denied) -> Value {
    match denied {
        Denied::Absent => fault::unauthorised(fault::NO_TOKEN),
        Denied::Expired => fault::unauthorised(fault::EXPIRED),
        Denied::Bad => fault::unauthorised(fault::BAD_TOKEN),
        Denied::Failed(error) => fault::of(error),
    }
}

#[async_trait]
impl Namespace for Boards {
    async fn connect(&self, knock: Knock) -> Entrance {
        self.admit(&knock).await.unwrap_or_else(|refusal| Entrance::ShownOut(vec![message(&refusal)]))
    }
}

/// What a client asks for.
enum Ask {
    List,
    Add(Tile),
    Set(Widget),
    Remove(WidgetId),
}

/// The speaking half of a dashboard, while its client is there.
struct Seat(Board);

impl Live for Seat {
    fn said(&mut self, event: Event) -> Said {
        match ask(&event) {
            None => Said::Answer(Answer::acked(fault::bad("Unknown event"))),
            Some(Err(problem)) => Said::Answer(Answer::event(NAMESPACE, MESSAGE, fault::bad(&problem))),
            // One after the other: what was asked first is in what is read later, and is created first.
            Some(Ok(ask)) => Said::Alone(Box::pin(self.0.clone().answer(ask))),
        }
    }

    fn answered(&mut self, _: &Queue, ack: Option<Bytes>, events: Vec<Bytes>) {
        self.0.listener.answer(ack.into_iter().chain(events));
    }

    fn throttled(&mut self, _: &Event) -> Answer {
        Answer::event(NAMESPACE, MESSAGE, fault::throttled())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.listener.leave();
    }
}

/// What an event asks for, or what is wrong with its argument; `None` for an unknown one.
fn ask(event: &Event) -> Option<Result<Ask, String>> {
    let argument = event.argument();
    Some(match event.name.as_str() {
        "get_all_widgets" => Ok(Ask::List),
        "post_widget" => fields::tile(argument).map(Ask::Add),
        "update_widget" => fields::widget(argument).map(|(id, tile)| Ask::Set(Widget { id, tile })),
        "delete_widget" => fields::which(argument).map(Ask::Remove),
        _ => return None,
    })
}

/// An account's widgets, as one dashboard asks for them.
#[derive(Clone)]
struct Board {
    app: App,
    caller: Caller,
    listener: Arc<Listener>,
}

impl Board {
    async fn answer(self, ask: Ask) -> Answer {
        Answer::event(NAMESPACE, MESSAGE, self.act(ask).await.unwrap_or_else(fault::of))
    }

    async fn act(&self, ask: Ask) -> Result<Value> {
        let (app, caller, by) = (&self.app, &self.caller, self.listener.dashboard());
        match ask {
            Ask::List => {
                self.listener.hold();
                let widgets = widgets::list(app, caller).await?;
                Ok(widgets.into_iter().map(|widget| json!(wire::Widget::from(widget))).collect())
            }
            Ask::Add(tile) => {
                let widget = self.change(widgets::add(app, caller, tile, by)).await?;
                Ok(json!(wire::Widget::from(widget)))
            }
            Ask::Set(widget) => {
                let fields = json!(wire::Fields::from(widget.tile.clone()));
                self.change(widgets::set(app, caller, widget, by)).await?;
                Ok(fields)
            }
            Ask::Remove(id) => {
                self.change(widgets::remove(app, caller, id, by)).await?;
                Ok(json!("widget was successfully deleted"))
            }
        }
    }

    /// Makes a change, and waits for its place among the changes of others.
    async fn change<T>(&self, deed: impl Future<Output = Result<T>>) -> Result<T> {
        self.listener.hold_after_mine();
        let done = deed.await?;
        self.listener.mine().await;
        Ok(done)
    }
}

fn message(payload: &Value) -> Bytes {
    event_frame(NAMESPACE, MESSAGE, payload)
}
