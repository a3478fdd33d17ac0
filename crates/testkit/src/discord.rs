//! A stand-in for Discord's OAuth server.

use std::collections::HashMap;

use anyhow::{Context, Result};
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

/// The redirect URI that a code has to come with.
const REDIRECT: &str = "https://boards.example.org/back";

/// The flags that make a server use the stand-in, with its base URL for `$discord`.
pub fn flags(base: &str) -> Vec<String> {
    [
        "--discord-client-id=tertulia-test".to_owned(),
        "--discord-client-secret=not-a-secret".to_owned(),
        format!("--discord-redirect-url={REDIRECT}"),
        format!("--discord-token-url={base}/api/oauth2/token"),
        format!("--discord-api-url={base}/api"),
    ]
    .to_vec()
}

/// Starts it, on a thread and a runtime of its own that live as long as the process, and hands out its base URL.
///
/// A sign-in's token says what Discord does: `ID-NAME` signs in that person; `nonsense` answers with a page; `busy` with
/// 503; `no-user` gives a token that `/users/@me` refuses; anything else is no code.
pub fn start() -> Result<String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || serve(listener));
    Ok(format!("http://{address}"))
}

fn serve(listener: std::net::TcpListener) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let router = Router::new().route("/api/oauth2/token", post(token)).route("/api/users/@me", get(me));
        axum::serve(listener, router).await.context("serving")
    })
}

async fn token(ask: Bytes) -> Response {
    let ask: HashMap<_, _> = form_urlencoded::parse(&ask).collect();
    let field = |name: &str| ask.get(name).map_or("", |value| value.as_ref());
    if (field("client_id"), field("client_secret")) != ("tertulia-test", "not-a-secret") {
        return refusal("invalid_client");
    }
    if (field("grant_type"), field("redirect_uri")) != ("authorization_code", REDIRECT) {
        return refusal("invalid_request");
    }
    match field("code") {
        "nonsense" => ([(header::CONTENT_TYPE, "text/html")], "<html>Be right back</html>").into_response(),
        "busy" => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        code if code.contains('-') => Json(
            json!({"access_token": code, "token_type": "Bearer", "expires_in": 604_800, "scope": "identify"}),
        )
        .into_response(),
        _ => refusal("invalid_grant"),
    }
}

fn refusal(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": error}))).into_response()
}

async fn me(headers: HeaderMap) -> Response {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match token.strip_prefix("Bearer ").and_then(|token| token.split_once('-')) {
        Some((id, name)) if id.bytes().all(|letter| letter.is_ascii_digit()) => {
            Json(json!({"id": id, "username": name, "discriminator": "0", "global_name": Value::Null}))
                .into_response()
        }
        _ => StatusCode::UNAUTHORIZED.into_response(),
    }
}
