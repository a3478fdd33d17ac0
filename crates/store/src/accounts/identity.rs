//! Accounts that identity providers know.

use std::collections::HashSet;

use domain::{
    AccountId, Error, Noun, Result,
    accounts::{Identity, NewAccount, names},
};

use super::sign_up::add_account;
use crate::{
    SqlStore,
    engine::{OnUnique as _, Tx, vals},
};

/// How often a name or an identity may be snatched away in the very moment.
const TRIES: usize = 20;

/// Names that are looked up at a time.
const CANDIDATES: u32 = 50;

/// The account of an identity, made when there is none; `true` when it was made.
pub(super) async fn add_identity(
    store: &SqlStore,
    identity: Identity,
    new: NewAccount,
) -> Result<(AccountId, bool)> {
    let mut tries = 0;
    loop {
        let (identity, new) = (identity.clone(), new.clone());
        tries += 1;
        match store.write(move |tx| try_add(tx, &identity, new.clone())).await {
            // Someone else was faster; what they made is visible now.
            Err(Error::Conflict(Noun::Account | Noun::Username)) if tries < TRIES => {}
            done => return done,
        }
    }
}

/// `Conflict(Account)` and `Conflict(Username)` when another transaction took the identity or the name meanwhile.
fn try_add(tx: &mut Tx<'_>, identity: &Identity, mut new: NewAccount) -> Result<(AccountId, bool)> {
    const ADD: &str = "INSERT INTO identity (provider, external_id, account) VALUES ($1, $2, $3)";
    if let Some(account) = account_of(tx, identity)? {
        return Ok((account, false));
    }
    (new.username, new.username_folded) = free_name(tx, &new.username)?;
    let account = add_account(tx, &new)?;
    tx.exec(ADD, vals![&*identity.provider, &identity.external_id, account]).or_conflict(Noun::Account)?;
    Ok((account, true))
}

/// The account of an identity.
pub(super) fn account_of(tx: &mut Tx<'_>, identity: &Identity) -> Result<Option<AccountId>> {
    const ACCOUNT: &str = "SELECT account FROM identity WHERE provider = $1 AND external_id = $2";
    let row = tx.first(ACCOUNT, vals![&*identity.provider, &identity.external_id])?;
    row.map(|mut row| row.take()).transpose()
}

/// `name`, or it with the first free number behind it; and the folded form. Those who want a number behind the same
/// name wait for each other at the account that has it.
fn free_name(tx: &mut Tx<'_>, name: &str) -> Result<(String, String)> {
    const HOLDER: &str = "SELECT id FROM account WHERE username_folded = $1 FOR UPDATE";
    const TAKEN: &str = "SELECT username_folded FROM account WHERE username_folded IN LIST($1)";
    let (bare, folded) = numbered(name, 1);
    if tx.first(HOLDER, vals![&folded])?.is_none() {
        return Ok((bare, folded));
    }
    let mut first = 2;
    loop {
        let candidates: Vec<_> = (first..first + CANDIDATES).map(|number| numbered(name, number)).collect();
        let folded: Vec<String> = candidates.iter().map(|(_, folded)| folded.clone()).collect();
        let taken: HashSet<String> = tx.column(TAKEN, vals![folded])?.into_iter().collect();
        if let Some(free) = candidates.into_iter().find(|(_, folded)| !taken.contains(folded)) {
            return Ok(free);
        }
        first += CANDIDATES;
    }
}

/// `name` with `number` behind it (1: as it is), shortened so that it stays within the limit; and the folded form.
fn numbered(name: &str, number: u32) -> (String, String) {
    let digits = if number == 1 { String::new() } else { number.to_string() };
    let mut numbered: String = name.chars().take(names::MAX - digits.len()).collect();
    numbered.push_str(&digits);
    let folded = names::folded(&numbered);
    (numbered, folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_behind_names_within_the_limit() {
        assert_eq!(numbered("Ana", 1), ("Ana".into(), "ana".into()));
        assert_eq!(numbered("Ana", 12), ("Ana12".into(), "ana12".into()));
        let long = "É".repeat(names::MAX);
        let (shortened, folded) = numbered(&long, 10);
        assert_eq!(shortened.chars().count(), names::MAX);
        assert!(shortened.ends_with("É10") && folded.ends_with("é10"));
    }
}
