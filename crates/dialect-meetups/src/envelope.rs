//! The document's envelope: HTTP 200 whatever happened, and the outcome in the body.

use axum::http::StatusCode;
use kit::reply::Reply;
use serde_json::{Value, json};

/// `{"status": status, "msg": text, "data": data}`, its keys in this order.
pub(crate) fn envelope(status: u16, text: &str, data: &Value) -> Reply {
    Reply::new(StatusCode::OK, json!({ "status": status, "msg": text, "data": data }))
}

/// An envelope without data.
pub(crate) fn outcome(status: u16, text: &str) -> Reply {
    envelope(status, text, &Value::Null)
}

/// 200 `ok`.
pub(crate) fn ok() -> Reply {
    outcome(200, "ok")
}

/// 204 `ok`.
pub(crate) fn gone() -> Reply {
    outcome(204, "ok")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_is_exact() {
        let reply = outcome(404, "meeting does not exist");
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.body.to_string(), r#"{"status":404,"msg":"meeting does not exist","data":null}"#);
        let body = envelope(200, "ok", &json!({ "unread": 3 })).body.to_string();
        assert_eq!(body, r#"{"status":200,"msg":"ok","data":{"unread":3}}"#);
    }
}
