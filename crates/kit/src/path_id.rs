//! Integer ids in paths.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};

use crate::reply::Reply;

/// The one integer in a path. Anything but digits is an unknown path (404); digits beyond the range of ids name
/// something that cannot exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PathId(pub i64);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Reply;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Reply> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        let id = text.ok().and_then(|Path(text)| id_of(&text));
        id.map(Self).ok_or_else(Reply::not_found)
    }
}

fn id_of(text: &str) -> Option<i64> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_alone_are_an_id() {
        assert_eq!(id_of("42"), Some(42));
        assert_eq!(id_of("99999999999999999999"), Some(i64::MAX));
        for other in ["", "-1", "+1", "1.0", "abc", "１"] {
            assert_eq!(id_of(other), None, "{other}");
        }
    }
}
