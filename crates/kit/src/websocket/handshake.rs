//! The opening handshake: RFC 6455, section 4.2.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use sha1::{Digest, Sha1};
use tokio::{net::TcpStream, sync::OwnedSemaphorePermit};

use crate::{listen::Stream, reply::Reply};

/// What a key is joined with before it is hashed (1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A request that may become a WebSocket, once it is accepted.
///
/// As an extractor it rejects what is no handshake: 426 without an upgrade, 400 when it is damaged.
pub struct Handshake {
    answer: HeaderValue,
    upgrade: OnUpgrade,
}

/// An open connection, no longer HTTP's.
pub struct Raw {
    /// The bare socket.
    pub socket: TcpStream,
    /// What the client sent right behind its handshake.
    pub early: bytes::Bytes,
    /// The connection's place among all connections.
    _place: OwnedSemaphorePermit,
}

impl Handshake {
    /// Switches protocols; `run` gets the connection when that is done.
    pub fn accept<F>(self, run: impl FnOnce(Raw) -> F + Send + 'static) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        tokio::spawn(async move {
            match self.upgrade.await.map(hyper::upgrade::Upgraded::downcast::<TokioIo<Stream>>) {
                Ok(Ok(parts)) => {
                    let (socket, place) = parts.io.into_inner().into_parts();
                    run(Raw { socket, early: parts.read_buf, _place: place }).await;
                }
                Ok(Err(_)) => tracing::error!("a WebSocket came over a stream that is not the listener's"),
                Err(fault) => tracing::debug!(%fault, "a client left during its handshake"),
            }
        });
        let headers = [
            (header::CONNECTION, HeaderValue::from_static("Upgrade")),
            (header::UPGRADE, HeaderValue::from_static("websocket")),
            (header::SEC_WEBSOCKET_ACCEPT, self.answer),
        ];
        (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Handshake {
    type Rejection = Reply;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Reply> {
        let headers = &parts.headers;
        let wants = has_token(headers, &header::CONNECTION, "upgrade")
            && has_token(headers, &header::UPGRADE, "websocket");
        if !wants {
            let reply = Reply::detail(StatusCode::UPGRADE_REQUIRED, "This is a WebSocket.");
            return Err(reply
                .header(header::UPGRADE, HeaderValue::from_static("websocket"))
                .header(header::CONNECTION, HeaderValue::from_static("Upgrade")));
        }
        let bad =
            |what: &str| Reply::detail(StatusCode::BAD_REQUEST, format!("Bad WebSocket handshake: {what}."));
        if parts.method != Method::GET {
            return Err(bad("the method is not GET"));
        }
        if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            let reply = bad("the version is not 13");
            return Err(reply.header(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")));
        }
        let key = headers.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes);
        let key = key.filter(|key| BASE64_STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16));
        let key = key.ok_or_else(|| bad("the key is not 16 bytes in base64"))?;
        let answer = answer_to(key).ok_or_else(|| bad("the key is not 16 bytes in base64"))?;
        let upgrade =
            parts.extensions.remove::<OnUpgrade>().ok_or_else(|| bad("no upgrade is possible here"))?;
        Ok(Self { answer, upgrade })
    }
}

fn answer_to(key: &[u8]) -> Option<HeaderValue> {
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    HeaderValue::from_str(&BASE64_STANDARD.encode(digest)).ok()
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|entry| entry.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_the_rfcs() {
        assert_eq!(answer_to(b"dGhlIHNhbXBsZSBub25jZQ==").unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn tokens_stand_in_lists_in_any_case() {
        let mut headers = HeaderMap::new();
        headers.append(header::CONNECTION, HeaderValue::from_static("keep-alive, UPGRADE"));
        assert!(has_token(&headers, &header::CONNECTION, "upgrade"));
        assert!(!has_token(&headers, &header::CONNECTION, "up"));
    }
}
