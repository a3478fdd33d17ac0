//! The cast: who the persons of a transcript are.

use std::fmt;

/// The names, in the order in which their accounts are made.
pub const CAST: [&str; 6] = ["alice", "bob", "carol", "dave", "tess", "stan"];

/// The password of everybody. It is like nobody's name.
pub const PASSWORD: &str = "trellis-8842-quarry";

/// A person of the cast, in one of her sessions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Person {
    /// One of [`CAST`].
    pub name: String,
    /// Empty for the first session; `alice#phone` names another one.
    pub session: String,
}

impl Person {
    /// The person of this name in her first session, if she is one of the cast.
    pub fn named(name: &str) -> Option<Self> {
        CAST.contains(&name).then(|| Self { name: name.to_owned(), session: String::new() })
    }

    /// Her e-mail address, to which her mails go.
    pub fn email(&self) -> String {
        format!("{}@example.com", self.name)
    }
}

impl fmt::Display for Person {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.name)?;
        if self.session.is_empty() { Ok(()) } else { write!(to, "#{}", self.session) }
    }
}

/// What a transcript can say of a person: `@alice.email`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// `@alice` or `@alice.name`.
    Name,
    /// `@alice.email`.
    Email,
    /// `@alice.password`.
    Password,
    /// `@alice.id`: the integer id of her account.
    Id,
    /// `@alice.access`: the access token of her session.
    Access,
    /// `@alice.refresh`: the refresh token of her session.
    Refresh,
    /// `@alice.token`: the opaque token of her session.
    Token,
    /// `@alice.key`: an access key.
    Key,
}

impl Field {
    /// The field of this name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "name" => Self::Name,
            "email" => Self::Email,
            "password" => Self::Password,
            "id" => Self::Id,
            "access" => Self::Access,
            "refresh" => Self::Refresh,
            "token" => Self::Token,
            "key" => Self::Key,
            _ => return None,
        })
    }
}
