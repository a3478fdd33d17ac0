//! Access keys: named, revocable credentials for programs.

use async_trait::async_trait;

use crate::{
    AccountId, App, Error, KeyId, Noun, Result, Time, accounts, ports::Ids, secrets::token_hash,
    sessions::LiveKey,
};

/// Characters in an access key; letters and digits, about 178 bits.
pub const LENGTH: usize = 30;

/// Most characters of a label.
pub const MAX_LABEL: usize = 100;

/// What the core asks of the store about access keys.
#[async_trait]
pub trait Keys: Send + Sync {
    /// Keeps an access key by SHA-256 of it. `Conflict(KeyLabel)` when the account has a live one of that label,
    /// `NotFound(Account)` when the account is deleted.
    async fn add_key(&self, account: AccountId, label: &str, hash: [u8; 32], now: Time) -> Result<KeyId>;

    /// Revokes the account's live key of that label and publishes it; `false` when there is none.
    async fn revoke_key(&self, account: AccountId, label: &str, now: Time) -> Result<bool>;

    /// The key with that SHA-256, unless it is revoked or its account is deleted.
    async fn key(&self, hash: [u8; 32]) -> Result<Option<LiveKey>>;
}

/// Letters and digits: what access keys are made of.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Makes an access key for the account of that name, and returns it: the only time that it can be seen.
/// `NotFound(Account)`; `Conflict(KeyLabel)` when a live key of the account has that label.
pub async fn make(app: &App, username: &str, label: &str) -> Result<String> {
    let account = accounts::account_named(app, username).await?;
    let key = draw(&*app.ids);
    app.store.add_key(account, label, token_hash(&key), app.clock.now()).await?;
    Ok(key)
}

/// Revokes the key of that label. `NotFound(Account)`, `NotFound(AccessKey)`.
pub async fn revoke(app: &App, username: &str, label: &str) -> Result<()> {
    let account = accounts::account_named(app, username).await?;
    if app.store.revoke_key(account, label, app.clock.now()).await? {
        Ok(())
    } else {
        Err(Error::NotFound(Noun::AccessKey))
    }
}

fn draw(ids: &dyn Ids) -> String {
    let mut key = String::with_capacity(LENGTH);
    while key.len() < LENGTH {
        let mut random = [0; 64];
        ids.fill(&mut random);
        // Bytes from 248 on are dropped, or the first letters of the alphabet would be likelier.
        let letters = random.iter().filter(|b| **b < 248).map(|b| char::from(ALPHABET[usize::from(*b) % 62]));
        key.extend(letters.take(LENGTH - key.len()));
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(std::sync::atomic::AtomicU8);

    impl Ids for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill_with(|| self.0.fetch_add(37, std::sync::atomic::Ordering::Relaxed));
        }
    }

    #[test]
    fn an_access_key_is_thirty_letters_and_digits() {
        let key = draw(&Counting(0.into()));
        assert_eq!(key.len(), LENGTH);
        assert!(key.bytes().all(|b| b.is_ascii_alphanumeric()));
    }
}
