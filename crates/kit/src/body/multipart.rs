//! `multipart/form-data` (RFC 7578).

use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use bytes::Bytes;
use serde_json::Value;

use super::{Content, Limits, Upload, too_large, too_many_fields};
use crate::reply::Reply;

/// The longest name of a file that is kept, in characters.
const FILE_NAME: usize = 255;

/// Reads a whole multipart body.
///
/// The parser gets all bytes in one piece: fed in small ones it searches its buffer from the start each time,
/// which a client could make arbitrarily slow.
pub(super) async fn parse(bytes: Bytes, boundary: Option<String>, limits: &Limits) -> Result<Content, Reply> {
    let boundary = boundary.ok_or_else(|| malformed("Invalid boundary in multipart: None"))?;
    let mut multipart = reader(bytes, &boundary).await?;
    let (mut values, mut files) = (Vec::new(), Vec::new());
    let (mut text_bytes, mut file_bytes, mut parts) = (0, 0, 0);
    while let Some(part) = multipart.next_field().await.map_err(|fault| unparsed(&fault))? {
        parts += 1;
        if parts > limits.fields {
            return Err(too_many_fields(limits));
        }
        let Some(name) = part.name().map(str::to_owned) else { continue };
        match part.file_name().map(str::to_owned) {
            // What a browser sends for a file input without a file.
            Some(file_name) if file_name.is_empty() => {}
            Some(file_name) => {
                let file = upload(name, &file_name, part).await?;
                file_bytes += file.bytes.len();
                if file_bytes > limits.upload_bytes {
                    return Err(too_large(limits.upload_bytes));
                }
                if files.len() == limits.files {
                    return Err(too_many_fields(limits));
                }
                files.push(file);
            }
            None => {
                let bytes = part.bytes().await.map_err(|fault| unparsed(&fault))?;
                text_bytes += bytes.len();
                if text_bytes > limits.text_bytes {
                    return Err(too_large(limits.text_bytes));
                }
                values.push((name, Value::String(String::from_utf8_lossy(&bytes).into_owned())));
            }
        }
    }
    Ok(Content::of_form(values, files))
}

/// The parser over bytes that are all there.
async fn reader(bytes: Bytes, boundary: &str) -> Result<Multipart, Reply> {
    let quoted = boundary.replace('\\', "\\\\").replace('"', "\\\"");
    let content_type = HeaderValue::try_from(format!("multipart/form-data; boundary=\"{quoted}\""));
    let mut request = Request::new(axum::body::Body::from(bytes));
    let unusable = || malformed(&format!("Invalid boundary in multipart: {boundary}"));
    request.headers_mut().insert(header::CONTENT_TYPE, content_type.map_err(|_| unusable())?);
    DefaultBodyLimit::disable().apply(&mut request);
    Multipart::from_request(request, &()).await.map_err(|_| unusable())
}

async fn upload(field: String, file_name: &str, part: Field<'_>) -> Result<Upload, Reply> {
    let base = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
    Ok(Upload {
        field,
        file_name: base.chars().filter(|letter| !letter.is_control()).take(FILE_NAME).collect(),
        content_type: part.content_type().map(str::to_owned),
        bytes: part.bytes().await.map_err(|fault| unparsed(&fault))?,
    })
}

fn unparsed(fault: &MultipartError) -> Reply {
    let cause = std::error::Error::source(fault).map(ToString::to_string);
    malformed(&cause.unwrap_or_else(|| fault.to_string()))
}

fn malformed(why: &str) -> Reply {
    Reply::detail(StatusCode::BAD_REQUEST, format!("Multipart form parse error - {why}"))
}
