//! Where a sign-in leads.

/// The path, if it is one of this server as every browser reads it; else `/`.
///
/// Browsers take a backslash for a slash, and drop tabs and line breaks (WHATWG URL, 4.4): so none of them may stand in
/// it, and no second slash at the start, behind which a host would follow.
pub(super) fn local(next: &str) -> &str {
    let is_path = next.starts_with('/') && !next.starts_with("//");
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_path && is_plain && next.len() <= 2_000 { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_local_paths_are_followed() {
        for good in ["/", "/logout/", "/a/b?c=d&e=%20#f", "/a//b", "/http://x"] {
            assert_eq!(local(good), good);
        }
        for bad in [
            "",
            "x",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/é",
            "/a b",
            "/\r\nSet-Cookie: a=b",
        ] {
            assert_eq!(local(bad), "/", "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_followed_fits_into_a_header_and_names_no_host(text in "[/\\\\\\t\\n:a-z.@%é]{0,12}") {
            let next = local(&text);
            prop_assert!(axum::http::HeaderValue::from_str(next).is_ok());
            prop_assert!(next.starts_with('/') && !next[1..].starts_with(['/', '\\']));
        }
    }
}
