//! Directories as reproducible `.tar.gz` archives.

mod ignore;
mod tarball;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;

use crate::error::Error;
use crate::file_source::FileSource;

pub use ignore::IgnoreRules;

/// An archive in a temporary file, which is removed with the last clone of it. Memory stays constant, however large the
/// directory.
#[derive(Debug, Clone)]
pub struct Archive {
    file: Arc<NamedTempFile>,
}

impl Archive {
    /// Where its bytes are, for as long as it lives.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The bytes for an upload, which keeps the file.
    pub fn source(&self) -> FileSource {
        FileSource::temporary(Arc::clone(&self.file))
    }

    /// Writes a stream of unknown length to a temporary file.
    pub(crate) async fn spool(stream: impl Stream<Item = io::Result<Bytes>>) -> Result<Self, Error> {
        let file = NamedTempFile::new().map_err(temporary)?;
        let failed = |source| Error::File { action: "write", path: file.path().to_owned(), source };
        let mut writer = tokio::fs::File::from_std(file.reopen().map_err(failed)?);
        let mut stream = std::pin::pin!(stream);
        while let Some(chunk) = stream.try_next().await.map_err(|source| Error::File {
            action: "read",
            path: "the stream to upload".into(),
            source,
        })? {
            writer.write_all(&chunk).await.map_err(failed)?;
        }
        writer.flush().await.map_err(failed)?;
        drop(writer);
        Ok(Self { file: Arc::new(file) })
    }
}

/// Archives everything below `directory`: files, directories and symbolic links, the root as `.`.
///
/// The same files give the same bytes: entries are sorted, without times and owners, and of modes only the executable
/// bit is kept.
///
/// # Errors
/// [`Error::File`] if something cannot be read, or is neither file, directory nor link.
pub async fn archive_dir(directory: impl Into<PathBuf>) -> Result<Archive, Error> {
    let directory = directory.into();
    blocking(move || tarball::write(&directory, None)).await
}

/// Archives the files and symbolic links of a Docker build context, without what its `.dockerignore` and `extra` exclude.
///
/// Rules are those of the file, then those of `extra`; the last one that matches decides. Reproducible as
/// [`archive_dir`].
///
/// # Errors
/// [`Error::File`] if something cannot be read.
pub async fn build_docker_context_tar(
    directory: impl Into<PathBuf>,
    extra: &IgnoreRules,
) -> Result<Archive, Error> {
    let directory = directory.into();
    let extra = extra.clone();
    blocking(move || {
        let mut rules = IgnoreRules::read_optional(&directory.join(".dockerignore"))?;
        rules.append(extra);
        tarball::write(&directory, Some(&rules))
    })
    .await
}

async fn blocking(
    work: impl FnOnce() -> Result<NamedTempFile, Error> + Send + 'static,
) -> Result<Archive, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(file) => Ok(Archive { file: Arc::new(file?) }),
        Err(error) => Err(temporary(io::Error::other(error))),
    }
}

fn temporary(source: io::Error) -> Error {
    Error::File { action: "write", path: std::env::temp_dir(), source }
}
