//! What an operator can set.
//!
//! Every setting is declared once, as a flag. [`sources`] makes an environment variable and a key of `tertulia.toml`
//! of each, and lets a flag win over the variable, and that over the file.

pub(crate) mod boards;
mod booleans;
mod file;
mod meetups;
pub(crate) mod sources;
pub(crate) mod units;
pub(crate) mod values;

use std::{path::PathBuf, time::Duration};

use clap::{Args, builder::BoolishValueParser};
use domain::Rate;
use ipnet::IpNet;
use outside::{fortytwo, mail::Letterhead};
use url::Url;

pub(crate) use meetups::Meetups;
use units::MessageLimit;

/// Where the data is: for every command.
#[derive(Args, Clone, Debug)]
pub(crate) struct Place {
    /// The folder of the database, media, outbox and secret key; made if it is missing
    #[arg(long, value_name = "FOLDER", default_value = "./tertulia-data")]
    pub(crate) data_dir: PathBuf,
    /// A PostgreSQL database, postgres://user:password@host/database, instead of SQLite in the data directory
    #[arg(long, value_name = "URL", hide_default_value = true)]
    pub(crate) database_url: Option<String>,
}

/// The key of the server: for commands that need it.
#[derive(Args, Clone, Debug)]
pub(crate) struct Secret {
    /// What all tokens are signed with, at least 32 bytes; required with PostgreSQL. Without it one is made at the
    /// first start and kept in the data directory. Better not given as a flag, which `ps` shows
    #[arg(long, value_name = "KEY", hide_default_value = true)]
    pub(crate) secret_key: Option<String>,
}

/// How mail is sent.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Mail")]
#[allow(clippy::struct_field_names, reason = "fields are named as their flags")]
pub(crate) struct Mail {
    /// The mail server: smtps://user:password@host, smtp://user:password@host (STARTTLS required) or
    /// smtp://host?tls=none. Without one, mails are written to `outbox` in the data directory
    #[arg(long, value_name = "URL", hide_default_value = true)]
    pub(crate) smtp_url: Option<String>,
    /// PEM file of certificates to trust beside Mozilla's when talking to the mail server
    #[arg(long, value_name = "FILE")]
    pub(crate) smtp_ca: Option<PathBuf>,
    /// The sender of mails: an address, or a name and the address in angle brackets
    #[arg(long, value_name = "SENDER", default_value = Letterhead::DEFAULT_FROM)]
    pub(crate) mail_from: String,
    /// The subject of the mails that carry sign-in codes
    #[arg(long, value_name = "TEXT", default_value = "2fa for Trascendence")]
    pub(crate) mail_subject: String,
}

/// How the server is reached.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Network")]
pub(crate) struct Network {
    /// Where to listen; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8000", value_parser = values::listen)]
    pub(crate) listen: String,
    /// The address that absolute URLs are built from; without it, scheme and host of the request
    #[arg(long, value_name = "URL", value_parser = values::public_url)]
    pub(crate) public_url: Option<String>,
    /// A network whose X-Forwarded-For, -Proto and -Host headers count; may be repeated. No one's do by default
    #[arg(long, value_name = "CIDR", value_delimiter = ',', value_parser = values::network)]
    pub(crate) trusted_proxy: Vec<IpNet>,
    /// A web page's origin that may call this server from a browser; may be repeated. `*` is all
    #[arg(long, value_name = "ORIGIN", value_delimiter = ',', default_value = "*", value_parser = values::origin)]
    pub(crate) cors_origin: Vec<String>,
}

/// How long credentials live.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Sessions (times with s, m, h or d)")]
pub(crate) struct Sessions {
    /// Life of an access token
    #[arg(long, value_name = "TIME", default_value = "60m", value_parser = units::duration)]
    pub(crate) access_life: Duration,
    /// Life of a refresh token
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = units::duration)]
    pub(crate) refresh_life: Duration,
    /// A session ends after this long without use
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = units::duration)]
    pub(crate) session_idle: Duration,
    /// Whether a refresh gives a new refresh token
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", default_value = "false",
          require_equals = true, value_parser = BoolishValueParser::new())]
    pub(crate) rotate: bool,
    /// Whether the old refresh token dies when a new one is given
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", default_value = "true",
          require_equals = true, value_parser = BoolishValueParser::new())]
    pub(crate) revoke_rotated: bool,
    /// Whether a new password needs upper case, lower case, digits and special characters
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", default_value = "false",
          require_equals = true, value_parser = BoolishValueParser::new())]
    pub(crate) password_classes: bool,
    /// Whether refreshing in `friends` needs an access token beside the refresh token
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", default_value = "false",
          require_equals = true, value_parser = BoolishValueParser::new())]
    pub(crate) refresh_needs_access: bool,
}

/// Signing in by 42.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "42 sign-in (off without id and secret)")]
#[allow(clippy::struct_field_names, reason = "fields are named as their flags")]
pub(crate) struct FortyTwo {
    /// The application's UID at 42
    #[arg(long, value_name = "ID")]
    pub(crate) fortytwo_client_id: Option<String>,
    /// The application's secret at 42
    #[arg(long, value_name = "SECRET", hide_default_value = true)]
    pub(crate) fortytwo_client_secret: Option<String>,
    /// Where the browser is sent to sign in
    #[arg(long, value_name = "URL", default_value = fortytwo::Settings::AUTHORIZE_URL)]
    pub(crate) fortytwo_authorize_url: Url,
    /// Where codes are exchanged
    #[arg(long, value_name = "URL", default_value = fortytwo::Settings::TOKEN_URL)]
    pub(crate) fortytwo_token_url: Url,
    /// What /v2/me is below
    #[arg(long, value_name = "URL", default_value = fortytwo::Settings::API_URL)]
    pub(crate) fortytwo_api_url: Url,
    /// Where the browser goes after the sign-in; without it, the callback answers with JSON
    #[arg(long, value_name = "URL")]
    pub(crate) fortytwo_home_url: Option<Url>,
}

/// What may not be too much.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits (sizes in bytes, or with KiB, MiB, GiB)")]
pub(crate) struct Limits {
    /// Messages of one socket: so many a second, so many at once; or off
    #[arg(long, value_name = "RATE", default_value = "200/2000", value_parser = units::message_rate)]
    pub(crate) message_rate: MessageLimit,
    /// Failed sign-ins of one account; or off
    #[arg(long, value_name = "RATE", default_value = "10/5m", value_parser = units::rate)]
    pub(crate) sign_in_failures_account: Rate,
    /// Failed sign-ins from one address; or off
    #[arg(long, value_name = "RATE", default_value = "300/1m", value_parser = units::rate)]
    pub(crate) sign_in_failures_address: Rate,
    /// Codes sent to one account; or off
    #[arg(long, value_name = "RATE", default_value = "5/10m", value_parser = units::rate)]
    pub(crate) codes_account: Rate,
    /// Codes asked for from one address; or off
    #[arg(long, value_name = "RATE", default_value = "60/10m", value_parser = units::rate)]
    pub(crate) codes_address: Rate,
    /// Body of a request, files aside
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = units::size)]
    pub(crate) max_body: usize,
    /// Files of one request or message together
    #[arg(long, value_name = "SIZE", default_value = "10MiB", value_parser = units::size)]
    pub(crate) max_upload: usize,
    /// Frame from a socket
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = units::size)]
    pub(crate) max_frame: usize,
    /// Frame from a socket where files may come in
    #[arg(long, value_name = "SIZE", default_value = "14MiB", value_parser = units::size)]
    pub(crate) max_file_frame: usize,
    /// Unicode characters of a message
    #[arg(long, value_name = "NUMBER", default_value = "4096", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) max_message: u32,
    /// What may wait for a socket that reads slowly, before it is closed
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = units::size)]
    pub(crate) socket_queue: usize,
}

/// All settings.
#[derive(Args, Clone, Debug)]
pub(crate) struct Settings {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) secret: Secret,
    /// What is logged on stderr: error, warn, info, debug, trace, or a filter such as info,tertulia_store=debug
    #[arg(long, value_name = "FILTER", default_value = "info", value_parser = values::log_filter)]
    pub(crate) log: String,
    #[command(flatten)]
    pub(crate) network: Network,
    #[command(flatten)]
    pub(crate) mail: Mail,
    #[command(flatten)]
    pub(crate) sessions: Sessions,
    #[command(flatten)]
    pub(crate) fortytwo: FortyTwo,
    #[command(flatten)]
    pub(crate) meetups: Meetups,
    #[command(flatten)]
    pub(crate) boards: boards::Boards,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

impl Settings {
    /// Those of the core.
    pub(crate) fn of_core(&self) -> domain::Settings {
        domain::Settings {
            access_life: self.sessions.access_life,
            refresh_life: self.sessions.refresh_life,
            session_idle: self.sessions.session_idle,
            rotate: self.sessions.rotate,
            revoke_rotated: self.sessions.revoke_rotated,
            password_classes: self.sessions.password_classes,
            sign_in_failures_account: self.limits.sign_in_failures_account,
            sign_in_failures_address: self.limits.sign_in_failures_address,
            codes_account: self.limits.codes_account,
            codes_address: self.limits.codes_address,
            max_text: self.limits.max_message as usize,
            max_attachment: self.limits.max_upload,
            meetings_per_day: self.meetups.meetings_per_day as usize,
            time_zone: self.meetups.time_zone.clone(),
            max_widgets: self.boards.max_widgets as usize,
            code_subject: self.mail.mail_subject.clone(),
            ..domain::Settings::default()
        }
    }
}
