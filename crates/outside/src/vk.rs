//! VK (the social network) as judge of its own tokens: its API's `users.get` and `secure.checkToken`.

use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{ProviderRefusal, SocialProvider};
use reqwest::Client;
use serde_json::Value;
use url::Url;

use crate::{answer, provider};

/// The version of the API whose answers are read here.
const VERSION: &str = "5.199";

/// Largest answer taken, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// Errors that say nothing about the token: unknown, too many requests, flood, an error of VK's, a service key that VK does
/// not take, the day's limit.
const NOT_THE_TOKEN: [i64; 6] = [1, 6, 9, 10, 28, 29];

/// How VK is reached.
#[derive(Clone)]
pub struct Settings {
    /// Where the API is: `https://api.vk.com`; its methods are below `/method`.
    pub api_url: Url,
    /// The application's service key. With one, only tokens are taken that VK gave to this application.
    pub service_key: Option<String>,
    /// How long the request may take, answer included.
    pub patience: Duration,
}

impl Settings {
    /// VK's own address for [`Settings::api_url`].
    pub const API_URL: &str = "https://api.vk.com";
    /// The usual [`Settings::patience`].
    pub const PATIENCE: Duration = Duration::from_secs(5);
}

/// [`SocialProvider`] for VK.
#[derive(Clone)]
pub struct Vk {
    settings: Settings,
    client: Client,
}

impl Vk {
    /// A provider as `settings` say. Nothing is connected yet.
    ///
    /// # Errors
    /// When the URL is not `http` or `https`, or TLS cannot be set up.
    pub fn new(settings: Settings) -> anyhow::Result<Self> {
        let client = provider::client("VK", &[&settings.api_url], settings.patience)?;
        Ok(Self { settings, client })
    }

    /// Calls a method of the API; what it responds. Tokens go in the body, never in the address.
    async fn call(&self, method: &str, form: &[(&str, &str)]) -> Result<Value, ProviderRefusal> {
        let mut url = self.settings.api_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty();
        }
        let is_below_method = url.path().ends_with("/method");
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend((!is_below_method).then_some("method")).push(method);
        }
        let answered = answer::json(self.client.post(url).form(form), MAX_BYTES).await;
        let (status, answer) = answered.map_err(|fault| {
            tracing::warn!(method, fault = ?format!("{fault:#}"), "VK cannot be reached");
            ProviderRefusal::Unreachable
        })?;
        let answer = answer.filter(|answer| status.is_success() && answer.is_object());
        let mut answer = answer.unwrap_or_default();
        if let Some(code) = answer["error"]["error_code"].as_i64() {
            tracing::warn!(method, code, "VK answered an error");
            return Err(if NOT_THE_TOKEN.contains(&code) {
                ProviderRefusal::Unreachable
            } else {
                ProviderRefusal::Denied
            });
        }
        Ok(answer["response"].take())
    }
}

#[async_trait]
impl SocialProvider for Vk {
    async fn owner(&self, token: &str) -> Result<i64, ProviderRefusal> {
        let nonsense = |method| {
            tracing::warn!(method, "VK answered nonsense");
            ProviderRefusal::Unreachable
        };
        if let Some(key) = &self.settings.service_key {
            let form = [("token", token), ("access_token", key), ("v", VERSION)];
            let response = self.call("secure.checkToken", &form).await?;
            let number = |name: &str| response.get(name).and_then(Value::as_i64);
            return match (number("success"), number("user_id")) {
                (Some(1), Some(owner)) => Ok(owner),
                (Some(_), _) => Err(ProviderRefusal::Denied),
                (None, _) => Err(nonsense("secure.checkToken")),
            };
        }
        // Without user_ids: whoever the token was given to.
        let response = self.call("users.get", &[("access_token", token), ("v", VERSION)]).await?;
        let people = response.as_array().ok_or_else(|| nonsense("users.get"))?;
        match people.first() {
            // A token of an application or a community belongs to nobody.
            None => Err(ProviderRefusal::Denied),
            Some(person) => person.get("id").and_then(Value::as_i64).ok_or_else(|| nonsense("users.get")),
        }
    }
}
