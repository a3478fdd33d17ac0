//! How this dialect says no.

use axum::http::StatusCode;
use domain::{Error, Noun};
use kit::reply::Reply;
use serde_json::{Value, json};

/// Nobody shows a credential.
pub(crate) const NO_TOKEN: &str = "Authorization not found, Please send valid token in headers";

/// The token's time is over.
pub(crate) const EXPIRED: &str = "Authentication token has expired";

/// Whatever else is wrong with a credential.
pub(crate) const BAD_TOKEN: &str = "Authorization has failed, Please send valid token.";

/// The envelope of every refusal on the socket.
pub(crate) fn envelope(code: StatusCode, message: &str) -> Value {
    json!({ "data": { "message": message }, "code": code.as_u16(), "request_id": "" })
}

/// The envelope of a wrong argument.
pub(crate) fn bad(message: &str) -> Value {
    envelope(StatusCode::BAD_REQUEST, message)
}

/// The envelope of a bad credential.
pub(crate) fn unauthorised(message: &str) -> Value {
    envelope(StatusCode::UNAUTHORIZED, message)
}

/// The envelope of an event that came too fast.
pub(crate) fn throttled() -> Value {
    envelope(StatusCode::TOO_MANY_REQUESTS, "Too many messages. Please slow down.")
}

/// The envelope of an operation that did not happen.
pub(crate) fn of(error: Error) -> Value {
    match error {
        Error::NotFound(Noun::Widget) => envelope(StatusCode::NOT_FOUND, "Widget not found"),
        Error::Conflict(Noun::WidgetLimit) => bad("The limit of widgets has been reached"),
        // Deleted in this very moment.
        Error::NotFound(Noun::Account) => unauthorised(BAD_TOKEN),
        other => {
            let reply = Reply::from(other);
            envelope(reply.status, reply.body["detail"].as_str().unwrap_or("It did not work."))
        }
    }
}

/// A sign-in that failed.
pub(crate) fn signing_in(error: Error) -> Reply {
    let (status, text) = match error {
        Error::Unauthenticated(_) => (StatusCode::BAD_REQUEST, "Bad Request: the token is not valid"),
        Error::Unavailable(Noun::Provider) => {
            (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable: an identity provider could not be asked")
        }
        other => return other.into(),
    };
    Reply::new(status, json!({ "message": text }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn envelopes_are_exact() {
        for (error, text) in [
            (
                Error::NotFound(Noun::Widget),
                r#"{"data":{"message":"Widget not found"},"code":404,"request_id":""}"#,
            ),
            (
                Error::Conflict(Noun::WidgetLimit),
                r#"{"data":{"message":"The limit of widgets has been reached"},"code":400,"request_id":""}"#,
            ),
            (
                Error::NotFound(Noun::Account),
                r#"{"data":{"message":"Authorization has failed, Please send valid token."},"code":401,"request_id":""}"#,
            ),
            (
                Error::Unavailable(Noun::Store),
                r#"{"data":{"message":"Temporarily unavailable. Please try again."},"code":503,"request_id":""}"#,
            ),
        ] {
            assert_eq!(of(error).to_string(), text);
        }
        assert_eq!(throttled()["code"], 429);
    }

    #[test]
    fn a_sign_in_is_refused_in_the_documents_words() {
        let invalid = signing_in(Error::Unauthenticated(domain::Refusal::Invalid));
        assert_eq!(invalid.status, StatusCode::BAD_REQUEST);
        assert_eq!(invalid.body.to_string(), r#"{"message":"Bad Request: the token is not valid"}"#);
        let away = signing_in(Error::Unavailable(Noun::Provider));
        assert_eq!(away.status, StatusCode::SERVICE_UNAVAILABLE);
        let throttled = signing_in(Error::Throttled(Duration::from_secs(1)));
        assert_eq!(throttled.status, StatusCode::TOO_MANY_REQUESTS);
    }
}
