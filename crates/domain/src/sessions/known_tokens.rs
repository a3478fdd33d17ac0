//! Access tokens known to be authentic, so that a request with one costs no signature.

use dashmap::DashMap;

use super::tokens::Token;
use crate::Time;

/// Tokens kept at most, some 400 bytes each; then all are forgotten at once, which costs one check each.
const MOST: usize = 20_000;

/// Only tokens that this server has signed come in here, so nobody can fill it with what they made up. That a token is
/// known says nothing about its session: whether that lives is asked for each request.
#[derive(Debug)]
pub(crate) struct KnownTokens {
    tokens: DashMap<Box<str>, Token>,
    most: usize,
}

impl Default for KnownTokens {
    fn default() -> Self {
        Self { tokens: DashMap::new(), most: MOST }
    }
}

impl KnownTokens {
    /// The access token of that text, if it is known and has not expired.
    pub(crate) fn get(&self, text: &str, now: Time) -> Option<Token> {
        self.tokens.get(text).map(|token| *token).filter(|token| now < token.expires_at)
    }

    /// Keeps an access token that was found good.
    pub(crate) fn keep(&self, text: &str, token: Token) {
        if self.tokens.len() >= self.most {
            self.tokens.clear();
        }
        self.tokens.insert(text.into(), token);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{super::tokens::TokenType, *};
    use crate::{AccountId, SessionId};

    fn token(expires_at: Time) -> Token {
        Token {
            token_type: TokenType::Access,
            expires_at,
            jti: [0; 16],
            account: AccountId(1),
            session: SessionId(Uuid::nil()),
        }
    }

    #[test]
    fn a_token_is_known_until_it_expires() {
        let known = KnownTokens::default();
        assert_eq!(known.get("a.b.c", Time(0)), None);
        known.keep("a.b.c", token(Time(10)));
        assert_eq!(known.get("a.b.c", Time(9)), Some(token(Time(10))));
        assert_eq!(known.get("a.b.c", Time(10)), None);
        assert_eq!(known.get("a.b.d", Time(9)), None);
    }

    #[test]
    fn what_is_kept_does_not_grow_for_ever() {
        let known = KnownTokens { most: 2, ..KnownTokens::default() };
        for text in ["one", "two", "three"] {
            known.keep(text, token(Time(10)));
            assert!(known.get(text, Time(0)).is_some());
        }
        assert_eq!(known.get("one", Time(0)), None);
        assert_eq!(known.tokens.len(), 1);
    }
}
