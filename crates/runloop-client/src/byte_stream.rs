//! A body that is read as it arrives.

use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt};

use crate::error::Error;
use crate::file_sink;
use crate::lines::LineStream;
use crate::transfer_progress::ProgressHook;

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

    /// Tells `hook` of each chunk before it is handed out.
    ///
    /// ```no_run
    /// # use runloop_client::ProgressHook;
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// let hook = ProgressHook::new(|progress| eprintln!("{} of {:?} bytes", progress.done, progress.total));
    /// client.objects().download("obj_1").await?.on_progress(hook).save_to("copy").await?;
    /// # Ok(()) }
    /// ```
    pub fn on_progress(self, hook: ProgressHook) -> Self {
        let (total, mut done) = (self.length, 0);
        let chunks = self.chunks.inspect_ok(move |chunk| {
            done += chunk.len() as u64;
            hook.tell(done, total);
        });
        Self { chunks: chunks.boxed(), length: total }
    }

    /// The bytes as lines of text; see [`LineStream`].
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use futures::TryStreamExt;
    ///
    /// let mut lines = client.objects().download("obj_1").await?.lines();
    /// while let Some(line) = lines.try_next().await? {
    ///     println!("{line}");
    /// }
    /// # Ok(()) }
    /// ```
    pub fn lines(self) -> LineStream {
        LineStream::new(self)
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

    /// Writes all bytes to a file, which is created or overwritten; answers how many there were. If that fails, the
    /// file holds what came.
    ///
    /// # Errors
    /// [`Error::Transport`] if the connection breaks, [`Error::File`] if the file cannot be written.
    pub async fn save_to(self, path: impl AsRef<Path>) -> Result<u64, Error> {
        let path = path.as_ref().to_owned();
        let create = {
            let path = path.clone();
            move || std::fs::File::create(path)
        };
        file_sink::write(self.chunks, create).await.map_err(|failed| match failed {
            file_sink::Failed::Stream(error) => error,
            file_sink::Failed::File(source) => Error::File { action: "write", path, source },
        })
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.chunks.poll_next_unpin(cx)
    }
}
