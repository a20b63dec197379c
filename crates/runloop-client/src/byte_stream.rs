//! A body that is read as it arrives.

use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt};
use tokio::io::AsyncWriteExt;

use crate::error::Error;

/// The bytes of an answer, as they arrive: a [`Stream`] of chunks.
///
/// Memory stays constant unless [`ByteStream::bytes`] collects it all.
pub struct ByteStream {
    chunks: BoxStream<'static, Result<Bytes, Error>>,
    length: Option<u64>,
}

impl std::fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ByteStream").field("length", &self.length).finish_non_exhaustive()
    }
}

impl ByteStream {
    pub(crate) fn new(chunks: BoxStream<'static, Result<Bytes, Error>>, length: Option<u64>) -> Self {
        Self { chunks, length }
    }

    /// The length in bytes, if the server told it.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Collects all bytes.
    ///
    /// # Errors
    /// [`Error::Transport`] if the connection breaks; nothing is tried again once bytes were handed out.
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        let Some(first) = self.chunks.try_next().await? else { return Ok(Bytes::new()) };
        let Some(second) = self.chunks.try_next().await? else { return Ok(first) };
        let mut all = BytesMut::from(first);
        all.extend_from_slice(&second);
        while let Some(chunk) = self.chunks.try_next().await? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// Writes all bytes to a file, which is created or overwritten; answers how many there were.
    ///
    /// # Errors
    /// [`Error::Transport`] if the connection breaks, [`Error::File`] if the file cannot be written.
    pub async fn save_to(mut self, path: impl AsRef<Path>) -> Result<u64, Error> {
        let path = path.as_ref();
        let failed = |source| Error::File { action: "write", path: path.to_owned(), source };
        let mut file = tokio::fs::File::create(path).await.map_err(failed)?;
        let mut written = 0;
        while let Some(chunk) = self.chunks.try_next().await? {
            file.write_all(&chunk).await.map_err(failed)?;
            written += chunk.len() as u64;
        }
        file.flush().await.map_err(failed)?;
        Ok(written)
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.chunks.poll_next_unpin(cx)
    }
}
