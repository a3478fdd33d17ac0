//! Signing in by one token, which a list of identity providers is shown in turn.

use std::{net::IpAddr, sync::Arc};

use crate::{
    App, Caller, Error, Grant, Noun, Refusal, Result, accounts, journal, oauth,
    ports::{OAuthProvider, ProviderRefusal},
    secrets::token_hash,
    sessions::{
        self, Shown, Tokens,
        tokens::{self, TokenType},
    },
};

/// Most bytes of an authorization code: what is longer is none, and no provider is asked about it.
const MAX_CODE: usize = 2_048;

/// One who may know whose token it is.
#[derive(Clone)]
pub enum IdentityProvider {
    /// Access keys of this server: such a key opens a session.
    AccessKeys,
    /// Opaque tokens of this server: such a token gives new tokens of its own session.
    OpaqueTokens,
    /// An OAuth 2 provider: the token is an authorization code (RFC 6749, section 4.1.2).
    OAuth {
        /// Its short name among an account's identities.
        name: &'static str,
        /// The provider.
        provider: Arc<dyn OAuthProvider>,
        /// Where the provider has sent the code; `""` when it was not told where.
        redirect_uri: String,
    },
}

/// Signs in whoever the first provider says that knows the token. Accounts of OAuth providers are keyed on the
/// provider's id of the person, and made at the first time.
///
/// `Unauthenticated(Invalid)` when none knows it, `Unavailable(Provider)` when one of those could not be asked,
/// `Throttled` after too many failures from this address.
pub async fn sign_in(
    app: &App,
    providers: &[IdentityProvider],
    token: &str,
    dialect: &'static str,
    address: IpAddr,
) -> Result<Tokens> {
    let throttled = app.limits.sign_in_address.check(&address, app.clock.now());
    let signed = match throttled {
        Ok(()) => ask_all(app, providers, token, dialect).await,
        Err(error) => Err(error),
    };
    match &signed {
        Ok((_, name)) => journal::done("sign-in", dialect, Some(name)),
        Err(error) => {
            if let Error::Unauthenticated(_) = error {
                app.limits.sign_in_address.count(address, app.clock.now());
            }
            journal::refused("sign-in", dialect, None, reason(error));
        }
    }
    signed.map(|(tokens, _)| tokens)
}

/// New tokens, and the name of whose they are.
type Known = (Tokens, String);

async fn ask_all(
    app: &App,
    providers: &[IdentityProvider],
    token: &str,
    dialect: &'static str,
) -> Result<Known> {
    let mut refusal = Error::Unauthenticated(Refusal::Invalid);
    for provider in providers {
        match ask(app, provider, token, dialect).await {
            Ok(Some(known)) => return Ok(known),
            Ok(None) => {}
            // One further down the list may know it.
            Err(away @ Error::Unavailable(Noun::Provider)) => refusal = away,
            Err(error) => return Err(error),
        }
    }
    Err(refusal)
}

/// `None` when this one does not know the token, `Unavailable(Provider)` when it could not be asked.
async fn ask(
    app: &App,
    provider: &IdentityProvider,
    token: &str,
    dialect: &'static str,
) -> Result<Option<Known>> {
    let (name, provider, redirect_uri) = match provider {
        IdentityProvider::AccessKeys => return by_key(app, token, dialect).await,
        IdentityProvider::OpaqueTokens => return by_opaque(app, token).await,
        IdentityProvider::OAuth { name, provider, redirect_uri } => (name, provider, redirect_uri),
    };
    // What this server has signed itself is nobody else's business.
    if token.len() > MAX_CODE || tokens::read(app, token).is_some() {
        return Ok(None);
    }
    match provider.profile(token, redirect_uri).await {
        Ok(profile) => {
            let login = profile.login.clone();
            Ok(Some((oauth::enter(app, name, profile, dialect).await?, login)))
        }
        Err(ProviderRefusal::Denied) => Ok(None),
        Err(ProviderRefusal::Unreachable) => Err(Error::Unavailable(Noun::Provider)),
    }
}

async fn by_key(app: &App, token: &str, dialect: &'static str) -> Result<Option<Known>> {
    let Some(key) = app.store.key(token_hash(token)).await? else { return Ok(None) };
    match sessions::open_for(app, key.account, dialect).await {
        Ok(tokens) => Ok(Some((tokens, accounts::person(app, key.account).await?.username))),
        // Deleted in this very moment.
        Err(Error::NotFound(Noun::Account)) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn by_opaque(app: &App, token: &str) -> Result<Option<Known>> {
    match sessions::authenticate(app, Shown::Opaque(token)).await {
        Ok(Caller { account, grant: Grant::Session(session) }) => {
            let tokens = Tokens {
                access: tokens::issue(app, TokenType::Access, account, session)?,
                refresh: tokens::issue(app, TokenType::Refresh, account, session)?,
                opaque: token.to_owned(),
                session,
            };
            Ok(Some((tokens, accounts::person(app, account).await?.username)))
        }
        Ok(_) | Err(Error::Unauthenticated(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn reason(error: &Error) -> &'static str {
    match error {
        Error::Unauthenticated(_) => "no provider knows the token",
        Error::Unavailable(Noun::Provider) => "a provider could not be asked",
        Error::Throttled(_) => "too many failures",
        _ => "failed",
    }
}
