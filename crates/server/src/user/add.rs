//! `tertulia user add`.

use anyhow::Result;
use domain::{
    App,
    accounts::{self, Registration, Role},
};

use super::{explained, rules};
use crate::command_line::About;

/// Makes an account.
pub(super) async fn run(app: &App, name: String, about: About, password: Option<String>) -> Result<()> {
    rules::check(&about)?;
    let ask = Registration {
        username: name.clone(),
        email: about.email.unwrap_or_default(),
        first_name: about.first_name.unwrap_or_default(),
        last_name: about.last_name.unwrap_or_default(),
        password,
        two_factor: about.two_factor.unwrap_or(false),
        role: about.role.map_or(Role::default(), Role::from),
        avatar: None,
    };
    accounts::register(app, ask, "command line").await.map_err(|error| explained(error, &name))?;
    Ok(())
}
