use axum::Router;
use axum::body::Body;
use axum::extract::{OriginalUri, Path, Request};
use axum::http::StatusCode;
use axum::routing::{get, post};
use http_body_util::BodyExt;
use proptest::prelude::*;
use tower::ServiceExt;

use super::{Origins, Settings, Whole, wrap};

fn server(origins: Origins) -> Whole {
    let routes = Router::new()
        .route("/", get(|| async { "root" }))
        .route("/users/update/", post(|body: String| async { body }))
        .route("/users/{id}/", get(|Path(id): Path<i64>| async move { id.to_string() }))
        .route("/named/{name}/", get(|Path(name): Path<String>| async { name }))
        .route("/oauth/callback/", get(|OriginalUri(uri): OriginalUri| async move { uri.to_string() }))
        .route("/media/{*key}", get(|Path(key): Path<String>| async { key }))
        .route("/own/", get(|| async { (StatusCode::NOT_FOUND, "my own") }))
        .route("/panic/", get(panicking));
    wrap(routes, &Settings { origins, ..Settings::default() })
}

async fn panicking() -> String {
    panic!("secret")
}

struct Answer {
    status: u16,
    headers: axum::http::HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn ask_with(origins: Origins, method: &str, uri: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from("sent")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (parts, body) = server(origins).oneshot(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    })
}

fn ask(method: &str, uri: &str) -> Answer {
    ask_with(Origins::Any, method, uri, &[])
}

fn asked(method: &str, uri: &str) -> (u16, String) {
    let answer = ask(method, uri);
    (answer.status, answer.body)
}

const NOT_FOUND: &str = r#"{"detail":"Not found."}"#;

#[test]
fn paths_are_known_with_and_without_their_slash() {
    assert_eq!(asked("GET", "/"), (200, "root".to_owned()));
    assert_eq!(asked("GET", "/users/7"), (200, "7".to_owned()));
    assert_eq!(asked("GET", "/users/7/"), (200, "7".to_owned()));
    assert_eq!(asked("POST", "/users/update"), (200, "sent".to_owned()));
    assert_eq!(asked("GET", "/oauth/callback?code=1"), (200, "/oauth/callback?code=1".to_owned()));
    assert_eq!(asked("GET", "/media/a/b.png"), (200, "a/b.png".to_owned()));
    assert_eq!(asked("GET", "/named/a%2Fb%C3%A9"), (200, "a/bé".to_owned()));
    assert_eq!(asked("GET", "/users/7//").0, 404);
}

#[test]
fn unknown_paths_and_wrong_methods_are_told_in_json() {
    assert_eq!(asked("GET", "/nowhere"), (404, NOT_FOUND.to_owned()));
    assert_eq!(asked("GET", "/media"), (404, NOT_FOUND.to_owned()));
    for uri in ["/named/%00", "/named/%", "/named/%ff"] {
        assert_eq!(asked("GET", uri), (404, NOT_FOUND.to_owned()), "{uri}");
    }
    let answer = ask("GET", "/users/update/");
    assert_eq!((answer.status, answer.body.as_str()), (405, r#"{"detail":"Method \"GET\" not allowed."}"#));
    assert_eq!(answer.header("allow"), "POST");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(asked("DELETE", "/users/7").1, r#"{"detail":"Method \"DELETE\" not allowed."}"#);
    assert_eq!(asked("X-ODD", "/users/7").1, r#"{"detail":"Method \"X-ODD\" not allowed."}"#);
    assert_eq!(asked("GET", "/own"), (404, "my own".to_owned()));
}

#[test]
fn head_and_options_are_answered() {
    assert_eq!(asked("HEAD", "/users/7"), (200, String::new()));
    assert_eq!(ask("HEAD", "/users/update").status, 405);
    let answer = ask("OPTIONS", "/users/update");
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(answer.header("allow"), "POST,OPTIONS");
    assert_eq!(ask("OPTIONS", "/nowhere").status, 404);
    assert_eq!(ask("OPTIONS", "*").status, 404);
}

#[test]
fn a_panic_is_a_500_that_tells_nothing() {
    let answer = ask_with(Origins::Any, "GET", "/panic", &[("origin", "https://web.example")]);
    assert_eq!((answer.status, answer.body.as_str()), (500, r#"{"detail":"Internal server error."}"#));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
}

#[test]
fn safety_headers_are_on_everything() {
    for (method, uri) in [("GET", "/"), ("GET", "/nowhere"), ("OPTIONS", "/"), ("GET", "/media/x")] {
        let answer = ask(method, uri);
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{uri}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{uri}");
        assert_eq!(answer.header("server"), "");
    }
}

const WEB: (&str, &str) = ("origin", "https://web.example");
const ASKS: (&str, &str) = ("access-control-request-method", "POST");

#[test]
fn any_origin_may_ask_without_credentials() {
    let answer = ask_with(Origins::Any, "OPTIONS", "/users/update/", &[WEB, ASKS]);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    assert!(answer.header("access-control-allow-methods").contains("PATCH"));
    for name in ["authorization", "bearer", "refresh", "content-type", "x-requested-with"] {
        assert!(answer.header("access-control-allow-headers").contains(name), "{name}");
    }
    let answer = ask_with(Origins::Any, "GET", "/nowhere", &[WEB]);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    for name in ["link", "retry-after", "www-authenticate"] {
        assert!(answer.header("access-control-expose-headers").contains(name), "{name}");
    }
}

#[test]
fn listed_origins_are_echoed_and_others_get_nothing() {
    let listed = || Origins::Listed(vec!["https://web.example".to_owned(), "*".to_owned()]);
    let answer = ask_with(listed(), "GET", "/", &[WEB]);
    assert_eq!(answer.header("access-control-allow-origin"), "https://web.example");
    assert_eq!(answer.header("vary"), "origin");
    for uri in ["/", "/socket.io/"] {
        let answer = ask_with(listed(), "OPTIONS", uri, &[("origin", "https://evil.example"), ASKS]);
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
}

#[test]
fn socket_io_echoes_the_origin_with_credentials() {
    for method in ["GET", "OPTIONS"] {
        let answer = ask_with(Origins::Any, method, "/socket.io/?EIO=4", &[WEB, ASKS]);
        assert_eq!(answer.header("access-control-allow-origin"), "https://web.example");
        assert_eq!(answer.header("access-control-allow-credentials"), "true");
    }
}

proptest! {
    #[test]
    fn every_path_has_an_answer(path in "/[!-~]{0,40}") {
        prop_assume!(!path.starts_with("/panic"));
        let Ok(uri) = path.parse::<axum::http::Uri>() else { return Ok(()) };
        prop_assert!(ask("GET", &uri.to_string()).status < 500);
    }
}
