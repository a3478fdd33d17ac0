//! Files: keys for them, and pictures of people.

use bytes::Bytes;

use crate::{App, Error, Field, Problem, Result, Rule};

/// The extension of files that are served for download, whatever is in them.
const DOWNLOAD: &str = "bin";

/// A key that nobody can guess: 32 hex digits and the extension, which alone decides how the file is served.
fn new_key(app: &App, folder: &str, extension: &str) -> String {
    let mut random = [0; 16];
    app.ids.fill(&mut random);
    format!("{folder}{}.{extension}", hex::encode(random))
}

/// Keeps a picture of a person, re-encoded, and returns its key. `Invalid` when it is no image.
pub(crate) async fn keep_avatar(app: &App, bytes: Bytes) -> Result<String> {
    let picture = app.pictures.refit(bytes, app.settings.avatar_side).await?;
    let picture =
        picture.ok_or_else(|| Error::Invalid(vec![Problem::new(Field::Avatar, Rule::NotAnImage)]))?;
    let key = new_key(app, "avatars/", picture.extension);
    app.blobs.put(&key, picture.bytes).await?;
    Ok(key)
}

/// Keeps a photo of a person, re-encoded, and its small square version; the keys of both. `Invalid` when it is no image.
pub(crate) async fn keep_photo(app: &App, bytes: Bytes) -> Result<(String, String)> {
    let no_image = || Error::Invalid(vec![Problem::new(Field::Avatar, Rule::NotAnImage)]);
    let picture = app.pictures.refit(bytes, app.settings.photo_side).await?.ok_or_else(no_image)?;
    let small = app.pictures.square(picture.bytes.clone(), app.settings.thumbnail_side).await?;
    let small = small.ok_or_else(no_image)?;
    let key = new_key(app, "avatars/", picture.extension);
    let small_key = new_key(app, "avatars/", small.extension);
    app.blobs.put(&key, picture.bytes).await?;
    if let Err(error) = app.blobs.put(&small_key, small.bytes).await {
        discard(app, &[key]).await;
        return Err(error);
    }
    Ok((key, small_key))
}

/// Keeps a picture that people refer to by its address, fitted into `side` by `side` pixels; its key. `Invalid` when it is
/// no image.
pub(crate) async fn keep_picture(app: &App, bytes: Bytes, side: u32) -> Result<String> {
    let picture = app.pictures.refit(bytes, side).await?;
    let picture =
        picture.ok_or_else(|| Error::Invalid(vec![Problem::new(Field::Image, Rule::NotAnImage)]))?;
    let key = new_key(app, "", picture.extension);
    app.blobs.put(&key, picture.bytes).await?;
    Ok(key)
}

/// Keeps a message's file as it is, and returns its key. Only images get an extension that lets a page show them.
pub(crate) async fn keep_attachment(app: &App, bytes: Bytes) -> Result<String> {
    let key = new_key(app, "", app.pictures.recognise(&bytes).unwrap_or(DOWNLOAD));
    app.blobs.put(&key, bytes).await?;
    Ok(key)
}

/// Removes files that nothing uses any more. A failure costs space alone, so it is logged and nobody else hears of it.
pub(crate) async fn discard(app: &App, keys: &[String]) {
    for key in keys {
        if let Err(fault) = app.blobs.delete(key).await {
            tracing::warn!(key, ?fault, "an unused file could not be removed");
        }
    }
}
