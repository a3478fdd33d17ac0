//! A stand-in for 42's OAuth server.

use std::collections::HashMap;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::fixtures;

/// The flags that make a server use the stand-in, with its base URL for `$fortytwo`.
pub fn flags(base: &str) -> Vec<String> {
    [
        "--fortytwo-client-id=tertulia-test".to_owned(),
        "--fortytwo-client-secret=not-a-secret".to_owned(),
        format!("--fortytwo-authorize-url={base}/oauth/authorize"),
        format!("--fortytwo-token-url={base}/oauth/token"),
        format!("--fortytwo-api-url={base}"),
    ]
    .to_vec()
}

/// Starts it, on a thread and a runtime of its own that live as long as the process, and hands out its base URL.
///
/// The `code` that a callback brings says what 42 does: `ID-LOGIN` signs in that person, e-mail `LOGIN@student.42.fr`;
/// `denied` gives no token; `nonsense` answers with a page; `no-profile` gives a token that `/v2/me` refuses.
/// A login that ends in `-pic` has a picture.
pub fn start() -> Result<String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || serve(listener, address));
    Ok(format!("http://{address}"))
}

fn serve(listener: std::net::TcpListener, address: SocketAddr) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let router = Router::new()
            .route("/oauth/token", post(token))
            .route("/v2/me", get(move |headers: HeaderMap| async move { me(&headers, address) }))
            .route("/picture.png", get(picture));
        axum::serve(listener, router).await.context("serving")
    })
}

async fn token(ask: Bytes) -> Response {
    let ask: HashMap<_, _> = form_urlencoded::parse(&ask).collect();
    let field = |name: &str| ask.get(name).map_or("", |value| value.as_ref());
    if (field("client_id"), field("client_secret")) != ("tertulia-test", "not-a-secret") {
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": "invalid_client"}))).into_response();
    }
    match field("code") {
        "nonsense" => ([(header::CONTENT_TYPE, "text/html")], "<html>Be right back</html>").into_response(),
        "denied" | "" => (StatusCode::UNAUTHORIZED, Json(json!({"error": "invalid_grant"}))).into_response(),
        code => {
            Json(json!({"access_token": code, "token_type": "bearer", "expires_in": 7200, "scope": "public"}))
                .into_response()
        }
    }
}

fn me(headers: &HeaderMap, address: SocketAddr) -> Response {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some((id, login)) = token.strip_prefix("Bearer ").and_then(|token| token.split_once('-')) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let Ok(id) = id.parse::<i64>() else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let small =
        if login.ends_with("-pic") { json!(format!("http://{address}/picture.png")) } else { Value::Null };
    let email = format!("{}@student.42.fr", login.replace(' ', ""));
    Json(json!({"id": id, "login": login, "email": email, "image": {"versions": {"small": small}}}))
        .into_response()
}

async fn picture() -> Response {
    match fixtures::file("png:48x48") {
        Ok(bytes) => ([(header::CONTENT_TYPE, "image/png")], bytes).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
