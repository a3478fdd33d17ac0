//! Paths as the routes are written.

use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// Where a request goes.
#[derive(PartialEq, Debug)]
pub(super) enum Target {
    /// To the path that was sent.
    AsSent,
    /// To this URI, whose path has got its slash.
    Rewritten(Uri),
    /// Nowhere: no route can have such a path.
    Impossible,
}

/// Judges a path, and gives it the trailing slash that routes are written with, unless it begins with one of
/// `verbatim`. The query stays as it is.
pub(super) fn target(uri: &Uri, verbatim: &[String]) -> Target {
    let path = uri.path();
    if !path.starts_with('/') || !is_decodable(path) {
        return Target::Impossible;
    }
    if path.ends_with('/') || verbatim.iter().any(|start| path.starts_with(start.as_str())) {
        return Target::AsSent;
    }
    let with_slash = match uri.query() {
        Some(query) => format!("{path}/?{query}"),
        None => format!("{path}/"),
    };
    let mut parts = uri.clone().into_parts();
    let Ok(path_and_query) = PathAndQuery::try_from(with_slash) else { return Target::Impossible };
    parts.path_and_query = Some(path_and_query);
    Uri::from_parts(parts).map_or(Target::Impossible, Target::Rewritten)
}

/// Whether every percent sign begins an encoded byte, and the bytes are UTF-8 without NUL.
fn is_decodable(path: &str) -> bool {
    if !path.contains('%') {
        return !path.contains('\0');
    }
    let mut bytes = path.bytes();
    let mut decoded = Vec::with_capacity(path.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let (Some(high), Some(low)) = (bytes.next().and_then(nibble), bytes.next().and_then(nibble)) else {
            return false;
        };
        decoded.push(high << 4 | low);
    }
    !decoded.contains(&0) && std::str::from_utf8(&decoded).is_ok()
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn routed(uri: &str) -> String {
        let uri: Uri = uri.parse().unwrap();
        match target(&uri, &["/media/".to_owned(), "/socket.io".to_owned()]) {
            Target::AsSent => uri.to_string(),
            Target::Rewritten(uri) => uri.to_string(),
            Target::Impossible => "-".to_owned(),
        }
    }

    #[test]
    fn a_missing_slash_is_added_before_the_query() {
        assert_eq!(routed("/oauth/callback?code=1/&state=?"), "/oauth/callback/?code=1/&state=?");
        assert_eq!(routed("/users/update/?a"), "/users/update/?a");
        assert_eq!(routed("/a?"), "/a/?");
        assert_eq!(routed("/"), "/");
        assert_eq!(routed("/a//b"), "/a//b/");
        assert_eq!(routed("/a//"), "/a//");
        assert_eq!(routed("http://host:1/a?b"), "http://host:1/a/?b");
    }

    #[test]
    fn some_paths_are_left_alone() {
        assert_eq!(routed("/media/ab/c.png"), "/media/ab/c.png");
        assert_eq!(routed("/socket.io?EIO=4"), "/socket.io?EIO=4");
        assert_eq!(routed("/mediation"), "/mediation/");
        assert_eq!(routed("/media"), "/media/");
    }

    #[test]
    fn what_cannot_be_decoded_goes_nowhere() {
        for uri in ["/a%", "/a%2", "/a%zz", "/a%00b", "/%ff", "/%C3%28", "*", "/media/%00"] {
            assert_eq!(routed(uri), "-", "{uri}");
        }
        assert_eq!(routed("/a%2Fb%C3%A9"), "/a%2Fb%C3%A9/");
    }

    proptest! {
        #[test]
        fn every_uri_keeps_its_query_and_is_changed_once_at_most(text in "/[!-~]{0,60}") {
            let Ok(uri) = text.parse::<Uri>() else { return Ok(()) };
            if let Target::Rewritten(new) = target(&uri, &[]) {
                prop_assert_eq!(new.query(), uri.query());
                prop_assert_eq!(new.path(), format!("{}/", uri.path()));
                prop_assert_eq!(target(&new, &[]), Target::AsSent);
            }
        }
    }
}
