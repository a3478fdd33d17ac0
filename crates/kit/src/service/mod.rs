//! What stands around the routes: paths, CORS, refusals in JSON, panics, headers.

mod cors;
mod path;
mod refusals;

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{OriginalUri, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt, service_fn};

use cors::Cors;
pub use cors::Origins;
use path::Target;

use crate::reply::Reply;

/// How the service around the routes behaves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Which web pages may call this server.
    pub origins: Origins,
    /// Starts of the paths that are routed as they came. All others get a slash at the end before they are
    /// routed, so that their routes are written with one.
    pub verbatim: Vec<String>,
}

impl Default for Settings {
    /// Any origin; `/media/`, `/uploads/` and `/socket.io` as they came.
    fn default() -> Self {
        let verbatim = ["/media/", "/uploads/", "/socket.io"].map(str::to_owned).to_vec();
        Self { origins: Origins::Any, verbatim }
    }
}

/// A whole server, ready to be listened for.
pub type Whole = BoxCloneSyncService<Request, Response, Infallible>;

/// Puts everything that all routes share around `routes` (a router, or one inside a layer of its own):
///
/// - Every path is known with and without its trailing slash, save those of [`Settings::verbatim`]. Routes are
///   written with the slash. `OriginalUri` gives the path as it was sent. Slashes in a row are not merged.
/// - Paths with a broken percent-encoding, NUL or other than UTF-8 in them are unknown.
/// - 404 and 405 answers without a body get their JSON. `OPTIONS` on a path that does not take it is answered
///   with 204 and `Allow`.
/// - CORS, `nosniff` and a referrer policy.
/// - A panic is logged and answered with 500.
pub fn wrap<S>(routes: S, settings: &Settings) -> Whole
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let verbatim: Arc<[String]> = settings.verbatim.clone().into();
    let inner = service_fn(move |request| {
        let (routes, verbatim) = (routes.clone(), Arc::clone(&verbatim));
        async move { Ok::<_, Infallible>(answer(routes, &verbatim, request).await) }
    });
    let cors = Cors::new(inner, &settings.origins);
    BoxCloneSyncService::new(service_fn(move |request| {
        let cors = cors.clone();
        async move { Ok(with_safety_headers(cors.answer(request).await)) }
    }))
}

/// Brings the path into the form of the routes, asks them, and turns refusals and panics into JSON.
async fn answer<S>(routes: S, verbatim: &[String], mut request: Request) -> Response
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    match path::target(request.uri(), verbatim) {
        Target::AsSent => {}
        Target::Rewritten(uri) => {
            let sent = std::mem::replace(request.uri_mut(), uri);
            request.extensions_mut().insert(OriginalUri(sent));
        }
        Target::Impossible => return Reply::not_found().into_response(),
    }
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    match AssertUnwindSafe(routes.oneshot(request)).catch_unwind().await {
        Ok(Ok(response)) => refusals::in_json(&method, response),
        Err(panic) => {
            tracing::error!(%method, path, panic = panic_text(&*panic), "a handler panicked");
            Reply::detail(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error.").into_response()
        }
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let fixed = panic.downcast_ref::<&'static str>().copied();
    fixed.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("-")
}

fn with_safety_headers(mut response: Response<Body>) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    response
}

#[cfg(test)]
mod tests;
