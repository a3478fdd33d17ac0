//! Values that no field expects, and bodies that no parser likes.

use serde_json::{Value, json};

/// Values for a field, of every JSON type and then some.
pub(crate) fn values() -> Vec<Value> {
    let mut values = vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1.5),
        json!(1e308),
        json!(""),
        json!(" "),
        json!([]),
        json!(["a", 1, null]),
        json!({}),
        json!({"a": {"b": []}}),
        json!("99999999999999999999"),
        json!("-0"),
        json!("NaN"),
        json!("nul \u{0} inside"),
        json!("\u{0}"),
        json!("line\r\nX-Injected: yes"),
        json!("'; DROP TABLE account; --"),
        json!("%00%ff%s%n{0}$1"),
        json!("../../../../etc/passwd"),
        json!("\u{202e}\u{feff}\u{fffd}\u{10ffff}"),
        json!("e\u{301}".repeat(200)),
        json!("x".repeat(100_000)),
    ];
    values.push((0..100).fold(json!("deep"), |inner, _| json!([inner])));
    values
}

/// The same as the text of one JSON value each, for what a JSON library cannot hold.
pub(crate) fn raw_values() -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = [
        "99999999999999999999",
        "-99999999999999999999",
        "1e400",
        "NaN",
        "Infinity",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\u0000\"",
        "\"\\x00\"",
        "\"open",
        "01",
        "'single'",
        "undefined",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    values.push(b"\"\xff\xfe\"".to_vec());
    values.push(b"\"\xc0\x80\"".to_vec());
    values.push(b"\"\xed\xa0\x80\"".to_vec());
    values.push(["[".repeat(200), "]".repeat(200)].concat().into_bytes());
    values.push("[".repeat(100_000).into_bytes());
    values.push("{\"a\":".repeat(50_000).into_bytes());
    values
}

/// Whole bodies with their media type.
pub(crate) fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let json = "application/json";
    let form = "application/x-www-form-urlencoded";
    let multipart = "multipart/form-data; boundary=b";
    let mut bodies: Vec<(&str, Vec<u8>)> = vec![
        (json, b"".to_vec()),
        (json, b" ".to_vec()),
        (json, b"\xef\xbb\xbf{}".to_vec()),
        (json, b"{}{}".to_vec()),
        (json, b"{\"username\":\"a\",\"username\":\"b\"}".to_vec()),
        (json, b"{\"\":1}".to_vec()),
        (json, b"{\"a\":1,}".to_vec()),
        (json, b"\x00".to_vec()),
        (json, "{}".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("application/json; charset=utf-16", b"{}".to_vec()),
        ("application/json; charset", b"{}".to_vec()),
        ("APPLICATION/JSON", b"{}".to_vec()),
        ("application/vnd.api+json", b"{}".to_vec()),
        ("text/html", b"<html>".to_vec()),
        ("application/octet-stream", vec![0; 1000]),
        ("", b"{}".to_vec()),
        ("/", b"{}".to_vec()),
        ("a/b/c;;;", b"{}".to_vec()),
        (form, b"%".to_vec()),
        (form, b"%zz=%f".to_vec()),
        (form, b"username=%ff%fe&password=%00&code=%00".to_vec()),
        (form, b"username=\xff&email=\x00".to_vec()),
        (form, b"&&&===&&".to_vec()),
        (form, "username=a&".repeat(20_000).into_bytes()),
        ("multipart/form-data", b"--b--".to_vec()),
        (multipart, b"".to_vec()),
        (multipart, b"--b".to_vec()),
        (multipart, b"--b--".to_vec()),
        (multipart, b"--b\r\n\r\nno disposition\r\n--b--".to_vec()),
        (multipart, b"--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nnever ends".to_vec()),
        (multipart, b"--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\n\xff\x00\r\n--b--".to_vec()),
        (multipart, b"--b\r\nContent-Disposition: form-data; name=\"\xff\"; filename=\"\x00\"\r\n\r\nx\r\n--b--".to_vec()),
        (
            multipart,
            b"--b\r\nContent-Disposition: form-data; name=\"avatar\"; filename=\"../../x\"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n\r\n--b--".to_vec(),
        ),
    ];
    bodies.extend(raw_values().into_iter().map(|value| (json, value)));
    bodies
}

/// Path segments for a parameter, already encoded.
pub(crate) fn segments() -> Vec<Vec<u8>> {
    let mut segments: Vec<Vec<u8>> = [
        "%00",
        "%ff",
        "%",
        "%zz",
        "..",
        "%2e%2e",
        ".",
        "99999999999999999999",
        "-1",
        "0",
        "+1",
        "1.0",
        "0x1",
        "1e3",
        "NaN",
        "%E2%80%AE",
        "a%2fb",
        "%5c",
        "'",
        "%27%3B",
        "{id}",
        "*",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    segments.push("9".repeat(5000).into_bytes());
    segments.push(vec![0xff, 0xfe]);
    segments.push("é".as_bytes().to_vec());
    segments
}

/// Header values, which may hold no NUL, CR and LF but any other byte.
pub(crate) fn headers() -> Vec<Vec<u8>> {
    vec![
        b"".to_vec(),
        b"Bearer \xff\xfe".to_vec(),
        b"Token \xff".to_vec(),
        "Bearer é".as_bytes().to_vec(),
        b"Bearer a.b.c".to_vec(),
        b"Bearer eyJ.eyJ.eyJ".to_vec(),
        b"Bearer eyJhbGciOiJIUzI1NiJ9.W10.AAAA".to_vec(),
        b"Bearer ..".to_vec(),
        b"Token\t\t".to_vec(),
        b"bytes=9-1,-,a-b".to_vec(),
        b"bytes=99999999999999999999-".to_vec(),
        b"\"\x80\"".to_vec(),
        b"a=b; =; ;;;; x".to_vec(),
        b"http://[::1".to_vec(),
        "x".repeat(6000).into_bytes(),
    ]
}
