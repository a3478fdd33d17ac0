//! Sign-in with Discord, against a stand-in on this machine.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use domain::ports::{OAuthProvider, ProviderRefusal};
use serde_json::json;
use tertulia_outside::discord::{Discord, Settings};
use tokio::net::TcpListener;
use url::Url;

const REDIRECT: &str = "http://localhost/cb";
const TOKEN: (u16, &str) = (200, r#"{"access_token":"t0k3n","token_type":"Bearer","scope":"identify"}"#);
const ME: (u16, &str) = (200, r#"{"id":"80351110224678912","username":"nelly","discriminator":"0"}"#);

/// A Discord that gives `token` and `me`, and keeps what it was sent.
struct Stand {
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Stand {
    async fn new(token: (u16, &str), me: (u16, &str)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (token, me) = (answer(token), answer(me));
        let (forms, bearers) = (Arc::clone(&seen), Arc::clone(&seen));
        let exchange = move |form: Bytes| async move {
            let pairs = url::form_urlencoded::parse(&form);
            let mut lines: Vec<_> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
            lines.sort();
            forms.lock().unwrap().extend(lines);
            token()
        };
        let user = move |headers: HeaderMap| async move {
            bearers.lock().unwrap().push(headers[header::AUTHORIZATION].to_str().unwrap().to_owned());
            me()
        };
        let app = Router::new()
            .route("/api/oauth2/token", post(exchange))
            .route("/api/users/@me", get(user))
            .route("/moved/users/@me", get(async || Redirect::temporary("/api/users/@me")))
            .route("/slow/users/@me", get(async || std::future::pending::<()>().await))
            .route("/slow", post(async || std::future::pending::<()>().await));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, seen }
    }

    fn settings(&self) -> Settings {
        let url = |path: &str| Url::parse(&format!("{}{path}", self.address)).unwrap();
        Settings {
            client_id: "our id".into(),
            client_secret: "our&secret".into(),
            authorize_url: url("/oauth2/authorize?prompt=none"),
            token_url: url("/api/oauth2/token"),
            api_url: url("/api/"),
            patience: Settings::PATIENCE,
        }
    }

    fn provider(&self) -> Discord {
        Discord::new(self.settings()).unwrap()
    }

    fn with(&self, change: impl FnOnce(&mut Settings)) -> Discord {
        let mut settings = self.settings();
        change(&mut settings);
        Discord::new(settings).unwrap()
    }
}

fn answer((status, body): (u16, &str)) -> impl Fn() -> Response + Clone + use<> {
    let body = body.to_owned();
    move || (StatusCode::from_u16(status).unwrap(), body.clone()).into_response()
}

async fn refusal(provider: &Discord) -> ProviderRefusal {
    provider.profile("c", REDIRECT).await.unwrap_err()
}

#[tokio::test]
async fn a_good_code_becomes_a_person() {
    let stand = Stand::new(TOKEN, ME).await;
    let profile = stand.provider().profile("the code", REDIRECT).await.unwrap();
    assert_eq!((profile.external_id.as_str(), profile.login.as_str()), ("80351110224678912", "nelly"));
    assert_eq!(profile.email, "");
    assert!(profile.picture.is_none());
    let expected = [
        "client_id=our id",
        "client_secret=our&secret",
        "code=the code",
        "grant_type=authorization_code",
        "redirect_uri=http://localhost/cb",
        "Bearer t0k3n",
    ];
    assert_eq!(*stand.seen.lock().unwrap(), expected);
}

#[tokio::test]
async fn without_a_redirect_uri_none_is_sent() {
    let stand = Stand::new(TOKEN, ME).await;
    stand.provider().profile("c", "").await.unwrap();
    assert!(!stand.seen.lock().unwrap().iter().any(|line| line.starts_with("redirect_uri")));
}

#[tokio::test]
async fn the_browser_is_sent_with_all_parameters() {
    let stand = Stand::new(TOKEN, ME).await;
    let url = Url::parse(&stand.provider().authorize_url("https://a.example.org/cb?a=b", "st&te")).unwrap();
    assert_eq!(url.path(), "/oauth2/authorize");
    let pairs: Vec<_> = url.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
    let redirect = "redirect_uri=https://a.example.org/cb?a=b";
    assert_eq!(
        pairs,
        ["prompt=none", "client_id=our id", redirect, "response_type=code", "scope=identify", "state=st&te"]
    );
}

#[tokio::test]
async fn an_id_may_be_a_number_and_an_address_may_come_along() {
    for (me, id, email) in [
        (json!({ "id": 7, "username": "x", "email": "x@example.org" }), "7", "x@example.org"),
        (json!({ "id": "18446744073709551615", "username": "x", "email": null }), "18446744073709551615", ""),
    ] {
        let stand = Stand::new(TOKEN, (200, &me.to_string())).await;
        let profile = stand.provider().profile("c", REDIRECT).await.unwrap();
        assert_eq!((profile.external_id.as_str(), profile.email.as_str()), (id, email));
    }
}

#[tokio::test]
async fn a_refused_code_is_a_denial() {
    for token in [
        (400, r#"{"error":"invalid_grant","error_description":"Invalid \"code\" in request."}"#),
        (401, r#"{"error":"invalid_client"}"#),
        (400, "not json"),
        (403, ""),
        (200, r#"{"error":"invalid_grant"}"#),
    ] {
        let stand = Stand::new(token, ME).await;
        assert_eq!(refusal(&stand.provider()).await, ProviderRefusal::Denied, "{token:?}");
    }
}

#[tokio::test]
async fn trouble_and_nonsense_at_the_token_endpoint_is_not_a_denial() {
    let long = format!("{}{}", TOKEN.1, " ".repeat(1024 * 1024));
    for token in [
        (500, TOKEN.1),
        (503, "busy"),
        (502, r#"{"error":"invalid_grant"}"#),
        (429, r#"{"message":"You are being rate limited.","retry_after":64.57}"#),
        (200, "not json"),
        (200, "[]"),
        (200, ""),
        (200, "{}"),
        (200, r#"{"access_token":null}"#),
        (200, r#"{"access_token":""}"#),
        (200, r#"{"access_token":5}"#),
        (302, TOKEN.1),
        (200, &long),
    ] {
        let stand = Stand::new(token, ME).await;
        assert_eq!(refusal(&stand.provider()).await, ProviderRefusal::Unreachable, "{}", token.0);
    }
}

#[tokio::test]
async fn a_user_that_cannot_be_had_or_makes_no_sense_is_not_a_denial() {
    for me in [
        (401, ME.1),
        (404, "{}"),
        (500, ME.1),
        (200, "<html>"),
        (200, "[]"),
        (200, "{}"),
        (200, r#"{"id":"1"}"#),
        (200, r#"{"id":"1","username":""}"#),
        (200, r#"{"id":"1","username":5}"#),
        (200, r#"{"id":"","username":"x"}"#),
        (200, r#"{"id":"x1","username":"x"}"#),
        (200, r#"{"id":-1,"username":"x"}"#),
        (200, r#"{"id":1.5,"username":"x"}"#),
        (200, r#"{"id":null,"username":"x"}"#),
    ] {
        let stand = Stand::new(TOKEN, me).await;
        assert_eq!(refusal(&stand.provider()).await, ProviderRefusal::Unreachable, "{me:?}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let stand = Stand::new(TOKEN, ME).await;
    let api_url = Url::parse(&format!("{}/moved", stand.address)).unwrap();
    let provider = stand.with(|settings| settings.api_url = api_url);
    assert_eq!(refusal(&provider).await, ProviderRefusal::Unreachable);
    assert!(!stand.seen.lock().unwrap().iter().any(|line| line.starts_with("Bearer")));
}

#[tokio::test]
async fn a_provider_that_is_away_or_slow_is_unreachable() {
    let stand = Stand::new(TOKEN, ME).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let away = Url::parse(&format!("http://{closed}/token")).unwrap();
    let away = stand.with(|settings| settings.token_url = away);
    assert_eq!(refusal(&away).await, ProviderRefusal::Unreachable);
    let url = |path: &str| Url::parse(&format!("{}{path}", stand.address)).unwrap();
    let slow_token = stand.with(|settings| {
        settings.token_url = url("/slow");
        settings.patience = Duration::from_millis(100);
    });
    assert_eq!(refusal(&slow_token).await, ProviderRefusal::Unreachable);
    let slow_user = stand.with(|settings| {
        settings.api_url = url("/slow");
        settings.patience = Duration::from_millis(500);
    });
    assert_eq!(refusal(&slow_user).await, ProviderRefusal::Unreachable);
}

#[tokio::test]
async fn settings_that_are_no_web_addresses_are_refused() {
    let stand = Stand::new(TOKEN, ME).await;
    let mut settings = stand.settings();
    settings.token_url = Url::parse("file:///etc").unwrap();
    assert!(Discord::new(settings).is_err());
}
