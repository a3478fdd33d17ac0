//! People, as others may know them.

use anyhow::anyhow;
use domain::{
    AccountId, Result,
    accounts::{Avatar, Person, Role},
};

use crate::engine::{Row, Tx, vals};

/// The columns of a person: [`person`] reads them in this order. They are of [`person_tables`].
macro_rules! person_columns {
    () => {
        "a.id, a.uuid, a.username, a.email, a.first_name, a.last_name, a.role, a.two_factor, p.file_key, a.avatar_text"
    };
}

/// An account `a` with the photo `p` that is its avatar.
macro_rules! person_tables {
    () => {
        "account a LEFT JOIN photo p ON p.id = a.avatar_photo"
    };
}

pub(crate) use {person_columns, person_tables};

/// The person of the next columns of the row.
pub(crate) fn person(row: &mut Row) -> Result<Person> {
    Ok(Person {
        id: row.take()?,
        uuid: row.take()?,
        username: row.take()?,
        email: row.take()?,
        first_name: row.take()?,
        last_name: row.take()?,
        role: role(&row.take::<String>()?)?,
        two_factor: row.take()?,
        avatar: Avatar { photo: row.take()?, text: row.take()? },
    })
}

fn role(word: &str) -> Result<Role> {
    Ok(Role::named(word).ok_or_else(|| anyhow!("an account has the role {word:?}"))?)
}

/// These people, deleted ones too.
pub(crate) fn people(tx: &mut Tx<'_>, ids: &[AccountId]) -> Result<Vec<Person>> {
    const PEOPLE: &str =
        concat!("SELECT ", person_columns!(), " FROM ", person_tables!(), " WHERE a.id IN LIST($1)");
    tx.query(PEOPLE, vals![ids])?.iter_mut().map(person).collect()
}

/// Those who are not deleted, by folded name, from the one after `after`.
pub(super) fn people_after(tx: &mut Tx<'_>, after: &str, limit: usize) -> Result<Vec<Person>> {
    const AFTER: &str = concat!(
        "SELECT ",
        person_columns!(),
        " FROM ",
        person_tables!(),
        " WHERE a.username_folded > $1 ORDER BY a.username_folded LIMIT $2"
    );
    tx.query(AFTER, vals![after, limit])?.iter_mut().map(person).collect()
}
