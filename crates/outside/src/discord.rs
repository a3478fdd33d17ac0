//! Discord as identity provider: OAuth 2, authorization code grant (RFC 6749, section 4.1).

use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{OAuthProvider, ProviderProfile, ProviderRefusal};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use url::Url;

use crate::{
    answer::{self, MAX_JSON_BYTES},
    provider::{self, sensible, unreachable},
};

/// What logs call it.
const NAME: &str = "Discord";

/// Most characters of an id that is taken; Discord's have 20 digits at most.
const MAX_ID: usize = 64;

/// How Discord is reached, and as whom.
#[derive(Clone)]
pub struct Settings {
    /// The application's client id at Discord.
    pub client_id: String,
    /// The application's client secret at Discord.
    pub client_secret: String,
    /// Where the browser is sent: `https://discord.com/oauth2/authorize`.
    pub authorize_url: Url,
    /// Where codes are exchanged: `https://discord.com/api/oauth2/token`.
    pub token_url: Url,
    /// What `/users/@me` is below: `https://discord.com/api`.
    pub api_url: Url,
    /// How long both requests together may take, answers included.
    pub patience: Duration,
}

impl Settings {
    /// Discord's own address for [`Settings::authorize_url`].
    pub const AUTHORIZE_URL: &str = "https://discord.com/oauth2/authorize";
    /// Discord's own address for [`Settings::token_url`].
    pub const TOKEN_URL: &str = "https://discord.com/api/oauth2/token";
    /// Discord's own address for [`Settings::api_url`].
    pub const API_URL: &str = "https://discord.com/api";
    /// The usual [`Settings::patience`].
    pub const PATIENCE: Duration = Duration::from_secs(10);
}

/// [`OAuthProvider`] for Discord.
#[derive(Clone)]
pub struct Discord {
    settings: Settings,
    client: Client,
}

impl Discord {
    /// A provider as `settings` say. Nothing is connected yet.
    ///
    /// # Errors
    /// When a URL is not `http` or `https`, or TLS cannot be set up.
    pub fn new(settings: Settings) -> anyhow::Result<Self> {
        let addresses = [&settings.authorize_url, &settings.token_url, &settings.api_url];
        let client = provider::client(NAME, &addresses, settings.patience)?;
        Ok(Self { settings, client })
    }

    async fn person(&self, code: &str, redirect_uri: &str) -> Result<ProviderProfile, ProviderRefusal> {
        let token = self.access_token(code, redirect_uri).await?;
        let me = self.me(&token).await?;
        profile(&me).ok_or_else(|| {
            tracing::warn!("Discord answered a user without id or name");
            ProviderRefusal::Unreachable
        })
    }

    /// Exchanges `code` for an access token.
    async fn access_token(&self, code: &str, redirect_uri: &str) -> Result<String, ProviderRefusal> {
        let Settings { client_id, client_secret, token_url, .. } = &self.settings;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", client_id),
            ("client_secret", client_secret),
            ("code", code),
        ];
        // RFC 6749, section 4.1.3: due if the code was asked for with one.
        if !redirect_uri.is_empty() {
            form.push(("redirect_uri", redirect_uri));
        }
        let request = self.client.post(token_url.clone()).form(&form);
        let (status, answer) =
            answer::json(request, MAX_JSON_BYTES).await.map_err(unreachable(NAME, "token"))?;
        // RFC 6749, section 5.2: a word such as `invalid_grant`; `invalid_client` points at the settings.
        let error = answer.as_ref().and_then(|answer| answer["error"].as_str());
        let is_refused = status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS;
        if is_refused || (status.is_success() && error.is_some()) {
            let error: String = error.unwrap_or("-").chars().take(50).collect();
            tracing::warn!(%status, ?error, "Discord refused a sign-in");
            return Err(ProviderRefusal::Denied);
        }
        let answer = sensible(NAME, "token", status, answer)?;
        let token = answer["access_token"].as_str().filter(|token| !token.is_empty());
        token.map(str::to_owned).ok_or_else(|| {
            tracing::warn!("Discord answered without a token");
            ProviderRefusal::Unreachable
        })
    }

    /// Reads `/users/@me` in the name of the token's owner.
    async fn me(&self, token: &str) -> Result<Value, ProviderRefusal> {
        let mut url = self.settings.api_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["users", "@me"]);
        }
        let request = self.client.get(url).bearer_auth(token);
        let (status, answer) =
            answer::json(request, MAX_JSON_BYTES).await.map_err(unreachable(NAME, "user"))?;
        sensible(NAME, "user", status, answer)
    }
}

#[async_trait]
impl OAuthProvider for Discord {
    fn authorize_url(&self, redirect_uri: &str, state: &str) -> String {
        let mut url = self.settings.authorize_url.clone();
        url.query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("response_type", "code")
            .append_pair("scope", "identify")
            .append_pair("state", state);
        url.into()
    }

    async fn profile(&self, code: &str, redirect_uri: &str) -> Result<ProviderProfile, ProviderRefusal> {
        let asked = tokio::time::timeout(self.settings.patience, self.person(code, redirect_uri)).await;
        asked.unwrap_or_else(|_| {
            tracing::warn!("Discord takes too long");
            Err(ProviderRefusal::Unreachable)
        })
    }
}

/// The person of a user object: `id` is a text of digits (or a number), `username` the unique name.
fn profile(me: &Value) -> Option<ProviderProfile> {
    let id = match &me["id"] {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => return None,
    };
    let is_id = (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|letter| letter.is_ascii_digit());
    let login = me["username"].as_str().filter(|login| is_id && !login.is_empty())?.to_owned();
    let email = me["email"].as_str().unwrap_or_default().to_owned();
    Some(ProviderProfile { external_id: id, login, email, picture: None })
}
