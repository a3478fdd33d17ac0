//! How the core's errors are said where a dialect has no sentence of its own.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use domain::{Error, Field, Problem};

use crate::{credentials::bad_token, fields::text_of, reply::Reply};

/// The answer to an error, in Django REST framework's words. The place where internal errors are logged.
pub fn core_fault(error: Error) -> Reply {
    match error {
        Error::NotFound(_) => Reply::not_found(),
        Error::Conflict(_) => Reply::detail(StatusCode::BAD_REQUEST, "It exists already."),
        Error::Invalid(problems) => field_map(&problems, field_name),
        Error::Unauthenticated(refusal) => bad_token(refusal),
        Error::Forbidden(_) => {
            Reply::detail(StatusCode::FORBIDDEN, "You do not have permission to perform this action.")
        }
        Error::Throttled(wait) => throttled(wait),
        Error::Unavailable(what) => {
            tracing::error!(?what, "something that is needed is out of reach");
            Reply::detail(StatusCode::SERVICE_UNAVAILABLE, "Temporarily unavailable. Please try again.")
                .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
        }
        Error::Internal(fault) => {
            tracing::error!(fault = format!("{fault:#}"), "internal error");
            Reply::detail(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error.")
        }
    }
}

impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        core_fault(error)
    }
}

/// 429, with the time to wait in whole seconds.
pub fn throttled(wait: Duration) -> Reply {
    let seconds = wait.as_micros().div_ceil(1_000_000).max(1);
    let detail = format!("Request was throttled. Expected available in {seconds} seconds.");
    let reply = Reply::detail(StatusCode::TOO_MANY_REQUESTS, detail);
    match HeaderValue::from_str(&seconds.to_string()) {
        Ok(seconds) => reply.header(header::RETRY_AFTER, seconds),
        Err(_) => reply,
    }
}

/// A field map of broken rules, under the names that `name` gives.
pub fn field_map(problems: &[Problem], name: impl Fn(&Problem) -> &'static str) -> Reply {
    let mut errors = serde_json::Map::new();
    for problem in problems {
        let texts = errors.entry(name(problem)).or_insert_with(|| serde_json::json!([]));
        if let serde_json::Value::Array(texts) = texts {
            texts.push(text_of(&problem.rule).into());
        }
    }
    Reply::field_map(errors)
}

fn field_name(problem: &Problem) -> &'static str {
    match problem.field {
        Field::Username => "username",
        Field::Email => "email",
        Field::FirstName => "first_name",
        Field::LastName => "last_name",
        Field::Password => "password",
        Field::OldPassword => "old_password",
        Field::Avatar => "avatar",
        Field::Text => "text",
        Field::Attachment => "attachment",
        Field::ClientId => "client_id",
        Field::Image => "image",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_rounded_up() {
        let reply = throttled(Duration::from_millis(2001));
        assert_eq!(reply.body["detail"], "Request was throttled. Expected available in 3 seconds.");
        assert_eq!(reply.headers[0].1, "3");
    }

    #[test]
    fn an_internal_fault_is_not_shown() {
        let reply = core_fault(Error::Internal(domain_fault()));
        assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(reply.body.to_string(), r#"{"detail":"Internal server error."}"#);
    }

    fn domain_fault() -> anyhow::Error {
        anyhow::anyhow!("SELECT secret FROM nowhere")
    }
}
