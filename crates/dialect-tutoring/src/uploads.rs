//! Pictures for rooms and messages, which refer to them by their address.

use axum::{Json, extract::State, http::StatusCode};
use domain::{App, rooms};
use kit::{base_url::BaseUrl, body::Body, credentials::Auth, fields::Fields, reply::Reply};

use crate::{
    DIALECT, schema,
    wire::{Uploaded, media_url},
};

/// Keeps a picture, made anew and without metadata, and tells its address.
#[utoipa::path(
    post, path = "/api/upload/", tag = DIALECT,
    request_body(content = schema::PictureUpload, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "Kept.", body = Uploaded),
        (status = 400, description = "No image.", body = schema::FieldMap),
    ),
)]
pub(crate) async fn upload(
    State(app): State<App>,
    Auth(_caller): Auth,
    base: BaseUrl,
    Body(body): Body,
) -> Result<(StatusCode, Json<Uploaded>), Reply> {
    let mut fields = Fields::of(&body);
    let file = fields.file("image");
    fields.done()?;
    let bytes = file.map(|file| file.bytes).unwrap_or_default();
    let key = rooms::keep_picture(&app, bytes).await?;
    Ok((StatusCode::CREATED, Json(Uploaded { image: media_url(&base.0, &key) })))
}
