//! Answers in JSON.

mod scalar;
#[cfg(test)]
mod tests;
mod writer;

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use domain::Error;
use serde::Serialize;

use crate::fault::core_fault;

/// What most answers have room in, in bytes.
const USUAL: usize = 4 << 10;

/// What is answered, written as JSON with status 200: the same bytes as axum's and `serde_json`'s, for less.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let mut text = Vec::with_capacity(USUAL);
        if let Err(fault) = writer::write(&self.0, &mut text) {
            return core_fault(Error::Internal(fault.into())).into_response();
        }
        let mut response = Response::new(Body::from(text));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}
