use axum::body::Body as RawBody;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Body, Content, Limits};
use crate::reply::Reply;

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn parse_with(limits: Option<Limits>, kind: Option<&[u8]>, body: RawBody) -> Result<Content, Reply> {
    let mut request = Request::post("/");
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    if let Some(limits) = limits {
        request = request.extension(limits);
    }
    now(Body::from_request(request.body(body).unwrap(), &())).map(|Body(content)| content)
}

fn parse(kind: &str, body: impl Into<Bytes>) -> Result<Content, Reply> {
    parse_with(None, Some(kind.as_bytes()), RawBody::from(body.into()))
}

/// A body of unknown length, in pieces.
fn pieces(pieces: &[&'static [u8]]) -> RawBody {
    let frames: Vec<_> =
        pieces.iter().map(|piece| Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(piece)))).collect();
    RawBody::new(StreamBody::new(stream::iter(frames)))
}

fn detail(refused: Result<Content, Reply>) -> (u16, String) {
    let reply = refused.unwrap_err();
    (reply.status.as_u16(), reply.body["detail"].as_str().unwrap().to_owned())
}

const MULTIPART: &str = "multipart/form-data; boundary=XX";

fn part(head: &str, value: &str) -> String {
    format!("--XX\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n")
}

#[test]
fn an_empty_body_is_an_empty_object_whatever_its_type() {
    for kind in [None, Some("application/json"), Some("text/plain"), Some(MULTIPART)] {
        let content = parse_with(None, kind.map(str::as_bytes), RawBody::empty()).unwrap();
        assert_eq!(content, Content::empty(), "{kind:?}");
    }
    assert_eq!(parse_with(None, None, pieces(&[])).unwrap(), Content::empty());
    assert_eq!(parse_with(None, Some(b"application/json"), pieces(&[b""])).unwrap(), Content::empty());
}

#[test]
fn json_keeps_its_order_and_the_last_of_repeated_keys() {
    let content = parse("application/json; charset=utf-8", r#"{"b":1,"a":[1,2],"b":null}"#).unwrap();
    assert_eq!(content.object().unwrap().keys().collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(content.value("b"), Some(&Value::Null));
    assert_eq!(content.all("a"), [&json!(1), &json!(2)]);
    assert_eq!(content.all("b"), [&Value::Null]);
    assert!(content.has("b") && !content.has("c"));
    assert!(!content.is_form());
}

#[test]
fn json_in_pieces_is_put_together() {
    let content = parse_with(None, Some(b"application/json"), pieces(&[b"{\"a\"", b":", b"1}"])).unwrap();
    assert_eq!(content.value("a"), Some(&json!(1)));
}

#[test]
fn json_that_is_no_object_is_kept() {
    let content = parse("application/json", "[1]").unwrap();
    assert_eq!(content.not_an_object(), Some(&json!([1])));
    assert_eq!(content.value("a"), None);
    assert!(content.object().is_none());
}

#[test]
fn what_is_no_json_is_a_parse_error() {
    let deep = "[".repeat(200) + &"]".repeat(200);
    let bodies: [&[u8]; 9] = [
        b"{",
        b" ",
        b"{'a':1}",
        b"{\"a\":NaN}",
        b"{\"a\":1}x",
        b"{\"a\":\"\\ud800\"}",
        b"{\"a\":\"\xff\"}",
        b"{\"a\":1e999}",
        deep.as_bytes(),
    ];
    for body in bodies {
        let (status, text) = detail(parse("application/json", Bytes::copy_from_slice(body)));
        assert_eq!(status, 400);
        assert!(text.starts_with("JSON parse error - "), "{text}");
    }
}

#[test]
fn other_media_types_are_named_as_they_were_sent() {
    let unsupported = |kind: &str| (415, format!("Unsupported media type \"{kind}\" in request."));
    for kind in ["text/plain", "Text/XML; a=b", "application/json; charset=latin-1", "x"] {
        assert_eq!(detail(parse(kind, "x")), unsupported(kind));
    }
    assert_eq!(detail(parse_with(None, None, RawBody::from("x"))), unsupported(""));
    assert_eq!(detail(parse_with(None, Some(b"\xff"), RawBody::from("x"))), unsupported("\u{fffd}"));
}

#[test]
fn forms_keep_repeated_names_and_the_last_one_wins() {
    let content = parse("application/x-www-form-urlencoded", "a=1&b=x+y%C3%A9&a=2&%00=%00").unwrap();
    assert!(content.is_form());
    assert_eq!(content.value("a"), Some(&json!("2")));
    assert_eq!(content.all("a"), [&json!("1"), &json!("2")]);
    assert_eq!(content.value("b"), Some(&json!("x yé")));
    assert_eq!(content.value("\0"), Some(&json!("\0")));
    assert_eq!(Value::Object(content.object().unwrap().into_owned()), json!({"a":"2","b":"x yé","\0":"\0"}));
}

#[test]
fn objects_in_forms_are_their_json_text() {
    let content = parse("application/x-www-form-urlencoded", "a={\"x\":[1]}&b={no&c=1").unwrap();
    assert_eq!(content.structured("a").unwrap().into_owned(), json!({"x":[1]}));
    assert_eq!(content.structured("b").unwrap().into_owned(), json!("{no"));
    assert_eq!(content.structured("c").unwrap().into_owned(), json!("1"));
    let content = parse("application/json", r#"{"a":"{}"}"#).unwrap();
    assert_eq!(content.structured("a").unwrap().into_owned(), json!("{}"));
}

#[test]
fn multipart_has_values_and_files() {
    let body = part("name=\"user\"", "é")
        + &part("name=\"avatar\"; filename=\"C:\\\\dir\\\\a.png\"\r\nContent-Type: image/png", "\x01\r\n--X")
        + &part("name=\"none\"; filename=\"\"", "")
        + &part("name=\"user\"", "two")
        + "--XX--\r\n";
    let content = parse(MULTIPART, body).unwrap();
    assert_eq!(content.all("user"), [&json!("é"), &json!("two")]);
    let file = content.file("avatar").unwrap();
    assert_eq!(file.file_name, "a.png");
    assert_eq!(file.content_type.as_deref(), Some("image/png"));
    assert_eq!(&file.bytes[..], b"\x01\r\n--X");
    assert_eq!(content.files().len(), 1);
    assert!(content.has("avatar") && !content.has("none"));
}

#[test]
fn broken_multipart_is_a_parse_error() {
    let cut = part("name=\"a\"", "x");
    for (kind, body) in [
        ("multipart/form-data", "x"),
        (MULTIPART, "x"),
        (MULTIPART, "--XX\r\n"),
        (MULTIPART, "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx"),
        (MULTIPART, "--XX\r\nno header\r\n\r\nx\r\n--XX--\r\n"),
        (MULTIPART, cut.as_str()),
    ] {
        let (status, text) = detail(parse(kind, body.to_owned()));
        assert_eq!(status, 400, "{body:?}");
        assert!(text.starts_with("Multipart form parse error - "), "{text}");
    }
}

#[test]
fn the_limits_hold() {
    let small = Limits { text_bytes: 10, upload_bytes: 20, upload_slack_bytes: 400, fields: 3, files: 2 };
    let refused = |kind: &str, body: RawBody| {
        parse_with(Some(small), Some(kind.as_bytes()), body)
            .map_or_else(|reply| reply.status.as_u16(), |_| 200)
    };
    let form = "application/x-www-form-urlencoded";
    assert_eq!(refused(form, "a=45678901".into()), 200);
    assert_eq!(refused(form, "a=456789012".into()), 413);
    assert_eq!(refused(form, pieces(&[b"a=456", b"78901"])), 200);
    assert_eq!(refused(form, pieces(&[b"a=456", b"78901", b"2"])), 413);
    assert_eq!(refused("application/json", "{\"a\":12345}".into()), 413);
    assert_eq!(refused(form, "a&b&c".into()), 200);
    assert_eq!(refused(form, "a&b&c&d".into()), 400);

    let file = |bytes: usize| part("name=\"f\"; filename=\"f\"", &"x".repeat(bytes));
    let end = "--XX--\r\n";
    assert_eq!(refused(MULTIPART, format!("{}{}{end}", file(10), file(10)).into()), 200);
    assert_eq!(refused(MULTIPART, format!("{}{}{end}", file(10), file(11)).into()), 413);
    assert_eq!(refused(MULTIPART, format!("{}{end}", file(1).repeat(3)).into()), 400);
    assert_eq!(refused(MULTIPART, format!("{}{end}", part("name=a", "12345678901")).into()), 413);
    assert_eq!(refused(MULTIPART, format!("{}{end}", part("name=a", "").repeat(4)).into()), 400);
    assert_eq!(refused(MULTIPART, " ".repeat(421).into()), 413);
}

#[test]
fn an_upload_of_ten_mebibytes_is_taken_and_a_larger_one_not() {
    let mut body = b"--XX\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n".to_vec();
    body.resize(body.len() + (10 << 20), b'-');
    let whole = [body.as_slice(), b"\r\n--XX--\r\n"].concat();
    assert_eq!(parse(MULTIPART, whole).unwrap().file("f").unwrap().bytes.len(), 10 << 20);
    let whole = [body.as_slice(), b"-\r\n--XX--\r\n"].concat();
    assert_eq!(detail(parse(MULTIPART, whole)).0, 413);
}

/// Bytes near what the parsers look for.
fn odd_bytes() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        Just(b"--XX".to_vec()),
        Just(b"--XX--".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\r\n\r\n".to_vec()),
        Just(b"Content-Disposition: form-data; name=\"a\"".to_vec()),
        Just(b"; filename=\"b\"".to_vec()),
        Just(b"Content-Type: image/png; charset=".to_vec()),
        Just(b"{\"a\":".to_vec()),
        Just(b"%".to_vec()),
        prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(token, 0..16).prop_map(|tokens| tokens.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_give_content_or_a_refusal(
        kind in prop::option::of(prop_oneof![
            Just("application/json".to_owned()),
            Just("application/x-www-form-urlencoded".to_owned()),
            Just(MULTIPART.to_owned()),
            "[ -~]{0,40}",
        ]),
        bytes in odd_bytes(),
    ) {
        let answer = parse_with(None, kind.as_deref().map(str::as_bytes), RawBody::from(bytes));
        if let Err(reply) = answer {
            prop_assert!(reply.status.is_client_error());
            prop_assert!(reply.body["detail"].is_string());
        }
    }

    #[test]
    fn what_is_put_into_multipart_comes_out(
        values in prop::collection::vec(("[a-z]{1,5}", "[ -~é\r\n]{0,30}"), 0..8),
        file in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let boundary = "a boundary ' that no value holds";
        let mut body = Vec::new();
        for (name, value) in &values {
            body.extend_from_slice(format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            ).as_bytes());
        }
        body.extend_from_slice(format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"up\"; filename=\"x\"\r\n\r\n"
        ).as_bytes());
        body.extend_from_slice(&file);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        let content = parse(&format!("multipart/form-data; boundary=\"{boundary}\""), body).unwrap();
        for (name, value) in &values {
            prop_assert!(content.all(name).contains(&&json!(value)));
        }
        prop_assert_eq!(&content.file("up").unwrap().bytes[..], &file[..]);
    }
}
