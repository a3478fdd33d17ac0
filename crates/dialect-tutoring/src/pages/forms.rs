//! Forms that only this server's own pages can send.
//!
//! A cookie holds a nonce of the browser's; each form holds a proof, under the server's key, for that nonce and for the
//! session that looks at the page. A form of another site has neither: the cookie is not sent along from there
//! (`SameSite=Lax`), and the proof cannot be made up. Browsers that say where a request comes from are believed, too.

use axum::{
    http::{HeaderMap, StatusCode},
    response::Response,
};
use domain::{App, sessions};
use kit::{
    body::{Body, Content},
    reply::Reply,
};

use super::{
    Visitor,
    cookies::{self, FORMS},
    is_of_this_site, with_cookie,
};

/// The form field that holds the proof.
pub(super) const FIELD: &str = "csrfmiddlewaretoken";

/// Digits of a nonce.
const NONCE: usize = 32;

/// What a page needs for its forms.
pub(super) struct Forms {
    nonce: String,
    is_new: bool,
    /// The proof, for [`FIELD`].
    pub(super) proof: String,
}

impl Forms {
    /// For a page that this visitor looks at.
    pub(super) fn of(app: &App, headers: &HeaderMap, visitor: Option<&Visitor>) -> Self {
        let (nonce, is_new) = match nonce(headers) {
            Some(nonce) => (nonce.to_owned(), false),
            None => (sessions::form_nonce(app), true),
        };
        let proof = sessions::form_proof(app, &nonce, purpose(visitor));
        Self { nonce, is_new, proof }
    }

    /// The answer, with the cookie that its forms need.
    pub(super) fn with_cookie(&self, response: Response, base: &str) -> Response {
        if self.is_new { with_cookie(response, cookies::set(FORMS, &self.nonce, base)) } else { response }
    }
}

/// What was sent; nothing, and so no proof either, where that is no form at all.
pub(super) fn form_of(sent: Result<Body, Reply>) -> Result<Content, Reply> {
    match sent {
        Ok(Body(content)) => Ok(content),
        Err(refusal)
            if matches!(refusal.status, StatusCode::BAD_REQUEST | StatusCode::UNSUPPORTED_MEDIA_TYPE) =>
        {
            Ok(Content::empty())
        }
        Err(refusal) => Err(refusal),
    }
}

/// Whether what was sent is a form of a page that this visitor has looked at.
pub(super) fn is_genuine(app: &App, headers: &HeaderMap, visitor: Option<&Visitor>, body: &Content) -> bool {
    let sent = body.value(FIELD).and_then(|proof| proof.as_str());
    let (Some(nonce), Some(sent)) = (nonce(headers), sent) else { return false };
    is_of_this_site(headers) != Some(false) && sessions::is_form_proof(app, nonce, purpose(visitor), sent)
}

fn nonce(headers: &HeaderMap) -> Option<&str> {
    let is_nonce = |value: &&str| value.len() == NONCE && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    cookies::value(headers, FORMS).filter(is_nonce)
}

fn purpose(visitor: Option<&Visitor>) -> &str {
    visitor.map_or("", |visitor| &visitor.secret)
}
