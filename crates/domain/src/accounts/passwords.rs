//! Passwords: the rules for new ones, and their hashes.
//!
//! Hashes are Argon2id at OWASP's parameters (19 MiB, 2 passes, 1 lane), in PHC form; those of accounts imported from
//! Django (`pbkdf2_sha256$…`) are understood. Hashing runs off the async threads, as many at a time as there are cores.

use std::{collections::HashMap, sync::Arc, thread::available_parallelism, time::Duration};

use anyhow::{Context, anyhow};
use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use crate::{Error, Field, Result, Rule, ports::Ids};

/// Fewest characters of a new password.
pub const MIN: usize = 8;

/// Most bytes of a password: more is no password, but work for the hash.
pub const MAX_BYTES: usize = 4096;

/// Passwords that wait for a thread at most; beyond, callers are told to come again.
const MAX_WAITING: usize = 1_000;

/// Rounds of PBKDF2 at most: an imported hash cannot make a sign-in take minutes.
const MAX_ROUNDS: u32 = 5_000_000;

/// A hash of the present parameters that no password has, so that unknown names take as long as known ones.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$dGVydHVsaWEgbm9ib2R5$\
    AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// The 20,000 most common passwords as Django ships them: lower case, one a line, sorted by bytes.
static COMMON: &str = include_str!("../../assets/common-passwords.txt");

/// The rules that a new password breaks by itself, in the contract's order. `classes`: whether it needs upper case,
/// lower case, digits and special characters.
pub fn check(password: &str, classes: bool) -> Vec<Rule> {
    let mut broken = Vec::new();
    if password.chars().nth(MIN - 1).is_none() {
        broken.push(Rule::TooShort(MIN));
    }
    if password.len() > MAX_BYTES {
        broken.push(Rule::TooLong(MAX_BYTES));
    }
    if is_common(password.to_lowercase().trim()) {
        broken.push(Rule::Common);
    }
    if !password.is_empty() && password.chars().all(char::is_numeric) {
        broken.push(Rule::Numeric);
    }
    if classes && !has_all_classes(password) {
        broken.push(Rule::Classes);
    }
    broken
}

/// The first of these values that the password resembles too much, as Django's `UserAttributeSimilarityValidator` tells.
pub fn similar(password: &str, username: &str, email: &str) -> Option<Field> {
    let resembles = |value: &str| {
        let (password, value) = (password.to_lowercase(), value.to_lowercase());
        let parts = value.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        parts.chain([value.as_str()]).any(|part| is_similar(&password, part))
    };
    if resembles(username) {
        Some(Field::Username)
    } else if resembles(email) {
        Some(Field::Email)
    } else {
        None
    }
}

fn has_all_classes(password: &str) -> bool {
    let has = |class: fn(char) -> bool| password.chars().any(class);
    has(char::is_uppercase)
        && has(char::is_lowercase)
        && has(char::is_numeric)
        && has(|c| !c.is_alphanumeric())
}

fn is_common(password: &str) -> bool {
    let lines = COMMON.as_bytes();
    let (mut low, mut high) = (0, lines.len());
    while low < high {
        // A bisection of the text itself: the line around the middle decides.
        let middle = usize::midpoint(low, high);
        let start = lines[..middle].iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        let end = lines[middle..].iter().position(|b| *b == b'\n').map_or(lines.len(), |i| middle + i);
        match lines[start..end].cmp(password.as_bytes()) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    false
}

/// Whether `difflib.SequenceMatcher.quick_ratio` of the two is 0.7 or more.
fn is_similar(password: &str, part: &str) -> bool {
    const THRESHOLD: f64 = 0.7;
    let (a, b) = (password.chars().count(), part.chars().count());
    #[expect(clippy::cast_precision_loss, reason = "lengths of names and passwords are small")]
    let (length, part_length) = (a as f64, b as f64);
    // As in Django: a password ten times as long as the value is not compared.
    if b == 0 || (a >= 10 * b && part_length < THRESHOLD / 2.0 * length) {
        return false;
    }
    let mut left: HashMap<char, usize> = HashMap::new();
    for c in part.chars() {
        *left.entry(c).or_default() += 1;
    }
    let mut common = 0.0;
    for c in password.chars() {
        if let Some(n) = left.get_mut(&c).filter(|n| **n > 0) {
            *n -= 1;
            common += 1.0;
        }
    }
    2.0 * common / (length + part_length) >= THRESHOLD
}

/// What a comparison of a password with a hash says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is the password.
    Good,
    /// It is the password, and the hash is of an old kind: time for a new one.
    GoodButOld,
    /// It is not.
    Wrong,
}

/// A bounded pool for hashing.
#[derive(Debug)]
pub struct Hashing {
    threads: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Hashing {
    /// A pool of as many threads as there are cores.
    pub fn new() -> Self {
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            threads: Arc::new(Semaphore::new(cores)),
            places: Arc::new(Semaphore::new(cores + MAX_WAITING)),
        }
    }

    /// The hash of a new password. `Throttled` when too many wait.
    pub async fn hash(&self, ids: &dyn Ids, password: String) -> Result<String> {
        let mut salt = [0; 16];
        ids.fill(&mut salt);
        self.run(
            || Ok(()),
            move || {
                let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
                hash.map(|hash| hash.to_string()).map_err(|fault| anyhow!("hashing a password: {fault}"))
            },
        )
        .await?
        .map_err(Error::from)
    }

    /// Compares. Without a hash the answer is `Wrong`, after the same time.
    ///
    /// `gate` is asked when a thread is free, right before the work: so parallel guesses cannot slip past a limit
    /// that counts their failures.
    pub async fn verify(
        &self,
        password: String,
        hash: Option<String>,
        gate: impl FnOnce() -> Result<()>,
    ) -> Result<Verdict> {
        self.run(gate, move || {
            if let Some(hash) = &hash {
                compare(&password, hash)
            } else {
                compare(&password, NOBODYS);
                Verdict::Wrong
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        gate: impl FnOnce() -> Result<()>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let Ok(_place) = self.places.try_acquire() else {
            return Err(Error::Throttled(Duration::from_secs(5)));
        };
        let thread = Arc::clone(&self.threads).acquire_owned().await.context("the hashing pool is closed")?;
        gate()?;
        let worked = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(thread);
            done
        });
        Ok(worked.await.context("a hashing thread failed")?)
    }
}

impl Default for Hashing {
    fn default() -> Self {
        Self::new()
    }
}

fn compare(password: &str, hash: &str) -> Verdict {
    if password.len() > MAX_BYTES {
        return Verdict::Wrong;
    }
    if hash.starts_with("pbkdf2_sha256$") {
        return if compare_django(password, hash) { Verdict::GoodButOld } else { Verdict::Wrong };
    }
    // Django writes `argon2` before the PHC form.
    let phc = hash.strip_prefix("argon2$").map_or_else(|| hash.to_owned(), |rest| format!("${rest}"));
    let Ok(parsed) = PasswordHash::new(&phc) else { return Verdict::Wrong };
    if Argon2::default().verify_password(password.as_bytes(), &parsed).is_err() {
        Verdict::Wrong
    } else if phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") {
        Verdict::Good
    } else {
        Verdict::GoodButOld
    }
}

/// Django's `pbkdf2_sha256$<rounds>$<salt>$<base64 of 32 bytes>`.
fn compare_django(password: &str, hash: &str) -> bool {
    let mut parts = hash.split('$').skip(1);
    let (Some(rounds), Some(salt), Some(expected), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let Some(rounds) = rounds.parse().ok().filter(|rounds| (1..=MAX_ROUNDS).contains(rounds)) else {
        return false;
    };
    let Ok(expected) = BASE64_STANDARD.decode(expected) else { return false };
    let derived = pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password.as_bytes(), salt.as_bytes(), rounds);
    derived.as_slice().ct_eq(&expected).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Zeros;

    impl Ids for Zeros {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    #[test]
    fn weak_passwords_break_all_rules_that_apply_in_order() {
        assert_eq!(check("12345", false), [Rule::TooShort(8), Rule::Common, Rule::Numeric]);
        assert_eq!(check("password", false), [Rule::Common]);
        assert_eq!(check(" PassWord ", false), [Rule::Common]);
        assert_eq!(check("8402957163", false), [Rule::Numeric]);
        assert_eq!(check("popopopo0987", false), []);
        assert_eq!(check(&"é".repeat(7), false), [Rule::TooShort(8)]);
        assert_eq!(check("popopopo0987", true), [Rule::Classes]);
        assert_eq!(check("Popopopo-0987", true), []);
    }

    #[test]
    fn every_line_of_the_list_is_found_and_nothing_between() {
        for line in COMMON.lines() {
            assert!(is_common(line), "{line}");
        }
        for other in ["", "zzzzzzzzzzzzzzzzz", "popopopo0987", "passwordd"] {
            assert!(!is_common(other), "{other}");
        }
    }

    #[test]
    fn a_password_like_the_name_or_the_address_is_similar() {
        assert_eq!(similar("manoli1234", "manoli", ""), Some(Field::Username));
        assert_eq!(similar("tertuliano", "ana", "tertuliano@example.com"), Some(Field::Email));
        assert_eq!(similar("popopopo0987", "w", "w@gmail.com"), None);
        assert_eq!(similar("xk49-vv.Lm", "ana", "ana@example.com"), None);
    }

    #[tokio::test]
    async fn hashes_verify_and_old_kinds_are_told_apart() {
        let pool = Hashing::new();
        let verify = async |password: &str, hash: &str| {
            pool.verify(password.into(), Some(hash.into()), || Ok(())).await.unwrap()
        };
        let hash = pool.hash(&Zeros, "popopopo0987".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(verify("popopopo0987", &hash).await, Verdict::Good);
        assert_eq!(verify("popopopo0988", &hash).await, Verdict::Wrong);
        // Made by Django 5.2 with 1,000 rounds.
        let django = "pbkdf2_sha256$1000$saltsalt$33RTR1vosJyLVmBPtW18W9MokBmx05MMRQp0Vc7UOWk=";
        assert_eq!(verify("popopopo0987", django).await, Verdict::GoodButOld);
        assert_eq!(verify("popopopo0986", django).await, Verdict::Wrong);
        for damaged in ["pbkdf2_sha256$x$y", "pbkdf2_sha256$99999999$a$AAAA", "", "!", "md5$a$b"] {
            assert_eq!(verify("popopopo0987", damaged).await, Verdict::Wrong);
        }
    }

    #[tokio::test]
    async fn nobodys_password_is_wrong_and_its_hash_is_one_that_takes_the_usual_time() {
        let pool = Hashing::new();
        assert_eq!(pool.verify("x".into(), None, || Ok(())).await.unwrap(), Verdict::Wrong);
        assert!(PasswordHash::new(NOBODYS).is_ok());
        assert!(NOBODYS.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }

    #[tokio::test]
    async fn a_closed_gate_stops_the_comparison() {
        let refused = Hashing::new().verify("x".into(), None, || Err(Error::Throttled(Duration::ZERO))).await;
        assert!(matches!(refused, Err(Error::Throttled(_))));
    }
}
