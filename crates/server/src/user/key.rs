//! `tertulia user key`.

use std::io::Write;

use anyhow::{Result, anyhow, bail};
use domain::{App, Error, Noun, keys};

use super::explained;

/// Makes an access key and prints it.
pub(super) async fn make(app: &App, name: &str, label: &str) -> Result<()> {
    let blank = label.trim().is_empty();
    if blank || label.chars().nth(keys::MAX_LABEL).is_some() || label.chars().any(char::is_control) {
        bail!("a label has 1 to {} characters, and no control characters", keys::MAX_LABEL);
    }
    let key = keys::make(app, name, label).await.map_err(|error| match error {
        Error::Conflict(Noun::KeyLabel) => {
            anyhow!(
                "{name} has an access key {label:?} already: end it with --revoke, or choose another --label"
            )
        }
        other => explained(other, name),
    })?;
    writeln!(std::io::stdout(), "{key}")?;
    Ok(())
}

/// Ends the access key of that label.
pub(super) async fn revoke(app: &App, name: &str, label: &str) -> Result<()> {
    keys::revoke(app, name, label).await.map_err(|error| match error {
        Error::NotFound(Noun::AccessKey) => anyhow!("{name} has no access key {label:?}"),
        other => explained(other, name),
    })
}
