//! The request with which a connection began.

use std::sync::Arc;

use axum::http::{header, request::Parts};
use kit::{base_url::BaseUrl, reply::Reply};

use crate::Protocol;

/// What is kept of a connection's first request: headers and the like would cost more memory than all else.
#[derive(Clone, Debug)]
pub struct Handshake {
    /// The revision that the client speaks.
    pub protocol: Protocol,
    /// The `Authorization` header, if there was one.
    pub authorization: Option<Box<str>>,
    /// The query, as it was sent.
    pub query: Box<str>,
    /// The start of absolute URLs.
    pub base: Arc<str>,
}

impl Handshake {
    /// Takes what is needed. The error is that of a host which is none.
    pub(crate) fn of(parts: &Parts, protocol: Protocol) -> Result<Self, Reply> {
        let BaseUrl(base) = BaseUrl::of(parts)?;
        let authorization = parts.headers.get(header::AUTHORIZATION);
        let authorization = authorization.map(|value| String::from_utf8_lossy(value.as_bytes()).into());
        Ok(Self { protocol, authorization, query: parts.uri.query().unwrap_or_default().into(), base })
    }
}
