//! The longest content that is read.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use spikard_core::{Body, BoxError};

use crate::Rejection;

/// `body`, which fails with [`Rejection::ContentTooLarge`] once it is longer than `limit_bytes`.
///
/// [`u64::MAX`] is no limit.
///
/// # Errors
///
/// The body says beforehand that it is longer, as `Content-Length` makes it do; nothing is read then.
pub fn limit(body: Body, limit_bytes: u64) -> Result<Body, Rejection> {
    let length = body.size_hint();
    if length.lower() > limit_bytes {
        return Err(Rejection::ContentTooLarge { limit_bytes });
    }
    if length.upper().is_some_and(|upper| upper <= limit_bytes) {
        return Ok(body);
    }
    Ok(Body::new(Limited {
        body,
        limit_bytes,
        read_bytes: 0,
    }))
}

/// All of `body`. Content that comes in one piece is not copied.
pub(crate) async fn collect(mut body: Body) -> Result<Bytes, Rejection> {
    let Some(first) = next_bytes(&mut body).await? else {
        return Ok(Bytes::new());
    };
    let Some(second) = next_bytes(&mut body).await? else {
        return Ok(first);
    };
    let mut whole = BytesMut::with_capacity(2 * (first.len() + second.len()));
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&second);
    while let Some(bytes) = next_bytes(&mut body).await? {
        whole.extend_from_slice(&bytes);
    }
    Ok(whole.freeze())
}

/// The next bytes of `body`, at least one; `None` at its end. Trailers are skipped.
pub(crate) async fn next_bytes(body: &mut Body) -> Result<Option<Bytes>, Rejection> {
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame.map_err(Rejection::from)?.into_data()
            && !bytes.is_empty()
        {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

struct Limited {
    body: Body,
    limit_bytes: u64,
    read_bytes: u64,
}

impl http_body::Body for Limited {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            let length = frame.data_ref().map_or(0, Bytes::len) as u64;
            self.read_bytes = self.read_bytes.saturating_add(length);
            if self.read_bytes > self.limit_bytes {
                // What is left is not asked for.
                self.body = Body::empty();
                let limit_bytes = self.limit_bytes;
                let error = Rejection::ContentTooLarge { limit_bytes };
                return Poll::Ready(Some(Err(error.into())));
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
