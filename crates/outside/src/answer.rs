//! Reading answers, of which no more is taken than there is room for.

use anyhow::{Result, bail};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;

/// Largest JSON body taken, in bytes.
pub(crate) const MAX_JSON_BYTES: usize = 1024 * 1024;

/// Sends `request` and gives the status with the JSON body; `None` where the body is no JSON.
///
/// # Errors
/// When no whole answer comes, or one of more than `max_bytes`.
pub(crate) async fn json(request: RequestBuilder, max_bytes: usize) -> Result<(StatusCode, Option<Value>)> {
    // The address may hold secrets of the settings, and is known anyway.
    let response = request.send().await.map_err(reqwest::Error::without_url)?;
    let status = response.status();
    let body = body(response, max_bytes).await?;
    Ok((status, serde_json::from_slice(&body).ok()))
}

/// The whole body.
///
/// # Errors
/// When it breaks off, or holds more than `max_bytes`.
pub(crate) async fn body(mut response: Response, max_bytes: usize) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        if body.len() + chunk.len() > max_bytes {
            bail!("the answer is longer than {max_bytes} bytes");
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
