//! What an operator can set about the core's rules.

use std::time::Duration;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::Time;

/// So many in so long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// How many; 0 switches the limit off.
    pub most: usize,
    /// In any span of this length.
    pub within: Duration,
}

/// The settings of the core. [`Default`] is what the contract says.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Life of an access token.
    pub access_life: Duration,
    /// Life of a refresh token.
    pub refresh_life: Duration,
    /// A session ends after this long without use.
    pub session_idle: Duration,
    /// Whether a refresh gives a new refresh token.
    pub rotate: bool,
    /// Whether the old refresh token dies then.
    pub revoke_rotated: bool,
    /// Failed sign-ins an account.
    pub sign_in_failures_account: Rate,
    /// Failed sign-ins an address.
    pub sign_in_failures_address: Rate,
    /// Codes sent an account.
    pub codes_account: Rate,
    /// Codes sent an address.
    pub codes_address: Rate,
    /// Whether a new password needs upper case, lower case, digits and special characters.
    pub password_classes: bool,
    /// Most Unicode characters of a message.
    pub max_text: usize,
    /// Most bytes of all files of one message together.
    pub max_attachment: usize,
    /// Most widgets of an account.
    pub max_widgets: usize,
    /// Longest side of an avatar, in pixels.
    pub avatar_side: u32,
    /// Longest side of a photo of the album, in pixels.
    pub photo_side: u32,
    /// Side of a photo's thumbnail, in pixels.
    pub thumbnail_side: u32,
    /// Meetings that an account may make on one calendar day; 0 switches the limit off.
    pub meetings_per_day: usize,
    /// Where calendar days begin and end.
    pub time_zone: TimeZone,
    /// The subject of the mail that carries a code.
    pub code_subject: String,
}

impl Default for Settings {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        Self {
            access_life: minutes(60),
            refresh_life: minutes(24 * 60),
            session_idle: minutes(30 * 24 * 60),
            rotate: false,
            revoke_rotated: true,
            sign_in_failures_account: Rate { most: 10, within: minutes(5) },
            sign_in_failures_address: Rate { most: 300, within: minutes(1) },
            codes_account: Rate { most: 5, within: minutes(10) },
            codes_address: Rate { most: 60, within: minutes(10) },
            password_classes: false,
            max_text: 4096,
            max_attachment: 10 << 20,
            max_widgets: 500,
            avatar_side: 512,
            photo_side: 1280,
            thumbnail_side: 160,
            meetings_per_day: 3,
            // Time zones are compiled in; UTC would do all the same.
            time_zone: TimeZone::get("Europe/Moscow").unwrap_or(TimeZone::UTC),
            code_subject: "2fa for Trascendence".into(),
        }
    }
}

impl Settings {
    /// The calendar day of a time, in the time zone of the settings.
    pub fn day_of(&self, time: Time) -> Date {
        // Every microsecond of the clock is in the range; the epoch stands for what is not.
        let timestamp = Timestamp::from_microsecond(time.0).unwrap_or(Timestamp::UNIX_EPOCH);
        self.time_zone.to_datetime(timestamp).date()
    }

    /// When that calendar day begins: midnight, or the first time after it that there is.
    pub fn start_of(&self, day: Date) -> Time {
        let start = day.to_zoned(self.time_zone.clone());
        start.map_or(Time(0), |start| Time(start.timestamp().as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_moscow() {
        let settings = Settings::default();
        // 2021-08-26T21:00:00Z is midnight there.
        let midnight = Time(1_630_011_600_000_000);
        assert_eq!(settings.day_of(midnight).to_string(), "2021-08-27");
        assert_eq!(settings.day_of(Time(midnight.0 - 1)).to_string(), "2021-08-26");
        assert_eq!(settings.start_of(settings.day_of(midnight)), midnight);
    }
}
