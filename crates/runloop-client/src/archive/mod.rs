//! Directories as reproducible `.tar.gz` archives.

mod ignore;
mod options;
mod tarball;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use tempfile::NamedTempFile;

use crate::error::Error;
use crate::file_sink;
use crate::file_source::FileSource;

use tarball::Selection;

pub use ignore::IgnoreRules;
pub use options::{ArchiveEntry, ArchiveEntryKind, ArchiveOptions};

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
        let copy = file.reopen().map_err(temporary)?;
        file_sink::write(stream, move || Ok(copy)).await.map_err(|failed| match failed {
            file_sink::Failed::Stream(source) => {
                Error::File { action: "read", path: "the stream to upload".into(), source }
            }
            file_sink::Failed::File(source) => temporary(source),
        })?;
        Ok(Self { file: Arc::new(file) })
    }
}

/// Archives everything below `directory`: files, directories and symbolic links, the root as `.`.
///
/// The same files give the same bytes, whatever the clock, the umask and the order in which they were made: entries are
/// sorted, without times and owners, and of modes only the executable bit is kept.
///
/// ```no_run
/// # async fn example() -> Result<(), runloop_client::Error> {
/// let archive = runloop_client::archive_dir("project").await?;
/// println!("{}", archive.path().display());
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::File`] if something cannot be read, or is neither file, directory nor link.
pub async fn archive_dir(directory: impl Into<PathBuf>) -> Result<Archive, Error> {
    archive_dir_with(directory, ArchiveOptions::default()).await
}

/// [`archive_dir`] without what `options` leave out.
///
/// ```no_run
/// # use runloop_client::{ArchiveOptions, IgnoreRules};
/// # async fn example() -> Result<(), runloop_client::Error> {
/// let options = ArchiveOptions::default().ignore(IgnoreRules::from_patterns(["target"]));
/// let archive = runloop_client::archive_dir_with("project", options).await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// As [`archive_dir`], and [`Error::File`] if the `.dockerignore` that is to be honoured cannot be read.
pub async fn archive_dir_with(
    directory: impl Into<PathBuf>,
    options: ArchiveOptions,
) -> Result<Archive, Error> {
    let directory = directory.into();
    blocking(move || {
        let rules = rules(&directory, options.dockerignore, options.rules)?;
        let selection = Selection { rules: &rules, filter: options.filter.as_deref(), context: false };
        tarball::write(&directory, &selection)
    })
    .await
}

/// Archives the files and symbolic links of a Docker build context, without what its `.dockerignore` and `extra` exclude.
///
/// Rules are those of the file, then those of `extra`; the last one that matches decides. Reproducible as
/// [`archive_dir`].
///
/// ```no_run
/// # use runloop_client::{IgnoreRules, ObjectUpload};
/// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
/// let mut extra = IgnoreRules::read("ci.dockerignore".as_ref())?;
/// extra.append(IgnoreRules::from_patterns(["*.log", "!keep.log"]));
/// let context = runloop_client::build_docker_context_tar("project", &extra).await?;
/// let object = client.objects().upload_archive(context, "context.tar.gz", &ObjectUpload::default()).await?;
/// # Ok(()) }
/// ```
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
        let rules = rules(&directory, true, extra)?;
        tarball::write(&directory, &Selection { rules: &rules, filter: None, context: true })
    })
    .await
}

/// The rules of the directory, if they count, and then the caller's.
fn rules(directory: &Path, dockerignore: bool, extra: IgnoreRules) -> Result<IgnoreRules, Error> {
    if !dockerignore {
        return Ok(extra);
    }
    let mut rules = IgnoreRules::read_optional(&directory.join(".dockerignore"))?;
    rules.append(extra);
    Ok(rules)
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
