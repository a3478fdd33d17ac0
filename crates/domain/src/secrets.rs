//! Keys derived from the server's secret, and what is made with them.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::{AccountId, SessionId};

/// Fewest bytes of the server's secret.
pub const MIN_SECRET: usize = 32;

/// Keys for single purposes, each an HMAC-SHA256 of the purpose under the server's secret.
#[derive(Clone)]
pub struct Secrets {
    jwt: [u8; 32],
    opaque: [u8; 32],
    code: [u8; 32],
    page: [u8; 32],
    form: [u8; 32],
}

impl Secrets {
    /// Derives the keys. The secret has at least [`MIN_SECRET`] bytes; who reads it has to see to that.
    pub fn derive(secret: &[u8]) -> Self {
        let key = |purpose: &str| mac(secret, &[purpose.as_bytes()]);
        Self {
            jwt: key("tertulia jwt"),
            opaque: key("tertulia opaque token"),
            code: key("tertulia code"),
            page: key("tertulia page"),
            form: key("tertulia form"),
        }
    }

    /// The key that signs JWTs (HS256).
    pub(crate) fn jwt(&self) -> &[u8] {
        &self.jwt
    }

    /// The session's opaque token: 40 lower-case hex digits, always the same.
    pub(crate) fn opaque_token(&self, session: SessionId) -> String {
        hex::encode(&mac(&self.opaque, &[session.0.as_bytes()])[..20])
    }

    /// What proves that a page's cookie was given out for that session: 40 lower-case hex digits.
    pub(crate) fn page_proof(&self, session: SessionId) -> String {
        hex::encode(&mac(&self.page, &[session.0.as_bytes()])[..20])
    }

    /// What proves that a form was given out for that purpose: 40 lower-case hex digits.
    pub(crate) fn form_proof(&self, nonce: &str, purpose: &str) -> String {
        // The length of the first part tells where it ends.
        let length = u64::try_from(nonce.len()).unwrap_or(u64::MAX).to_be_bytes();
        hex::encode(&mac(&self.form, &[&length, nonce.as_bytes(), purpose.as_bytes()])[..20])
    }

    /// What is kept of an account's e-mailed code.
    pub(crate) fn code_mac(&self, account: AccountId, code: &str) -> [u8; 32] {
        mac(&self.code, &[&account.0.to_be_bytes(), code.as_bytes()])
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// What is kept of an opaque token or access key: its SHA-256. Both are long random strings, so no salt is due.
pub(crate) fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length (RFC 2104), so the fallback is never used.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opaque_token_is_forty_hex_and_belongs_to_its_session_and_secret() {
        let one = Secrets::derive(&[1; 32]);
        let session = SessionId(uuid::Uuid::from_u128(7));
        let token = one.opaque_token(session);
        assert_eq!(token.len(), 40);
        assert!(token.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
        assert_eq!(token, one.opaque_token(session));
        assert_ne!(token, one.opaque_token(SessionId(uuid::Uuid::from_u128(8))));
        assert_ne!(token, Secrets::derive(&[2; 32]).opaque_token(session));
    }

    #[test]
    fn proofs_of_pages_and_forms_belong_to_what_they_prove() {
        let (secrets, session) = (Secrets::derive(&[1; 32]), SessionId(uuid::Uuid::from_u128(7)));
        assert_eq!(secrets.page_proof(session).len(), 40);
        assert_ne!(secrets.page_proof(session), secrets.opaque_token(session));
        assert_ne!(secrets.page_proof(session), secrets.page_proof(SessionId(uuid::Uuid::from_u128(8))));
        assert_ne!(secrets.form_proof("ab", "c"), secrets.form_proof("a", "bc"));
        assert_ne!(secrets.form_proof("ab", "c"), Secrets::derive(&[2; 32]).form_proof("ab", "c"));
    }

    #[test]
    fn a_codes_mac_depends_on_the_account() {
        let secrets = Secrets::derive(&[1; 32]);
        assert_ne!(secrets.code_mac(AccountId(1), "123456"), secrets.code_mac(AccountId(2), "123456"));
    }

    #[test]
    fn secrets_are_not_printed() {
        assert_eq!(format!("{:?}", Secrets::derive(&[1; 32])), "Secrets(…)");
    }
}
