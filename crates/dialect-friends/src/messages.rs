//! Sending and seeing over HTTP, for clients on networks that keep no socket open.

use axum::{extract::State, http::StatusCode};
use domain::{
    App, RelationId,
    messages::{self, Draft, File},
    relations,
};
use kit::{
    base_url::BaseUrl,
    body::{Body, Content},
    credentials::Auth,
    fields::Fields,
    json::Json,
    reply::Reply,
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{DIALECT, body::uuid_of, fault, media, schema, wire::MessageStatus};

/// A message that was sent.
#[derive(Serialize, ToSchema)]
pub(crate) struct Sent {
    success: &'static str,
    data: MessageStatus,
}

/// Sends a message, with files if it is multipart.
#[utoipa::path(
    post, path = "/api/messages/friendship/", tag = DIALECT,
    request_body(content((schema::NewMessage = "application/json"), (schema::NewMessage = "multipart/form-data"))),
    responses(
        (status = 201, description = "Stored, and told to both.", body = Sent),
        (status = 400, description = "What is wrong.", body = schema::FieldMap),
        (status = 403, description = "Either side has rejected.", body = schema::ErrorText),
        (status = 404, description = "No such friendship.", body = schema::ErrorText),
    ),
)]
pub(crate) async fn send(
    State(app): State<App>,
    Auth(caller): Auth,
    base: BaseUrl,
    Body(body): Body,
) -> Result<(StatusCode, Json<Sent>), Reply> {
    let (relation, draft) = message(&body)?;
    let place = relations::conversation(&app, &caller, relation).await.map_err(fault::sending)?;
    let stored = messages::post(&app, &caller, place, draft).await.map_err(fault::sending)?;
    // A repeat may name another friendship than the first did. Whatever is written to a friend has a receipt.
    let data =
        stored.posted.relation.and_then(|shown| MessageStatus::of(&stored.posted.message, shown, &base));
    let data = data.ok_or_else(fault::no_friendship)?;
    Ok((StatusCode::CREATED, Json(Sent { success: "Message sent successfully", data })))
}

/// Where a message goes, and what it is.
fn message(body: &Content) -> Result<(RelationId, Draft), Reply> {
    let mut fields = Fields::of(body).empty_is_missing();
    let channel = fields.text("channel").read();
    let files = files(body).unwrap_or_else(|problem| {
        fields.error("media", problem);
        Vec::new()
    });
    let content = fields.text("content").verbatim();
    let text = if files.is_empty() { content.read() } else { content.optional().unwrap_or_default() };
    let client_id = fields.text("client_id").verbatim().optional();
    fields.done()?;
    let relation = RelationId(Uuid::parse_str(&channel).map_err(|_| fault::no_friendship())?);
    Ok((relation, Draft { text, files, via: Some(relation), client_id, ..Draft::default() }))
}

/// The files of a multipart body, and those that stand in JSON as they do in a frame.
fn files(body: &Content) -> Result<Vec<File>, &'static str> {
    let uploaded = body.files().iter().filter(|file| file.field == "media");
    let mut files: Vec<_> =
        uploaded.map(|file| File { label: file.file_name.clone(), bytes: file.bytes.clone() }).collect();
    let in_json = body.structured("media").filter(|value| **value != "");
    files.extend(media::files(in_json.as_deref())?);
    Ok(files)
}

/// Marks a message to the caller as seen.
#[utoipa::path(
    post, path = "/api/messages/friendship/notification/seen/", tag = DIALECT,
    request_body = schema::SeenMessage,
    responses(
        (status = 200, description = "Seen.", body = schema::SuccessText),
        (status = 404, description = "No such message to the caller.", body = schema::ErrorText),
    ),
)]
pub(crate) async fn see(
    State(app): State<App>,
    Auth(caller): Auth,
    Body(body): Body,
) -> Result<Json<Value>, Reply> {
    let message = body.value("message_id").and_then(uuid_of).ok_or_else(fault::no_message)?;
    messages::see(&app, &caller, message, None).await.map_err(fault::seeing)?;
    Ok(Json(json!({ "success": "Message marked as seen" })))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "72c6e582-ded6-5248-a853-07e9784c509e";

    fn read(body: Value) -> Result<(RelationId, Draft), (u16, Value)> {
        message(&Content::of_json(body)).map_err(|reply| (reply.status.as_u16(), reply.body))
    }

    #[test]
    fn a_message_names_its_channel_and_says_something() {
        let (relation, draft) = read(json!({ "channel": ID, "content": " hi ", "client_id": "c" })).unwrap();
        assert_eq!((relation.0.to_string().as_str(), draft.text.as_str()), (ID, " hi "));
        assert_eq!((draft.via, draft.client_id.as_deref()), (Some(relation), Some("c")));
        let (_, draft) = read(json!({ "channel": ID, "media": [{ "a": "aGk=" }] })).unwrap();
        assert_eq!((draft.text.as_str(), draft.files.len()), ("", 1));
    }

    #[test]
    fn what_is_missing_is_named() {
        let required = json!(["This field is required."]);
        assert_eq!(read(json!({})).unwrap_err(), (400, json!({ "channel": required, "content": required })));
        assert_eq!(
            read(json!({ "channel": ID, "content": null, "media": [] })).unwrap_err(),
            (400, json!({ "content": required }))
        );
        assert_eq!(
            read(json!({ "channel": "7", "content": "x" })).unwrap_err(),
            (404, json!({ "error": "Friendship not found." }))
        );
        let (status, body) = read(json!({ "channel": ID, "content": "x", "media": "y" })).unwrap_err();
        assert_eq!(status, 400);
        assert!(body["media"].is_array());
    }
}
