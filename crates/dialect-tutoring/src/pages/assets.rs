//! The style and the script of the pages.

use axum::{
    http::{HeaderName, header},
    response::IntoResponse,
};

/// They are part of the program, and change with it.
const CACHED: (HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=300");

/// The style of all pages.
pub(crate) async fn style() -> impl IntoResponse {
    let kind = (header::CONTENT_TYPE, "text/css; charset=utf-8");
    ([kind, CACHED], include_str!("../../assets/tutoring.css"))
}

/// The script of the home page.
pub(crate) async fn script() -> impl IntoResponse {
    let kind = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");
    ([kind, CACHED], include_str!("../../assets/tutoring.js"))
}
