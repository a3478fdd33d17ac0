//! A person's picture, fetched from where 42 says, when that is a place of 42's.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Client;
use url::{Host, Url};

use super::Settings;
use crate::answer;

/// Largest picture taken, in bytes.
const MAX_BYTES: usize = 5 * 1024 * 1024;

/// How long fetching it may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The bytes at `address`; `None` when they cannot be had, which is logged and no more than a pity.
pub(super) async fn fetch(client: &Client, settings: &Settings, address: &str) -> Option<Bytes> {
    let url = Url::parse(address).ok().filter(|url| may_fetch(settings, url));
    let Some(url) = url else {
        tracing::warn!(?address, "a 42 picture is not at 42, and was not fetched");
        return None;
    };
    match attempt(client, url).await {
        Ok(bytes) => Some(bytes),
        Err(fault) => {
            tracing::warn!(fault = ?format!("{fault:#}"), "a 42 picture could not be fetched");
            None
        }
    }
}

async fn attempt(client: &Client, url: Url) -> anyhow::Result<Bytes> {
    let response = client.get(url).timeout(PATIENCE).send().await.map_err(reqwest::Error::without_url)?;
    anyhow::ensure!(response.status().is_success(), "the answer is {}", response.status());
    let bytes = answer::body(response, MAX_BYTES).await?;
    anyhow::ensure!(!bytes.is_empty(), "the answer is empty");
    Ok(bytes.into())
}

/// Whether `url` is at a host of the settings or, by HTTPS, at one of 42's. HTTP only where the settings use it for
/// that host.
fn may_fetch(settings: &Settings, url: &Url) -> bool {
    let configured = [&settings.authorize_url, &settings.token_url, &settings.api_url];
    let mut here = configured.into_iter().filter(|known| known.host() == url.host());
    match url.scheme() {
        "http" => here.any(|known| known.scheme() == "http"),
        "https" => here.next().is_some() || is_42(url),
        _ => false,
    }
}

fn is_42(url: &Url) -> bool {
    let Some(Host::Domain(name)) = url.host() else { return false };
    name == "42.fr" || name.ends_with(".42.fr")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_come_from_42_and_the_configured_hosts_alone() {
        let url = |text: &str| Url::parse(text).unwrap();
        let settings = Settings {
            client_id: String::new(),
            client_secret: String::new(),
            authorize_url: url("https://sso.example.org/authorize"),
            token_url: url("http://127.0.0.1:9000/token"),
            api_url: url("https://api.example.org/"),
            patience: Settings::PATIENCE,
        };
        for (address, expected) in [
            ("https://cdn.intra.42.fr/users/a.jpg", true),
            ("https://42.fr/a.jpg", true),
            ("https://CDN.42.FR/a.jpg", true),
            ("https://api.example.org/a.jpg", true),
            ("https://sso.example.org/a.jpg", true),
            ("http://127.0.0.1:9000/a.jpg", true),
            ("http://cdn.intra.42.fr/a.jpg", false),
            ("http://api.example.org/a.jpg", false),
            ("https://not42.fr/a.jpg", false),
            ("https://42.fr.example.org/a.jpg", false),
            ("https://42.fr@example.org/a.jpg", false),
            ("https://example.org/42.fr", false),
            ("http://169.254.169.254/latest/meta-data", false),
            ("http://localhost:9000/a.jpg", false),
            ("http://[::1]/a.jpg", false),
            ("file:///etc/passwd", false),
            ("data:image/png;base64,AAAA", false),
            ("ftp://cdn.42.fr/a.jpg", false),
        ] {
            assert_eq!(may_fetch(&settings, &url(address)), expected, "{address}");
        }
    }
}
