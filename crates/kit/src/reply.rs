//! A ready-made JSON answer, small enough to be an `Err`.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// A status, a JSON body, and headers beyond `Content-Type`.
///
/// Extractors reject with it, and handlers pass it on with `?`.
#[derive(Clone, PartialEq, Debug)]
#[must_use]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub body: Value,
    /// Further headers; a name may occur more than once.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    /// An answer without further headers.
    pub fn new(status: StatusCode, body: Value) -> Self {
        Self { status, body, headers: Vec::new() }
    }

    /// The body `{"detail": text}`.
    pub fn detail(status: StatusCode, text: impl Into<String>) -> Self {
        Self::new(status, json!({ "detail": text.into() }))
    }

    /// A field map: 400 with the errors of each field (common.md, HTTP).
    pub fn field_map(errors: Map<String, Value>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Value::Object(errors))
    }

    /// The same answer with one more header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// 404 as for an unknown path.
    pub fn not_found() -> Self {
        Self::detail(StatusCode::NOT_FOUND, "Not found.")
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_json_in_utf8_and_keeps_repeated_headers() {
        let reply = Reply::detail(StatusCode::NOT_FOUND, "é")
            .header(header::LINK, HeaderValue::from_static("<a>"))
            .header(header::LINK, HeaderValue::from_static("<b>"));
        assert!(size_of::<Reply>() <= 128, "large errors are moved about on every `?`");
        assert_eq!(reply.body.to_string(), "{\"detail\":\"é\"}");
        let response = reply.into_response();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        assert_eq!(response.headers().get_all(header::LINK).iter().count(), 2);
    }
}
