//! What may be said about an account.

use anyhow::{Result, bail};
use domain::{
    Rule,
    accounts::{names, passwords},
};
use kit::fields::{is_email, text_of};

use crate::command_line::About;

/// Refuses addresses and names that no account can have. All that is wrong is told at once.
pub(super) fn check(about: &About) -> Result<()> {
    let mut wrong = Vec::new();
    if about.email.as_ref().is_some_and(|email| !email.is_empty() && !is_email(email)) {
        wrong.push(format!("--email: {}", text_of(&Rule::Email)));
    }
    for (flag, name) in [("--first-name", &about.first_name), ("--last-name", &about.last_name)] {
        if name.as_ref().is_some_and(|name| name.chars().nth(names::MAX).is_some()) {
            wrong.push(format!("{flag}: {}", text_of(&Rule::TooLong(names::MAX))));
        }
    }
    if wrong.is_empty() { Ok(()) } else { bail!(wrong.join("\n")) }
}

/// Refuses a password that breaks the rules which hold for everybody.
pub(super) fn check_password(password: &str, username: &str, email: &str) -> Result<()> {
    let mut broken = passwords::check(password, false);
    broken.extend(passwords::similar(password, username, email).map(Rule::Similar));
    let texts: Vec<_> = broken.iter().map(text_of).collect();
    if texts.is_empty() { Ok(()) } else { bail!(texts.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(email: &str, first_name: &str) -> About {
        About {
            email: Some(email.to_owned()),
            role: None,
            first_name: Some(first_name.to_owned()),
            last_name: None,
            two_factor: None,
            password_stdin: false,
        }
    }

    #[test]
    fn all_that_is_wrong_is_told() {
        assert!(check(&about("ana@example.org", "Ana")).is_ok());
        assert!(check(&about("", "")).is_ok());
        let said = check(&about("nonsense", &"x".repeat(151))).unwrap_err().to_string();
        assert!(
            said.contains("--email: Enter a valid email address.") && said.contains("--first-name: "),
            "{said}"
        );
    }

    #[test]
    fn passwords_have_the_rules_of_everybody() {
        assert!(check_password("correct horse 9", "ana", "").is_ok());
        let said = check_password("1234567", "ana", "").unwrap_err().to_string();
        assert!(said.contains("too short") && said.contains("entirely numeric"), "{said}");
        let said = check_password("annabella-1", "annabella1", "").unwrap_err().to_string();
        assert!(said.contains("too similar to the username"), "{said}");
    }
}
