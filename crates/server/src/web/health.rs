//! Whether the server is up, and whether it can serve.

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use domain::App;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// A store that takes longer to answer is as good as none.
const PATIENCE: Duration = Duration::from_secs(2);

/// The routes.
pub(crate) fn routes(app: App) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready)).with_state(app)
}

/// How it is.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`, or `unavailable`.
    status: &'static str,
    /// What is out of reach, if anything is.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<&'static str>,
}

const OK: Health = Health { status: "ok", missing: None };

/// Whether the process is up.
#[utoipa::path(
    get, path = "/health/live/", tag = "server", security(()),
    responses((status = 200, description = "It is.", body = Health)),
)]
async fn live() -> Json<Health> {
    Json(OK)
}

/// Whether the server can serve: it asks the database.
#[utoipa::path(
    get, path = "/health/ready/", tag = "server", security(()),
    responses(
        (status = 200, description = "It can.", body = Health),
        (status = 503, description = "It cannot now.", body = Health),
    ),
)]
async fn ready(State(app): State<App>) -> (StatusCode, Json<Health>) {
    let answers = matches!(tokio::time::timeout(PATIENCE, app.store.ping()).await, Ok(Ok(())));
    if answers {
        return (StatusCode::OK, Json(OK));
    }
    let health = Health { status: "unavailable", missing: Some("database") };
    (StatusCode::SERVICE_UNAVAILABLE, Json(health))
}
