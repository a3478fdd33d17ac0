//! Every route of every dialect appears in a transcript.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use serde_json::Value;
use testkit::http::{self, Request};
use testkit::transcript::{parser, runner};
use testkit::{Database, Server};

/// The sockets, which no OpenAPI document can describe.
const SOCKETS: [&str; 4] = ["/ws/", "/ws/chat/{id}/", "/ws/messages/", "/chat/{slug}/"];

/// The methods that a path item of OpenAPI 3.1 can have.
const METHODS: [&str; 7] = ["get", "post", "put", "patch", "delete", "options", "head"];

#[tokio::test]
async fn every_route_appears_in_a_transcript() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut played = Vec::new();
    for file in runner::files(&crates).unwrap() {
        let source = std::fs::read_to_string(&file).unwrap();
        played.extend(parser::parse(&file.display().to_string(), &source).unwrap().request_lines());
    }

    let binary = Path::new(env!("CARGO_BIN_EXE_tertulia"));
    let server = Server::start_new(binary, &Database::Sqlite, Vec::new()).unwrap();
    let reply = http::send(server.address().unwrap(), &Request::new("GET", "/api/schema/")).await.unwrap();
    let schema: Value = serde_json::from_slice(&reply.body).unwrap();
    let mut routes: Vec<(String, String)> = SOCKETS.map(|path| ("WS".to_owned(), path.to_owned())).to_vec();
    for (path, item) in schema["paths"].as_object().expect("the document has paths") {
        let methods = METHODS.iter().filter(|method| item.get(**method).is_some());
        routes.extend(methods.map(|method| (method.to_uppercase(), path.clone())));
    }
    assert!(routes.len() > SOCKETS.len(), "the document describes no route");

    let missing: Vec<_> = routes
        .iter()
        .filter(|(method, path)| !played.iter().any(|(verb, line)| verb == method && is_of(line, path)))
        .collect();
    assert!(missing.is_empty(), "no transcript asks for {missing:?}");
}

/// Whether a request line is of the route `template`, such as `/conversations/{id}/`. A slash at the end does not matter,
/// and `*` is what a transcript learns only when it is played. The last parameter of a media path takes more than one segment.
fn is_of(line: &str, template: &str) -> bool {
    let line: Vec<_> = line.trim_end_matches('/').split('/').collect();
    let template: Vec<_> = template.trim_end_matches('/').split('/').collect();
    let fits = |(part, wanted): (&&str, &&str)| wanted.starts_with('{') || *part == *wanted;
    let rest = template.get(1) == Some(&"media") && template.last().is_some_and(|last| last.starts_with('{'));
    let long_enough = if rest { line.len() >= template.len() } else { line.len() == template.len() };
    long_enough && line.iter().zip(&template).all(fits)
}

#[test]
fn a_line_is_of_its_route_alone() {
    for (line, template, wanted) in [
        ("/conversations/*/", "/conversations/{id}/", true),
        ("/conversations/7", "/conversations/{id}/", true),
        ("/conversations/", "/conversations/{id}/", false),
        ("/conversations/*/x", "/conversations/{id}/", false),
        ("/media/avatars/default.png", "/media/{key}", true),
        ("/health/live/", "/health/ready", false),
    ] {
        assert_eq!(is_of(line, template), wanted, "{line} {template}");
    }
}
