//! Access and refresh tokens: JWTs signed with HS256 (RFC 7519), their claims in the contract's order.

use anyhow::Context;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{AccountId, App, Refusal, Result, SessionId, Time};

/// What a token is good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenType {
    /// Lets in.
    Access,
    /// Gives new access tokens.
    Refresh,
}

/// The claims of a token, in the order in which they are written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Claims {
    token_type: TokenType,
    exp: i64,
    iat: i64,
    jti: String,
    user_id: i64,
    /// The session; a private claim.
    sid: Uuid,
}

/// An authentic token. Whether its session lives is another question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token {
    /// What it is good for.
    pub token_type: TokenType,
    /// Its end.
    pub expires_at: Time,
    /// Its own id.
    pub jti: [u8; 16],
    /// The account.
    pub account: AccountId,
    /// The session that it belongs to.
    pub session: SessionId,
}

/// Makes a token of `session`, with the life that the settings give its type.
pub(crate) fn issue(
    app: &App,
    token_type: TokenType,
    account: AccountId,
    session: SessionId,
) -> Result<String> {
    let life = match token_type {
        TokenType::Access => app.settings.access_life,
        TokenType::Refresh => app.settings.refresh_life,
    };
    let now = app.clock.now();
    let mut jti = [0; 16];
    app.ids.fill(&mut jti);
    let claims = Claims {
        token_type,
        exp: now.after(life).seconds(),
        iat: now.seconds(),
        jti: hex::encode(jti),
        user_id: account.0,
        sid: session.0,
    };
    let key = EncodingKey::from_secret(app.secrets.jwt());
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key);
    Ok(token.context("signing a token")?)
}

/// Reads an authentic token, expired or not; `None` when it is no JWT of this server.
pub fn read(app: &App, token: &str) -> Option<Token> {
    let mut rules = Validation::new(Algorithm::HS256);
    // The time is judged below, by the port's clock and without leeway.
    rules.validate_exp = false;
    rules.required_spec_claims.clear();
    rules.validate_aud = false;
    let key = DecodingKey::from_secret(app.secrets.jwt());
    let claims = jsonwebtoken::decode::<Claims>(token, &key, &rules).ok()?.claims;
    let mut jti = [0; 16];
    hex::decode_to_slice(&claims.jti, &mut jti).ok()?;
    Some(Token {
        token_type: claims.token_type,
        expires_at: Time(claims.exp.checked_mul(1_000_000)?),
        jti,
        account: AccountId(claims.user_id),
        session: SessionId(claims.sid),
    })
}

/// Reads a token that is good now for `due`. Whether its session lives is not asked.
pub fn read_good(app: &App, token: &str, due: TokenType) -> Result<Token, Refusal> {
    let token = read(app, token).ok_or(Refusal::Invalid)?;
    if token.token_type != due {
        Err(Refusal::WrongType)
    } else if token.expires_at <= app.clock.now() {
        Err(Refusal::Expired)
    } else {
        Ok(token)
    }
}
