//! The requests of Engine.IO (engine.io-protocol, "Transports"), and its refusals.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{FromRequestParts, Request},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kit::{reply::Reply, websocket::Handshake as WebSocketHandshake};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use crate::{
    Handshake, Protocol,
    engine::decode,
    polling::{self, Ask, Polled, Posted},
    registry::{Full, Sid},
    server::Shared,
    session::Session,
    websocket,
};

/// What the query says.
#[derive(Default)]
struct Asked {
    transport: String,
    sid: Option<String>,
    /// `None`: neither 3 nor 4. Only a handshake needs it.
    protocol: Option<Protocol>,
    is_jsonp: bool,
}

/// Engine.IO's refusals: the reference's codes and texts.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Refusal {
    UnknownTransport = 0,
    UnknownSid = 1,
    BadMethod = 2,
    BadRequest = 3,
    UnsupportedProtocol = 5,
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let message = match refusal {
            Refusal::UnknownTransport => "Transport unknown",
            Refusal::UnknownSid => "Session ID unknown",
            Refusal::BadMethod => "Bad handshake method",
            Refusal::BadRequest => "Bad request",
            Refusal::UnsupportedProtocol => "Unsupported protocol version",
        };
        refused(StatusCode::BAD_REQUEST, refusal, message)
    }
}

fn refused(status: StatusCode, refusal: Refusal, message: &str) -> Reply {
    Reply::new(status, json!({ "code": refusal as u8, "message": message }))
}

impl From<Full> for Reply {
    fn from(_: Full) -> Self {
        refused(StatusCode::SERVICE_UNAVAILABLE, Refusal::BadRequest, "Too many sessions")
            .header(header::RETRY_AFTER, HeaderValue::from_static("5"))
    }
}

impl Asked {
    fn of(query: &str) -> Self {
        let mut asked = Self::default();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "transport" => asked.transport = value.into_owned(),
                "sid" => asked.sid = Some(value.into_owned()).filter(|sid| !sid.is_empty()),
                "EIO" => {
                    asked.protocol = match &*value {
                        "3" => Some(Protocol::V3),
                        "4" => Some(Protocol::V4),
                        _ => None,
                    }
                }
                "j" => asked.is_jsonp = true,
                _ => {}
            }
        }
        asked
    }
}

/// Answers a request.
pub(crate) async fn answer(shared: &Arc<Shared>, request: Request) -> Result<Response, Reply> {
    let (parts, body) = request.into_parts();
    if parts.method == Method::OPTIONS {
        let allowed = [(header::ALLOW, HeaderValue::from_static("GET,POST,OPTIONS"))];
        return Ok((StatusCode::NO_CONTENT, allowed).into_response());
    }
    let asked = Asked::of(parts.uri.query().unwrap_or_default());
    let is_websocket = match asked.transport.as_str() {
        "websocket" => true,
        "polling" if asked.is_jsonp => {
            let message = "Bad request: JSONP polling is not supported";
            return Err(refused(StatusCode::BAD_REQUEST, Refusal::BadRequest, message));
        }
        "polling" => false,
        _ => return Err(Refusal::UnknownTransport.into()),
    };
    match (&asked.sid, is_websocket) {
        (Some(sid), true) => upgrade(shared, parts, &asked, sid).await,
        (Some(sid), false) => poll_or_post(shared, &parts, body, &asked, sid).await,
        (None, _) if parts.method != Method::GET => Err(Refusal::BadMethod.into()),
        (None, _) => {
            let protocol = asked.protocol.ok_or(Refusal::UnsupportedProtocol)?;
            if is_websocket {
                open_websocket(shared, parts, protocol).await
            } else {
                open_polling(shared, &parts, protocol).await
            }
        }
    }
}

async fn switching(parts: &mut Parts) -> Result<WebSocketHandshake, Reply> {
    WebSocketHandshake::from_request_parts(parts, &()).await.map_err(|_| Refusal::BadRequest.into())
}

async fn open_websocket(
    shared: &Arc<Shared>,
    mut parts: Parts,
    protocol: Protocol,
) -> Result<Response, Reply> {
    let switching = switching(&mut parts).await?;
    let handshake = Handshake::of(&parts, protocol).map_err(|_| Refusal::BadRequest)?;
    let registered = shared.registry.add_websocket(shared.sid(), protocol)?;
    let shared = Arc::clone(shared);
    Ok(switching.accept(move |raw| {
        let max_message = shared.limits.max_frame;
        let sockets = shared.sockets.clone();
        sockets.track(async move {
            let session = Session::open(shared, registered, handshake, &[]);
            websocket::run(raw, max_message, session).await;
        })
    }))
}

async fn upgrade(
    shared: &Arc<Shared>,
    mut parts: Parts,
    asked: &Asked,
    sid: &str,
) -> Result<Response, Reply> {
    let entry = Sid::read(sid).and_then(|sid| shared.registry.find(sid)).ok_or(Refusal::UnknownSid)?;
    let switching = switching(&mut parts).await?;
    if asked.protocol.is_some_and(|asked| asked != entry.protocol) {
        return Err(Refusal::BadRequest.into());
    }
    let upgrading = entry.upgrade().ok_or(Refusal::BadRequest)?;
    let (max_message, sockets) = (shared.limits.max_frame, shared.sockets.clone());
    Ok(switching.accept(move |raw| sockets.track(websocket::probe(raw, max_message, upgrading))))
}

async fn open_polling(shared: &Arc<Shared>, parts: &Parts, protocol: Protocol) -> Result<Response, Reply> {
    let handshake = Handshake::of(parts, protocol).map_err(|_| Refusal::BadRequest)?;
    let (desk, asks) = mpsc::channel(polling::DESK);
    let registered = shared.registry.add_polling(shared.sid(), protocol, desk.clone(), shared.max_polling)?;
    let session = Session::open(Arc::clone(shared), registered, handshake, &["websocket"]);
    tokio::spawn(shared.sockets.track(polling::run(session, asks)));
    poll(&desk).await
}

async fn poll_or_post(
    shared: &Arc<Shared>,
    parts: &Parts,
    body: Body,
    asked: &Asked,
    sid: &str,
) -> Result<Response, Reply> {
    let entry = Sid::read(sid).and_then(|sid| shared.registry.find(sid)).ok_or(Refusal::UnknownSid)?;
    let desk = entry.desk().ok_or(Refusal::BadRequest)?;
    if asked.protocol.is_some_and(|asked| asked != entry.protocol) {
        return Err(Refusal::BadRequest.into());
    }
    match parts.method {
        Method::GET => poll(&desk).await,
        Method::POST => {
            let payload = read(body, shared.limits.max_frame).await?;
            let is_binary = parts.headers.get(header::CONTENT_TYPE);
            let is_binary = is_binary.is_some_and(|kind| kind == "application/octet-stream");
            post(&desk, payload, entry.protocol, is_binary).await
        }
        _ => Err(Refusal::BadMethod.into()),
    }
}

async fn poll(desk: &mpsc::Sender<Ask>) -> Result<Response, Reply> {
    let (answer, polled) = oneshot::channel();
    desk.send(Ask::Poll(answer)).await.map_err(|_| Refusal::UnknownSid)?;
    match polled.await {
        Ok(Polled::Payload(payload)) => Ok(plain("text/plain; charset=UTF-8", payload)),
        Ok(Polled::Overlap) => Err(Refusal::BadRequest.into()),
        Err(_) => Err(Refusal::UnknownSid.into()),
    }
}

async fn post(
    desk: &mpsc::Sender<Ask>,
    payload: Vec<u8>,
    protocol: Protocol,
    is_binary: bool,
) -> Result<Response, Reply> {
    let packets = decode(payload, protocol, is_binary);
    let (answer, posted) = oneshot::channel();
    desk.send(Ask::Post(packets, answer)).await.map_err(|_| Refusal::UnknownSid)?;
    match posted.await {
        // As the reference has it: browsers would offer plain text for download.
        Ok(Posted::Done) => Ok(plain("text/html", "ok")),
        Ok(Posted::Refused) => Err(Refusal::BadRequest.into()),
        Err(_) => Err(Refusal::UnknownSid.into()),
    }
}

/// The whole body: 413 beyond `most` bytes.
async fn read(body: Body, most: usize) -> Result<Vec<u8>, Reply> {
    match Limited::new(body, most).collect().await {
        Ok(body) => Ok(body.to_bytes().into()),
        Err(fault) if fault.is::<LengthLimitError>() => {
            Err(refused(StatusCode::PAYLOAD_TOO_LARGE, Refusal::BadRequest, "Payload too large"))
        }
        Err(_) => Err(Refusal::BadRequest.into()),
    }
}

fn plain(content_type: &'static str, body: impl Into<Body>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, body.into()).into_response()
}
