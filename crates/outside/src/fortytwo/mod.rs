//! 42 (the school network) as identity provider: OAuth 2, authorization code grant (RFC 6749, section 4.1).

mod picture;

use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{OAuthProvider, ProviderProfile, ProviderRefusal};
use reqwest::Client;
use serde_json::Value;
use url::Url;

use crate::{
    answer::{self, MAX_JSON_BYTES},
    provider::{self, sensible, unreachable},
};

/// What logs call it.
const NAME: &str = "42";

/// How 42 is reached, and as whom.
#[derive(Clone)]
pub struct Settings {
    /// The application's UID at 42.
    pub client_id: String,
    /// The application's secret at 42.
    pub client_secret: String,
    /// Where the browser is sent: `https://api.intra.42.fr/oauth/authorize`.
    pub authorize_url: Url,
    /// Where codes are exchanged: `https://api.intra.42.fr/oauth/token`.
    pub token_url: Url,
    /// What `/v2/me` is below: `https://api.intra.42.fr`.
    pub api_url: Url,
    /// How long each of the two requests may take, answer included.
    pub patience: Duration,
}

impl Settings {
    /// 42's own address for [`Settings::authorize_url`].
    pub const AUTHORIZE_URL: &str = "https://api.intra.42.fr/oauth/authorize";
    /// 42's own address for [`Settings::token_url`].
    pub const TOKEN_URL: &str = "https://api.intra.42.fr/oauth/token";
    /// 42's own address for [`Settings::api_url`].
    pub const API_URL: &str = "https://api.intra.42.fr";
    /// The usual [`Settings::patience`].
    pub const PATIENCE: Duration = Duration::from_secs(10);
}

/// [`OAuthProvider`] for 42.
#[derive(Clone)]
pub struct FortyTwo {
    settings: Settings,
    client: Client,
}

impl FortyTwo {
    /// A provider as `settings` say. Nothing is connected yet.
    ///
    /// # Errors
    /// When a URL is not `http` or `https`, or TLS cannot be set up.
    pub fn new(settings: Settings) -> anyhow::Result<Self> {
        let addresses = [&settings.authorize_url, &settings.token_url, &settings.api_url];
        let client = provider::client(NAME, &addresses, settings.patience)?;
        Ok(Self { settings, client })
    }

    /// Exchanges `code` for an access token.
    async fn access_token(&self, code: &str, redirect_uri: &str) -> Result<String, ProviderRefusal> {
        let Settings { client_id, client_secret, token_url, .. } = &self.settings;
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", client_id),
            ("client_secret", client_secret),
            ("code", code),
            ("redirect_uri", redirect_uri),
        ];
        let request = self.client.post(token_url.clone()).form(&form);
        let (status, answer) =
            answer::json(request, MAX_JSON_BYTES).await.map_err(unreachable(NAME, "token"))?;
        if status.is_client_error() {
            // RFC 6749, section 5.2: a word such as `invalid_grant`; `invalid_client` points at the settings.
            let error = answer.as_ref().and_then(|answer| answer["error"].as_str()).unwrap_or("-");
            let error: String = error.chars().take(50).collect();
            tracing::warn!(%status, ?error, "42 refused a sign-in");
            return Err(ProviderRefusal::Denied);
        }
        let answer = sensible(NAME, "token", status, answer)?;
        let token = answer["access_token"].as_str().filter(|token| !token.is_empty());
        token.map(str::to_owned).ok_or(ProviderRefusal::Denied)
    }

    /// Reads `/v2/me` in the name of the token's owner.
    async fn me(&self, token: &str) -> Result<Value, ProviderRefusal> {
        let mut url = self.settings.api_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["v2", "me"]);
        }
        let request = self.client.get(url).bearer_auth(token);
        let (status, answer) =
            answer::json(request, MAX_JSON_BYTES).await.map_err(unreachable(NAME, "profile"))?;
        sensible(NAME, "profile", status, answer)
    }
}

#[async_trait]
impl OAuthProvider for FortyTwo {
    fn authorize_url(&self, redirect_uri: &str, state: &str) -> String {
        let mut url = self.settings.authorize_url.clone();
        url.query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("response_type", "code")
            .append_pair("scope", "public")
            .append_pair("state", state);
        url.into()
    }

    async fn profile(&self, code: &str, redirect_uri: &str) -> Result<ProviderProfile, ProviderRefusal> {
        let token = self.access_token(code, redirect_uri).await?;
        let me = self.me(&token).await?;
        let (Some(id), Some(login)) =
            (me["id"].as_i64(), me["login"].as_str().filter(|login| !login.is_empty()))
        else {
            tracing::warn!("42 answered a profile without id or login");
            return Err(ProviderRefusal::Unreachable);
        };
        let picture = match me["image"]["versions"]["small"].as_str() {
            Some(address) => picture::fetch(&self.client, &self.settings, address).await,
            None => None,
        };
        Ok(ProviderProfile {
            external_id: id.to_string(),
            login: login.to_owned(),
            email: me["email"].as_str().unwrap_or_default().to_owned(),
            picture,
        })
    }
}
