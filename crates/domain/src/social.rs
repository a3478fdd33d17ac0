//! Signing in with the token of a social network.

use std::{net::IpAddr, sync::Arc};

use crate::{
    AccountId, App, Error, Noun, Refusal, Result,
    accounts::{Identity, NewAccount, Role, names},
    journal,
    ports::{ProviderRefusal, SocialProvider},
    sessions,
};

/// Most characters of a network's short name.
pub const MAX_SLUG: usize = 16;

/// Most characters of a network's token.
pub const MAX_TOKEN: usize = 255;

/// How a network's word is taken.
#[derive(Clone)]
pub enum Provider {
    /// The network is asked whose the token is.
    Asked(Arc<dyn SocialProvider>),
    /// Whoever comes is believed. For development alone.
    Trusted,
}

/// A sign-in.
#[derive(Clone, Copy, Debug)]
pub struct SignIn<'a> {
    /// The network's short name: `vk`.
    pub slug: &'a str,
    /// The network's own id of the person, from 1.
    pub external_id: i64,
    /// The network's token.
    pub token: &'a str,
    /// The first name of an account that is made now.
    pub first_name: &'a str,
    /// The dialect, for the log and for the session.
    pub dialect: &'static str,
    /// Where it comes from, for the limits.
    pub address: IpAddr,
}

/// Signs in whoever the network says has this token; their account is made at the first time, without a password. The
/// account's open session of the dialect is taken up, if there is one. The account, and the session's opaque token.
///
/// `NotFound(Provider)` when the network is none of ours; `Unauthenticated(Invalid)` when the token is not theirs;
/// `Unavailable(Provider)` when the network cannot be asked; `Throttled` after too many failures.
pub async fn sign_in(app: &App, provider: Option<&Provider>, ask: SignIn<'_>) -> Result<(AccountId, String)> {
    let signed = try_sign_in(app, provider, ask).await;
    let name = format!("{} {}", ask.slug, ask.external_id);
    match &signed {
        Ok(_) => journal::done("sign-in", ask.dialect, Some(&name)),
        Err(error) => journal::refused("sign-in", ask.dialect, Some(&name), reason(error)),
    }
    signed
}

async fn try_sign_in(app: &App, provider: Option<&Provider>, ask: SignIn<'_>) -> Result<(AccountId, String)> {
    let provider = provider.ok_or(Error::NotFound(Noun::Provider))?;
    check_owner(app, provider, ask).await?;
    let identity =
        Identity { provider: ask.slug.to_owned().into(), external_id: ask.external_id.to_string() };
    let account = match app.store.identity(identity.clone()).await? {
        Some(account) => account,
        None => make(app, identity, ask).await?,
    };
    Ok((account, sessions::take_up(app, account, ask.dialect).await?))
}

/// Asks the network whose the token is, within the limits on failures.
async fn check_owner(app: &App, provider: &Provider, ask: SignIn<'_>) -> Result<()> {
    let Provider::Asked(network) = provider else { return Ok(()) };
    // No username holds a colon.
    let key = format!("{}:{}", ask.slug, ask.external_id);
    let now = app.clock.now();
    app.limits.sign_in_account.check(&key, now)?;
    app.limits.sign_in_address.check(&ask.address, now)?;
    match network.owner(ask.token).await {
        Ok(owner) if owner == ask.external_id => Ok(()),
        Ok(_) | Err(ProviderRefusal::Denied) => {
            let now = app.clock.now();
            app.limits.sign_in_account.count(key, now);
            app.limits.sign_in_address.count(ask.address, now);
            Err(Error::Unauthenticated(Refusal::Invalid))
        }
        Err(ProviderRefusal::Unreachable) => Err(Error::Unavailable(Noun::Provider)),
    }
}

async fn make(app: &App, identity: Identity, ask: SignIn<'_>) -> Result<AccountId> {
    let mut random = [0; 6];
    app.ids.fill(&mut random);
    let username = names::salvaged(&format!("{}_{}", ask.slug, hex::encode(random)));
    let new = NewAccount {
        uuid: app.ids.uuid(),
        username_folded: names::folded(&username),
        username: username.clone(),
        email: String::new(),
        first_name: ask.first_name.to_owned(),
        last_name: String::new(),
        password: None,
        two_factor: false,
        role: Role::Student,
        photo: None,
        created_at: app.clock.now(),
    };
    let (account, made) = app.store.add_identity(identity, new).await?;
    if made {
        journal::done("sign-up", ask.dialect, Some(&username));
    }
    Ok(account)
}

fn reason(error: &Error) -> &'static str {
    match error {
        Error::NotFound(Noun::Provider) => "no such provider",
        Error::Unauthenticated(_) => "the token is not theirs",
        Error::Unavailable(Noun::Provider) => "the provider could not be asked",
        Error::Throttled(_) => "too many failures",
        _ => "failed",
    }
}
