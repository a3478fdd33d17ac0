//! How this dialect says no, where document 002 has a sentence of its own.

use axum::http::{HeaderValue, StatusCode, header};
use domain::{Error, Field, Noun, Problem, Refusal, Rule};
use kit::{fault, fields::text_of, reply::Reply};
use serde_json::{Map, Value, json};

/// What the sender of a frame is told who names a message that was not sent to them on that channel.
pub(crate) const NO_SUCH_MESSAGE: &str = "this message id is not exist or channel";

/// What is said about a friendship that the caller has no part in, or that is no more.
pub(crate) const NO_FRIENDSHIP: &str = "Friendship not found.";

const REJECTED: &str = "This friendship was rejected.";

/// The body `{"error": text}`.
pub(crate) fn error(status: StatusCode, text: &str) -> Reply {
    Reply::new(status, json!({ "error": text }))
}

/// The same with 401, and the scheme that would let in.
pub(crate) fn unauthorised(text: &str) -> Reply {
    let scheme = HeaderValue::from_static("Bearer realm=\"api\"");
    error(StatusCode::UNAUTHORIZED, text).header(header::WWW_AUTHENTICATE, scheme)
}

/// Neither a list nor a history is asked for like this.
pub(crate) fn bad_query() -> Reply {
    error(StatusCode::BAD_REQUEST, "Invalid query parameters.")
}

/// See [`NO_FRIENDSHIP`].
pub(crate) fn no_friendship() -> Reply {
    error(StatusCode::NOT_FOUND, NO_FRIENDSHIP)
}

/// A sign-in that failed.
pub(crate) fn signing_in(error: Error) -> Reply {
    match error {
        Error::Unauthenticated(Refusal::CodeRequired) => unauthorised("Two-factor code required"),
        Error::Unauthenticated(_) => unauthorised("Invalid Credentials"),
        other => other.into(),
    }
}

/// A sign-out by a refresh token that is no good.
pub(crate) fn signing_out(error: Error) -> Reply {
    match error {
        Error::Forbidden(Noun::Session) => unauthorised("Invalid token"),
        other => refreshing(other),
    }
}

/// A refresh token that is no good.
pub(crate) fn refreshing(error: Error) -> Reply {
    match error {
        Error::Unauthenticated(_) => unauthorised("Invalid or expired refresh token"),
        other => other.into(),
    }
}

/// A sign-up that breaks rules: all of them in one text.
pub(crate) fn signing_up(fault: Error) -> Reply {
    match fault {
        Error::Invalid(problems) => {
            let texts: Vec<_> = problems.iter().map(|problem| password_text(&problem.rule)).collect();
            error(StatusCode::BAD_REQUEST, &texts.join(" "))
        }
        other => other.into(),
    }
}

/// A field map as the one text that a sign-up is told.
pub(crate) fn joined(fields: &Reply) -> Reply {
    let lists = fields.body.as_object().into_iter().flat_map(Map::values);
    let texts: Vec<_> = lists.filter_map(Value::as_array).flatten().filter_map(Value::as_str).collect();
    error(StatusCode::BAD_REQUEST, &texts.join(" "))
}

/// What a rule for passwords says here.
pub(crate) fn password_text(rule: &Rule) -> String {
    match rule {
        Rule::TooShort(least) => {
            format!("Password is too short. It must contain at least {least} characters.")
        }
        other => text_of(other),
    }
}

/// A field map as a profile's change is told of it.
pub(crate) fn bad_profile(fields: Reply) -> Reply {
    let mut body = Map::from_iter([("error".to_owned(), "Invalid data provided.".into())]);
    if let Value::Object(fields) = fields.body {
        body.extend(fields);
    }
    Reply::new(StatusCode::BAD_REQUEST, body.into())
}

/// A change of the profile that breaks rules.
pub(crate) fn updating_profile(error: Error) -> Reply {
    match error {
        Error::Invalid(problems) => bad_profile(fault::field_map(&problems, |problem| match problem.field {
            Field::FirstName => "first_name",
            Field::LastName => "last_name",
            _ => "personal_image",
        })),
        other => other.into(),
    }
}

/// A page that is not there.
pub(crate) fn paging(error: Error) -> Reply {
    match error {
        Error::NotFound(Noun::Page) => Reply::detail(StatusCode::NOT_FOUND, "Invalid page."),
        other => other.into(),
    }
}

/// A friendship that cannot be asked for or answered.
pub(crate) fn befriending(error: Error) -> Reply {
    let (status, text) = match error {
        Error::NotFound(Noun::Account) => (StatusCode::NOT_FOUND, "User not found."),
        Error::Conflict(Noun::Relation) => (StatusCode::BAD_REQUEST, "Friendship already exists."),
        Error::Conflict(Noun::Oneself) => {
            (StatusCode::BAD_REQUEST, "You cannot send a friendship request to yourself.")
        }
        Error::NotFound(Noun::Relation) => (StatusCode::NOT_FOUND, NO_FRIENDSHIP),
        Error::Forbidden(Noun::Relation) => {
            (StatusCode::FORBIDDEN, "You are not authorized to update this friendship.")
        }
        other => return other.into(),
    };
    Reply::detail(status, text)
}

/// A history that cannot be read.
pub(crate) fn reading(error: Error) -> Reply {
    match error {
        Error::NotFound(Noun::Relation) => no_friendship(),
        Error::NotFound(Noun::Message) => bad_query(),
        other => paging(other),
    }
}

/// A message that cannot be sent.
pub(crate) fn sending(fault: Error) -> Reply {
    match fault {
        Error::NotFound(Noun::Relation | Noun::Conversation) | Error::Forbidden(Noun::Conversation) => {
            no_friendship()
        }
        Error::Forbidden(Noun::RejectedRelation) => error(StatusCode::FORBIDDEN, REJECTED),
        Error::Invalid(problems) => {
            let mut errors = Map::new();
            for problem in &problems {
                let (name, text) = message_problem(problem);
                let texts = errors.entry(name).or_insert_with(|| json!([]));
                if let Value::Array(texts) = texts {
                    texts.push(text.into());
                }
            }
            Reply::field_map(errors)
        }
        other => other.into(),
    }
}

fn message_problem(problem: &Problem) -> (&'static str, String) {
    let name = match problem.field {
        Field::Attachment => "media",
        Field::ClientId => "client_id",
        _ => "content",
    };
    let text = match (problem.field, problem.rule) {
        (Field::Attachment, Rule::Blank) => "The submitted file is empty.".into(),
        (_, Rule::Charset) => "Null characters are not allowed.".into(),
        (_, rule) => text_of(&rule),
    };
    (name, text)
}

/// A message that cannot be marked as seen.
pub(crate) fn seeing(fault: Error) -> Reply {
    match fault {
        Error::NotFound(Noun::Message) => no_message(),
        other => other.into(),
    }
}

/// See [`seeing`].
pub(crate) fn no_message() -> Reply {
    error(StatusCode::NOT_FOUND, "Message not found")
}

/// What the sender of a bad frame is told.
pub(crate) fn frame_text(error: Error) -> String {
    match error {
        Error::NotFound(Noun::Message) => NO_SUCH_MESSAGE.into(),
        Error::NotFound(Noun::Relation | Noun::Conversation) | Error::Forbidden(Noun::Conversation) => {
            NO_FRIENDSHIP.into()
        }
        Error::Forbidden(Noun::RejectedRelation) => REJECTED.into(),
        Error::Invalid(problems) => {
            problems.first().map_or("The message is not valid.".into(), frame_problem)
        }
        // The rest is logged and worded where answers over HTTP are.
        other => Reply::from(other).body["detail"].as_str().unwrap_or("The message was not stored.").into(),
    }
}

fn frame_problem(problem: &Problem) -> String {
    match (problem.field, problem.rule) {
        (Field::Text, Rule::Blank) => "The message is empty.".into(),
        (Field::Text, Rule::TooLong(most)) => format!("The message has more than {most} characters."),
        (Field::Text, _) => "The message holds characters that are not allowed.".into(),
        (Field::ClientId, Rule::TooLong(most)) => format!("\"client_id\" has more than {most} characters."),
        (Field::ClientId, _) => "\"client_id\" holds characters that are not allowed.".into(),
        (Field::Attachment, Rule::Blank) => "A file is empty.".into(),
        (Field::Attachment, Rule::TooMany(most)) => format!("There are more than {most} files."),
        (Field::Attachment, Rule::TooLarge(most)) => {
            format!("The files have more than {most} bytes together.")
        }
        (_, rule) => text_of(&rule),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_up_is_told_everything_in_one_text() {
        let fields = Reply::field_map(Map::from_iter([
            ("username".to_owned(), json!(["A."])),
            ("password".to_owned(), json!(["B.", "C."])),
        ]));
        assert_eq!(joined(&fields).body, json!({ "error": "A. B. C." }));
        let broken = [Rule::TooShort(8), Rule::Numeric].map(|rule| Problem::new(Field::Password, rule));
        assert_eq!(
            signing_up(Error::Invalid(broken.to_vec())).body,
            json!({ "error": "Password is too short. It must contain at least 8 characters. \
                              This password is entirely numeric." })
        );
    }

    #[test]
    fn a_bad_profile_is_a_sentence_and_a_field_map() {
        let broken = vec![Problem::new(Field::Avatar, Rule::NotAnImage)];
        let reply = updating_profile(Error::Invalid(broken));
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        let text =
            "Upload a valid image. The file you uploaded was either not an image or a corrupted image.";
        assert_eq!(reply.body, json!({ "error": "Invalid data provided.", "personal_image": [text] }));
    }

    #[test]
    fn a_message_is_told_what_is_wrong_with_each_field() {
        let broken = vec![
            Problem::new(Field::Text, Rule::TooLong(4096)),
            Problem::new(Field::Attachment, Rule::Blank),
            Problem::new(Field::Attachment, Rule::TooMany(10)),
        ];
        assert_eq!(
            sending(Error::Invalid(broken)).body,
            json!({
                "content": ["Ensure this field has no more than 4096 characters."],
                "media": ["The submitted file is empty.", "Ensure this field has no more than 10 elements."],
            })
        );
    }

    #[test]
    fn every_401_names_the_scheme() {
        let invalid = || Error::Unauthenticated(Refusal::Invalid);
        let replies = [
            signing_in(invalid()),
            signing_in(Error::Unauthenticated(Refusal::CodeRequired)),
            signing_out(invalid()),
            signing_out(Error::Forbidden(Noun::Session)),
            refreshing(Error::Unauthenticated(Refusal::WrongType)),
        ];
        for reply in replies {
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
            assert_eq!(reply.headers[0].0, header::WWW_AUTHENTICATE);
        }
    }
}
