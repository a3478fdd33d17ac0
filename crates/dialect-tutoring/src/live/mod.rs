//! The Socket.IO namespace `/`.
//!
//! A socket is in all rooms of its account: the core tells what happens in rooms to the accounts in them. So a room that
//! is opened or joined anywhere reaches every socket of the account, and nothing has to be subscribed to again.

mod ear;
mod presence;
mod said;

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    AccountId, App, Caller, Error, Topic,
    accounts::{self, Role},
    sessions,
};
use kit::{context::Context, reply::Reply};
use realtime::{Hub, Listening, Queue};
use serde_json::{Value, json};
use socketio::{Answer, Denied, Entrance, Event, Knock, Live, Namespace, Protocol, Said, authenticate};

use crate::fault;
use ear::Listener;
use presence::Presence;
use said::Tutor;

/// The namespace's name, in frames.
const NAMESPACE: &str = "/";

const NOT_SIGNED_IN: &str = "Authentication credentials were not provided.";
const BAD_TOKEN: &str = "Given token not valid for any token type";
const OTHER_ID: &str = "The id is not that of the token's account.";

/// The namespace.
pub(crate) struct Tutors {
    app: App,
    hub: Arc<Hub>,
    presence: Presence,
}

impl Tutors {
    pub(crate) fn new(context: &Context) -> Self {
        let presence = Presence::start(context.app.clone());
        Self { app: context.app.clone(), hub: Arc::clone(&context.hub), presence }
    }

    /// Lets a client in, or tells why not.
    async fn admit(&self, knock: &Knock) -> Result<Entrance, String> {
        let caller = authenticate(&self.app, knock).await.map_err(refusal)?;
        if !is_own_id(knock, caller.account) {
            return Err(OTHER_ID.into());
        }
        let failed = |error: Error| match error {
            Error::NotFound(_) => BAD_TOKEN.to_owned(),
            other => fault::spoken(other),
        };
        let role = accounts::person(&self.app, caller.account).await.map_err(failed)?.role;
        let base = Arc::clone(&knock.handshake.base);
        let listening = self.listen(&caller, role, base.clone(), Arc::clone(&knock.queue));
        // Asked once more, now that its end would be heard.
        if !sessions::is_live(&self.app, &caller).await.map_err(failed)? {
            return Err(BAD_TOKEN.into());
        }
        // From here on, dropping what speaks for it tells that the socket has gone.
        let present = self.presence.arrive(caller.account, Arc::clone(&knock.queue));
        let live = Box::new(Tutor::new(self.app.clone(), caller, base, present));
        Ok(Entrance::Open { live, listening: Some(listening), events: Vec::new() })
    }

    fn listen(&self, caller: &Caller, role: Role, base: Arc<str>, queue: Arc<Queue>) -> Listening {
        let mut topics = vec![Topic::Grant(caller.grant), Topic::RoomsOf(caller.account)];
        if role == Role::Teacher {
            topics.push(Topic::Teachers);
        }
        self.hub.listen(&topics, Arc::new(Listener::new(base)), queue)
    }
}

#[async_trait]
impl Namespace for Tutors {
    async fn connect(&self, knock: Knock) -> Entrance {
        match self.admit(&knock).await {
            Ok(entrance) => entrance,
            // The protocol itself has put them here, perhaps on the way to another namespace.
            Err(_) if knock.handshake.protocol == Protocol::V3 => {
                Entrance::Open { live: Box::new(Bystander), listening: None, events: Vec::new() }
            }
            Err(message) => Entrance::Refused(message),
        }
    }
}

/// Why nobody comes in by this.
fn refusal(denied: Denied) -> String {
    match denied {
        Denied::Absent => NOT_SIGNED_IN.into(),
        Denied::Expired | Denied::Bad => BAD_TOKEN.into(),
        Denied::Failed(error) => fault::first_text(&Reply::from(error)),
    }
}

/// Whether the `id` of the auth payload, if there is one, is that account's.
fn is_own_id(knock: &Knock, account: AccountId) -> bool {
    match knock.auth.get("id") {
        None | Some(Value::Null) => true,
        Some(Value::Number(id)) => id.as_i64() == Some(account.0),
        Some(Value::String(id)) => *id == account.to_string(),
        Some(_) => false,
    }
}

/// An event `error`, and the same as ack.
fn error(message: &str) -> Answer {
    Answer::event(NAMESPACE, "error", json!({ "message": message }))
}

/// Speaks for a client of protocol 4 that is here without being signed in.
struct Bystander;

impl Live for Bystander {
    fn said(&mut self, _: Event) -> Said {
        Said::Answer(error(NOT_SIGNED_IN))
    }

    fn throttled(&mut self, _: &Event) -> Answer {
        error(said::TOO_MANY)
    }
}

#[cfg(test)]
mod tests {
    use socketio::Handshake;

    use super::*;

    fn knock(auth: Value) -> Knock {
        let Value::Object(auth) = auth else { panic!("an auth payload is an object") };
        let handshake = Handshake {
            protocol: Protocol::V4,
            authorization: None,
            query: "".into(),
            base: "http://a".into(),
        };
        Knock {
            handshake: Arc::new(handshake),
            auth,
            query: String::new(),
            queue: Arc::new(Queue::new(1000)),
        }
    }

    #[test]
    fn an_id_is_optional_and_has_to_be_the_accounts_own() {
        for good in [json!({}), json!({ "id": null }), json!({ "id": 7 }), json!({ "id": "7" })] {
            assert!(is_own_id(&knock(good.clone()), AccountId(7)), "{good}");
        }
        for bad in [8.into(), json!("8"), json!(""), json!(7.5), json!(true), json!([7]), json!("7 ")] {
            assert!(!is_own_id(&knock(json!({ "id": bad })), AccountId(7)), "{bad}");
        }
    }
}
