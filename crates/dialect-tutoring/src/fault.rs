//! How this dialect says no, where document 003 has a sentence of its own, and how it does so on a socket.

use axum::http::{HeaderValue, StatusCode, header};
use domain::{Error, Noun, Refusal};
use kit::{fields::NON_FIELD_ERRORS, reply::Reply};
use serde_json::{Value, json};

/// A sign-in that failed.
pub(crate) fn signing_in(error: Error) -> Reply {
    let body = match error {
        Error::Unauthenticated(Refusal::CodeRequired) => {
            json!({ "detail": "Two-factor code required", "code": "two_factor_required" })
        }
        Error::Unauthenticated(_) => {
            json!({ "detail": "No active account found with the given credentials" })
        }
        other => return other.into(),
    };
    let scheme = HeaderValue::from_static("Bearer realm=\"api\"");
    Reply::new(StatusCode::UNAUTHORIZED, body).header(header::WWW_AUTHENTICATE, scheme)
}

/// What a teacher is told who cannot join a room.
pub(crate) fn joining(error: Error) -> String {
    match error {
        Error::Conflict(Noun::Room) => "Another teacher is in the room.".into(),
        other => spoken(other),
    }
}

/// What a student is told who cannot ask the teachers to come.
pub(crate) fn announcing(error: Error) -> String {
    match error {
        Error::Conflict(Noun::Room) => "The teachers were asked before, or one is in the room.".into(),
        other => spoken(other),
    }
}

/// What the sender of an event is told whose deed was not done.
pub(crate) fn spoken(error: Error) -> String {
    match error {
        Error::NotFound(_) => "There is no such room.".into(),
        Error::Conflict(Noun::ClosedRoom) => "The room is closed.".into(),
        // The rest is logged and worded where answers over HTTP are.
        other => first_text(&Reply::from(other)),
    }
}

/// The first text of an answer: `field: text` where it belongs to a field.
pub(crate) fn first_text(reply: &Reply) -> String {
    if let Some(detail) = reply.body["detail"].as_str() {
        return detail.to_owned();
    }
    let first = reply.body.as_object().and_then(|fields| fields.iter().next());
    let text = |texts: &Value| texts[0].as_str().unwrap_or("Invalid data.").to_owned();
    match first {
        Some((field, texts)) if field == NON_FIELD_ERRORS => text(texts),
        Some((field, texts)) => format!("{field}: {}", text(texts)),
        None => "Invalid data.".into(),
    }
}

#[cfg(test)]
mod tests {
    use domain::{Field, Problem, Rule};

    use super::*;

    #[test]
    fn broken_rules_are_told_with_their_field() {
        let error = |field, rule| spoken(Error::Invalid(vec![Problem::new(field, rule)]));
        assert_eq!(error(Field::Image, Rule::Url), "image: Enter a valid URL.");
        assert_eq!(error(Field::Text, Rule::Blank), "text: This field may not be blank.");
        let forbidden = spoken(Error::Forbidden(Noun::Room));
        assert_eq!(forbidden, "You do not have permission to perform this action.");
    }

    #[test]
    fn a_fault_of_ours_is_not_told() {
        let told = spoken(Error::Internal(std::io::Error::other("SELECT secret").into()));
        assert_eq!(told, "Internal server error.");
    }
}
