//! Tokens of VK, against a stand-in on this machine that speaks VK's API.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::RawQuery,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::post,
};
use domain::ports::{ProviderRefusal, SocialProvider};
use serde_json::json;
use tertulia_outside::vk::{Settings, Vk};
use tokio::net::TcpListener;
use url::Url;

const SERVICE_KEY: &str = "service&key";

/// A VK that knows the token `ana` (of 112002), and keeps what it was sent.
struct Stand {
    address: String,
    seen: Arc<Mutex<Vec<HashMap<String, String>>>>,
}

impl Stand {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (users, checks) = (Arc::clone(&seen), Arc::clone(&seen));
        let app = Router::new()
            .route(
                "/method/users.get",
                post(async move |RawQuery(query), body: Bytes| get(&users, query.as_deref(), &body)),
            )
            .route(
                "/method/secure.checkToken",
                post(async move |RawQuery(query), body: Bytes| check(&checks, query.as_deref(), &body)),
            );
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, seen }
    }

    fn provider(&self, path: &str, service_key: Option<&str>) -> Vk {
        provider(&format!("{}{path}", self.address), service_key)
    }
}

type Seen = Mutex<Vec<HashMap<String, String>>>;

fn form(seen: &Seen, query: Option<&str>, body: &[u8]) -> HashMap<String, String> {
    assert_eq!(query, None, "nothing goes in the address");
    let form: HashMap<_, _> = url::form_urlencoded::parse(body).into_owned().collect();
    seen.lock().unwrap().push(form.clone());
    form
}

fn error(code: i64) -> Response {
    axum::Json(json!({"error": {"error_code": code, "error_msg": "no", "request_params": []}}))
        .into_response()
}

fn get(seen: &Seen, query: Option<&str>, body: &[u8]) -> Response {
    match form(seen, query, body)["access_token"].as_str() {
        "ana" => axum::Json(json!({"response": [{"id": 112_002, "first_name": "Ana"}]})).into_response(),
        other => answer(other),
    }
}

fn check(seen: &Seen, query: Option<&str>, body: &[u8]) -> Response {
    let form = form(seen, query, body);
    if form["access_token"] != SERVICE_KEY {
        return error(28);
    }
    match form["token"].as_str() {
        "ana" => axum::Json(json!({"response": {"success": 1, "user_id": 112_002, "date": 1, "expire": 2}}))
            .into_response(),
        "unsuccessful" => axum::Json(json!({"response": {"success": 0}})).into_response(),
        other => answer(other),
    }
}

/// What both methods say to other tokens.
fn answer(token: &str) -> Response {
    match token {
        "of a community" => axum::Json(json!({"response": []})).into_response(),
        "moved" => Redirect::temporary("/").into_response(),
        "page" => "<html>Be right back</html>".into_response(),
        "list" => "[]".into_response(),
        "null" => axum::Json(json!({"response": null})).into_response(),
        "nobody" => axum::Json(json!({"response": [{"id": "112002"}]})).into_response(),
        "broken" => (StatusCode::INTERNAL_SERVER_ERROR, r#"{"response":[{"id":112002}]}"#).into_response(),
        "long" => format!(r#"{{"response":[{{"id":112002}}]}}{}"#, " ".repeat(65 * 1024)).into_response(),
        code => error(code.parse().unwrap_or(5)),
    }
}

fn provider(url: &str, service_key: Option<&str>) -> Vk {
    let settings = Settings {
        api_url: Url::parse(url).unwrap(),
        service_key: service_key.map(str::to_owned),
        patience: Settings::PATIENCE,
    };
    Vk::new(settings).unwrap()
}

#[tokio::test]
async fn a_tokens_owner_is_named_by_vk() {
    let stand = Stand::new().await;
    assert_eq!(stand.provider("", None).owner("ana").await, Ok(112_002));
    let seen = stand.seen.lock().unwrap();
    assert_eq!(seen[0]["access_token"], "ana");
    assert!(!seen[0].contains_key("user_ids") && seen[0].contains_key("v"));
}

#[tokio::test]
async fn the_address_may_name_the_folder_of_the_methods() {
    let stand = Stand::new().await;
    for path in ["/", "/method", "/method/"] {
        assert_eq!(stand.provider(path, None).owner("ana").await, Ok(112_002), "{path}");
    }
}

#[tokio::test]
async fn with_a_service_key_the_token_is_checked() {
    let stand = Stand::new().await;
    assert_eq!(stand.provider("", Some(SERVICE_KEY)).owner("ana").await, Ok(112_002));
    let seen = stand.seen.lock().unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!((&*seen[0]["token"], &*seen[0]["access_token"]), ("ana", SERVICE_KEY));
}

#[tokio::test]
async fn a_token_that_vk_does_not_know_is_denied() {
    let stand = Stand::new().await;
    let denied = Err(ProviderRefusal::Denied);
    for token in ["5", "15", "100", "1117", "of a community", ""] {
        assert_eq!(stand.provider("", None).owner(token).await, denied, "{token}");
    }
    for token in ["5", "15", "1117", "unsuccessful"] {
        assert_eq!(stand.provider("", Some(SERVICE_KEY)).owner(token).await, denied, "{token}");
    }
}

#[tokio::test]
async fn trouble_and_nonsense_are_not_a_denial() {
    let stand = Stand::new().await;
    let own_fault = stand.provider("", Some("another key")).owner("ana").await;
    assert_eq!(own_fault, Err(ProviderRefusal::Unreachable));
    for key in [None, Some(SERVICE_KEY)] {
        for token in ["1", "6", "9", "10", "29", "moved", "page", "list", "null", "nobody", "broken", "long"]
        {
            let refusal = stand.provider("", key).owner(token).await;
            assert_eq!(refusal, Err(ProviderRefusal::Unreachable), "{token}");
        }
    }
}

#[tokio::test]
async fn a_vk_that_is_away_or_silent_is_unreachable() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let away = provider(&format!("http://{closed}"), None);
    assert_eq!(away.owner("ana").await, Err(ProviderRefusal::Unreachable));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = Settings {
        api_url: Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap(),
        service_key: None,
        patience: Duration::from_millis(100),
    };
    assert_eq!(Vk::new(settings).unwrap().owner("ana").await, Err(ProviderRefusal::Unreachable));
}

#[test]
fn settings_that_are_no_web_address_are_refused() {
    let api_url = Url::parse("file:///etc").unwrap();
    let settings = Settings { api_url, service_key: None, patience: Settings::PATIENCE };
    assert!(Vk::new(settings).is_err());
}
