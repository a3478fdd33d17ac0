//! What an e-mail address looks like.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest address, in bytes (RFC 5321, 4.5.3.1.3, less the angle brackets).
const LONGEST: usize = 254;

/// Whether `text` is an e-mail address, by the rules of Django's `EmailValidator`: a dot-atom or quoted string
/// before the `@`; a domain of two labels or more, `localhost`, or an address in brackets after it. Domains may
/// hold letters and digits of any script.
pub fn is_email(text: &str) -> bool {
    let Some((user, domain)) = text.rsplit_once('@') else { return false };
    text.len() <= LONGEST && is_user(user) && (is_domain(domain) || is_literal(domain))
}

fn is_user(user: &str) -> bool {
    match user.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').is_some_and(is_quoted),
        None => user.split('.').all(|atom| {
            !atom.is_empty()
                && atom
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
        }),
    }
}

/// Printable ASCII in which quotes and backslashes follow a backslash.
fn is_quoted(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let good = match byte {
            b'\\' => bytes.next().is_some_and(|next| (b' '..=b'~').contains(&next)),
            b'"' => false,
            other => (b' '..=b'~').contains(&other),
        };
        if !good {
            return false;
        }
    }
    true
}

fn is_domain(domain: &str) -> bool {
    if domain.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let Some((rest, top)) = domain.rsplit_once('.') else { return false };
    rest.split('.').all(is_label) && is_label(top) && top.chars().count() >= 2
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-')
}

fn is_literal(domain: &str) -> bool {
    let Some(inner) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else { return false };
    inner.parse::<Ipv4Addr>().is_ok() || inner.parse::<Ipv6Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn good_ones() {
        for text in [
            "email@here.com",
            "weirder-email@here.and.there.com",
            "email@[127.0.0.1]",
            "email@[2001:db8::1]",
            "ana@bücher.example",
            "email@localhost",
            "\"test@test\"@example.com",
            "example@valid-----hyphens.com",
            "a+b=c@xn--4ca0bs.com",
            "o'neil@example.org",
        ] {
            assert!(is_email(text), "{text}");
        }
    }

    #[test]
    fn bad_ones() {
        for text in [
            "",
            "@",
            "abc",
            "abc@",
            "abc@bar",
            "a @x.cz",
            "abc@.com",
            "something@@somewhere.com",
            "email@127.0.0.1.",
            "email@[127.0.0.256]",
            "email@[2001:dg8::1]",
            "example@invalid-.com",
            "example@-invalid.com",
            "a@b..c",
            "a..b@c.com",
            ".a@c.com",
            "a@b.c",
            "a\n@b.com",
            "a@b.com\n",
            "\"a\"b\"@example.com",
            "\"@example.com",
            "\"\\\"@here.com",
            "a@b.com\0",
        ] {
            assert!(!is_email(text), "{text:?}");
        }
    }

    #[test]
    fn of_at_most_254_bytes() {
        let domain = "d".repeat(60) + ".example.com";
        let fits = format!("{}@{domain}", "u".repeat(LONGEST - 1 - domain.len()));
        assert!(is_email(&fits));
        assert!(!is_email(&format!("u{fits}")));
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*", near in "[a.@\"\\\\\\[\\]: -]*") {
            is_email(&text);
            is_email(&near);
        }
    }
}
