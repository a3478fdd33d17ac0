//! Cookies (RFC 6265).

use axum::http::{HeaderMap, HeaderValue, header};

/// The cookie of a page's session.
pub(super) const SESSION: &str = "sessionid";

/// The cookie of the browser's forms.
pub(super) const FORMS: &str = "csrftoken";

/// The value of a cookie that was sent; of several the first one, as is usual.
pub(super) fn value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let value = pairs.find(|(key, _)| key.trim() == name)?.1.trim();
    (!value.is_empty()).then_some(value)
}

/// Sets a cookie that lives as long as the browser runs, out of reach of scripts. `base`: the start of absolute URLs;
/// with `https` the cookie is `Secure`.
pub(super) fn set(name: &str, value: &str, base: &str) -> HeaderValue {
    cookie(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{}", secure(base)))
}

/// Removes a cookie.
pub(super) fn clear(name: &str, base: &str) -> HeaderValue {
    cookie(&format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{}", secure(base)))
}

fn secure(base: &str) -> &'static str {
    if base.starts_with("https:") { "; Secure" } else { "" }
}

/// Names and values are hex digits and dots here, so that the fallback is never used.
fn cookie(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; sessionid=x.y ;b"));
        headers.append(header::COOKIE, HeaderValue::from_static("csrftoken=; sessionid=z; c=a=b"));
        assert_eq!(value(&headers, SESSION), Some("x.y"));
        assert_eq!(value(&headers, "c"), Some("a=b"));
        assert_eq!(value(&headers, FORMS), None);
        assert_eq!(value(&headers, "b"), None);
        assert_eq!(value(&headers, "session"), None);
    }

    #[test]
    fn a_cookie_is_secure_where_the_server_is() {
        let plain = "sessionid=x; Path=/; HttpOnly; SameSite=Lax";
        assert_eq!(set(SESSION, "x", "http://a"), plain);
        assert_eq!(set(SESSION, "x", "https://a"), format!("{plain}; Secure"));
        assert_eq!(clear(SESSION, "http://a"), "sessionid=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    }
}
