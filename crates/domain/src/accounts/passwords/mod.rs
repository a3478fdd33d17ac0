//! Passwords: the rules for new ones, and their hashes.
//!
//! Hashes are Argon2id at OWASP's parameters (19 MiB, 2 passes, 1 lane), in PHC form; those of accounts imported from
//! Django (`pbkdf2_sha256$…`) are understood. Hashing runs off the async threads, as many at a time as there are cores.

mod hashing;

use std::collections::HashMap;

pub use hashing::{Hashing, Verdict};

use crate::{Field, Rule};

/// Fewest characters of a new password.
pub const MIN: usize = 8;

/// Most bytes of a password: more is no password, but work for the hash.
pub const MAX_BYTES: usize = 4096;

/// The 20,000 most common passwords as Django ships them: lower case, one a line, sorted by bytes.
static COMMON: &str = include_str!("../../../assets/common-passwords.txt");

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
