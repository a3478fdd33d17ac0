//! One log line for each sign-up, sign-in, refresh and sign-out: the contract's *Logs*.

use std::fmt::{self, Write};

/// Most characters of a name that are logged.
const MAX_NAME: usize = 150;

/// A name from outside, fit for a log line: escaped, cut, `-` when unknown.
pub(crate) struct Name<'a>(pub(crate) Option<&'a str>);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None | Some("") => f.write_char('-'),
            Some(name) => name.chars().take(MAX_NAME).try_for_each(|c| {
                if c.is_control() { write!(f, "{}", c.escape_default()) } else { f.write_char(c) }
            }),
        }
    }
}

/// Logs that a deed succeeded.
pub(crate) fn done(deed: &str, dialect: &str, name: Option<&str>) {
    tracing::info!(dialect, username = %Name(name), "{deed}");
}

/// Logs that a deed failed, and why: for what a dialect refuses before the core hears of it.
///
/// `deed`: `sign-up`, `sign-in`, `refresh` or `sign-out`. `name`: the username, where it is known. `reason`: never a
/// secret, nor anything that was sent.
pub fn refused(deed: &str, dialect: &str, name: Option<&str>, reason: &str) {
    tracing::warn!(dialect, username = %Name(name), reason, "{deed} refused");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_a_log_line() {
        assert_eq!(Name(Some("a\nb\u{1b}[2J")).to_string(), "a\\nb\\u{1b}[2J");
        assert_eq!(Name(Some(&"x".repeat(500))).to_string().len(), 150);
        assert_eq!(Name(None).to_string(), "-");
    }
}
