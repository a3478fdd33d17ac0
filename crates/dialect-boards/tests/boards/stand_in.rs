//! A provider that is none: the code says what comes of it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::ports::{OAuthProvider, ProviderProfile, ProviderRefusal};

/// `ID-LOGIN` is that person, `away…` cannot be asked, anything else is denied. Keeps what it was asked.
#[derive(Default)]
pub(crate) struct StandIn(Mutex<Vec<(String, String)>>);

impl StandIn {
    /// The codes and redirect URIs so far.
    pub(crate) fn asked(&self) -> Vec<(String, String)> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl OAuthProvider for StandIn {
    fn authorize_url(&self, _: &str, _: &str) -> String {
        String::new()
    }

    async fn profile(&self, code: &str, redirect_uri: &str) -> Result<ProviderProfile, ProviderRefusal> {
        self.0.lock().unwrap().push((code.to_owned(), redirect_uri.to_owned()));
        if code.starts_with("away") {
            return Err(ProviderRefusal::Unreachable);
        }
        let (id, login) = code.split_once('-').ok_or(ProviderRefusal::Denied)?;
        Ok(ProviderProfile {
            external_id: id.to_owned(),
            login: login.to_owned(),
            email: String::new(),
            picture: None,
        })
    }
}

/// The same provider, for a list.
pub(crate) fn shared(stand_in: &Arc<StandIn>) -> Arc<dyn OAuthProvider> {
    Arc::clone(stand_in) as _
}
