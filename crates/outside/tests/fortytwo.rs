//! Sign-in with 42, against a stand-in on this machine.
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
use tertulia_outside::fortytwo::{FortyTwo, Settings};
use tokio::net::TcpListener;
use url::Url;

/// A 42 that gives `token` and `me`, and keeps what it was sent.
struct Stand {
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Stand {
    /// `{here}` in `me` becomes the stand-in's own address.
    async fn new(token: (u16, &str), me: (u16, &str)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let token = answer(token.0, token.1.to_owned());
        let me = answer(me.0, me.1.replace("{here}", &address));
        let (forms, bearers) = (Arc::clone(&seen), Arc::clone(&seen));
        let exchange = move |form: Bytes| async move {
            let pairs = url::form_urlencoded::parse(&form);
            let mut lines: Vec<_> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
            lines.sort();
            forms.lock().unwrap().extend(lines);
            token()
        };
        let profile = move |headers: HeaderMap| async move {
            bearers.lock().unwrap().push(headers[header::AUTHORIZATION].to_str().unwrap().to_owned());
            me()
        };
        let app = Router::new()
            .route("/oauth/token", post(exchange))
            .route("/base/v2/me", get(profile))
            .route("/a.png", get(async || Bytes::from_static(b"picture")))
            .route("/large.png", get(async || Bytes::from(vec![1; 5 * 1024 * 1024 + 1])))
            .route("/empty.png", get(async || ""))
            .route("/moved.png", get(async || Redirect::temporary("/a.png")))
            .route("/moved/v2/me", get(async || Redirect::temporary("/base/v2/me")))
            .route("/slow", post(async || std::future::pending::<()>().await));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, seen }
    }

    fn settings(&self) -> Settings {
        Settings {
            client_id: "our id".into(),
            client_secret: "our&secret".into(),
            authorize_url: Url::parse(&format!("{}/oauth/authorize?prompt=1", self.address)).unwrap(),
            token_url: Url::parse(&format!("{}/oauth/token", self.address)).unwrap(),
            api_url: Url::parse(&format!("{}/base/", self.address)).unwrap(),
            patience: Settings::PATIENCE,
        }
    }

    fn provider(&self) -> FortyTwo {
        FortyTwo::new(self.settings()).unwrap()
    }

    fn with(&self, change: impl FnOnce(&mut Settings)) -> FortyTwo {
        let mut settings = self.settings();
        change(&mut settings);
        FortyTwo::new(settings).unwrap()
    }
}

fn answer(status: u16, body: String) -> impl Fn() -> Response + Clone {
    move || (StatusCode::from_u16(status).unwrap(), body.clone()).into_response()
}

const TOKEN: (u16, &str) = (200, r#"{"access_token":"t0k3n","token_type":"bearer"}"#);

async fn refusal(provider: &FortyTwo) -> ProviderRefusal {
    provider.profile("c", "http://localhost/cb").await.unwrap_err()
}

#[tokio::test]
async fn the_browser_is_sent_with_all_parameters() {
    let stand = Stand::new(TOKEN, (200, "{}")).await;
    let url = stand.provider().authorize_url("https://chat.example.org/oauth/callback?a=b", "st&te");
    let url = Url::parse(&url).unwrap();
    assert_eq!(url.path(), "/oauth/authorize");
    let pairs: Vec<_> = url.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
    let redirect = "redirect_uri=https://chat.example.org/oauth/callback?a=b";
    assert_eq!(
        pairs,
        ["prompt=1", "client_id=our id", redirect, "response_type=code", "scope=public", "state=st&te"]
    );
}

#[tokio::test]
async fn a_code_becomes_a_profile_with_a_picture() {
    let me = r#"{"id":4242,"login":"manoli","email":"m@student.42.fr","more":[],
        "image":{"link":null,"versions":{"small":"{here}/a.png"}}}"#;
    let stand = Stand::new(TOKEN, (200, me)).await;
    let profile = stand.provider().profile("the code", "http://localhost/cb").await.unwrap();
    assert_eq!((profile.external_id.as_str(), profile.login.as_str()), ("4242", "manoli"));
    assert_eq!(profile.email, "m@student.42.fr");
    assert_eq!(profile.picture.unwrap(), "picture");
    let seen = stand.seen.lock().unwrap();
    let expected = [
        "client_id=our id",
        "client_secret=our&secret",
        "code=the code",
        "grant_type=authorization_code",
        "redirect_uri=http://localhost/cb",
        "Bearer t0k3n",
    ];
    assert_eq!(*seen, expected);
}

#[tokio::test]
async fn email_and_picture_may_be_missing() {
    for me in [
        json!({"id": 1, "login": "x"}),
        json!({"id": 1, "login": "x", "email": null, "image": null}),
        json!({"id": 1, "login": "x", "email": 5, "image": {"versions": {"small": null}}}),
        json!({"id": 1, "login": "x", "image": {"versions": []}}),
    ] {
        let stand = Stand::new(TOKEN, (200, &me.to_string())).await;
        let profile = stand.provider().profile("c", "http://localhost/cb").await.unwrap();
        assert_eq!(profile.email, "");
        assert!(profile.picture.is_none());
    }
}

#[tokio::test]
async fn a_picture_that_cannot_be_had_is_no_error() {
    for picture in [
        "{here}/none.png",
        "{here}/large.png",
        "{here}/empty.png",
        "{here}/moved.png",
        "http://127.0.0.2:1/a.png",
        "http://localhost:1/a.png",
        "nonsense",
        "",
    ] {
        let me = json!({"id": 1, "login": "x", "image": {"versions": {"small": picture}}}).to_string();
        let stand = Stand::new(TOKEN, (200, &me)).await;
        let profile = stand.provider().profile("c", "http://localhost/cb").await.unwrap();
        assert!(profile.picture.is_none(), "{picture}");
    }
}

#[tokio::test]
async fn no_token_is_a_denial() {
    for token in [
        (401, r#"{"error":"invalid_grant"}"#),
        (400, "not json"),
        (200, r#"{"error":"access_denied"}"#),
        (200, r#"{"access_token":null}"#),
        (200, r#"{"access_token":""}"#),
        (200, r#"{"access_token":5}"#),
    ] {
        let stand = Stand::new(token, (200, r#"{"id":1,"login":"x"}"#)).await;
        assert_eq!(refusal(&stand.provider()).await, ProviderRefusal::Denied, "{token:?}");
    }
}

#[tokio::test]
async fn trouble_and_nonsense_at_the_token_endpoint_is_not_a_denial() {
    let long = format!("{}{}", TOKEN.1, " ".repeat(1024 * 1024));
    for token in [
        (500, TOKEN.1),
        (503, "busy"),
        (200, "not json"),
        (200, "[]"),
        (200, ""),
        (302, TOKEN.1),
        (200, &long),
    ] {
        let stand = Stand::new(token, (200, r#"{"id":1,"login":"x"}"#)).await;
        assert_eq!(refusal(&stand.provider()).await, ProviderRefusal::Unreachable, "{}", token.0);
    }
}

#[tokio::test]
async fn a_profile_that_cannot_be_had_or_makes_no_sense_is_not_a_denial() {
    let good = r#"{"id":1,"login":"x"}"#;
    for me in [
        (401, good),
        (404, "{}"),
        (500, good),
        (200, "<html>"),
        (200, "[]"),
        (200, "{}"),
        (200, r#"{"id":1}"#),
        (200, r#"{"id":"1","login":"x"}"#),
        (200, r#"{"id":1.5,"login":"x"}"#),
        (200, r#"{"id":1,"login":""}"#),
        (200, r#"{"id":null,"login":"x"}"#),
    ] {
        let stand = Stand::new(TOKEN, me).await;
        assert_eq!(refusal(&stand.provider()).await, ProviderRefusal::Unreachable, "{me:?}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let stand = Stand::new(TOKEN, (200, r#"{"id":1,"login":"x"}"#)).await;
    let api_url = Url::parse(&format!("{}/moved", stand.address)).unwrap();
    let provider = stand.with(|settings| settings.api_url = api_url);
    assert_eq!(refusal(&provider).await, ProviderRefusal::Unreachable);
    assert!(!stand.seen.lock().unwrap().iter().any(|line| line.starts_with("Bearer")));
}

#[tokio::test]
async fn a_provider_that_is_away_or_silent_is_unreachable() {
    let stand = Stand::new(TOKEN, (200, "{}")).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let away = Url::parse(&format!("http://{closed}/token")).unwrap();
    assert_eq!(
        refusal(&stand.with(|settings| settings.token_url = away)).await,
        ProviderRefusal::Unreachable
    );
    let slow = Url::parse(&format!("{}/slow", stand.address)).unwrap();
    let silent = stand.with(|settings| {
        settings.token_url = slow;
        settings.patience = Duration::from_millis(100);
    });
    assert_eq!(refusal(&silent).await, ProviderRefusal::Unreachable);
}

#[tokio::test]
async fn settings_that_are_no_web_addresses_are_refused() {
    let stand = Stand::new(TOKEN, (200, "{}")).await;
    let mut settings = stand.settings();
    settings.api_url = Url::parse("file:///etc").unwrap();
    assert!(FortyTwo::new(settings).is_err());
}
