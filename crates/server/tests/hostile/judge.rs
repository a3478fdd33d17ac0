//! What an answer to hostile input may be.

use testkit::http::Reply;

/// Traces of the inside that no client may ever see.
const TRACES: [&str; 16] = [
    "panicked",
    "backtrace",
    ".rs:",
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "DELETE FROM",
    "syntax error at",
    "sqlite",
    "SQLite",
    "rusqlite",
    "postgres",
    "constraint failed",
    "violates",
    "/tmp/",
    "/home/",
];

/// Why this answer is not to be had, if so. `data_dir` may not be told either.
pub(crate) fn fault(reply: &Reply, data_dir: &str) -> Option<String> {
    let body = reply.text();
    // 42 sign-in is off in these tests, which is the one documented 503.
    let off = reply.status == 503 && body.contains("is not configured");
    if reply.status >= 500 && !off {
        return Some(format!("the status is {}: {body}", reply.status));
    }
    let everything = reply.headers.iter().map(|(_, value)| value.as_str()).chain([body.as_str()]);
    let told = everything
        .flat_map(|text| TRACES.iter().chain([&data_dir]).filter(move |trace| text.contains(**trace)));
    told.map(|trace| format!("it tells {trace:?}: {} {body}", reply.status)).next()
}

#[test]
fn what_may_not_be_told_is_noticed() {
    let reply = |status, body: &str| Reply { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
    assert_eq!(fault(&reply(400, "{\"detail\":\"Not found.\"}"), "/data"), None);
    assert_eq!(fault(&reply(503, "{\"message\":\"42 sign-in is not configured\"}"), "/data"), None);
    for (status, body) in [
        (500, ""),
        (503, "{}"),
        (400, "thread 'main' panicked at"),
        (404, "no such file: /data/x"),
        (400, "UNIQUE constraint failed: account.name"),
        (200, "in src/lib.rs:12"),
    ] {
        assert!(fault(&reply(status, body), "/data").is_some(), "{status} {body}");
    }
}
