//! What can be typed.

use std::io::Read;

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand, ValueEnum, builder::BoolishValueParser};
use domain::accounts::Role;

use crate::settings::{Mail, Place, Secret, Settings};

/// Chat server: one core, several APIs.
#[derive(Parser, Debug)]
#[command(name = "tertulia", version, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) task: Task,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub(crate) enum Task {
    /// Start the server. It prints its URL when it is ready, and stops cleanly at SIGTERM and Ctrl-C
    ///
    /// Every setting is a flag, an environment variable and a key of tertulia.toml: a flag wins over the variable, and
    /// that over the file.
    Serve(Box<Settings>),
    /// Make, list, change and delete accounts, and their access keys. Works while a server runs on the same data
    #[command(subcommand_required = true, arg_required_else_help = true)]
    User {
        #[command(subcommand)]
        task: UserTask,
    },
    /// Check the data directory, the disk, the open-file limit, mail, database and bus, and say what to mend
    Doctor(Doctor),
}

/// What `doctor` has to know.
#[derive(Args, Debug)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) secret: Secret,
    #[command(flatten)]
    pub(crate) mail: Mail,
}

/// What can be done with accounts.
#[derive(Subcommand, Debug)]
pub(crate) enum UserTask {
    /// Make an account
    Add {
        /// The name: 1 to 150 letters, digits and @ . + - _
        name: String,
        #[command(flatten)]
        about: About,
        #[command(flatten)]
        place: Place,
    },
    /// List the accounts, one a line: id, username, role, e-mail address, two-factor, with tabs between them
    ///
    /// Sorted by username. What is empty is shown as -. On a terminal a line of headings comes first.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Change an account: what is not given stays as it is. A new password ends its sessions
    Set {
        /// The account's name
        name: String,
        #[command(flatten)]
        about: About,
        #[command(flatten)]
        place: Place,
    },
    /// Delete an account, without a question. What it wrote stays, under the name `deleted`
    Delete {
        /// The account's name
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// Make an access key and print it: the only time that it can be seen
    Key {
        /// The account's name
        name: String,
        /// What to call the key; each of an account has its own label
        #[arg(long, value_name = "LABEL", default_value = "default")]
        label: String,
        /// End the key of this label instead
        #[arg(long, value_name = "LABEL", conflicts_with = "label")]
        revoke: Option<String>,
        #[command(flatten)]
        place: Place,
    },
}

/// What an account is made of.
#[derive(Args, Debug)]
pub(crate) struct About {
    /// E-mail address; "" for none
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<String>,
    /// What the account may do
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<RoleName>,
    /// First name
    #[arg(long, value_name = "NAME")]
    pub(crate) first_name: Option<String>,
    /// Last name
    #[arg(long, value_name = "NAME")]
    pub(crate) last_name: Option<String>,
    /// Whether a sign-in by password needs an e-mailed code, in every API
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true,
          value_parser = BoolishValueParser::new())]
    pub(crate) two_factor: Option<bool>,
    /// Read the password from standard input, up to the end of the line
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

/// A role, as it is typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum RoleName {
    Student,
    Teacher,
    Staff,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Student => Self::Student,
            RoleName::Teacher => Self::Teacher,
            RoleName::Staff => Self::Staff,
        }
    }
}

/// Most bytes of a password on standard input.
const MAX_PASSWORD: u64 = 64 << 10;

impl About {
    /// The password, if one is to be read: the first line of `input`, without its end.
    pub(crate) fn password(&self, input: impl Read) -> anyhow::Result<Option<String>> {
        if !self.password_stdin {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        std::io::BufRead::read_until(
            &mut std::io::BufReader::new(input.take(MAX_PASSWORD + 1)),
            b'\n',
            &mut bytes,
        )
        .context("cannot read the password from standard input")?;
        if bytes.len() as u64 > MAX_PASSWORD {
            bail!("the password is too long");
        }
        let line = String::from_utf8(bytes).context("the password is not UTF-8")?;
        let line =
            line.strip_suffix('\n').map_or(line.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        if line.contains('\0') {
            bail!("the password holds a NUL");
        }
        Ok(Some(line.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8]) -> Option<String> {
        let about = About {
            email: None,
            role: None,
            first_name: None,
            last_name: None,
            two_factor: None,
            password_stdin: true,
        };
        about.password(input).ok().flatten()
    }

    #[test]
    fn a_password_is_a_line_without_its_end_and_not_trimmed() {
        for (input, password) in [
            (" correct horse \n", Some(" correct horse ")),
            ("tab\t\r\nmore", Some("tab\t")),
            ("no end", Some("no end")),
            ("", Some("")),
            ("a\0b", None),
        ] {
            assert_eq!(read(input.as_bytes()).as_deref(), password, "{input:?}");
        }
        assert_eq!(read(b"\xff\xfe"), None);
        assert_eq!(read(&vec![b'x'; 70_000]), None);
    }

    #[test]
    fn roles_are_called_on_the_command_line_as_in_the_core() {
        for name in RoleName::value_variants() {
            let typed = name.to_possible_value().map(|value| value.get_name().to_owned());
            assert_eq!(typed.as_deref(), Some(Role::from(*name).as_str()));
        }
    }
}
