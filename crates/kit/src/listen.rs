//! Listening: the accept loop, limits against slow clients, and the way to stop.
//!
//! `axum::serve` closes neither silent connections nor half-sent heads; this loop over hyper's HTTP/1 does.

mod connection;
mod open_files;
mod patient;
mod remainder;
mod stream;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower::Service;

pub use patient::Stalled;
pub(crate) use stream::Stream;

/// The address of the other end of the connection, in every request's extensions. It may be a proxy's: see
/// [`crate::base_url::ClientAddress`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer(pub SocketAddr);

/// The address of this end of the connection, in every request's extensions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Local(pub SocketAddr);

/// How patient the server is, and how many connections it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// How long a head may take to arrive, the wait for the next request on an open connection included.
    pub head_within: Duration,
    /// How long a body may stand still before it fails with [`Stalled`].
    pub body_stall: Duration,
    /// How long a client may take no byte of what is written to it before its connection ends, sockets too.
    pub write_stall: Duration,
    /// The longest head, in bytes: 431 beyond. It is checked between reads, so that up to twice as much may
    /// pass. At least 8 KiB.
    pub head_bytes: usize,
    /// Most connections at a time, sockets included; further ones wait in the system's queue.
    pub connections: usize,
    /// How long requests in flight may go on after the stop.
    pub drain_within: Duration,
}

impl Default for Options {
    /// 15 s for a head of 64 KiB, 30 s for a stalled body, 60 s for a stalled reader, 5 s to drain; connections
    /// from the open-file limit, with 64 descriptors left for everything else.
    fn default() -> Self {
        Self {
            head_within: Duration::from_secs(15),
            body_stall: Duration::from_secs(30),
            write_stall: Duration::from_mins(1),
            head_bytes: 64 << 10,
            connections: open_files::limit().saturating_sub(64).max(16),
            drain_within: Duration::from_secs(5),
        }
    }
}

/// The wait after an accept that failed for want of something, such as file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves HTTP/1 with upgrades until `shutdown` is true (or its sender is gone). It then stops accepting,
/// closes idle connections, lets requests in flight finish for [`Options::drain_within`], ends what is left,
/// and returns.
///
/// An upgraded connection (a WebSocket) is no request in flight: whoever took it over closes it.
pub async fn serve<S>(
    listener: TcpListener,
    service: S,
    mut shutdown: watch::Receiver<bool>,
    options: Options,
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let room = Arc::new(Semaphore::new(options.connections.clamp(1, Semaphore::MAX_PERMITS)));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut shutdown) => break,
            Some(_) = connections.join_next() => {}
            (socket, peer, permit) = next(&listener, &room) => {
                let stream = Stream::new(socket, permit, options.write_stall);
                connections.spawn(connection::run(stream, peer, service.clone(), shutdown.clone(), options));
            }
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(options.drain_within, drained).await.is_err() {
        tracing::warn!(connections = connections.len(), "ending connections that did not finish in time");
        connections.shutdown().await;
    }
}

/// Returns once the server is to stop.
async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    let _sender_gone_counts_too = shutdown.wait_for(|stop| *stop).await.is_err();
}

/// The next connection, once there is room for one. Safe to drop: a connection is taken only with its room.
async fn next(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    let Ok(permit) = Arc::clone(room).acquire_owned().await else {
        // Nobody closes the semaphore.
        return std::future::pending().await;
    };
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => return (socket, peer, permit),
            Err(fault) if is_of_one_connection(&fault) => {}
            Err(fault) => {
                tracing::warn!(%fault, "cannot accept connections for now");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether the fault tells of a connection that was gone before it was accepted (accept(2)).
fn is_of_one_connection(fault: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(fault.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests;
