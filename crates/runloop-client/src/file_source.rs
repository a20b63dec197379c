//! Where the bytes of an upload come from.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use tempfile::NamedTempFile;
use tokio_util::io::ReaderStream;

use crate::archive::Archive;
use crate::error::Error;
use crate::transfer_progress::ProgressHook;

/// Bytes held in memory go out in pieces of this size, so that progress shows.
const PIECE: usize = 256 * 1024;

/// The bytes of an upload: in memory, in a file, or from a stream.
///
/// Bytes and files can be sent again by a retry; a stream cannot, so an upload from a stream is tried once. Files and
/// streams are read while they are sent: memory stays constant.
///
/// ```no_run
/// # use runloop_client::{FileSource, ProgressHook};
/// # async fn example(devbox: runloop_client::Devbox) -> Result<(), runloop_client::Error> {
/// let hook = ProgressHook::new(|progress| eprintln!("{} of {:?} bytes", progress.done, progress.total));
/// devbox.upload("data.bin", FileSource::path("data.bin").on_progress(hook)).await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct FileSource {
    name: String,
    kind: Kind,
    hook: Option<ProgressHook>,
}

enum Kind {
    Bytes(Bytes),
    Path(PathBuf),
    Temporary(Arc<NamedTempFile>),
    Stream { stream: Mutex<Option<BoxStream<'static, io::Result<Bytes>>>>, length: Option<u64> },
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Path(path) => write!(f, "{path:?}"),
            Self::Temporary(file) => write!(f, "{:?}", file.path()),
            Self::Stream { length, .. } => write!(f, "stream of {length:?} bytes"),
        }
    }
}

impl FileSource {
    /// Bytes in memory.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self::new(Kind::Bytes(bytes.into()))
    }

    /// A local file, read while it is sent.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let source = Self::new(Kind::Path(path));
        match name {
            Some(name) => source.named(name),
            None => source,
        }
    }

    /// A temporary file that lives at least as long as this.
    pub(crate) fn temporary(file: Arc<NamedTempFile>) -> Self {
        Self::new(Kind::Temporary(file))
    }

    /// A stream of chunks, with its length in bytes if known.
    pub fn stream(
        stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        length: Option<u64>,
    ) -> Self {
        Self::new(Kind::Stream { stream: Mutex::new(Some(stream.boxed())), length })
    }

    fn new(kind: Kind) -> Self {
        Self { name: "file".to_owned(), kind, hook: None }
    }

    /// Sets the file name that the form part carries.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Tells `hook` how far the upload is.
    pub fn on_progress(mut self, hook: ProgressHook) -> Self {
        self.hook = Some(hook);
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The same bytes; a stream of unknown length is written to a temporary file for that.
    pub(crate) async fn with_known_length(mut self) -> Result<Self, Error> {
        if let Kind::Stream { stream, length: None } = &self.kind {
            let taken = stream.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(stream) = taken {
                self.kind = Archive::spool(stream).await?.source().kind;
            }
        }
        Ok(self)
    }

    pub(crate) fn is_replayable(&self) -> bool {
        !matches!(self.kind, Kind::Stream { .. })
    }

    /// Opens it for one attempt: the body and its length. `progress` counts what was taken from it.
    pub(crate) async fn open(&self, progress: &Progress) -> Result<(reqwest::Body, Option<u64>), Error> {
        match &self.kind {
            Kind::Bytes(bytes) if bytes.len() <= PIECE && self.hook.is_none() => {
                Ok((bytes.clone().into(), Some(bytes.len() as u64)))
            }
            Kind::Bytes(bytes) => {
                let length = bytes.len() as u64;
                let rest = bytes.clone();
                let pieces = futures::stream::unfold(rest, |mut rest| async move {
                    (!rest.is_empty()).then(|| {
                        let piece = rest.split_to(rest.len().min(PIECE));
                        (Ok(piece), rest)
                    })
                });
                Ok((progress.watch(pieces, Some(length), self.hook.clone()), Some(length)))
            }
            Kind::Path(path) => self.open_path(path, progress).await,
            Kind::Temporary(file) => self.open_path(file.path(), progress).await,
            Kind::Stream { stream, length } => {
                let taken = stream.lock().unwrap_or_else(PoisonError::into_inner).take();
                let stream = taken.ok_or_else(|| Error::InvalidRequest {
                    reason: "an upload from a stream cannot be sent a second time".to_owned(),
                })?;
                Ok((progress.watch(stream, *length, self.hook.clone()), *length))
            }
        }
    }

    async fn open_path(
        &self,
        path: &Path,
        progress: &Progress,
    ) -> Result<(reqwest::Body, Option<u64>), Error> {
        let failed = |source| Error::File { action: "read", path: path.to_owned(), source };
        let file = tokio::fs::File::open(path).await.map_err(failed)?;
        let metadata = file.metadata().await.map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        let length = metadata.is_file().then_some(metadata.len());
        let pieces = ReaderStream::with_capacity(file, PIECE);
        Ok((progress.watch(pieces, length, self.hook.clone()), length))
    }
}

impl From<Bytes> for FileSource {
    fn from(bytes: Bytes) -> Self {
        Self::bytes(bytes)
    }
}

impl From<Vec<u8>> for FileSource {
    fn from(bytes: Vec<u8>) -> Self {
        Self::bytes(bytes)
    }
}

impl From<String> for FileSource {
    fn from(text: String) -> Self {
        Self::bytes(text)
    }
}

impl From<PathBuf> for FileSource {
    fn from(path: PathBuf) -> Self {
        Self::path(path)
    }
}

impl From<&Path> for FileSource {
    fn from(path: &Path) -> Self {
        Self::path(path)
    }
}

/// Counts the bytes of a body that were taken by the connection: a slow upload is not a silent one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress(Arc<AtomicU64>);

impl Progress {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn watch(
        &self,
        stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        total: Option<u64>,
        hook: Option<ProgressHook>,
    ) -> reqwest::Body {
        let counter = Arc::clone(&self.0);
        reqwest::Body::wrap_stream(stream.inspect(move |piece| {
            let length = piece.as_ref().map_or(0, |piece| piece.len() as u64);
            let before = counter.fetch_add(length, Ordering::Relaxed);
            if let Some(hook) = &hook {
                hook.tell(before + length, total);
            }
        }))
    }
}
