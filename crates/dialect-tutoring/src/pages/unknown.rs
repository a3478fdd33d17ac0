//! Paths that lead nowhere.

use axum::{
    extract::OriginalUri,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
};

use super::{Notice, Paged, page};

/// 404: a page for a browser, which asks for pages by their type; else nothing, and JSON is put there as everywhere.
pub(crate) async fn unknown(OriginalUri(uri): OriginalUri, headers: HeaderMap) -> Paged {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|types| types.to_str().ok());
    let is_browser =
        accepted.flat_map(|types| types.split(',')).any(|kind| kind.trim().starts_with("text/html"));
    if is_browser && !uri.path().starts_with("/api/") {
        page(StatusCode::NOT_FOUND, &Notice { title: "Not found", text: "There is no such page." })
    } else {
        Ok(StatusCode::NOT_FOUND.into_response())
    }
}
