//! What is no handshake, and what is refused: Engine.IO's codes.

use kit::context::SocketLimits;

use crate::{
    http::{Polling, Socket, ask, get, post},
    toy::Toy,
};

fn refusal(code: u8, message: &str) -> String {
    format!("{{\"code\":{code},\"message\":\"{message}\"}}")
}

#[tokio::test]
async fn handshakes_open_a_session_with_the_agreed_figures() {
    let toy = Toy::start().await;
    for path in ["/socket.io/", "/socket.io"] {
        let target = format!("{path}?EIO=4&transport=polling&t=abc");
        let answer = ask(toy.address, "GET", &target, "Origin: http://web.example\r\n", b"").await;
        assert_eq!(answer.status, 200);
        let (sid, rest) = answer.body.strip_prefix("0{\"sid\":\"").unwrap().split_once('"').unwrap();
        assert_eq!(sid.len(), 20);
        let agreed = ",\"upgrades\":[\"websocket\"],\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":1048576}";
        assert_eq!(rest, agreed);
        assert!(answer.head.contains("content-type: text/plain; charset=utf-8"), "{}", answer.head);
        assert!(answer.head.contains("cache-control: no-store"));
        assert!(answer.head.contains("access-control-allow-origin: http://web.example"));
        assert!(answer.head.contains("access-control-allow-credentials: true"));
    }
    let answer = get(toy.address, "EIO=3&transport=polling").await;
    let (length, opening) = answer.body.split_once(':').unwrap();
    assert_eq!(length.parse(), Ok(opening.len()));
    assert!(opening.starts_with("0{\"sid\":\"") && opening.ends_with("1048576}"), "{opening}");
    let mut socket = Socket::open(toy.address, "EIO=4&transport=websocket").await.ok().unwrap();
    let opening = socket.text().await;
    assert!(opening.contains("\"upgrades\":[]"), "{opening}");
}

#[tokio::test]
async fn what_is_no_handshake_is_refused_with_the_reference_s_codes() {
    let toy = Toy::start().await;
    for (query, code, message) in [
        ("", 0, "Transport unknown"),
        ("EIO=4", 0, "Transport unknown"),
        ("EIO=4&transport=webtransport", 0, "Transport unknown"),
        ("EIO=4&transport=polling&sid=nobody", 1, "Session ID unknown"),
        ("EIO=4&transport=websocket&sid=AAAAAAAAAAAAAAAAAAAA", 1, "Session ID unknown"),
        ("EIO=4&transport=websocket", 3, "Bad request"),
        ("transport=polling", 5, "Unsupported protocol version"),
        ("EIO=5&transport=polling", 5, "Unsupported protocol version"),
        ("EIO=2&transport=polling", 5, "Unsupported protocol version"),
        ("EIO=3&transport=polling&j=0", 3, "Bad request: JSONP polling is not supported"),
    ] {
        let answer = get(toy.address, query).await;
        assert_eq!((answer.status, answer.body), (400, refusal(code, message)), "{query}");
    }
    for method in ["POST", "PUT", "DELETE"] {
        let answer = ask(toy.address, method, "/socket.io/?EIO=4&transport=polling", "", b"").await;
        assert_eq!((answer.status, answer.body), (400, refusal(2, "Bad handshake method")));
    }
    let answer = ask(toy.address, "OPTIONS", "/socket.io/", "", b"").await;
    assert_eq!(answer.status, 204);
    let client = Polling::open(toy.address, 4).await;
    let answer = get(toy.address, &client.query.replace("EIO=4", "EIO=3")).await;
    assert_eq!((answer.status, answer.body), (400, refusal(3, "Bad request")));
    let target = format!("/socket.io/?{}", client.query);
    for method in ["PUT", "DELETE", "PATCH"] {
        let answer = ask(toy.address, method, &target, "", b"").await;
        assert_eq!((answer.status, answer.body), (400, refusal(2, "Bad handshake method")));
    }
    for target in ["/socket.io/?EIO=4&transport=polling", &target] {
        let answer = ask(toy.address, "HEAD", target, "", b"").await;
        assert_eq!((answer.status, answer.body.as_str()), (400, ""));
    }
    // Nothing of that has touched the session, whose requests need not name the revision again.
    assert_eq!(
        post(toy.address, &client.query.replace("EIO=4&", ""), "40{\"token\":\"t\"}").await.body,
        "ok"
    );
    assert!(get(toy.address, &client.query.replace("EIO=4&", "")).await.body.starts_with("40{\"sid\":\""));
}

#[tokio::test]
async fn a_websocket_that_is_no_handshake_is_refused_before_it_opens() {
    let toy = Toy::start().await;
    for query in
        ["", "EIO=4", "EIO=2&transport=websocket", "transport=websocket", "EIO=4&transport=webtransport"]
    {
        assert_eq!(Socket::open(toy.address, query).await.err(), Some(400), "{query}");
    }
    for sid in ["nobody", "AAAAAAAAAAAAAAAAAAAA", "%FF"] {
        let query = format!("EIO=4&transport=websocket&sid={sid}");
        assert_eq!(Socket::open(toy.address, &query).await.err(), Some(400), "{query}");
    }
}

#[tokio::test]
async fn browsers_may_ask_with_credentials() {
    let toy = Toy::start().await;
    let headers = "Origin: http://web.example\r\nAccess-Control-Request-Method: POST\r\n\
                   Access-Control-Request-Headers: authorization,content-type\r\n";
    let answer = ask(toy.address, "OPTIONS", "/socket.io/?EIO=4&transport=polling", headers, b"").await;
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("access-control-allow-origin: http://web.example"), "{}", answer.head);
    assert!(answer.head.contains("access-control-allow-credentials: true"));
    assert!(answer.head.contains("post"));
    let allowed =
        answer.head.lines().find(|line| line.starts_with("access-control-allow-headers: ")).unwrap();
    assert!(allowed.contains("authorization") && allowed.contains("content-type"), "{allowed}");
    // What is refused can be read too.
    let origin = "Origin: http://web.example\r\n";
    let answer = ask(toy.address, "GET", "/socket.io/?EIO=4&transport=polling&sid=x", origin, b"").await;
    assert_eq!(answer.status, 400);
    assert!(answer.head.contains("access-control-allow-origin: http://web.example"), "{}", answer.head);
}

#[tokio::test]
async fn a_large_payload_is_refused_and_the_session_stays() {
    let toy = Toy::start().await;
    let client = Polling::enter(toy.address).await;
    let text = "x".repeat((1 << 20) - "42[\"echo\",\"\"]".len());
    assert_eq!(client.post(&format!("42[\"echo\",\"{text}x\"]")).await.status, 413);
    assert_eq!(client.post(&format!("42[\"echo\",\"{text}\"]")).await.status, 200);
    assert_eq!(client.get().await.body.len(), 1 << 20);
}

#[tokio::test]
async fn polling_sessions_are_bounded() {
    let toy = Toy::with(SocketLimits::default(), 2).await;
    let first = Polling::open(toy.address, 4).await;
    let _second = Polling::open(toy.address, 4).await;
    let answer = get(toy.address, "EIO=4&transport=polling").await;
    assert_eq!(answer.status, 503);
    assert!(answer.head.contains("retry-after"));
    assert_eq!(first.post("1").await.status, 200);
    Polling::open(toy.address, 4).await;
    // WebSockets are bounded by the listener.
    Socket::start(toy.address, 4, "").await;
}

#[tokio::test]
async fn any_content_type_is_taken() {
    let toy = Toy::start().await;
    let client = Polling::enter(toy.address).await;
    let target = format!("/socket.io/?{}", client.query);
    for kind in ["", "Content-Type: application/json\r\n", "Content-Type: what/ever\r\n"] {
        let answer = ask(toy.address, "POST", &target, kind, b"42[\"say\",1]").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
    }
    let kind = "Content-Type: application/octet-stream\r\n";
    assert_eq!(ask(toy.address, "POST", &target, kind, b"42[\"say\",1]").await.status, 400);
    assert_eq!(post(toy.address, &client.query, "3").await.status, 400);
}
