//! An HTTP/1.1 client that sends exactly the bytes it is told to, also such as no decent client would.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long an answer may take. Nothing is measured by it: it only ends a test that would hang.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A request, as bytes.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Such as `POST`.
    pub method: String,
    /// Path and query.
    pub target: Vec<u8>,
    /// Headers in their order. `Host`, `Connection` and `Content-Length` are added where they are missing.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers in their order.
    pub headers: Vec<(String, String)>,
    /// The body, without its transfer coding.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: &str, target: impl Into<Vec<u8>>) -> Self {
        Self { method: method.to_owned(), target: target.into(), ..Self::default() }
    }

    /// The same with one more header.
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same with a body of this type.
    pub fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("Content-Type", media_type)
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    fn bytes(&self, host: SocketAddr) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(self.method.as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(&self.target);
        bytes.extend_from_slice(b" HTTP/1.1\r\n");
        let mut add = |name: &str, value: &[u8]| {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        };
        for (name, value) in &self.headers {
            add(name, value);
        }
        if !self.has("host") {
            add("Host", host.to_string().as_bytes());
        }
        if !self.has("connection") {
            add("Connection", b"close");
        }
        let may_carry = !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS");
        if !self.has("content-length") && (may_carry || !self.body.is_empty()) {
            add("Content-Length", self.body.len().to_string().as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

impl Reply {
    /// The values of all headers of this name, joined as RFC 9110 section 5.3 allows; `None` when there is none.
    pub fn header(&self, name: &str) -> Option<String> {
        let same = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let values: Vec<_> = same.map(|(_, value)| value.as_str()).collect();
        if values.is_empty() { None } else { Some(values.join(", ")) }
    }

    /// The body as text, with marks where it is not UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends the request on a connection of its own and reads the answer.
pub async fn send(host: SocketAddr, request: &Request) -> Result<Reply> {
    let mut stream = connect(host).await?;
    let (mut reader, mut writer) = stream.split();
    let bytes = request.bytes(host);
    let without_body = request.method == "HEAD";
    let exchange = async {
        let mut received = Vec::new();
        let answer = async {
            let mut reply = head(&mut reader, &mut received).await?;
            if !without_body {
                body(&mut reader, &mut received, &mut reply).await?;
            }
            Ok(reply)
        };
        tokio::pin!(answer);
        // An answer may come before the whole body was taken (413); then the rest need not be sent.
        tokio::select! {
            reply = &mut answer => reply,
            written = writer.write_all(&bytes) => {
                drop(written);
                answer.await
            }
        }
    };
    tokio::time::timeout(PATIENCE, exchange).await.map_err(|_| anyhow!("no answer within {PATIENCE:?}"))?
}

/// Asks for an upgrade. With 101 the stream is handed out, with what was already read from it; otherwise only the answer.
pub async fn upgrade(host: SocketAddr, request: &Request) -> Result<(Reply, Option<(TcpStream, Vec<u8>)>)> {
    let mut stream = connect(host).await?;
    let exchange = async {
        stream.write_all(&request.bytes(host)).await?;
        let mut received = Vec::new();
        let mut reply = head(&mut stream, &mut received).await?;
        if reply.status == 101 {
            return Ok((reply, Some((stream, received))));
        }
        body(&mut stream, &mut received, &mut reply).await?;
        Ok((reply, None))
    };
    tokio::time::timeout(PATIENCE, exchange).await.map_err(|_| anyhow!("no answer within {PATIENCE:?}"))?
}

async fn connect(host: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(host).await.with_context(|| format!("connecting to {host}"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Reads up to the end of the headers; what came after them stays in `received`.
async fn head(reader: &mut (impl AsyncRead + Unpin), received: &mut Vec<u8>) -> Result<Reply> {
    loop {
        if let Some(end) = find(received, b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&received[..end]).into_owned();
            received.drain(..end + 4);
            let reply = parse_head(&text)?;
            if reply.status == 100 {
                continue;
            }
            return Ok(reply);
        }
        if more(reader, received).await? == 0 {
            bail!("the connection ended without an answer: {:?}", String::from_utf8_lossy(received));
        }
    }
}

fn parse_head(text: &str) -> Result<Reply> {
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.")).and_then(|line| line.get(2..5));
    let status = status.with_context(|| format!("not a status line: {text:?}"))?.parse()?;
    let header =
        |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    Ok(Reply { status, headers: lines.filter_map(header).collect(), body: Vec::new() })
}

async fn body(
    reader: &mut (impl AsyncRead + Unpin),
    received: &mut Vec<u8>,
    reply: &mut Reply,
) -> Result<()> {
    if reply.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        return chunks(reader, received, reply).await;
    }
    if matches!(reply.status, 204 | 304) {
        return Ok(());
    }
    if let Some(length) = reply.header("content-length") {
        let length = length.parse().context("Content-Length")?;
        take(reader, received, length, &mut reply.body).await
    } else {
        while more(reader, received).await? > 0 {}
        reply.body.append(received);
        Ok(())
    }
}

/// RFC 9112 section 7.1.
async fn chunks(
    reader: &mut (impl AsyncRead + Unpin),
    received: &mut Vec<u8>,
    reply: &mut Reply,
) -> Result<()> {
    loop {
        let end = loop {
            if let Some(end) = find(received, b"\r\n") {
                break end;
            }
            if more(reader, received).await? == 0 {
                bail!("the answer ends between its chunks");
            }
        };
        let length = usize::from_str_radix(std::str::from_utf8(&received[..end])?.trim(), 16)
            .context("a chunk's length")?;
        received.drain(..end + 2);
        take(reader, received, length, &mut reply.body).await?;
        take(reader, received, 2, &mut Vec::new()).await?;
        if length == 0 {
            return Ok(());
        }
    }
}

async fn take(
    reader: &mut (impl AsyncRead + Unpin),
    received: &mut Vec<u8>,
    length: usize,
    to: &mut Vec<u8>,
) -> Result<()> {
    while received.len() < length {
        if more(reader, received).await? == 0 {
            bail!("the answer ends after {} of {length} bytes", received.len());
        }
    }
    to.extend(received.drain(..length));
    Ok(())
}

async fn more(reader: &mut (impl AsyncRead + Unpin), received: &mut Vec<u8>) -> Result<usize> {
    Ok(reader.read_buf(received).await?)
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
