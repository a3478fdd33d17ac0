//! Raw requests and WebSockets, with no help from a client that knows Engine.IO.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, protocol::CloseFrame},
};

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Sends a request and reads the whole answer.
pub(crate) async fn ask(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &str,
    body: &[u8],
) -> Answer {
    let mut stream = send(address, method, target, headers, body).await;
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        panic!("answers are small: {head}")
    } else {
        body.to_owned()
    };
    Answer { status, head: head.to_ascii_lowercase(), body }
}

/// Sends a request, and reads nothing.
pub(crate) async fn send(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &str,
    body: &[u8],
) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: toy\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // A server that refuses may close before it has read it all.
    let _ = stream.write_all(body).await;
    stream
}

pub(crate) async fn get(address: SocketAddr, query: &str) -> Answer {
    ask(address, "GET", &format!("/socket.io/?{query}"), "", b"").await
}

pub(crate) async fn post(address: SocketAddr, query: &str, body: &str) -> Answer {
    let headers = "Content-Type: text/plain;charset=UTF-8\r\n";
    ask(address, "POST", &format!("/socket.io/?{query}"), headers, body.as_bytes()).await
}

/// A client that polls.
pub(crate) struct Polling {
    pub(crate) address: SocketAddr,
    pub(crate) query: String,
}

impl Polling {
    /// Opens a connection: the handshake, nothing more.
    pub(crate) async fn open(address: SocketAddr, eio: u8) -> Self {
        Self::open_with(address, eio, "").await
    }

    /// The same, with more in the query.
    pub(crate) async fn open_with(address: SocketAddr, eio: u8, more: &str) -> Self {
        let answer = get(address, &format!("EIO={eio}&transport=polling{more}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let (_, sid) = answer.body.split_once("\"sid\":\"").unwrap();
        let (sid, _) = sid.split_once('"').unwrap();
        let query = format!("EIO={eio}&transport=polling&sid={sid}");
        Self { address, query }
    }

    /// Polls until the answers, joined, end so.
    pub(crate) async fn everything_until(&self, end: &str) -> String {
        let mut heard = String::new();
        while !heard.ends_with(end) {
            let answer = self.get().await;
            assert_eq!(answer.status, 200, "after {heard}");
            heard += &answer.body;
        }
        heard
    }

    /// Opens a connection of revision 4, and enters `/`.
    pub(crate) async fn enter(address: SocketAddr) -> Self {
        let client = Self::open(address, 4).await;
        assert_eq!(client.post("40{\"token\":\"t\"}").await.status, 200);
        let mut got = client.get().await.body;
        if !got.contains("welcome") {
            got = format!("{got}\x1e{}", client.get().await.body);
        }
        assert!(got.starts_with("40{\"sid\":\"") && got.ends_with("\"}\x1e42[\"welcome\",\"t\"]"), "{got}");
        client
    }

    pub(crate) async fn get(&self) -> Answer {
        get(self.address, &self.query).await
    }

    pub(crate) async fn post(&self, body: &str) -> Answer {
        post(self.address, &self.query, body).await
    }
}

/// A WebSocket.
pub(crate) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Opens one, or gives the status that refused it.
    pub(crate) async fn open(address: SocketAddr, query: &str) -> Result<Self, u16> {
        let request = format!("ws://{address}/socket.io/?{query}").into_client_request().unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        match timeout(PATIENCE, client_async(request, stream)).await.unwrap() {
            Ok((stream, _)) => Ok(Self(stream)),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(fault) => panic!("{fault}"),
        }
    }

    /// Opens a connection of that revision, and takes its first packet.
    pub(crate) async fn start(address: SocketAddr, eio: u8, more: &str) -> Self {
        let mut socket =
            Self::open(address, &format!("EIO={eio}&transport=websocket{more}")).await.ok().unwrap();
        let opening = socket.text().await;
        assert!(opening.starts_with("0{\"sid\":\""), "{opening}");
        socket
    }

    /// The same, and enters `/` with that token (revision 4).
    pub(crate) async fn enter(address: SocketAddr, token: &str) -> Self {
        let mut socket = Self::start(address, 4, "").await;
        socket.say(&format!("40{{\"token\":\"{token}\"}}")).await;
        assert!(socket.text().await.starts_with("40{\"sid\":\""));
        assert_eq!(socket.text().await, format!("42[\"welcome\",\"{token}\"]"));
        socket
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn say_bytes(&mut self, bytes: &[u8]) {
        self.0.send(Message::binary(bytes.to_vec())).await.unwrap();
    }

    /// Sends texts without waiting between them.
    pub(crate) async fn say_all(&mut self, texts: &[&'static str]) {
        for text in texts {
            self.0.feed(Message::text(*text)).await.unwrap();
        }
        self.0.flush().await.unwrap();
    }

    /// As `say`, to a server that may have closed already.
    pub(crate) async fn try_say(&mut self, text: &str) {
        let _ = self.0.send(Message::text(text)).await;
    }

    /// As `say_bytes`, to a server that may have closed already.
    pub(crate) async fn try_say_bytes(&mut self, bytes: &[u8]) {
        let _ = self.0.send(Message::binary(bytes.to_vec())).await;
    }

    pub(crate) async fn close(&mut self) {
        self.0.close(None).await.unwrap();
    }

    /// The next text, or the code of a close (1006 without one).
    pub(crate) async fn next(&mut self) -> Result<String, u16> {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("nothing comes") {
                Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map_or(1005, |CloseFrame { code, .. }| code.into()));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => panic!("{other:?}"),
                Some(Err(_)) | None => return Err(1006),
            }
        }
    }

    pub(crate) async fn text(&mut self) -> String {
        self.next().await.expect("a text")
    }

    /// Waits for the close, and gives its code; texts on the way are passed over.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.next().await {
                return code;
            }
        }
    }
}

/// Waits until it is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..PATIENCE.as_millis() / 10 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}");
}
