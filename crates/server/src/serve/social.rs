//! The social networks whose tokens sign in.

use std::{collections::HashMap, sync::Arc};

use anyhow::Result;
use domain::social::Provider;
use outside::vk::{self, Vk};
use url::Url;

use crate::settings::Meetups;

/// The networks of the settings, by their short names. A trusted one is not asked, even if it could be.
pub(super) fn providers(settings: &Meetups) -> Result<HashMap<String, Provider>> {
    let mut providers = HashMap::new();
    if settings.vk_url.is_some() || settings.vk_service_key.is_some() {
        let api_url = match &settings.vk_url {
            Some(url) => url.clone(),
            None => Url::parse(vk::Settings::API_URL)?,
        };
        let vk = Vk::new(vk::Settings {
            api_url,
            service_key: settings.vk_service_key.clone(),
            patience: vk::Settings::PATIENCE,
        })?;
        providers.insert("vk".to_owned(), Provider::Asked(Arc::new(vk)));
    }
    for slug in &settings.social_trust {
        tracing::warn!(
            "--social-trust {slug}: whoever names an id of {slug} signs in as its owner, unchecked"
        );
        providers.insert(slug.clone(), Provider::Trusted);
    }
    Ok(providers)
}
