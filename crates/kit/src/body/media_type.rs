//! The media types that bodies come in.

/// A media type that is taken, with what its parameters tell.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum MediaType {
    Json,
    Form,
    /// The boundary is `None` when the parameter is missing or unusable (RFC 2046, 5.1.1).
    Multipart {
        boundary: Option<String>,
    },
}

impl MediaType {
    /// Reads a `Content-Type` (RFC 9110, 8.3.1). `None` for other types, and for charsets other than UTF-8.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut pieces = split(text).into_iter();
        let essence = pieces.next()?.trim().to_ascii_lowercase();
        let parameters: Vec<(String, String)> = pieces.filter_map(parameter).collect();
        let find = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        if let Some(charset) = find("charset")
            && !["utf-8", "utf8"].contains(&charset.to_ascii_lowercase().as_str())
        {
            return None;
        }
        match essence.as_str() {
            "application/json" => Some(Self::Json),
            "application/x-www-form-urlencoded" => Some(Self::Form),
            "multipart/form-data" => {
                let usable = |text: &&String| {
                    (1..=70).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
                };
                Some(Self::Multipart { boundary: find("boundary").filter(usable).cloned() })
            }
            _ => None,
        }
    }
}

/// The pieces between the semicolons that stand outside quotes.
fn split(text: &str) -> Vec<&str> {
    let (mut pieces, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => {
                pieces.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(&text[start..]);
    pieces
}

/// Name (in lower case) and value (without quotes) of a parameter.
fn parameter(piece: &str) -> Option<(String, String)> {
    let (name, value) = piece.split_once('=')?;
    let value = value.trim();
    let value = match value.strip_prefix('"') {
        None => value.to_owned(),
        Some(rest) => {
            let (mut plain, mut characters) = (String::new(), rest.chars());
            loop {
                match characters.next()? {
                    '"' => break plain,
                    '\\' => plain.push(characters.next()?),
                    other => plain.push(other),
                }
            }
        }
    };
    Some((name.trim().to_ascii_lowercase(), value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn multipart(boundary: &str) -> MediaType {
        MediaType::Multipart { boundary: Some(boundary.to_owned()) }
    }

    #[test]
    fn names_are_read_without_case_and_with_blanks() {
        assert_eq!(MediaType::parse("Application/JSON"), Some(MediaType::Json));
        assert_eq!(MediaType::parse(" application/json ; charset=UTF-8"), Some(MediaType::Json));
        assert_eq!(MediaType::parse("application/x-www-form-urlencoded;"), Some(MediaType::Form));
        assert_eq!(MediaType::parse("multipart/form-data; boundary=abc"), Some(multipart("abc")));
        assert_eq!(MediaType::parse("multipart/form-data; Boundary=\"a;\\\"c\""), Some(multipart("a;\"c")));
    }

    #[test]
    fn other_types_and_charsets_are_not_taken() {
        for text in ["", ";", "text/plain", "application/json; charset=latin-1", "application/jsonx"] {
            assert_eq!(MediaType::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_boundary_is_of_one_to_seventy_printable_characters() {
        let none = Some(MediaType::Multipart { boundary: None });
        assert_eq!(MediaType::parse("multipart/form-data"), none);
        assert_eq!(MediaType::parse("multipart/form-data; boundary="), none);
        assert_eq!(MediaType::parse("multipart/form-data; boundary=\"unclosed"), none);
        assert_eq!(MediaType::parse(&format!("multipart/form-data; boundary={}", "b".repeat(71))), none);
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*", odd in "[a-z/;=\"\\\\é ]*") {
            MediaType::parse(&text);
            MediaType::parse(&odd);
            MediaType::parse(&format!("multipart/form-data; {odd}"));
        }
    }
}
