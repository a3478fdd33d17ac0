//! What goes over the wire, to the letter.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderValue, header};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

/// Long enough for a busy machine; nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(30);

/// An Engine.IO connection over a WebSocket, whose heartbeats are answered.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    /// Connects, with more of a query (`&token=…`) and an `Authorization` header.
    pub(crate) async fn start(address: SocketAddr, query: &str, authorization: Option<&str>) -> Self {
        let url = format!("ws://{address}/socket.io/?transport=websocket{query}");
        let mut request = url.into_client_request().unwrap();
        if let Some(value) = authorization {
            request.headers_mut().insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        let (stream, _) = timeout(PATIENCE, connect_async(request)).await.unwrap().unwrap();
        let mut socket = Self { stream };
        let open = socket.text().await;
        assert!(open.starts_with("0{\"sid\":"), "{open}");
        socket
    }

    /// Connects, and knocks at the namespace with this token.
    pub(crate) async fn knock(address: SocketAddr, token: &str) -> Self {
        let mut socket = Self::start(address, "&EIO=4", None).await;
        socket.say(&format!("40/widget,{}", json!({ "token": token }))).await;
        socket
    }

    /// The same, and comes in.
    pub(crate) async fn enter(address: SocketAddr, token: &str) -> Self {
        let mut socket = Self::knock(address, token).await;
        socket.is_in().await;
        socket
    }

    /// Expects to be let in.
    pub(crate) async fn is_in(&mut self) {
        let connect = self.text().await;
        assert!(connect.starts_with("40/widget,{\"sid\":\""), "{connect}");
        assert_eq!(self.text().await, r#"42/widget,["message","connected"]"#);
    }

    /// Expects to be shown out for this reason.
    pub(crate) async fn is_shown_out(&mut self, why: &str) {
        let connect = self.text().await;
        assert!(connect.starts_with("40/widget,{\"sid\":\""), "{connect}");
        let refusal =
            format!(r#"42/widget,["message",{{"data":{{"message":"{why}"}},"code":401,"request_id":""}}]"#);
        assert_eq!(self.text().await, refusal);
        assert_eq!(self.text().await, "41/widget,");
    }

    pub(crate) async fn say(&mut self, packet: &str) {
        self.stream.send(Message::text(packet)).await.unwrap();
    }

    pub(crate) async fn say_binary(&mut self, bytes: &[u8]) {
        self.stream.send(Message::binary(bytes.to_vec())).await.unwrap();
    }

    /// Sends an event.
    pub(crate) async fn emit(&mut self, name: &str, argument: &Value) {
        self.say(&format!("42/widget,{}", json!([name, argument]))).await;
    }

    /// Sends an event, and expects its answer, as text.
    pub(crate) async fn ask(&mut self, name: &str, argument: &Value) -> String {
        self.emit(name, argument).await;
        self.message().await
    }

    /// The next `message`, as text.
    pub(crate) async fn message(&mut self) -> String {
        self.event("message").await
    }

    /// The argument of the next event, which has to be of this name, as text.
    pub(crate) async fn event(&mut self, name: &str) -> String {
        let text = self.text().await;
        let start = format!("42/widget,[\"{name}\",");
        let argument = text.strip_prefix(&start).and_then(|rest| rest.strip_suffix(']'));
        argument.unwrap_or_else(|| panic!("no {name}: {text}")).to_owned()
    }

    /// The next text; pings are answered.
    pub(crate) async fn text(&mut self) -> String {
        loop {
            match timeout(PATIENCE, self.stream.next()).await.expect("nothing comes") {
                Some(Ok(Message::Text(text))) if text.as_str() == "2" => self.say("3").await,
                Some(Ok(Message::Text(text))) => return text.as_str().to_owned(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("{other:?} where text was due"),
            }
        }
    }

    /// The code with which the connection is closed, next.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            match timeout(PATIENCE, self.stream.next()).await.expect("nothing comes") {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("{other:?} where a close was due"),
            }
        }
    }
}

/// Posts a body, and gives the status and the body that comes.
pub(crate) async fn post(address: SocketAddr, path: &str, content_type: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: {content_type}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut reply)).await.expect("no reply").unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}
