//! What concerns the `boards` dialect.

use clap::{Args, ValueEnum};
use outside::discord;
use url::Url;

/// Who is shown the token of a sign-in by `boards`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Identities {
    /// Access keys of this server
    Key,
    /// Opaque tokens of this server
    Opaque,
    /// Discord, where it is set
    Discord,
}

/// Signing in by Discord, and dashboards.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Dashboards (Discord sign-in is off without id and secret)")]
pub(crate) struct Boards {
    /// Who is shown the token of a sign-in, one after the other
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "key,opaque,discord")]
    pub(crate) identity_providers: Vec<Identities>,
    /// The application's client id at Discord
    #[arg(long, value_name = "ID")]
    pub(crate) discord_client_id: Option<String>,
    /// The application's client secret at Discord
    #[arg(long, value_name = "SECRET", hide_default_value = true)]
    pub(crate) discord_client_secret: Option<String>,
    /// Where Discord sends the browser with its code: the address that the client has named there
    #[arg(long, value_name = "URL")]
    pub(crate) discord_redirect_url: Option<String>,
    /// Where codes are exchanged
    #[arg(long, value_name = "URL", default_value = discord::Settings::TOKEN_URL)]
    pub(crate) discord_token_url: Url,
    /// What /users/@me is below
    #[arg(long, value_name = "URL", default_value = discord::Settings::API_URL)]
    pub(crate) discord_api_url: Url,
    /// Widgets of one account
    #[arg(long, value_name = "NUMBER", default_value = "500", value_parser = clap::value_parser!(u32).range(..=100_000))]
    pub(crate) max_widgets: u32,
}
