//! The settings of `meetups`: social sign-in, and meetings a day.

use clap::Args;
use domain::social::MAX_SLUG;
use jiff::tz::TimeZone;
use url::Url;

/// Signing in by social networks, and meetings.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Meetups")]
pub(crate) struct Meetups {
    /// A social network, such as vk, whose tokens are taken without asking it: for development alone; may be repeated
    #[arg(long, value_name = "SLUG", value_parser = slug)]
    pub(crate) social_trust: Vec<String>,
    /// VK's API; this or the service key switches VK on (the API is https://api.vk.com then)
    #[arg(long, value_name = "URL")]
    pub(crate) vk_url: Option<Url>,
    /// The application's service key at VK: only tokens that VK gave to this application are taken then
    #[arg(long, value_name = "KEY", hide_default_value = true)]
    pub(crate) vk_service_key: Option<String>,
    /// Meetings that an account may make on one calendar day; 0 for any number
    #[arg(long, value_name = "NUMBER", default_value = "3", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub(crate) meetings_per_day: u32,
    /// Where calendar days begin and end, by its name in the IANA database
    #[arg(long, value_name = "ZONE", default_value = "Europe/Moscow", value_parser = time_zone)]
    pub(crate) time_zone: TimeZone,
}

/// A network's short name, as clients send it.
fn slug(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if text.is_empty() || text.len() > MAX_SLUG || !text.chars().all(plain) {
        return Err(format!("write 1 to {MAX_SLUG} letters and digits, such as vk"));
    }
    Ok(text.to_owned())
}

fn time_zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| "write a name such as Europe/Moscow or UTC".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_zones_have_plain_names() {
        assert_eq!(slug("vk"), Ok("vk".to_owned()));
        for bad in ["", "v k", "vk:1", &"x".repeat(17)] {
            assert!(slug(bad).is_err(), "{bad}");
        }
        assert!(time_zone("Europe/Moscow").is_ok() && time_zone("UTC").is_ok());
        assert!(time_zone("Europe/Nowhere").is_err());
    }
}
