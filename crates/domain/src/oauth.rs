//! Signing in by an OAuth 2 identity provider.

use crate::{
    App, Error, Noun, Result,
    accounts::{Identity, NewAccount, Role, names, undoing},
    journal,
    media::keep_avatar,
    ports::{OAuthProvider, ProviderProfile, ProviderRefusal},
    sessions::{self, Tokens},
};

/// Signs in whoever the provider says has this code; their account is made at the first time, without a password.
///
/// Accounts are keyed on the provider's id, never joined by name or address. `Forbidden(Provider)` when the provider
/// denies, `Unavailable(Provider)` when it cannot be asked.
pub async fn sign_in(
    app: &App,
    provider: (&'static str, &dyn OAuthProvider),
    code: &str,
    redirect_uri: &str,
    dialect: &'static str,
) -> Result<Tokens> {
    let (name, provider) = provider;
    let profile = provider.profile(code, redirect_uri).await.map_err(|refusal| {
        let reason = match refusal {
            ProviderRefusal::Denied => "the provider denied",
            ProviderRefusal::Unreachable => "the provider could not be asked",
        };
        journal::refused("sign-in", dialect, None, reason);
        match refusal {
            ProviderRefusal::Denied => Error::Forbidden(Noun::Provider),
            ProviderRefusal::Unreachable => Error::Unavailable(Noun::Provider),
        }
    })?;
    let login = profile.login.clone();
    let tokens = enter(app, name, profile, dialect).await?;
    journal::done("sign-in", dialect, Some(&login));
    Ok(tokens)
}

/// Opens a session for the person whom the provider of that name knows so; their account is made at the first time.
pub(crate) async fn enter(
    app: &App,
    provider: &'static str,
    profile: ProviderProfile,
    dialect: &'static str,
) -> Result<Tokens> {
    let identity = Identity { provider: provider.into(), external_id: profile.external_id.clone() };
    let account = match app.store.identity(identity.clone()).await? {
        Some(account) => account,
        None => make(app, identity, profile, dialect).await?,
    };
    sessions::open_for(app, account, dialect).await
}

async fn make(
    app: &App,
    identity: Identity,
    profile: ProviderProfile,
    dialect: &'static str,
) -> Result<crate::AccountId> {
    // A picture that is none is no reason to turn somebody away.
    let photo = match profile.picture {
        Some(bytes) => keep_avatar(app, bytes).await.ok(),
        None => None,
    };
    let username = names::salvaged(&profile.login);
    let new = NewAccount {
        uuid: app.ids.uuid(),
        username_folded: names::folded(&username),
        username,
        email: profile.email,
        first_name: String::new(),
        last_name: String::new(),
        password: None,
        two_factor: false,
        role: Role::Student,
        photo: photo.clone(),
        created_at: app.clock.now(),
    };
    let (account, made) = undoing(app, photo.clone(), app.store.add_identity(identity, new).await).await?;
    if made {
        journal::done("sign-up", dialect, Some(&profile.login));
    } else if let Some(key) = photo {
        // Another callback of the same person was quicker.
        crate::media::discard(app, &[key]).await;
    }
    Ok(account)
}
