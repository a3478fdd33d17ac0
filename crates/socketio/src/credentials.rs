//! Who knocks: the contract's *Socket.IO*, credentials.

use domain::{
    App, Caller, Error, Refusal,
    sessions::{self, Shown},
};
use serde_json::{Map, Value};

use crate::Knock;

/// The keys under which payloads and queries hold a token, in this order.
const KEYS: [&str; 3] = ["access_token", "access", "token"];

/// Why nobody in particular knocks.
#[derive(Debug)]
pub enum Denied {
    /// No place holds a value.
    Absent,
    /// The value is authentic, but its time is over.
    Expired,
    /// The value lets nobody in: unknown, revoked, damaged, or a refresh token.
    Bad,
    /// Something of ours failed.
    Failed(Error),
}

/// A value, by what it may be.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Credential {
    /// An access token, an opaque token or an access key.
    Any(String),
    /// An opaque token, after `Token`.
    Opaque(String),
    /// Nothing that could be one.
    Malformed,
}

/// Who knocks. The first of these places that holds a value decides: the `Authorization` header of the handshake; the
/// auth payload (`access_token`, `access`, `token`, or `Authorization` with its scheme); the namespace's query; the
/// handshake's query. Other schemes than `Bearer` and `Token`, and bare ones, hold no value.
///
/// To be asked again by [`sessions::is_live`] once the end of the caller's grant would be heard of.
pub async fn authenticate(app: &App, knock: &Knock) -> Result<Caller, Denied> {
    let shown = match find(knock).ok_or(Denied::Absent)? {
        Credential::Any(value) => sessions::authenticate(app, Shown::Any(&value)).await,
        Credential::Opaque(value) => sessions::authenticate(app, Shown::Opaque(&value)).await,
        Credential::Malformed => return Err(Denied::Bad),
    };
    shown.map_err(|error| match error {
        Error::Unauthenticated(Refusal::Expired) => Denied::Expired,
        Error::Unauthenticated(_) => Denied::Bad,
        error => Denied::Failed(error),
    })
}

fn find(knock: &Knock) -> Option<Credential> {
    let header = knock.handshake.authorization.as_deref();
    header
        .and_then(with_scheme)
        .or_else(|| in_payload(&knock.auth))
        .or_else(|| in_query(&knock.query))
        .or_else(|| in_query(&knock.handshake.query))
}

/// A value behind its scheme, whose word may be in any case.
fn with_scheme(text: &str) -> Option<Credential> {
    let mut words = text.split_ascii_whitespace();
    let scheme = words.next()?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    if !is_bearer && !scheme.eq_ignore_ascii_case("token") {
        return None;
    }
    let value = words.next()?.to_owned();
    Some(match words.next() {
        Some(_) => Credential::Malformed,
        None if is_bearer => Credential::Any(value),
        None => Credential::Opaque(value),
    })
}

fn in_payload(auth: &Map<String, Value>) -> Option<Credential> {
    let bare = KEYS.iter().find_map(|key| match auth.get(*key)? {
        Value::Null => None,
        Value::String(value) => (!value.is_empty()).then(|| Credential::Any(value.clone())),
        _ => Some(Credential::Malformed),
    });
    bare.or_else(|| {
        let named = auth.iter().find(|(key, _)| key.eq_ignore_ascii_case("authorization"));
        match named?.1 {
            Value::Null => None,
            Value::String(value) => with_scheme(value),
            _ => Some(Credential::Malformed),
        }
    })
}

fn in_query(query: &str) -> Option<Credential> {
    let find = |key: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, value)| name == key && !value.is_empty())
    };
    let (_, value) = KEYS.iter().find_map(|key| find(key))?;
    Some(Credential::Any(value.into_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use realtime::Queue;
    use serde_json::json;

    use super::*;
    use crate::{Handshake, Protocol};

    fn found(header: Option<&str>, auth: Value, namespace_query: &str, query: &str) -> Option<Credential> {
        let Value::Object(auth) = auth else { panic!("an auth payload is an object") };
        let handshake = Handshake {
            protocol: Protocol::V4,
            authorization: header.map(Into::into),
            query: query.into(),
            base: "".into(),
        };
        let queue = Arc::new(Queue::new(1000));
        find(&Knock { handshake: Arc::new(handshake), auth, query: namespace_query.into(), queue })
    }

    fn any(value: &str) -> Credential {
        Credential::Any(value.into())
    }

    #[test]
    fn the_first_place_that_holds_a_value_decides() {
        let auth = || json!({ "token": "c", "access": "b" });
        assert_eq!(found(Some("bEARER a"), auth(), "token=d", "token=e"), Some(any("a")));
        assert_eq!(found(Some("Token a"), auth(), "", ""), Some(Credential::Opaque("a".into())));
        assert_eq!(found(Some("Basic a"), auth(), "token=d", "token=e"), Some(any("b")));
        assert_eq!(found(Some("Bearer"), json!({ "token": "" }), "x=1&token=d", "token=e"), Some(any("d")));
        assert_eq!(
            found(None, json!({ "token": null, "id": 7 }), "token=", "EIO=4&access=%65"),
            Some(any("e"))
        );
        assert_eq!(found(None, json!({}), "", "token=e&access_token=f"), Some(any("f")));
        assert_eq!(found(None, json!({}), "", "EIO=4"), None);
    }

    #[test]
    fn the_payload_may_hold_a_header() {
        assert_eq!(found(None, json!({ "Authorization": "Bearer a" }), "", "token=e"), Some(any("a")));
        assert_eq!(found(None, json!({ "Authorization": "Digest a" }), "", "token=e"), Some(any("e")));
        assert_eq!(found(None, json!({ "Authorization": "Bearer a", "token": "b" }), "", ""), Some(any("b")));
    }

    #[test]
    fn what_can_be_no_credential_is_not_passed_over() {
        for auth in [json!({ "token": 5 }), json!({ "token": ["a"] }), json!({ "Authorization": {} })] {
            assert_eq!(found(None, auth, "", "token=e"), Some(Credential::Malformed));
        }
        assert_eq!(found(Some("Bearer a b"), json!({}), "", "token=e"), Some(Credential::Malformed));
    }
}
