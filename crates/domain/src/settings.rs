//! What an operator can set about the core's rules.

use std::time::Duration;

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
            code_subject: "2fa for Trascendence".into(),
        }
    }
}
