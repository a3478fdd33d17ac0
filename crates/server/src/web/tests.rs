use std::collections::HashSet;

use axum::{body::Body, extract::Request, http::StatusCode};
use kit::service::{self, Settings};
use serde_json::Value;
use tower::ServiceExt;
use utoipa_axum::routes;

use super::*;

/// A thing.
#[utoipa::path(post, path = "/things/{id}/", request_body = String, responses((status = 200, description = "It.")))]
async fn change() {}

/// Things.
#[utoipa::path(get, path = "/things/", security(()), responses((status = 200, description = "All.")))]
async fn list() {}

async fn ask(path: &str) -> (StatusCode, String, Bytes) {
    let routes = OpenApiRouter::new().routes(routes!(change)).routes(routes!(list));
    let mut around = Settings::default();
    around.verbatim.extend(VERBATIM.map(str::to_owned));
    let site = service::wrap(with_document(routes).unwrap(), &around);
    let answer = site.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    (answer.status(), kind, axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap())
}

async fn document() -> Value {
    serde_json::from_slice(&ask("/api/schema").await.2).unwrap()
}

/// All references in a document.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_document_is_of_all_routes_and_of_one_piece() {
    let document = document().await;
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    for path in ["/things/{id}/", "/things/", "/api/schema/", "/api/docs/"] {
        assert!(paths.contains_key(path), "{path}");
    }
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    let operations: Vec<_> = paths.values().flat_map(|item| item.as_object().unwrap().values()).collect();
    let ids: HashSet<_> =
        operations.iter().map(|operation| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), operations.len());
    assert!(ids.contains("post_things_id"));
}

#[tokio::test]
async fn refusals_stand_where_they_can_happen() {
    let document = document().await;
    let answers = |path: &str, method: &str| {
        let answers = document["paths"][path][method]["responses"].as_object().unwrap();
        answers.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(answers("/things/{id}/", "post"), "200 401 405 413 415 429");
    assert_eq!(answers("/things/", "get"), "200 405");
}

#[tokio::test]
async fn the_page_finds_its_files_with_and_without_the_slash() {
    for (path, base) in [("/api/docs", "docs/"), ("/api/docs/", "./")] {
        let (status, kind, page) = ask(path).await;
        assert_eq!((status, kind.as_str()), (StatusCode::OK, "text/html; charset=utf-8"));
        let page = String::from_utf8(page.to_vec()).unwrap();
        assert!(page.contains(&format!("<base href=\"{base}\">")));
        let is_file = |text: &&str| [".js", ".css", ".png"].iter().any(|kind| text.ends_with(kind));
        let named: Vec<_> = page.split('"').filter(is_file).collect();
        assert_eq!(named.len(), 6);
        for file in named {
            assert_eq!(ask(&format!("/api/docs/{file}")).await.0, StatusCode::OK, "{file}");
        }
    }
    let (_, _, script) = ask("/api/docs/swagger-initializer.js").await;
    let script = String::from_utf8(script.to_vec()).unwrap();
    assert!(script.contains("/api/schema/") && !script.contains("http"), "{script}");
    assert_eq!(ask("/api/docs/other.js").await.0, StatusCode::NOT_FOUND);
}
