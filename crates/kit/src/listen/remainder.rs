//! What is left of a request's body when it was answered without being read to its end.
//!
//! HTTP/1 cannot answer the next request before it is gone (RFC 9112, 9.3), and a connection that is closed over unread
//! bytes is reset, which can cost the client the very answer.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, SizeHint};

/// Bytes that are read and thrown away at most; beyond, the connection is closed.
const MOST: usize = 16 << 20;

/// How long that may take.
const WITHIN: Duration = Duration::from_secs(5);

/// Where a body leaves its rest.
pub(super) struct Remainder<B>(Arc<Mutex<Option<B>>>);

/// A body that leaves its rest when it is dropped.
pub(super) struct Leaving<B: Body + Unpin> {
    body: Option<B>,
    remainder: Arc<Mutex<Option<B>>>,
}

impl<B: Body + Unpin> Leaving<B> {
    /// The body, and where its rest will be.
    pub(super) fn new(body: B) -> (Self, Remainder<B>) {
        let remainder = Arc::new(Mutex::new(None));
        (Self { body: Some(body), remainder: Arc::clone(&remainder) }, Remainder(remainder))
    }
}

impl<B: Body + Unpin> Drop for Leaving<B> {
    fn drop(&mut self) {
        let rest = self.body.take().filter(|body| !body.is_end_stream());
        *self.remainder.lock().unwrap_or_else(PoisonError::into_inner) = rest;
    }
}

impl<B: Body<Data = Bytes> + Unpin> Remainder<B> {
    /// Reads what is left, if it is to come, and throws it away. `false` when there is more than is worth it: then the
    /// connection has to be closed behind the answer.
    pub(super) async fn drain(self, is_to_come: bool) -> bool {
        let rest = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut body) = rest else { return true };
        if !is_to_come {
            return false;
        }
        let drained = async {
            let mut read = 0;
            while let Some(frame) = body.frame().await {
                let Ok(frame) = frame else { return false };
                read += frame.data_ref().map_or(0, Bytes::len);
                if read > MOST {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(WITHIN, drained).await.unwrap_or(false)
    }
}

impl<B: Body + Unpin> Body for Leaving<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}
