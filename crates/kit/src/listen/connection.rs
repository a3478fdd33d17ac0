//! One connection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::watch;
use tower::{Service, ServiceExt};

use super::patient::Patient;
use super::remainder::Leaving;
use super::stream::Stream;
use super::{Local, Options, Peer, stopped};

/// Answers the requests of a connection until it ends, or is upgraded, or the server stops.
pub(super) async fn run<S>(
    stream: Stream,
    peer: SocketAddr,
    service: S,
    mut shutdown: watch::Receiver<bool>,
    options: Options,
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let local = stream.local_address();
    let answer = service_fn(move |request: hyper::Request<Incoming>| {
        // Who waits to be told to go on has not sent the body yet, and shall not (RFC 9110, 10.1.1).
        let is_waiting = request.headers().contains_key(header::EXPECT);
        let (head, body) = request.into_parts();
        let (body, remainder) = Leaving::new(Patient::new(body, options.body_stall));
        let mut request = Request::from_parts(head, Body::new(body));
        request.extensions_mut().insert(Peer(peer));
        if let Some(local) = local {
            request.extensions_mut().insert(Local(local));
        }
        let answer = service.clone().oneshot(request);
        async move {
            let Ok(mut response) = answer.await;
            if !remainder.drain(!is_waiting).await {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(options.head_within);
    // hyper panics below 8 KiB.
    builder.max_buf_size(options.head_bytes.max(8 << 10));
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), answer).with_upgrades());
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut shutdown) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(fault) = ended {
        // What clients do wrong, or their going away: nothing that an operator could mend.
        tracing::debug!(%peer, %fault, "connection ended");
    }
}
