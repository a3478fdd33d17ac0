//! What names may look like, and when two are the same.

use unicode_normalization::UnicodeNormalization;

use crate::Rule;

/// Most characters of a username, a first name or a last name.
pub const MAX: usize = 150;

/// The form in which a username is kept and shown: NFKC of what was given.
pub fn normalised(name: &str) -> String {
    name.nfkc().collect()
}

/// The form by which usernames are compared, looked up and sorted: NFKC and case folding.
pub fn folded(name: &str) -> String {
    // Folding can undo the normal form, and normalising can undo the folding; this order reaches a fixed point
    // (Unicode 3.13, toNFKC_Casefold, but for characters that usernames cannot hold).
    let once: String = caseless::default_case_fold_str(&normalised(name)).nfkc().collect();
    caseless::default_case_fold_str(&once).nfkc().collect()
}

/// The folded form of a name that is looked up; `None` when no account can have such a name.
pub fn sought(name: &str) -> Option<String> {
    let name = normalised(name);
    check(&name).is_none().then(|| folded(&name))
}

/// The rule that a (normalised) username breaks, if any: 1 to [`MAX`] letters of any script, digits and `@ . + - _`.
pub fn check(name: &str) -> Option<Rule> {
    if name.is_empty() {
        Some(Rule::Blank)
    } else if name.chars().nth(MAX).is_some() {
        Some(Rule::TooLong(MAX))
    } else if !name.chars().all(is_allowed) {
        Some(Rule::Charset)
    } else {
        None
    }
}

/// What is left of a name from elsewhere when the characters that usernames lack are dropped; `user` when nothing is.
pub fn salvaged(name: &str) -> String {
    let kept: String = normalised(name).chars().filter(|c| is_allowed(*c)).take(MAX).collect();
    if kept.is_empty() { "user".into() } else { kept }
}

fn is_allowed(c: char) -> bool {
    c.is_alphanumeric() || "@.+-_".contains(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_and_compatibility_forms_are_the_same_name() {
        assert_eq!(folded("Ana"), folded("aNA"));
        assert_eq!(folded("ﬁona"), folded("FIONA"));
        assert_eq!(folded("straße"), folded("STRASSE"));
        assert_eq!(normalised("ｗ"), "w");
    }

    #[test]
    fn names_hold_letters_of_any_script_digits_and_five_signs() {
        for good in ["w", "Ñandú", "李雷", "a@b.c+d-e_f", &"x".repeat(150)] {
            assert_eq!(check(good), None, "{good}");
        }
        for bad in ["a b", "a/b", "a\0", "<a>", "😀"] {
            assert_eq!(check(bad), Some(Rule::Charset), "{bad}");
        }
        assert_eq!(check(""), Some(Rule::Blank));
        assert_eq!(check(&"x".repeat(151)), Some(Rule::TooLong(150)));
        assert_eq!(salvaged("a b/ü"), "abü");
        assert_eq!(salvaged("💥"), "user");
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(name in "\\PC{0,20}") {
            prop_assert_eq!(folded(&folded(&name)), folded(&name));
        }
    }
}
