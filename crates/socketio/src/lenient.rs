//! What is JSON to a client, and more than is read here: lone surrogates, deep nesting, huge numbers, and the `NaN` that
//! Python writes.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, IgnoredAny, SeqAccess, Visitor},
};
use serde_json::Value;

/// Reads a text of which `T` looks only at what is sound.
pub(crate) fn lenient<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).or_else(|_| serde_json::from_str(&without_nan(text))).ok()
}

/// The first element of an array whose others may be anything.
pub(crate) struct First(pub(crate) Value);

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements;
        impl<'de> Visitor<'de> for Elements {
            type Value = First;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array that is not empty")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<First, A::Error> {
                let first = elements.next_element()?.ok_or_else(|| A::Error::custom("it is empty"))?;
                while elements.next_element::<IgnoredAny>()?.is_some() {}
                Ok(First(first))
            }
        }
        deserializer.deserialize_seq(Elements)
    }
}

/// The text with `null` for what Python writes where JSON has no number.
fn without_nan(text: &str) -> String {
    const NAMES: [&str; 3] = ["NaN", "Infinity", "-Infinity"];
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_string = false;
    while let Some(letter) = rest.chars().next() {
        let name = NAMES.iter().find(|name| !in_string && rest.starts_with(**name));
        let taken = match (letter, name) {
            (_, Some(name)) => name.len(),
            ('\\', None) => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            (letter, None) => letter.len_utf8(),
        };
        in_string ^= letter == '"';
        kept.push_str(if name.is_some() { "null" } else { &rest[..taken] });
        rest = &rest[taken..];
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn first(text: &str) -> Option<Value> {
        lenient::<First>(text).map(|First(value)| value)
    }

    #[test]
    fn what_is_not_looked_at_may_be_unreadable() {
        for text in [
            r#"["x","\ud800"]"#,
            r#"["x",1e999]"#,
            r#"["x",NaN]"#,
            r#"["x",{"a":[-Infinity,Infinity,"NaN"]}]"#,
            r#"["x","é\"",NaN,"\\"]"#,
        ] {
            assert_eq!(first(text), Some("x".into()), "{text}");
        }
        assert_eq!(first(r#"["NaN\"NaN",NaN]"#), Some("NaN\"NaN".into()));
        for bad in
            [r#"["x",NaNa]"#, r#"["x",-NaN]"#, r#"["x",nan]"#, r#"["x","\"#, r#"["x","NaN"#, "[]", "{}"]
        {
            assert_eq!(first(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(NaN|Infinity|[\"\\\\é🙂,]|\\PC){0,30}") {
            without_nan(&text);
        }
    }
}
