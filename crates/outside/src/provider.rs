//! What providers on the web have in common: the client that asks them, and what becomes of answers that are none.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use domain::ports::ProviderRefusal;
use reqwest::{Client, StatusCode, redirect::Policy};
use serde_json::Value;
use url::Url;

use crate::tls;

/// A client for the provider of that name: it follows no redirects, and waits for so long at most.
///
/// # Errors
/// When one of its `addresses` is not `http` or `https`, or TLS cannot be set up.
pub(crate) fn client(name: &'static str, addresses: &[&Url], patience: Duration) -> Result<Client> {
    for url in addresses {
        ensure!(
            matches!(url.scheme(), "http" | "https") && url.has_host(),
            "{name}: {url} is no web address"
        );
    }
    tls::install_provider();
    Client::builder()
        .tls_backend_preconfigured(tls::client().with_context(|| format!("TLS for {name}"))?)
        .redirect(Policy::none())
        .timeout(patience)
        .user_agent(concat!("tertulia/", env!("CARGO_PKG_VERSION")))
        .build()
        .with_context(|| format!("the HTTP client for {name}"))
}

/// Logs why `what` could not be had of the provider of that name.
pub(crate) fn unreachable(name: &'static str, what: &str) -> impl FnOnce(anyhow::Error) -> ProviderRefusal {
    move |fault| {
        tracing::warn!(what, fault = ?format!("{fault:#}"), "{name} cannot be reached");
        ProviderRefusal::Unreachable
    }
}

/// The JSON object of a good answer of the provider of that name.
pub(crate) fn sensible(
    name: &'static str,
    what: &'static str,
    status: StatusCode,
    answer: Option<Value>,
) -> Result<Value, ProviderRefusal> {
    match answer {
        Some(answer) if status.is_success() && answer.is_object() => Ok(answer),
        _ => {
            tracing::warn!(what, %status, "{name} answered nonsense");
            Err(ProviderRefusal::Unreachable)
        }
    }
}
