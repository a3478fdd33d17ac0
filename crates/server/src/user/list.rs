//! `tertulia user list`.

use std::io::{self, ErrorKind, IsTerminal, Write};

use anyhow::Result;
use domain::{
    App,
    accounts::{self, Person, names},
};

use super::explained;

/// Accounts that are asked for at a time.
const PAGE: usize = 1000;

/// Prints all accounts, sorted by name.
pub(super) async fn run(app: &App) -> Result<()> {
    let mut out = io::BufWriter::new(io::stdout());
    if io::stdout().is_terminal() {
        writeln!(out, "ID\tUSERNAME\tROLE\tEMAIL\tTWO-FACTOR")?;
    }
    let mut after = String::new();
    loop {
        let people = accounts::people_after(app, &after, PAGE).await.map_err(|error| explained(error, ""))?;
        for person in &people {
            if let Err(fault) = writeln!(out, "{}", line(person)) {
                // Whoever reads has seen enough.
                return if fault.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(fault.into()) };
            }
        }
        match people.last() {
            Some(last) if people.len() == PAGE => after = names::folded(&last.username),
            _ => break,
        }
    }
    match out.flush() {
        Err(fault) if fault.kind() != ErrorKind::BrokenPipe => Err(fault.into()),
        _ => Ok(()),
    }
}

fn line(person: &Person) -> String {
    let email = if person.email.is_empty() { "-" } else { &person.email };
    let two_factor = if person.two_factor { "on" } else { "off" };
    format!("{}\t{}\t{}\t{email}\t{two_factor}", person.id, person.username, person.role.as_str())
}

#[cfg(test)]
mod tests {
    use domain::{
        AccountId,
        accounts::{Avatar, Role},
    };

    use super::*;

    #[test]
    fn a_line_has_five_columns_none_of_them_empty() {
        let person = Person {
            id: AccountId(7),
            uuid: domain::ports::Ids::uuid(&crate::system::SystemIds),
            username: "tess".into(),
            email: String::new(),
            first_name: String::new(),
            last_name: String::new(),
            role: Role::Teacher,
            two_factor: true,
            avatar: Avatar::default(),
        };
        assert_eq!(line(&person), "7\ttess\tteacher\t-\ton");
    }
}
