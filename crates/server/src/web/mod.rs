//! Routes that belong to no dialect: health, and the document of all routes.

mod docs;
mod document;
pub(crate) mod health;

use anyhow::{Context, Result};
use axum::{Router, extract::State, http::header, routing::get};
use bytes::Bytes;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// Starts of paths whose routes are written without a slash at the end.
pub(crate) const VERBATIM: [&str; 1] = ["/api/docs/"];

#[derive(OpenApi)]
#[openapi(paths(schema, docs::page))]
struct Own;

/// The document, as it is sent.
#[derive(Clone)]
struct Shown(Bytes);

/// Adds the routes that show the document of all routes, and the page to read it.
pub(crate) fn with_document(routes: OpenApiRouter) -> Result<Router> {
    let (routes, mut document) = routes.split_for_parts();
    document.merge(Own::openapi());
    document::complete(&mut document);
    let json: Bytes = document.to_json().context("the API document")?.into();
    let docs = docs::Docs::new("/api/schema/");
    Ok(routes
        .route("/api/schema/", get(schema).with_state(Shown(json)))
        .route("/api/docs/", get(docs::page))
        .route("/api/docs/{file}", get(docs::asset).with_state(docs)))
}

/// The OpenAPI 3.1 document of all endpoints.
#[utoipa::path(
    get, path = "/api/schema/", tag = "server", security(()),
    responses((status = 200, description = "This document.", content_type = "application/json")),
)]
async fn schema(State(Shown(json)): State<Shown>) -> ([(header::HeaderName, &'static str); 1], Bytes) {
    ([(header::CONTENT_TYPE, "application/json")], json)
}

#[cfg(test)]
mod tests;
