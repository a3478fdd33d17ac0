//! How this dialect says no, where document 001 has a sentence of its own.

use axum::http::StatusCode;
use domain::{Error, Field, Noun, Problem, Refusal, Rule};
use kit::{fault, fields::NON_FIELD_ERRORS, reply::Reply};
use serde_json::json;

/// A sign-in that failed, whatever was wrong with the credentials.
pub(crate) fn signing_in(error: Error) -> Reply {
    match error {
        Error::Unauthenticated(_) => invalid_credentials(),
        other => other.into(),
    }
}

/// See [`signing_in`].
pub(crate) fn invalid_credentials() -> Reply {
    Reply::new(StatusCode::BAD_REQUEST, json!({ "error": "Invalid credentials" }))
}

/// A code that could not be sent.
pub(crate) fn sending_code(error: Error) -> Reply {
    let text = match error {
        Error::NotFound(Noun::Password) => "Wrong username or password.",
        Error::NotFound(_) => "User with the provided username and email does not exist.",
        other => return other.into(),
    };
    Reply::new(StatusCode::NOT_FOUND, json!({ "error": text }))
}

/// A refresh token that is no good.
pub(crate) fn refreshing(error: Error) -> Reply {
    let detail = match error {
        Error::Unauthenticated(Refusal::WrongType) => "Token has wrong type",
        Error::Unauthenticated(_) => "Token is invalid or expired",
        other => return other.into(),
    };
    let mut reply = kit::credentials::bad_token(Refusal::Invalid);
    reply.body = json!({ "detail": detail, "code": "token_not_valid" });
    reply
}

/// A sign-up that breaks rules: passwords are `password1` here, and one that resembles is nobody's field.
pub(crate) fn registering(error: Error) -> Reply {
    named(error, |problem| match (problem.field, problem.rule) {
        (Field::Password, Rule::Similar(_)) => NON_FIELD_ERRORS,
        (Field::Password, _) => "password1",
        (Field::Avatar, _) => "avatar",
        (Field::Email, _) => "email",
        _ => "username",
    })
}

/// A new password that breaks rules.
pub(crate) fn changing_password(error: Error) -> Reply {
    named(error, |problem| match problem.field {
        Field::OldPassword => "old_password",
        _ => "new_password2",
    })
}

fn named(error: Error, name: impl Fn(&Problem) -> &'static str) -> Reply {
    match error {
        Error::Invalid(problems) => fault::field_map(&problems, name),
        other => other.into(),
    }
}

/// A friend who cannot be added or removed; `username` is the one that was asked for.
pub(crate) fn befriending(username: &str) -> impl FnOnce(Error) -> Reply {
    let failure = |message: String| {
        Reply::new(StatusCode::BAD_REQUEST, json!({ "success": false, "message": message }))
    };
    move |error| match error {
        Error::NotFound(Noun::Account) => {
            Reply::detail(StatusCode::NOT_FOUND, "No MyUser matches the given query.")
        }
        Error::Conflict(Noun::Oneself) => failure("You cannot add yourself as a friend.".into()),
        Error::Forbidden(Noun::RejectedRelation) => {
            failure(format!("{username} has declined your friendship."))
        }
        other => other.into(),
    }
}

/// A conversation that cannot be started or read.
pub(crate) fn conversing(error: Error) -> Reply {
    let (status, message) = match error {
        Error::Conflict(Noun::Oneself) => (StatusCode::BAD_REQUEST, "You cannot chat with yourself"),
        Error::NotFound(Noun::Account) => (StatusCode::NOT_FOUND, "You cannot chat with a non existent user"),
        Error::Unavailable(Noun::DisconnectedAccount) => (StatusCode::BAD_REQUEST, "User is not connected"),
        Error::NotFound(Noun::Conversation) => (StatusCode::NOT_FOUND, "Conversation does not exist"),
        other => return other.into(),
    };
    message_reply(status, message)
}

/// A 42 sign-in that failed.
pub(crate) fn signing_in_by_42(error: Error) -> Reply {
    match error {
        Error::Forbidden(Noun::Provider) => {
            message_reply(StatusCode::BAD_REQUEST, "Failed to obtain access token")
        }
        Error::Unavailable(Noun::Provider) => {
            message_reply(StatusCode::BAD_GATEWAY, "42 could not be reached, or gave no sensible answer")
        }
        other => other.into(),
    }
}

/// The body `{"message": text}`.
pub(crate) fn message_reply(status: StatusCode, text: &str) -> Reply {
    Reply::new(status, json!({ "message": text }))
}

/// What the sender of a bad frame is told.
pub(crate) fn frame_text(error: Error) -> String {
    match error {
        Error::Invalid(problems) => problems.first().map_or("The message is not valid.".into(), problem_text),
        Error::NotFound(_) => "Conversation does not exist".into(),
        Error::Forbidden(Noun::RejectedRelation) => "This friendship was rejected.".into(),
        Error::Forbidden(_) => "You do not have permission to perform this action.".into(),
        // The rest is logged and worded where answers over HTTP are.
        other => Reply::from(other).body["detail"].as_str().unwrap_or("The message was not stored.").into(),
    }
}

fn problem_text(problem: &Problem) -> String {
    match (problem.field, problem.rule) {
        (Field::Text, Rule::Blank) => "The message is empty.".into(),
        (Field::Text, Rule::TooLong(most)) => format!("The message has more than {most} characters."),
        (Field::Text, _) => "The message holds characters that are not allowed.".into(),
        (Field::Attachment, Rule::Blank) => "The attachment is empty.".into(),
        (Field::Attachment, Rule::TooLarge(most)) => format!("The attachment has more than {most} bytes."),
        (_, rule) => kit::fields::text_of(&rule),
    }
}
