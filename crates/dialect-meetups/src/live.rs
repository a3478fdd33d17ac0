//! The WebSocket of a chat, `/chat/<chat_slug>/`.
//!
//! Its clients cannot read the status of a refusal, so that a refusal is a handshake that is accepted and a close.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use bytes::Bytes;
use domain::{
    AccountId, App, Caller, ConversationId, Error, Event, Noun, Posted, Refusal, Result as Done, Topic,
    chats,
    messages::{self, Draft},
    sessions,
};
use kit::{
    base_url::BaseUrl,
    context::Context,
    credentials::SocketAuth,
    reply::Reply,
    times::wire_time,
    websocket::{Handshake, Limits, Live, Said},
};
use realtime::{Close, Ear, Frame, Heard, Listening, Note, Queue, Shape};

use crate::{
    DIALECT,
    wire::{self, avatar_url, user_url},
};

/// No good credentials.
const UNAUTHENTICATED: Close = Close(4401);

/// Not in the chat, or not any more.
const NOT_A_MEMBER: Close = Close(4403);

/// No such chat.
const NO_CHAT: Close = Close(4404);

/// A frame is for everyone in the chat. Accounts are counted from 1.
const EVERYONE: AccountId = AccountId(0);

/// Opens the socket of a chat, for those who are in it.
pub(crate) async fn open(
    State(context): State<Context>,
    Path(slug): Path<String>,
    caller: Result<SocketAuth, Reply>,
    base: BaseUrl,
    handshake: Handshake,
) -> Result<Response, Reply> {
    let caller = match caller {
        Ok(SocketAuth(caller)) => caller,
        Err(refusal) if refusal.status == StatusCode::UNAUTHORIZED => {
            return Ok(context.sockets.refuse(handshake, UNAUTHENTICATED));
        }
        Err(refusal) => return Err(refusal),
    };
    let (chat, ears) = match listen(&context, &caller, &slug, base).await {
        Ok(heard) => heard,
        Err(error) => {
            let why = match error {
                Error::Unauthenticated(_) => UNAUTHENTICATED,
                Error::Forbidden(Noun::Conversation) => NOT_A_MEMBER,
                Error::NotFound(Noun::Conversation) => NO_CHAT,
                other => return Err(other.into()),
            };
            return Ok(context.sockets.refuse(handshake, why));
        }
    };
    let limits = Limits {
        max_message: context.socket_limits.max_frame,
        rate: context.socket_limits.rate,
        expires_at: None,
    };
    let speaker = Speaker { app: context.app.clone(), caller, chat };
    Ok(context.sockets.open(handshake, speaker, ears, limits))
}

/// Begins to listen to the chat; then asks whether the caller may, now that the end of it would be heard.
async fn listen(
    context: &Context,
    caller: &Caller,
    slug: &str,
    base: BaseUrl,
) -> Done<(ConversationId, (Arc<Queue>, Listening))> {
    let chat = chats::named(&context.app, slug).await?;
    let ear = Listener { base, account: caller.account };
    let ears = context.listen(caller, Topic::Conversation(chat), Arc::new(ear));
    chats::check(&context.app, caller, chat).await?;
    if !sessions::is_live(&context.app, caller).await? {
        return Err(Error::Unauthenticated(Refusal::Invalid));
    }
    Ok((chat, ears))
}

/// The speaking half.
struct Speaker {
    app: App,
    caller: Caller,
    chat: ConversationId,
}

impl Live for Speaker {
    fn said(&mut self, text: String) -> Said {
        let (app, caller, chat) = (self.app.clone(), self.caller, self.chat);
        Said::Later(Box::pin(async move {
            let draft = Draft { text, ..Draft::default() };
            match messages::post(&app, &caller, chat, draft).await {
                // The sender's receipt is the echo. There is no frame for an error: clients would show it as a message.
                // Who was taken out of the chat meanwhile is told by the close.
                Ok(_) | Err(Error::Invalid(_) | Error::Forbidden(_)) => {}
                // It is logged where answers over HTTP are.
                Err(other) => drop(Reply::from(other)),
            }
            Vec::new()
        }))
    }

    fn throttled(&self) -> Option<Bytes> {
        None
    }

    fn wrote(&mut self, notes: &[Arc<Note>]) {
        if let Some(newest) = notes.iter().map(|note| note.message()).max() {
            chats::received(&self.app, &self.caller, self.chat, newest);
        }
    }
}

/// The listening half.
struct Listener {
    base: BaseUrl,
    account: AccountId,
}

impl Ear for Listener {
    fn shape(&self, event: &Event) -> Shape {
        let concerned = match event {
            Event::MessagePosted(posted) => posted.message.author,
            Event::MemberLeft { account, .. } => *account,
            _ => EVERYONE,
        };
        Shape {
            dialect: DIALECT,
            base: Arc::clone(&self.base.0),
            variant: u64::from(concerned == self.account),
        }
    }

    fn heard(&self, event: &Event) -> Heard {
        match event {
            Event::MessagePosted(posted) => frame(posted, posted.message.author == self.account, &self.base),
            Event::MemberLeft { account, .. } if *account == self.account => Heard::Close(NOT_A_MEMBER),
            _ => Heard::Nothing,
        }
    }
}

fn frame(posted: &Arc<Posted>, is_my: bool, base: &BaseUrl) -> Heard {
    let frame = wire::Frame {
        text: &posted.message.text,
        author_name: &posted.author.first_name,
        avatar: avatar_url(base, &posted.author),
        href: user_url(base, posted.author.id),
        is_my,
        id: posted.message.id.0,
        date_create: wire_time(posted.message.created_at),
    };
    let Ok(bytes) = serde_json::to_vec(&frame) else { return Heard::Nothing };
    Heard::Frame(Frame { bytes: bytes.into(), note: (!is_my).then(|| Note::of(posted)) })
}

#[cfg(test)]
mod tests {
    use domain::{
        MessageId, Time,
        accounts::{Avatar, Person, Role},
        messages::Message,
    };
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    fn posted(author: i64, photo: Option<&str>) -> Event {
        let person = Person {
            id: AccountId(author),
            uuid: Uuid::nil(),
            username: "vk_0f".into(),
            email: String::new(),
            first_name: "Ana".into(),
            last_name: String::new(),
            role: Role::Student,
            two_factor: false,
            avatar: Avatar { photo: photo.map(Into::into), text: None },
        };
        let message = Message {
            id: MessageId(9),
            uuid: Uuid::nil(),
            conversation: ConversationId(7),
            position: 1,
            author: AccountId(author),
            author_uuid: Uuid::nil(),
            author_name: "vk_0f".into(),
            text: "<b>{}".into(),
            image: String::new(),
            created_at: Time(0),
            media: Vec::new(),
            receipt: None,
        };
        Event::MessagePosted(Arc::new(Posted {
            message,
            author: person,
            direct_pair: Vec::new(),
            room_members: Vec::new(),
            relation: None,
            client_id: None,
        }))
    }

    fn ear(account: i64) -> Listener {
        Listener { base: BaseUrl("http://a.example".into()), account: AccountId(account) }
    }

    fn frame_of(heard: Heard) -> (Value, bool) {
        let Heard::Frame(frame) = heard else { panic!("{heard:?}") };
        (serde_json::from_slice(&frame.bytes).unwrap(), frame.note.is_some())
    }

    #[test]
    fn a_frame_tells_of_its_sender_and_whose_it_is() {
        let (mine, is_noted) = frame_of(ear(1).heard(&posted(1, Some("avatars/a.png"))));
        let expected = json!({
            "text": "<b>{}",
            "author_name": "Ana",
            "avatar": "http://a.example/uploads/user-photos/a.png",
            "href": "http://a.example/user-detail/1/",
            "is_my": true,
            "id": 9,
            "date_create": "1970-01-01T00:00:00.000000Z",
        });
        assert_eq!(mine, expected);
        assert!(!is_noted);
        let (theirs, is_noted) = frame_of(ear(2).heard(&posted(1, None)));
        assert_eq!((&theirs["is_my"], &theirs["avatar"]), (&json!(false), &json!("")));
        assert!(is_noted);
    }

    #[test]
    fn all_but_the_sender_share_a_frame() {
        let event = posted(1, None);
        assert_eq!(ear(2).shape(&event), ear(3).shape(&event));
        assert_ne!(ear(1).shape(&event), ear(2).shape(&event));
    }

    #[test]
    fn only_who_is_taken_out_is_closed() {
        let left = Event::MemberLeft { conversation: ConversationId(7), account: AccountId(2) };
        assert!(matches!(ear(2).heard(&left), Heard::Close(Close(4403))));
        assert!(matches!(ear(3).heard(&left), Heard::Nothing));
        assert_ne!(ear(2).shape(&left), ear(3).shape(&left));
    }
}
