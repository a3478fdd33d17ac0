//! The web pages: `/`, `/login/`, `/logout/`. Rendered here, and of use without JavaScript but for what is live.
//!
//! A page's session is a session like any other. Its cookie authorises pages alone.

pub(crate) mod assets;
mod cookies;
mod forms;
pub(crate) mod home;
pub(crate) mod login;
pub(crate) mod logout;
mod next;
mod shown;
pub(crate) mod unknown;

use askama::Template;
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{App, Caller, Error, sessions};
use kit::reply::Reply;

use cookies::SESSION;

/// Nothing from elsewhere, nothing inline, no framing; pictures and sockets of this server alone.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// An answer of a page that is a whole response, be it a page or a redirection.
type Paged = Result<Response, Reply>;

/// Who looks at a page.
struct Visitor {
    caller: Caller,
    /// What the cookie holds.
    secret: String,
}

impl Visitor {
    /// By the cookie; `None` when it lets nobody in.
    async fn of(app: &App, headers: &HeaderMap) -> Result<Option<Self>, Reply> {
        let Some(secret) = cookies::value(headers, SESSION) else { return Ok(None) };
        match sessions::by_page_secret(app, secret).await {
            Ok(caller) => Ok(Some(Self { caller, secret: secret.to_owned() })),
            Err(Error::Unauthenticated(_)) => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }
}

/// A page, with the headers that all pages have.
fn page(status: StatusCode, template: &impl Template) -> Paged {
    let html = template.render().map_err(|fault| Reply::from(Error::Internal(fault.into())))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (header::VARY, HeaderValue::from_static("Cookie")),
    ];
    Ok((status, headers, html).into_response())
}

/// 302 to a local path.
fn found(path: &str) -> Response {
    let place = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    let headers = [
        (header::LOCATION, place),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::VARY, HeaderValue::from_static("Cookie")),
    ];
    (StatusCode::FOUND, headers).into_response()
}

/// The same answer, which sets this cookie.
fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// A page with a sentence.
#[derive(Template)]
#[template(path = "notice.html")]
struct Notice<'a> {
    title: &'a str,
    text: &'a str,
}

/// 403 for a form that this server has not given out to this browser.
fn forged() -> Paged {
    let text = "This form has expired, or it does not come from this site. Go back, reload the page and try again. \
                Your browser has to accept cookies.";
    page(StatusCode::FORBIDDEN, &Notice { title: "Forbidden", text })
}

/// What browsers say of where a request comes from (Fetch Metadata Request Headers).
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What browsers say of requests for pages that nobody looks at yet.
const PURPOSES: [HeaderName; 2] =
    [HeaderName::from_static("sec-purpose"), HeaderName::from_static("purpose")];

/// Whether the browser says that the request comes from this site's own pages, or from the person; `None` when it says
/// nothing.
fn is_of_this_site(headers: &HeaderMap) -> Option<bool> {
    let site = headers.get(FETCH_SITE)?.as_bytes();
    Some(site == b"same-origin" || site == b"none")
}

/// Whether the page is fetched in advance.
fn is_prefetch(headers: &HeaderMap) -> bool {
    let says = |name| headers.get(name).and_then(|value| value.to_str().ok());
    PURPOSES.iter().filter_map(says).any(|purpose| purpose.contains("prefetch"))
}
