use std::time::Duration;

use axum::Router;
use axum::extract::Extension;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Arc, Local, Options, Peer, SocketAddr, serve};
use crate::body::Body;
use crate::reply::Reply;

/// Far more than anything here takes.
const GENEROUS: Duration = Duration::from_secs(30);

struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    done: JoinHandle<()>,
    /// Told when the handler of `/slow` has begun.
    begun: Arc<Notify>,
    /// Lets the handler of `/slow` finish.
    finish: Arc<Notify>,
}

async fn running(options: Options) -> Running {
    let (begun, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (Arc::clone(&begun), Arc::clone(&finish));
    let routes = Router::new()
        .route("/", get(|Extension(Peer(at)): Extension<Peer>| async move { at.to_string() }))
        .route("/here", get(|Extension(Local(at)): Extension<Local>| async move { at.to_string() }))
        .route("/body", post(|Body(_): Body| async { Ok::<_, Reply>("taken") }))
        .route("/socket", get(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(greet) }))
        .route("/large", get(|| async { vec![b'x'; 64 << 20] }))
        .route(
            "/slow",
            get(move || {
                let (tell, wait) = (Arc::clone(&tell), Arc::clone(&wait));
                async move {
                    tell.notify_one();
                    wait.notified().await;
                    "slow"
                }
            }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopping) = watch::channel(false);
    let done = tokio::spawn(serve(listener, routes, stopping, options));
    Running { address, stop, done, begun, finish }
}

/// Says hello and holds the socket until the other end goes.
async fn greet(mut socket: WebSocket) {
    if socket.send("hello".into()).await.is_ok() {
        while let Some(Ok(_)) = socket.recv().await {}
    }
}

async fn connect(running: &Running, said: &str) -> TcpStream {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(said.as_bytes()).await.unwrap();
    stream
}

/// All that comes until the other end closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is an end too.
    let _ended = timeout(GENEROUS, stream.read_to_end(&mut bytes)).await.expect("is closed in time");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads until `wanted` has come.
async fn until(stream: &mut TcpStream, wanted: &str) {
    let mut text = Vec::new();
    while !String::from_utf8_lossy(&text).contains(wanted) {
        let read = timeout(GENEROUS, stream.read_buf(&mut text)).await.expect("comes in time").unwrap();
        assert!(read > 0, "closed before {wanted:?} came");
    }
}

const CLOSE: &str = "Host: x\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn requests_know_both_ends() {
    let server = running(Options::default()).await;
    let mut stream = connect(&server, &format!("GET / HTTP/1.1\r\n{CLOSE}")).await;
    let peer = stream.local_addr().unwrap().to_string();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(&peer), "{answer}");
    assert!(!answer.to_ascii_lowercase().contains("server:"), "{answer}");
    let mut stream = connect(&server, &format!("GET /here HTTP/1.1\r\n{CLOSE}")).await;
    assert!(rest(&mut stream).await.ends_with(&server.address.to_string()));
}

#[tokio::test]
async fn silent_and_half_sent_heads_are_closed() {
    let options = Options { head_within: Duration::from_millis(200), ..Options::default() };
    let server = running(options).await;
    for said in ["", "GET /", "GET / HTTP/1.1\r\nHost: x\r\n"] {
        let mut stream = connect(&server, said).await;
        assert!(!rest(&mut stream).await.contains(" 200 "), "{said:?}");
    }
    let mut idle = connect(&server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(rest(&mut idle).await.starts_with("HTTP/1.1 200"), "answered, then closed as idle");
}

#[tokio::test]
async fn a_body_that_stands_still_is_refused() {
    let options = Options { body_stall: Duration::from_millis(200), ..Options::default() };
    let server = running(options).await;
    let head = "POST /body HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    for said in [
        format!("{head}Content-Length: 9\r\n\r\n{{"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n5\r\n{{"),
    ] {
        let mut stream = connect(&server, &said).await;
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
}

#[tokio::test]
async fn a_body_too_long_is_refused_unread() {
    let server = running(Options::default()).await;
    let head = "POST /body HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n";
    let mut stream = connect(&server, head).await;
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn a_head_too_long_is_refused() {
    let server = running(Options::default()).await;
    let long = format!("GET / HTTP/1.1\r\nX: {}\r\n{CLOSE}", "x".repeat(300_000));
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // The server may close while this is still being written.
    let _written = stream.write_all(long.as_bytes()).await;
    assert!(!rest(&mut stream).await.contains(" 200 "));
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_dropped() {
    let options = Options { write_stall: Duration::from_millis(200), connections: 1, ..Options::default() };
    let server = running(options).await;
    let _deaf = connect(&server, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await;
    // There is room for one connection: this one is served only after the other was dropped.
    let mut next = connect(&server, &format!("GET / HTTP/1.1\r\n{CLOSE}")).await;
    assert!(rest(&mut next).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_room() {
    let server = running(Options { connections: 1, ..Options::default() }).await;
    let mut first = connect(&server, &format!("GET /slow HTTP/1.1\r\n{CLOSE}")).await;
    timeout(GENEROUS, server.begun.notified()).await.unwrap();
    let mut second = connect(&server, &format!("GET / HTTP/1.1\r\n{CLOSE}")).await;
    let mut byte = [0];
    let early = timeout(Duration::from_millis(100), second.read(&mut byte)).await;
    assert!(early.is_err(), "answered though there was no room");
    server.finish.notify_one();
    assert!(rest(&mut first).await.ends_with("slow"));
    assert!(rest(&mut second).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn an_upgraded_connection_keeps_its_place_and_outlives_the_stop() {
    let server = running(Options { connections: 1, drain_within: GENEROUS, ..Options::default() }).await;
    let handshake = "GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let mut socket = connect(&server, handshake).await;
    until(&mut socket, "hello").await;
    let mut second = connect(&server, &format!("GET / HTTP/1.1\r\n{CLOSE}")).await;
    let mut byte = [0];
    let early = timeout(Duration::from_millis(100), second.read(&mut byte)).await;
    assert!(early.is_err(), "answered though there was no room");
    drop(socket);
    assert!(rest(&mut second).await.starts_with("HTTP/1.1 200"));

    let mut socket = connect(&server, handshake).await;
    until(&mut socket, "hello").await;
    server.stop.send(true).unwrap();
    timeout(GENEROUS, server.done).await.unwrap().unwrap();
    // A ping (RFC 6455, 5.5.2), masked with zeros, is still answered.
    socket.write_all(&[0x89, 0x82, 0, 0, 0, 0, b'h', b'i']).await.unwrap();
    until(&mut socket, "hi").await;
}

#[tokio::test]
async fn a_stop_lets_requests_finish_and_closes_the_rest() {
    let server = running(Options { drain_within: GENEROUS, ..Options::default() }).await;
    let mut silent = connect(&server, "").await;
    let mut idle = connect(&server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let own_address = idle.local_addr().unwrap().to_string();
    until(&mut idle, &own_address).await;
    let mut busy = connect(&server, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await;
    timeout(GENEROUS, server.begun.notified()).await.unwrap();
    server.stop.send(true).unwrap();
    assert_eq!(rest(&mut idle).await.len(), 0);
    assert_eq!(rest(&mut silent).await.len(), 0);
    assert!(TcpStream::connect(server.address).await.is_err());
    assert!(!server.done.is_finished());
    server.finish.notify_one();
    assert!(rest(&mut busy).await.ends_with("slow"));
    timeout(GENEROUS, server.done).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let server = running(Options { drain_within: Duration::from_millis(100), ..Options::default() }).await;
    let mut busy = connect(&server, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await;
    timeout(GENEROUS, server.begun.notified()).await.unwrap();
    drop(server.stop);
    timeout(GENEROUS, server.done).await.unwrap().unwrap();
    assert_eq!(rest(&mut busy).await, "");
}
