//! The settings of `boards`, and Discord.

use std::sync::Arc;

use anyhow::{Result, bail};
use dialect_boards::Settings;
use domain::{identities::IdentityProvider, ports::OAuthProvider};
use outside::discord::{self, Discord};

use crate::settings::boards::{Boards, Identities};

/// The provider's name among an account's identities.
const DISCORD: &str = "discord";

/// Those of the dialect.
pub(super) fn settings(boards: &Boards) -> Result<Settings> {
    let discord = discord(boards)?;
    let oauth = |provider: &Arc<dyn OAuthProvider>| IdentityProvider::OAuth {
        name: DISCORD,
        provider: Arc::clone(provider),
        redirect_uri: boards.discord_redirect_url.clone().unwrap_or_default(),
    };
    let providers = boards.identity_providers.iter().filter_map(|named| match named {
        Identities::Key => Some(IdentityProvider::AccessKeys),
        Identities::Opaque => Some(IdentityProvider::OpaqueTokens),
        Identities::Discord => discord.as_ref().map(oauth),
    });
    Ok(Settings { providers: providers.collect() })
}

/// Discord, when both id and secret are set.
fn discord(boards: &Boards) -> Result<Option<Arc<dyn OAuthProvider>>> {
    let (client_id, client_secret) = match (&boards.discord_client_id, &boards.discord_client_secret) {
        (Some(id), Some(secret)) => (id.clone(), secret.clone()),
        (None, None) => return Ok(None),
        (Some(_), None) => bail!("--discord-client-id is set, and --discord-client-secret is not"),
        (None, Some(_)) => bail!("--discord-client-secret is set, and --discord-client-id is not"),
    };
    let discord = Discord::new(discord::Settings {
        client_id,
        client_secret,
        authorize_url: discord::Settings::AUTHORIZE_URL.parse()?,
        token_url: boards.discord_token_url.clone(),
        api_url: boards.discord_api_url.clone(),
        patience: discord::Settings::PATIENCE,
    })?;
    Ok(Some(Arc::new(discord)))
}
