//! The WebSocket of all of one's friendships, `/ws/messages/`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use bytes::Bytes;
use domain::{
    AccountId, App, Caller, ConversationId, Error, Event, MessageId, Posted, Refusal, RelationId, Topic,
    messages::{self, Draft},
    relations, sessions,
};
use futures_util::{StreamExt, stream};
use kit::{
    base_url::BaseUrl,
    context::Context,
    reply::Reply,
    websocket::{self, Handshake, Limits, Live, Replay},
};
use realtime::{Close, Ear, Frame, Heard, Note, Queue, Shape};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    DIALECT, fault,
    handshake::Entry,
    said::Said,
    wire::{FriendshipFrame, MessageFrame, ReceiptFrame, RefreshedFrame},
};

/// Messages of a replay that are read at once.
const REPLAY_PAGE: usize = 100;

/// An unexpected condition: RFC 6455, 7.4.1.
const INTERNAL_ERROR: Close = Close(1011);

/// Opens the socket. All refusals come before the upgrade.
pub(crate) async fn open(
    State(context): State<Context>,
    Entry { caller, expires_at, renewed }: Entry,
    base: BaseUrl,
    RawQuery(query): RawQuery,
    handshake: Result<Handshake, Reply>,
) -> Result<Response, Reply> {
    let app = &context.app;
    let since = since(app, &caller, query.as_deref().unwrap_or_default()).await?;
    let handshake = handshake?;
    let ear = Listener { base: base.clone(), account: caller.account };
    let ears = context.listen(&caller, Topic::Account(caller.account), Arc::new(ear));
    // Asked once more, now that its end would be heard.
    if !sessions::is_live(app, &caller).await? {
        return Err(Error::Unauthenticated(Refusal::Invalid).into());
    }
    let limits = Limits {
        max_message: context.socket_limits.max_file_frame,
        rate: context.socket_limits.rate,
        expires_at,
    };
    let missed = since.map(|after| Missed {
        app: app.clone(),
        caller,
        base: base.clone(),
        queue: Arc::clone(&ears.0),
        after,
    });
    let replay = replay(renewed, missed);
    let chat = Chat { app: app.clone(), caller, base, channels: Arc::default() };
    Ok(context.sockets.open_behind(handshake, chat, ears, limits, replay))
}

/// The message behind which a replay begins, if one is asked for; of repeated parameters the last counts. 400 when the
/// caller cannot have seen it.
async fn since(app: &App, caller: &Caller, query: &str) -> Result<Option<MessageId>, Reply> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let Some((_, since)) = pairs.filter(|(name, _)| name == "since").last() else { return Ok(None) };
    let message = Uuid::parse_str(&since).map_err(|_| fault::bad_query())?;
    messages::known(app, caller, message).await.map(Some).map_err(fault::reading)
}

/// What goes before all else: a new access token, then what was missed.
fn replay(renewed: Option<String>, missed: Option<Missed>) -> Option<Replay> {
    if renewed.is_none() && missed.is_none() {
        return None;
    }
    let first = renewed.map(|access| vec![Frame::from(encoded(&RefreshedFrame::of(access)))]);
    let pages = stream::unfold(missed, |missed| async { missed?.page().await });
    Some(stream::iter(first).chain(pages).boxed())
}

/// What a client has missed, page by page.
struct Missed {
    app: App,
    caller: Caller,
    base: BaseUrl,
    queue: Arc<Queue>,
    after: MessageId,
}

impl Missed {
    /// The next page, and what comes behind it.
    async fn page(mut self) -> Option<(Vec<Frame>, Option<Self>)> {
        let page = match messages::missed(&self.app, &self.caller, self.after, REPLAY_PAGE).await {
            Ok(page) => page,
            Err(error) => {
                // A replay with a hole in it would be taken for a whole one: the client is to come again.
                self.queue.close(INTERNAL_ERROR);
                return Some((vec![error_frame(&fault::frame_text(error)).into()], None));
            }
        };
        self.after = page.last()?.message.id;
        let frames =
            page.into_iter().filter_map(|posted| message_frame(&Arc::new(posted), &self.base)).collect();
        Some((frames, Some(self)))
    }
}

/// The speaking half.
struct Chat {
    app: App,
    caller: Caller,
    base: BaseUrl,
    /// Where the friendships that were written to have their conversation.
    channels: Arc<Mutex<HashMap<RelationId, ConversationId>>>,
}

impl Live for Chat {
    fn said(&mut self, text: String) -> websocket::Said {
        match Said::of(&text) {
            Ok(Said::Message(channel, draft)) => self.send(channel, draft),
            Ok(Said::Seen(channel, message)) => self.see(channel, message),
            Err(problem) => websocket::Said::Answer(vec![error_frame(problem).into()]),
        }
    }

    fn throttled(&self) -> Option<Bytes> {
        Some(error_frame("Too many messages. Please slow down."))
    }

    fn wrote(&mut self, notes: &[Arc<Note>]) {
        let account = self.caller.account;
        messages::received(&self.app, notes.iter().filter_map(|note| note.received_by(account)));
    }
}

impl Chat {
    fn send(&self, channel: RelationId, draft: Draft) -> websocket::Said {
        let (app, caller, base) = (self.app.clone(), self.caller, self.base.clone());
        let channels = Arc::clone(&self.channels);
        let place = channels.lock().unwrap_or_else(PoisonError::into_inner).get(&channel).copied();
        // What takes more than one step before the message is with the store would be overtaken by the next.
        let takes_time = place.is_none() || !draft.files.is_empty();
        let sent = Box::pin(async move {
            match post(&app, &caller, &channels, (channel, place), draft).await {
                // The sender's receipt is the echo, which comes to all sockets; a repeat's is for this one alone.
                Ok(None) => Vec::new(),
                Ok(Some(repeated)) => vec![repeated_frame(&repeated, &base)],
                Err(error) => vec![error_frame(&fault::frame_text(error)).into()],
            }
        });
        if takes_time { websocket::Said::Alone(sent) } else { websocket::Said::Later(sent) }
    }

    fn see(&self, channel: RelationId, message: Uuid) -> websocket::Said {
        let (app, caller) = (self.app.clone(), self.caller);
        websocket::Said::Later(Box::pin(async move {
            match messages::see(&app, &caller, message, Some(channel)).await {
                Ok(()) => Vec::new(),
                Err(error) => vec![error_frame(&fault::frame_text(error)).into()],
            }
        }))
    }
}

/// Posts to a channel, whose conversation is looked up when `place` is not known. What was stored before, if this is a
/// repeat.
async fn post(
    app: &App,
    caller: &Caller,
    channels: &Mutex<HashMap<RelationId, ConversationId>>,
    (channel, place): (RelationId, Option<ConversationId>),
    draft: Draft,
) -> domain::Result<Option<Arc<Posted>>> {
    let place = if let Some(place) = place {
        place
    } else {
        let found = relations::conversation(app, caller, channel).await?;
        channels.lock().unwrap_or_else(PoisonError::into_inner).insert(channel, found);
        found
    };
    let stored = messages::post(app, caller, place, draft).await?;
    Ok(stored.repeated.then_some(stored.posted))
}

/// The listening half.
struct Listener {
    base: BaseUrl,
    account: AccountId,
}

impl Ear for Listener {
    fn shape(&self, event: &Event) -> Shape {
        // Who may see whose address differs; all else is the same to both.
        let variant = match event {
            Event::RelationChanged(_) => self.account.0.unsigned_abs(),
            _ => 0,
        };
        Shape { dialect: DIALECT, base: Arc::clone(&self.base.0), variant }
    }

    fn heard(&self, event: &Event) -> Heard {
        let frame = match event {
            Event::MessagePosted(posted) => message_frame(posted, &self.base),
            Event::ReceiptChanged(posted) => {
                ReceiptFrame::of(posted, &self.base).map(|frame| encoded(&frame).into())
            }
            Event::RelationChanged(friendship) => {
                Some(encoded(&FriendshipFrame::of(friendship, self.account, &self.base)).into())
            }
            _ => None,
        };
        frame.map_or(Heard::Nothing, Heard::Frame)
    }
}

/// A message to a friend, noted so that its writing is its receipt; `None` for others.
fn message_frame(posted: &Arc<Posted>, base: &BaseUrl) -> Option<Frame> {
    let bytes = encoded(&MessageFrame::of(posted, base)?);
    Some(Frame { bytes, note: Some(Note::of(posted)) })
}

/// The first result of a message that was sent again. Where the friendship has ended since, no frame can name it.
fn repeated_frame(first: &Arc<Posted>, base: &BaseUrl) -> Frame {
    message_frame(first, base).unwrap_or_else(|| error_frame(fault::NO_FRIENDSHIP).into())
}

fn error_frame(text: &str) -> Bytes {
    encoded(&json!({ "error": text }))
}

fn encoded(frame: &impl Serialize) -> Bytes {
    // Plain structs of texts: there is nothing in them that JSON could not hold.
    serde_json::to_vec(frame).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::wire::tests::{friendship, posted};

    fn ear(account: i64) -> Listener {
        Listener { base: BaseUrl("http://chat.example".into()), account: AccountId(account) }
    }

    fn frame(heard: Heard) -> (Value, Option<Arc<Note>>) {
        let Heard::Frame(frame) = heard else { panic!("{heard:?}") };
        (serde_json::from_slice(&frame.bytes).unwrap(), frame.note)
    }

    #[test]
    fn both_sides_share_the_bytes_of_a_message_and_its_writing_is_noted() {
        let event = Event::MessagePosted(Arc::new(posted()));
        assert_eq!(ear(1).shape(&event), ear(2).shape(&event));
        let (message, note) = frame(ear(1).heard(&event));
        assert_eq!(message["type"], "friendship_message");
        let note = note.unwrap();
        assert_eq!(note.message(), MessageId(9));
        assert!(note.received_by(AccountId(1)).is_none());
        assert!(note.received_by(AccountId(2)).is_some());
        assert!(note.received_by(AccountId(2)).is_none(), "it is noted once");
    }

    #[test]
    fn a_receipt_is_heard_and_not_noted() {
        let (receipt, note) = frame(ear(1).heard(&Event::ReceiptChanged(posted())));
        assert_eq!((receipt["type"].as_str(), note), (Some("chat_friendship_notification"), None));
    }

    #[test]
    fn each_side_sees_a_friendship_its_own_way() {
        let event = Event::RelationChanged(friendship());
        assert_ne!(ear(1).shape(&event), ear(2).shape(&event));
        let address = |account| frame(ear(account).heard(&event)).0["friendship"]["to_user"]["email"].clone();
        assert_eq!((address(1), address(2)), ("".into(), "ben@example.com".into()));
    }

    #[test]
    fn strangers_messages_are_not_for_this_dialect() {
        let mut posted = posted();
        posted.relation = None;
        assert!(matches!(ear(1).heard(&Event::MessagePosted(Arc::new(posted.clone()))), Heard::Nothing));
        assert!(matches!(ear(1).heard(&Event::ReceiptChanged(posted)), Heard::Nothing));
    }

    #[tokio::test]
    async fn a_new_token_is_all_that_comes_first_when_nothing_was_missed() {
        assert!(replay(None, None).is_none());
        let pages: Vec<Vec<Frame>> = replay(Some("a.b.c".into()), None).unwrap().collect().await;
        assert_eq!(pages, [[Frame::from(r#"{"type":"token_refreshed","access":"a.b.c"}"#)]]);
    }
}
