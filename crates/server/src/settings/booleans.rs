//! Flags that are switches: `--rotate`, `--rotate false`, `--rotate=false`.

use std::ffi::OsString;

/// The words that a switch takes as an argument of its own.
const WORDS: [&str; 8] = ["true", "false", "1", "0", "on", "off", "yes", "no"];

/// Joins each of these `switches` with the word behind it, where that is a boolean. So `--rotate false` says what it
/// seems to say, and what else follows a switch is left to be an argument of its own, such as a name.
pub(super) fn joined(arguments: Vec<OsString>, switches: &[String]) -> Vec<OsString> {
    let mut joined: Vec<OsString> = Vec::with_capacity(arguments.len());
    let mut arguments = arguments.into_iter();
    for argument in arguments.by_ref() {
        if argument == "--" {
            joined.push(argument);
            break;
        }
        let follows_switch =
            joined.last().and_then(|last| last.to_str()).is_some_and(|last| is_one(last, switches));
        match (joined.last_mut(), argument.to_str()) {
            (Some(last), Some(word)) if follows_switch && WORDS.contains(&word) => {
                last.push("=");
                last.push(word);
            }
            _ => joined.push(argument),
        }
    }
    joined.extend(arguments);
    joined
}

fn is_one(argument: &str, switches: &[String]) -> bool {
    argument.strip_prefix("--").is_some_and(|name| switches.iter().any(|switch| switch == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_takes_a_boolean_and_nothing_else() {
        let switches = ["rotate".to_owned(), "two-factor".to_owned()];
        let says = |text: &str| {
            let arguments = text.split(' ').map(OsString::from).collect();
            joined(arguments, &switches)
                .into_iter()
                .map(|one| one.into_string().unwrap())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(says("serve --rotate false"), "serve --rotate=false");
        assert_eq!(says("serve --rotate --listen a:1"), "serve --rotate --listen a:1");
        assert_eq!(says("user add --two-factor ana"), "user add --two-factor ana");
        assert_eq!(says("user add --two-factor=no off"), "user add --two-factor=no off");
        assert_eq!(says("user add -- --rotate false"), "user add -- --rotate false");
        assert_eq!(says("user add --first-name true"), "user add --first-name true");
    }
}
