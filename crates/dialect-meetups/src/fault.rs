//! How this dialect says no, where document 004 has a sentence of its own.

use axum::http::{HeaderValue, StatusCode, header};
use domain::{Error, Noun, Rule};
use kit::{fields::NON_FIELD_ERRORS, reply::Reply};
use serde_json::json;

use crate::envelope::outcome;

/// A sign-in that failed.
pub(crate) fn signing_in(error: Error) -> Reply {
    match error {
        Error::NotFound(Noun::Provider) => non_field("This social network is not configured."),
        Error::Unauthenticated(_) => Reply::detail(StatusCode::UNAUTHORIZED, "Invalid token.")
            .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Token")),
        other => other.into(),
    }
}

/// 400 for what concerns no single field.
pub(crate) fn non_field(text: &str) -> Reply {
    Reply::new(StatusCode::BAD_REQUEST, json!({ NON_FIELD_ERRORS: [text] }))
}

/// Somebody who is looked for.
pub(crate) fn looking_for_somebody(error: Error) -> Reply {
    match error {
        Error::NotFound(Noun::Account) => outcome(400, "User does not exist"),
        other => other.into(),
    }
}

/// A photo that is not taken.
pub(crate) fn uploading(error: Error) -> Reply {
    match error {
        Error::Invalid(problems) if problems.iter().any(|problem| problem.rule == Rule::Blank) => {
            outcome(400, "error: no file in request")
        }
        Error::Invalid(_) => outcome(400, "error wrong file mime type"),
        other => other.into(),
    }
}

/// A meeting that is not made.
pub(crate) fn making_a_meeting(error: Error) -> Reply {
    match error {
        Error::Forbidden(Noun::DailyMeeting) => {
            outcome(429, "user's trying to create more than MAX_MEETINGS meetings")
        }
        other => other.into(),
    }
}

/// A request to take part that is not made.
pub(crate) fn asking(error: Error) -> Reply {
    match error {
        Error::NotFound(Noun::Meeting) => outcome(404, "meeting does not exist"),
        Error::Conflict(Noun::OwnMeeting) => outcome(400, "you can not confirm to your event"),
        Error::Conflict(Noun::Request) => outcome(400, "you cannot create more than one confirm"),
        other => other.into(),
    }
}

/// A chat that is not shown.
pub(crate) fn reading(error: Error) -> Reply {
    match error {
        Error::NotFound(Noun::Conversation) => outcome(404, "chat does not exist"),
        Error::Forbidden(Noun::Conversation) => outcome(400, "you can not see this chat"),
        other => other.into(),
    }
}
