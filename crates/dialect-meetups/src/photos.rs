//! Photos and the avatar among them.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use domain::{App, PhotoId, photos};
use kit::{
    base_url::BaseUrl, body::FileBody, credentials::TokenAuth, media_route, path_id::PathId, reply::Reply,
};
use serde_json::json;

use crate::{
    DIALECT,
    envelope::{envelope, gone, ok},
    fault, schema,
    wire::{Uploaded, photo_key},
};

/// Adds a photo: the body's bytes under any media type. The first one becomes the avatar.
#[utoipa::path(
    put, path = "/upload-photo/{filename}/", tag = DIALECT,
    params(("filename" = String, Path, description = "Anything; it is not used")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "PNG, JPEG or WebP"),
    responses((status = 200, description = "An envelope: 204 with the photo, or 400.", body = schema::Envelope)),
)]
pub(crate) async fn upload(
    State(app): State<App>,
    TokenAuth(caller): TokenAuth,
    base: BaseUrl,
    FileBody(bytes): FileBody,
) -> Result<Reply, Reply> {
    let photo = photos::add(&app, &caller, bytes).await.map_err(fault::uploading)?;
    Ok(envelope(204, "ok", &json!(Uploaded::new(&photo, &base))))
}

/// Makes a photo the avatar, in every dialect.
#[utoipa::path(
    put, path = "/set-avatar/{photo}/", tag = DIALECT,
    params(("photo" = i64, Path, description = "The photo")),
    responses(
        (status = 200, description = "An envelope: 200.", body = schema::Envelope),
        (status = 403, description = "Not the caller's, or none.", body = schema::Detail),
    ),
)]
pub(crate) async fn set_avatar(
    State(app): State<App>,
    PathId(photo): PathId,
    TokenAuth(caller): TokenAuth,
) -> Result<Reply, Reply> {
    photos::set_avatar(&app, &caller, PhotoId(photo)).await?;
    Ok(ok())
}

/// Removes a photo and its files. Where it was the avatar, the first one left becomes it.
#[utoipa::path(
    delete, path = "/delete-photo/{photo}/", tag = DIALECT,
    params(("photo" = i64, Path, description = "The photo")),
    responses(
        (status = 200, description = "An envelope: 204.", body = schema::Envelope),
        (status = 403, description = "Not the caller's, or none.", body = schema::Detail),
    ),
)]
pub(crate) async fn delete(
    State(app): State<App>,
    PathId(photo): PathId,
    TokenAuth(caller): TokenAuth,
) -> Result<Reply, Reply> {
    photos::remove(&app, &caller, PhotoId(photo)).await?;
    Ok(gone())
}

/// A photo's file.
#[utoipa::path(
    get, path = "/uploads/user-photos/{name}", tag = DIALECT, security(()),
    params(("name" = String, Path, description = "The last part of a photo's URL")),
    responses(
        (status = 200, description = "The file.", content_type = "image/*"),
        (status = 404, description = "There is none."),
    ),
)]
pub(crate) async fn file(
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Reply> {
    media_route::kept(Arc::clone(&app.blobs), &photo_key(&name), &headers).await
}
