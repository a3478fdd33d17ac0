//! The player, played against a small server of known behaviour: it accepts what is right and refuses everything else.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::SocketAddr;

use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde_json::json;
use tertulia_testkit::transcript::{parser, player};

/// Listens on a thread of its own for as long as the process lives.
fn small_server() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let router = Router::new()
                .route("/echo", any(echo))
                .route("/me", get(me))
                .route("/picture", get(|| async { tertulia_testkit::fixtures::file("png:5x6").unwrap() }))
                .route("/ws", get(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(talk) }))
                .route(
                    "/ws/refused",
                    get(|| async { (StatusCode::FORBIDDEN, Json(json!({"detail": "No."}))) }),
                );
            axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), router).await.unwrap();
        });
    });
    address
}

/// Says what was asked.
async fn echo(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let header =
        |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let body = String::from_utf8_lossy(&body).into_owned();
    let said = json!({"method": method.as_str(), "uri": uri.to_string(), "type": header("content-type"), "x": header("x-thing"), "body": body});
    (AppendHeaders([("x-answer", "first"), ("x-answer", "second")]), Json(said)).into_response()
}

async fn me() -> Json<serde_json::Value> {
    Json(
        json!({"id": 7, "uuid": "018f3c1e-0000-7000-8000-00000000000a", "at": "2021-08-26T07:42:42.087078Z", "tags": ["a", "b", "c"]}),
    )
}

/// Says back every text, twice where it says `twice`; closes with 4001 at `bye` and with 1003 at a binary frame.
async fn talk(mut socket: WebSocket) {
    use axum::extract::ws::CloseFrame;
    while let Some(Ok(message)) = socket.recv().await {
        let code = match message {
            Message::Text(text) if text.as_str() == "bye" => 4001,
            Message::Binary(_) => 1003,
            Message::Text(text) => {
                let times = if text.contains("twice") { 2 } else { 1 };
                for _ in 0..times {
                    socket.send(Message::Text(text.clone())).await.unwrap();
                }
                continue;
            }
            _ => continue,
        };
        socket.send(Message::Close(Some(CloseFrame { code, reason: "".into() }))).await.unwrap();
    }
}

fn play(source: &str) -> Result<(), String> {
    let transcript = parser::parse("test.txt", source).map_err(|fault| format!("{fault:#}"))?;
    player::play_at(&transcript, small_server()).map_err(|fault| format!("{fault:#}"))
}

/// The transcript passes, and fails in this way with each of the changes.
fn sound(source: &str, changes: &[(&str, &str, &str)]) {
    play(source).unwrap();
    for (from, to, why) in changes {
        assert!(source.contains(from), "{from}");
        let fault = play(&source.replacen(from, to, 1)).expect_err(to);
        assert!(fault.contains(why), "{to}: {fault}");
    }
}

#[test]
fn a_request_is_sent_as_written() {
    sound(
        "anon> POST /echo?a=b\n+ X-Thing: t \\x41\n{\"n\": 1, \"s\": \"é\"}\n< 200\n{\"method\": \"POST\", \"uri\": \"/echo?a=b\", \"type\": \"application/json\", \"x\": \"t A\", \"body\": \"{\\\"n\\\":1,\\\"s\\\":\\\"é\\\"}\"}",
        &[
            ("POST /echo", "PUT /echo", "$.method"),
            ("< 200", "< 201", "the status is 200, not 201"),
            ("+ X-Thing: t", "+ X-Thing: u", "$.x"),
            ("{\"n\": 1", "{\"n\": 2", "$.body"),
        ],
    );
}

#[test]
fn forms_and_raw_bodies_are_encoded() {
    sound(
        "anon> POST /echo\n& a: b c&d\n& é: \n< 200\n{\"type\": \"application/x-www-form-urlencoded\", \"body\": \"a=b+c%26d&%C3%A9=\", …}",
        &[("& a: b", "& a: x", "$.body")],
    );
    sound(
        "anon> POST /echo\n| {\n| \"a\"\n< 200\n{\"type\": null, \"body\": \"{\\n\\\"a\\\"\", …}",
        &[("| {", "| [", "$.body")],
    );
    sound(
        "anon> POST /echo\n% f: v\n% p file n.png image/png text:hello\n< 200\n{\"type\": \"multipart/form-data; boundary=…\", \"body\": \"…name=\\\"f\\\"\\r\\n\\r\\nv\\r\\n…name=\\\"p\\\"; filename=\\\"n.png\\\"\\r\\nContent-Type: image/png\\r\\n\\r\\nhello\\r\\n…\", …}",
        &[("text:hello", "text:hullo", "$.body")],
    );
}

#[test]
fn headers_of_the_answer_count() {
    sound(
        "anon> GET /echo\n< 200\n< X-Answer: first, second\n< Content-Type: application/<str>\n< no X-Other\n…",
        &[
            ("first", "last", "header X-Answer"),
            ("no X-Other", "no X-Answer", "there is a header X-Answer"),
            ("< Content-Type", "< X-None", "there is no header X-None"),
        ],
    );
}

#[test]
fn what_is_learnt_holds() {
    sound(
        "anon> GET /me\n< 200\n{\"id\": \"<int $id>\", \"uuid\": \"<uuid $u>\", \"at\": \"<time>\", \"tags\": [\"$first\", …]}\n\nanon> GET /echo?id=$id&$first\n< 200\n{\"uri\": \"/echo?id=7&a\", …}\n\nanon> GET /me\n< 200\n{\"id\": \"$id\", \"uuid\": \"$u\", \"at\": \"…T07:$rest\", \"tags\": [\"$first\", \"b\", \"c\"]}",
        &[
            ("\"<uuid $u>\"", "\"<hex40 $u>\"", "$.uuid"),
            ("\"<int $id>\"", "\"$first\"", "$first, which is 7"),
            ("[\"$first\", …]", "[\"$id\", …]", "$id, which is 7"),
            ("[\"$first\", …]", "[\"$first\"]", "one item too many"),
            ("\"b\", \"c\"]", "\"c\", \"b\"]", "$.tags[1]"),
            ("\"at\": \"<time>\", ", "", "\"at\" is one key too many"),
        ],
    );
    assert!(play("anon> GET /echo?$never\n< 200\n…").unwrap_err().contains("$never is not known yet"));
}

#[test]
fn pictures_are_looked_at() {
    sound(
        "anon> GET /picture\n< 200\n< picture png:5x6",
        &[("png:5x6", "png:6x5", "5x6"), ("png:5x6", "gif:5x6", "Png")],
    );
    sound("anon> GET /picture\n< 200\n< file png:5x6", &[("png:5x6", "png:5x7", "the body")]);
}

#[test]
fn sockets_hear_in_order_and_silence_is_heard_too() {
    sound(
        "anon ws s> /ws\ns sends {\"a\": 1}\ns hears {\"a\": 1}\ns hears nothing\ns sends | once\ns hears | once\n2x s sends | again\n2x s hears | again\ns sends | bye\ns closes 4001",
        &[
            ("s sends | once", "s sends | twice", "at"),
            ("s hears {\"a\": 1}", "s hears {\"a\": 2}", "$.a"),
            (
                "s sends | once\ns hears | once\n",
                "s sends | once\ns hears | once\ns sends | twice\ns hears | twice\ns hears nothing\n",
                "something was heard",
            ),
            ("closes 4001", "closes 1000", "4001"),
            ("2x s hears", "1x s hears", "not closed"),
        ]
        .map(|(from, to, why)| (from, to, if why == "at" { "\"once\"" } else { why })),
    );
    play("anon ws s> /ws\ns sends bytes 00ff\ns closes 1003").unwrap();
    play("anon ws s> /ws\ns leaves").unwrap();
}

#[test]
fn a_refused_socket_is_an_answer() {
    sound(
        "anon ws s> /ws/refused\n< 403\n{\"detail\": \"No.\"}",
        &[
            ("403", "404", "the status is 403"),
            ("/ws/refused", "/ws", "the socket was opened"),
            ("No.", "Yes.", "$.detail"),
        ],
    );
}

#[test]
fn a_failure_names_file_line_and_step() {
    let fault = play("# title\n\nanon> GET /me\n< 200\n…\n\n# more\nanon> GET /me\n< 204").unwrap_err();
    assert!(fault.contains("test.txt:8\n--- the step\nanon> GET /me\n< 204"), "{fault}");
    assert!(fault.contains("\"tags\""), "{fault}");
}
