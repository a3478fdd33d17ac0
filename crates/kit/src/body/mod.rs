//! Request bodies: JSON, forms and multipart as one thing, [`Content`].
//!
//! Every endpoint takes all three (common.md, HTTP). `Body` is the extractor; the reader of its values is
//! [`crate::fields::Fields`].

mod content;
mod media_type;
mod multipart;
mod read;

use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use bytes::Bytes;
use serde_json::Value;

pub use content::{Content, Upload};
use media_type::MediaType;
use read::{is_empty, read};

use crate::reply::Reply;

/// The body of a request, whichever of the three kinds it has.
///
/// No body, or an empty one, is an empty object. Rejections: 400 for what cannot be parsed, 408 for a body
/// that stalls, 413 beyond the [`Limits`], 415 for other kinds.
#[derive(Clone, Debug)]
pub struct Body(pub Content);

/// A file that is the whole body of a request, whatever type it claims to have; of a multipart body the part that is
/// named `file`, or else the first file. Empty when there is none.
///
/// Rejections: 408 for a body that stalls, 413 beyond [`Limits::upload_bytes`].
#[derive(Clone, Debug)]
pub struct FileBody(pub Bytes);

/// How much a body may hold. Handlers read it from the request's extensions, or else use the default.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Most bytes of a JSON or form body, and of the plain values of a multipart body together.
    pub text_bytes: usize,
    /// Most bytes of the files of a multipart body together.
    pub upload_bytes: usize,
    /// Most bytes that a multipart body may have beyond its files, for headers, boundaries and values.
    pub upload_slack_bytes: usize,
    /// Most values and files of a form or multipart body.
    pub fields: usize,
    /// Most files of a multipart body.
    pub files: usize,
}

impl Default for Limits {
    /// 1 MiB of text, 10 MiB of files with 64 KiB around them, 1,000 fields, 20 files.
    fn default() -> Self {
        Self {
            text_bytes: 1 << 20,
            upload_bytes: 10 << 20,
            upload_slack_bytes: 64 << 10,
            fields: 1000,
            files: 20,
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Reply;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Reply> {
        let limits = request.extensions().get::<Limits>().copied().unwrap_or_default();
        let (parts, body) = request.into_parts();
        if is_empty(&body) {
            return Ok(Self(Content::empty()));
        }
        let Some(sent) = parts.headers.get(header::CONTENT_TYPE) else {
            let bytes = read(body, limits.text_bytes).await?;
            return if bytes.is_empty() { Ok(Self(Content::empty())) } else { Err(unsupported("")) };
        };
        let sent = String::from_utf8_lossy(sent.as_bytes());
        let kind = MediaType::parse(&sent).ok_or_else(|| unsupported(&sent))?;
        let limit = match kind {
            MediaType::Json | MediaType::Form => limits.text_bytes,
            MediaType::Multipart { .. } => limits.upload_bytes.saturating_add(limits.upload_slack_bytes),
        };
        let bytes = read(body, limit).await?;
        if bytes.is_empty() {
            return Ok(Self(Content::empty()));
        }
        let content = match kind {
            MediaType::Json => json(&bytes)?,
            MediaType::Form => form(&bytes, &limits)?,
            MediaType::Multipart { boundary } => multipart::parse(bytes, boundary, &limits).await?,
        };
        Ok(Self(content))
    }
}

impl<S: Send + Sync> FromRequest<S> for FileBody {
    type Rejection = Reply;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Reply> {
        let limits = request.extensions().get::<Limits>().copied().unwrap_or_default();
        let (parts, body) = request.into_parts();
        let sent =
            parts.headers.get(header::CONTENT_TYPE).map(|sent| String::from_utf8_lossy(sent.as_bytes()));
        let Some(MediaType::Multipart { boundary }) = sent.and_then(|sent| MediaType::parse(&sent)) else {
            return read(body, limits.upload_bytes).await.map(Self);
        };
        let bytes = read(body, limits.upload_bytes.saturating_add(limits.upload_slack_bytes)).await?;
        match multipart::parse(bytes.clone(), boundary, &limits).await {
            Ok(content) => {
                let file = content.file("file").or_else(|| content.files().first());
                Ok(Self(file.map(|file| file.bytes.clone()).unwrap_or_default()))
            }
            Err(refusal) if refusal.status == StatusCode::PAYLOAD_TOO_LARGE => Err(refusal),
            // It only claims to be multipart.
            Err(_) => Ok(Self(bytes)),
        }
    }
}

fn json(bytes: &[u8]) -> Result<Content, Reply> {
    serde_json::from_slice(bytes)
        .map(Content::of_json)
        .map_err(|fault| Reply::detail(StatusCode::BAD_REQUEST, format!("JSON parse error - {fault}")))
}

fn form(bytes: &[u8], limits: &Limits) -> Result<Content, Reply> {
    let values: Vec<(String, Value)> = form_urlencoded::parse(bytes)
        .take(limits.fields.saturating_add(1))
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect();
    if values.len() > limits.fields {
        return Err(too_many_fields(limits));
    }
    Ok(Content::of_form(values, Vec::new()))
}

/// The longest part of a media type that an answer repeats, in characters.
const SHOWN: usize = 200;

fn unsupported(sent: &str) -> Reply {
    let sent: String = sent.chars().take(SHOWN).collect();
    Reply::detail(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        format!("Unsupported media type \"{sent}\" in request."),
    )
}

fn too_large(limit: usize) -> Reply {
    Reply::detail(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("Request body is too large. At most {limit} bytes are allowed."),
    )
}

fn too_many_fields(limits: &Limits) -> Reply {
    Reply::detail(
        StatusCode::BAD_REQUEST,
        format!("Too many fields. At most {} are allowed, {} of them files.", limits.fields, limits.files),
    )
}

#[cfg(test)]
mod tests;
