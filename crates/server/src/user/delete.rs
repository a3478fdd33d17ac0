//! `tertulia user delete`.

use anyhow::Result;
use domain::{App, accounts};

use super::explained;

/// Deletes an account.
pub(super) async fn run(app: &App, name: &str) -> Result<()> {
    accounts::delete(app, name).await.map_err(|error| explained(error, name))
}
