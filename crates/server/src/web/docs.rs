//! A page to read and try the API: Swagger UI, all of it from the binary.

use std::sync::Arc;

use axum::{
    extract::{OriginalUri, Path, State},
    http::{HeaderName, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use utoipa_swagger_ui::Config;

/// The page.
const PAGE: &str = include_str!("docs.html");

/// Nothing is fetched from elsewhere, even if the script wanted to.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'self'; \
                      frame-ancestors 'none'";

/// What the script is told.
#[derive(Clone)]
pub(super) struct Docs(Arc<Config<'static>>);

impl Docs {
    /// Shows the document at `path`.
    pub(super) fn new(path: &'static str) -> Self {
        // Without a word about it, the page has a validator elsewhere judge the document.
        Self(Arc::new(Config::from(path).validator_url("none")))
    }
}

/// A page to read and try all endpoints.
#[utoipa::path(
    get, path = "/api/docs/", tag = "server", security(()),
    responses((status = 200, description = "The page.", content_type = "text/html")),
)]
pub(super) async fn page(OriginalUri(sent): OriginalUri) -> impl IntoResponse {
    // The files' names are relative, so that the page works behind a proxy that adds to the path.
    let base = if sent.path().ends_with('/') { "./" } else { "docs/" };
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE.replace("{base}", base)))
}

/// A file of the page.
pub(super) async fn asset(State(Docs(config)): State<Docs>, Path(file): Path<String>) -> Response {
    match utoipa_swagger_ui::serve(&file, config) {
        Ok(Some(file)) => {
            let headers: [(HeaderName, String); 2] = [
                (header::CONTENT_TYPE, file.content_type),
                (header::CACHE_CONTROL, "public, max-age=3600".into()),
            ];
            (headers, file.bytes.into_owned()).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(fault) => {
            tracing::error!(fault, file, "a file of the API page cannot be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
