//! The answers of the router itself, in JSON.

use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Body as _;

use crate::reply::Reply;

/// Gives the router's empty 404 and 405 their bodies (common.md, HTTP), and answers `OPTIONS` where only the
/// list of methods is known. Other answers pass.
pub(super) fn in_json(method: &Method, response: Response) -> Response {
    if !is_bare(&response) {
        return response;
    }
    let reply = match response.status() {
        StatusCode::NOT_FOUND => Reply::not_found(),
        StatusCode::METHOD_NOT_ALLOWED if method == Method::OPTIONS => return options(response),
        StatusCode::METHOD_NOT_ALLOWED => Reply::detail(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("Method \"{}\" not allowed.", shown(method)),
        ),
        _ => return response,
    };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let (new, body) = reply.into_response().into_parts();
    parts.headers.extend(new.headers);
    Response::from_parts(parts, body)
}

fn is_bare(response: &Response) -> bool {
    let body = response.body();
    !response.headers().contains_key(header::CONTENT_TYPE)
        && (body.is_end_stream() || body.size_hint().exact() == Some(0))
}

fn options(mut response: Response) -> Response {
    *response.status_mut() = StatusCode::NO_CONTENT;
    *response.body_mut() = Body::empty();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    let allowed =
        headers.get(header::ALLOW).and_then(|list| list.to_str().ok()).filter(|list| !list.is_empty());
    let list = allowed.map_or_else(|| "OPTIONS".to_owned(), |list| format!("{list},OPTIONS"));
    if let Ok(list) = HeaderValue::try_from(list) {
        headers.insert(header::ALLOW, list);
    }
    response
}

/// Methods can be of any length; no more of one is repeated than of the known ones.
fn shown(method: &Method) -> &str {
    let text = method.as_str();
    text.get(..20).unwrap_or(text)
}
