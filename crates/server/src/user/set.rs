//! `tertulia user set`.

use anyhow::Result;
use domain::{
    App,
    accounts::{self, AccountChange, Role},
};

use super::{explained, rules};
use crate::command_line::About;

/// Changes an account.
pub(super) async fn run(app: &App, name: &str, about: About, password: Option<String>) -> Result<()> {
    rules::check(&about)?;
    if let Some(password) = &password {
        let person = person(app, name).await.map_err(|error| explained(error, name))?;
        let email = about.email.as_deref().unwrap_or(&person.email);
        rules::check_password(password, &person.username, email)?;
    }
    let change = AccountChange {
        email: about.email,
        first_name: about.first_name,
        last_name: about.last_name,
        role: about.role.map(Role::from),
        two_factor: about.two_factor,
        ..AccountChange::default()
    };
    accounts::administer(app, name, change, password).await.map_err(|error| explained(error, name))
}

async fn person(app: &App, name: &str) -> domain::Result<accounts::Person> {
    accounts::person(app, accounts::account_named(app, name).await?).await
}
