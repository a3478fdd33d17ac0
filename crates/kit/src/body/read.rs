//! Bytes of a body, up to a limit.

use axum::http::StatusCode;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body as _;

use super::too_large;
use crate::listen::Stalled;
use crate::reply::Reply;

/// Whether `body` is known to hold nothing, before a byte of it is read.
pub(super) fn is_empty(body: &axum::body::Body) -> bool {
    body.is_end_stream() || body.size_hint().exact() == Some(0)
}

/// Reads the whole body. One that announces more than `limit` bytes is refused unread, a longer one as soon as
/// it is past the limit: 413.
pub(super) async fn read(mut body: axum::body::Body, limit: usize) -> Result<Bytes, Reply> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(too_large(limit));
    }
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|fault| unreadable(&fault))?.into_data() else { continue };
        if first.len().max(whole.len()) + data.len() > limit {
            return Err(too_large(limit));
        }
        // Most bodies come in one frame, which then needs no copy.
        if first.is_empty() && whole.is_empty() {
            first = data;
            continue;
        }
        if whole.is_empty() {
            whole.reserve(announced.max(first.len() + data.len()));
            whole.extend_from_slice(&first);
        }
        whole.extend_from_slice(&data);
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

fn unreadable(fault: &axum::Error) -> Reply {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(fault);
    while let Some(error) = cause {
        if error.is::<Stalled>() {
            return Reply::detail(StatusCode::REQUEST_TIMEOUT, "The request body did not arrive in time.");
        }
        cause = error.source();
    }
    Reply::detail(StatusCode::BAD_REQUEST, "The request body could not be read.")
}
