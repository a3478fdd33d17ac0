//! Files of people: `/media/<key>` (common.md, Media).
//!
//! Keys are made by the server and never used again, so what is behind one never changes. Only images are shown in
//! pages; whatever else people sent is for download, and no script of it ever runs on this origin.

use std::{ops::Range, sync::Arc};

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use domain::ports::Blobs;
use futures_util::stream;
use sha1::{Digest, Sha1};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::reply::Reply;

/// The key of the picture of accounts that have none.
const DEFAULT_AVATAR: &str = "avatars/default.png";

/// Bytes that are read at a time.
const CHUNK: u64 = 256 << 10;

/// For what never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// For the default picture, which the next version of the program may draw anew.
const FOR_AN_HOUR: &str = "public, max-age=3600";

#[derive(Clone)]
struct Media {
    blobs: Arc<dyn Blobs>,
    default_avatar: &'static [u8],
    /// The default picture's entity tag.
    default_tag: Arc<str>,
}

/// A file that is there.
struct File<'k> {
    key: &'k str,
    size: u64,
    /// Its entity tag, in quotes (RFC 9110, 8.8.3).
    tag: String,
    caching: &'static str,
}

/// The routes. `default_avatar` is a PNG, served as `/media/avatars/default.png` whatever `blobs` hold.
pub fn routes(blobs: Arc<dyn Blobs>, default_avatar: &'static [u8]) -> OpenApiRouter {
    let default_tag = BASE64_STANDARD.encode(Sha1::digest(default_avatar)).into();
    OpenApiRouter::with_openapi(Document::openapi())
        .route("/media/{*key}", get(file))
        .route("/media/media/{*key}", get(file))
        .with_state(Media { blobs, default_avatar, default_tag })
}

#[derive(OpenApi)]
#[openapi(paths(file, file_too))]
struct Document;

/// The document's second name for the same files.
#[utoipa::path(
    get, path = "/media/media/{key}", tag = "media", security(()),
    params(("key" = String, Path, description = "The file's key; it may hold slashes")),
    responses((status = 200, description = "As `/media/{key}`."), (status = 404, description = "There is none.")),
)]
#[expect(dead_code, reason = "it is there for the API document: one handler serves both paths")]
fn file_too() {}

/// A file. Images are shown, everything else is for download.
#[utoipa::path(
    get, path = "/media/{key}", tag = "media", security(()),
    params(("key" = String, Path, description = "The file's key; it may hold slashes")),
    responses(
        (status = 200, description = "The file; `HEAD` works, too.", content_type = "application/octet-stream"),
        (status = 206, description = "The range that was asked for."),
        (status = 304, description = "It is the one that the client has (`If-None-Match`)."),
        (status = 404, description = "There is none."),
        (status = 416, description = "The range is beyond the end."),
    ),
)]
async fn file(
    State(media): State<Media>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Reply> {
    answer(&media, &key, &headers).await
}

/// The file under `key`, as `/media/<key>` answers it: for the other names that dialects have for files. The default
/// picture has none.
pub async fn kept(blobs: Arc<dyn Blobs>, key: &str, headers: &HeaderMap) -> Result<Response, Reply> {
    if key == DEFAULT_AVATAR {
        return Err(Reply::not_found());
    }
    answer(&Media { blobs, default_avatar: &[], default_tag: Arc::default() }, key, headers).await
}

async fn answer(media: &Media, key: &str, headers: &HeaderMap) -> Result<Response, Reply> {
    let file = media.file(key).await?.ok_or_else(Reply::not_found)?;
    if lists(headers, &header::IF_NONE_MATCH, &file.tag) {
        return Ok((StatusCode::NOT_MODIFIED, file.headers(false)).into_response());
    }
    let Some(range) = wanted(headers, &file) else {
        let body = media.body(key, 0..file.size);
        return Ok((file.headers(true), [(header::CONTENT_LENGTH, file.size)], body).into_response());
    };
    let Ok(range) = range else {
        let reply =
            Reply::detail(StatusCode::RANGE_NOT_SATISFIABLE, "The range is beyond the end of the file.");
        return Err(with_range(reply, &format!("bytes */{}", file.size)));
    };
    let place = format!("bytes {}-{}/{}", range.start, range.end - 1, file.size);
    let numbers =
        [(header::CONTENT_LENGTH, (range.end - range.start).to_string()), (header::CONTENT_RANGE, place)];
    Ok((StatusCode::PARTIAL_CONTENT, file.headers(true), numbers, media.body(key, range)).into_response())
}

impl Media {
    async fn file<'k>(&self, key: &'k str) -> Result<Option<File<'k>>, Reply> {
        if key == DEFAULT_AVATAR {
            let size = self.default_avatar.len() as u64;
            return Ok(Some(File {
                key,
                size,
                tag: format!("\"{}\"", self.default_tag),
                caching: FOR_AN_HOUR,
            }));
        }
        let size = self.blobs.size(key).await?;
        Ok(size.map(|size| File { key, size, tag: format!("\"{key}\""), caching: FOR_EVER }))
    }

    /// The bytes of `range`, read as they are sent. A file that is deleted meanwhile ends the connection.
    fn body(&self, key: &str, range: Range<u64>) -> Body {
        if key == DEFAULT_AVATAR {
            let bounds = |at| usize::try_from(at).unwrap_or(usize::MAX).min(self.default_avatar.len());
            return Body::from(&self.default_avatar[bounds(range.start)..bounds(range.end)]);
        }
        let (blobs, key) = (Arc::clone(&self.blobs), key.to_owned());
        Body::from_stream(stream::try_unfold((blobs, key, range), |(blobs, key, range)| async move {
            if range.is_empty() {
                return Ok(None);
            }
            let chunk = chunk(&*blobs, &key, range.start..range.end.min(range.start + CHUNK)).await?;
            let rest = range.start + chunk.len() as u64..range.end;
            Ok::<_, std::io::Error>(Some((chunk, (blobs, key, rest))))
        }))
    }
}

async fn chunk(blobs: &dyn Blobs, key: &str, range: Range<u64>) -> std::io::Result<Bytes> {
    match blobs.read(key, range).await {
        Ok(Some(bytes)) if !bytes.is_empty() => Ok(bytes),
        Ok(_) => Err(std::io::Error::other("the file is gone")),
        Err(error) => {
            tracing::error!(key, ?error, "a file cannot be read");
            Err(std::io::Error::other("the file cannot be read"))
        }
    }
}

impl File<'_> {
    /// The headers of every answer; `whole` where a body follows.
    fn headers(&self, whole: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.caching));
        if let Ok(tag) = HeaderValue::try_from(&self.tag) {
            headers.insert(header::ETAG, tag);
        }
        if !whole {
            return headers;
        }
        let image = image_type(self.key);
        let kind = image.unwrap_or("application/octet-stream");
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if image.is_none() {
            headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
        }
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let policy = HeaderValue::from_static("default-src 'none'; sandbox");
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        headers
    }
}

/// The media type of an image by its key. The core gives these extensions to what it recognised, and to nothing else.
fn image_type(key: &str) -> Option<&'static str> {
    match key.rsplit_once('.')?.1 {
        "png" => Some("image/png"),
        "jpg" => Some("image/jpeg"),
        "gif" => Some("image/gif"),
        "webp" => Some("image/webp"),
        _ => None,
    }
}

fn with_range(reply: Reply, range: &str) -> Reply {
    match HeaderValue::from_str(range) {
        Ok(range) => reply.header(header::CONTENT_RANGE, range),
        Err(_) => reply,
    }
}

/// Whether a header lists this entity tag, compared weakly, or is `*` (RFC 9110, 13.1.2).
fn lists(headers: &HeaderMap, name: &header::HeaderName, tag: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    let mut tags = lines.flat_map(|line| line.split(',')).map(str::trim);
    tags.any(|listed| listed == "*" || listed.strip_prefix("W/").unwrap_or(listed) == tag)
}

/// Nothing fits into the file.
struct Unsatisfiable;

/// The range that is asked for (RFC 9110, 14.2): `None` for the whole file, as when there are several, or when the
/// client has a part of another version (`If-Range`).
fn wanted(headers: &HeaderMap, file: &File<'_>) -> Option<Result<Range<u64>, Unsatisfiable>> {
    if headers.get(header::IF_RANGE).is_some_and(|tag| tag.as_bytes() != file.tag.as_bytes()) {
        return None;
    }
    let mut lines = headers.get_all(header::RANGE).iter();
    let line = lines.next().filter(|_| lines.next().is_none())?.to_str().ok()?;
    let (unit, range) = line.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    let range = if first.is_empty() {
        file.size.saturating_sub(number(last)?)..file.size
    } else {
        let first = number(first)?;
        let end = if last.is_empty() { file.size } else { number(last)?.checked_add(1)? };
        if end <= first && !last.is_empty() {
            return None;
        }
        first..end.min(file.size)
    };
    Some(if range.is_empty() { Err(Unsatisfiable) } else { Ok(range) })
}

/// Digits alone. One beyond all numbers is beyond every file, too.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX - 1))
}

#[cfg(test)]
mod tests;
