//! Whole uploads and downloads of objects: create, PUT, complete; ask for a URL, GET.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use runloop_types::{Metadata, ObjectContentType, ObjectCreateParams, ObjectView};

use crate::archive::{Archive, ArchiveOptions, archive_dir_with};
use crate::byte_stream::ByteStream;
use crate::error::Error;
use crate::file_source::FileSource;
use crate::resources::Objects;
use crate::transfer_progress::{ProgressHook, TransferProgress};

/// What an upload becomes. What is not set is taken from the source.
///
/// ```
/// use std::time::Duration;
/// use runloop_client::ObjectUpload;
///
/// let upload = ObjectUpload {
///     ttl: Some(Duration::from_secs(3600)),
///     idempotency_key: Some("run-1/inputs".into()),
///     ..ObjectUpload::named("inputs")
/// }
/// .on_progress(|progress| eprintln!("{} of {:?} bytes", progress.done, progress.total));
/// assert!(upload.progress.is_some());
/// ```
#[derive(Debug, Clone, Default)]
pub struct ObjectUpload {
    /// The object's name; else the file's or directory's.
    pub name: Option<String>,
    /// What it holds; else what the file's name says.
    pub content_type: Option<ObjectContentType>,
    /// Labels.
    pub metadata: Option<Metadata>,
    /// Life time in whole seconds; none means for ever.
    pub ttl: Option<Duration>,
    /// Names the creation: asked twice, there is still one object.
    pub idempotency_key: Option<String>,
    /// Is told how far the bytes are.
    pub progress: Option<ProgressHook>,
}

impl ObjectUpload {
    /// An upload of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..Self::default() }
    }

    /// Tells `hook` how far the bytes are.
    pub fn on_progress(self, hook: impl Fn(TransferProgress) + Send + Sync + 'static) -> Self {
        Self { progress: Some(ProgressHook::new(hook)), ..self }
    }

    fn params(&self, name: &str, content_type: ObjectContentType) -> ObjectCreateParams {
        let ttl = self.ttl.map(|ttl| i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX).saturating_mul(1000));
        ObjectCreateParams {
            name: self.name.clone().unwrap_or_else(|| name.to_owned()),
            content_type: self.content_type.clone().unwrap_or(content_type),
            metadata: self.metadata.clone(),
            ttl_ms: ttl.filter(|ttl| *ttl > 0),
        }
    }
}

impl Objects {
    /// The object's bytes as they arrive, in constant memory.
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// let size = client.objects().download("obj_1").await?.save_to("copy.bin").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Presigned`] if the store does not give them.
    pub async fn download(&self, id: impl AsRef<str>) -> Result<ByteStream, Error> {
        let view = self.download_url(id, None).send().await?;
        self.client.transport().get_presigned(&view.download_url).await
    }

    /// The object's bytes as UTF-8 text, in memory.
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// let notes = client.objects().download_as_text("obj_1").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Objects::download`]; [`Error::InvalidText`] if they are not UTF-8.
    pub async fn download_as_text(&self, id: impl AsRef<str>) -> Result<String, Error> {
        let id = id.as_ref();
        let bytes = self.download_as_bytes(id).await?;
        String::from_utf8(bytes.into()).map_err(|source| Error::InvalidText {
            what: format!("object {id}"),
            source: source.utf8_error(),
        })
    }

    /// The object's bytes in memory.
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// let bytes = client.objects().download_as_bytes("obj_1").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Objects::download`].
    pub async fn download_as_bytes(&self, id: impl AsRef<str>) -> Result<Bytes, Error> {
        self.download(id).await?.bytes().await
    }

    /// Uploads bytes.
    ///
    /// ```no_run
    /// # use runloop_client::ObjectUpload;
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// let object = client.objects().upload_from_bytes(vec![0; 16], &ObjectUpload::named("zeros")).await?;
    /// println!("{} has {:?} bytes", object.id, object.size_bytes);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As all `upload_*` methods: [`Error`] of the step that failed. The unfinished object is deleted if possible.
    pub async fn upload_from_bytes(
        &self,
        bytes: impl Into<Bytes>,
        upload: &ObjectUpload,
    ) -> Result<ObjectView, Error> {
        self.upload(upload.params("object", ObjectContentType::Binary), FileSource::bytes(bytes), upload)
            .await
    }

    /// Uploads text.
    ///
    /// ```no_run
    /// # use runloop_client::ObjectUpload;
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// client.objects().upload_from_text("hello", &ObjectUpload::named("note.txt")).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Objects::upload_from_bytes`].
    pub async fn upload_from_text(
        &self,
        text: impl Into<String>,
        upload: &ObjectUpload,
    ) -> Result<ObjectView, Error> {
        let source = FileSource::bytes(text.into());
        self.upload(upload.params("object", ObjectContentType::Text), source, upload).await
    }

    /// Uploads a file; its name says what it holds.
    ///
    /// ```no_run
    /// # use runloop_client::ObjectUpload;
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// client.objects().upload_from_file("data.tar.gz", &ObjectUpload::default()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Objects::upload_from_bytes`].
    pub async fn upload_from_file(
        &self,
        path: impl AsRef<Path>,
        upload: &ObjectUpload,
    ) -> Result<ObjectView, Error> {
        let path = path.as_ref();
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        self.upload(upload.params(&name, content_type(&name)), FileSource::path(path), upload).await
    }

    /// Uploads everything below a directory as a gzipped tar archive, made as by [`archive_dir`](crate::archive_dir).
    ///
    /// ```no_run
    /// # use runloop_client::ObjectUpload;
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// client.objects().upload_from_dir("project", &ObjectUpload::default()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Objects::upload_from_bytes`].
    pub async fn upload_from_dir(
        &self,
        path: impl AsRef<Path>,
        upload: &ObjectUpload,
    ) -> Result<ObjectView, Error> {
        self.upload_from_dir_with(path, upload, ArchiveOptions::default()).await
    }

    /// [`Objects::upload_from_dir`] without what `options` leave out.
    ///
    /// ```no_run
    /// # use runloop_client::{ArchiveOptions, ObjectUpload};
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// let options = ArchiveOptions::default().dockerignore();
    /// client.objects().upload_from_dir_with("project", &ObjectUpload::default(), options).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Objects::upload_from_bytes`].
    pub async fn upload_from_dir_with(
        &self,
        path: impl AsRef<Path>,
        upload: &ObjectUpload,
        options: ArchiveOptions,
    ) -> Result<ObjectView, Error> {
        let path = path.as_ref();
        // Of `.` and `..`, too, the name is that of the directory.
        let real = tokio::fs::canonicalize(path).await;
        let real = real.map_err(|source| Error::File { action: "read", path: path.to_owned(), source })?;
        let name = match path.file_name().or_else(|| real.file_name()) {
            Some(name) => format!("{}.tar.gz", name.to_string_lossy()),
            None => "directory.tar.gz".to_owned(),
        };
        let archive = archive_dir_with(path, options).await?;
        self.upload_archive(archive, &name, upload).await
    }

    /// Uploads an archive that was made before.
    ///
    /// ```no_run
    /// # use runloop_client::ObjectUpload;
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// let archive = runloop_client::archive_dir("project").await?;
    /// client.objects().upload_archive(archive, "project.tar.gz", &ObjectUpload::default()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Objects::upload_from_bytes`].
    pub async fn upload_archive(
        &self,
        archive: Archive,
        name: &str,
        upload: &ObjectUpload,
    ) -> Result<ObjectView, Error> {
        self.upload(upload.params(name, ObjectContentType::Tgz), archive.source(), upload).await
    }

    /// Uploads a stream of chunks; it is tried once. Without a `length` it is written to a temporary file first, because object stores
    /// want to know it.
    ///
    /// ```no_run
    /// # use runloop_client::ObjectUpload;
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// let pieces = futures::stream::iter([Ok("ab".into()), Ok("c".into())]);
    /// client.objects().upload_from_stream(pieces, Some(3), &ObjectUpload::named("abc")).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Objects::upload_from_bytes`].
    pub async fn upload_from_stream(
        &self,
        stream: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
        length: Option<u64>,
        upload: &ObjectUpload,
    ) -> Result<ObjectView, Error> {
        let params = upload.params("object", ObjectContentType::Binary);
        if length.is_some() {
            return self.upload(params, FileSource::stream(stream, length), upload).await;
        }
        let spooled = Archive::spool(stream).await?;
        self.upload(params, spooled.source(), upload).await
    }

    async fn upload(
        &self,
        params: ObjectCreateParams,
        source: FileSource,
        upload: &ObjectUpload,
    ) -> Result<ObjectView, Error> {
        let create = self.create(&params);
        let view = match &upload.idempotency_key {
            Some(key) => create.idempotency_key(key).send().await?,
            None => create.send().await?,
        };
        let url = view.upload_url.as_deref().unwrap_or_default();
        let headers = view.upload_headers.clone().unwrap_or_default();
        let source = match &upload.progress {
            Some(hook) => source.on_progress(hook.clone()),
            None => source,
        };
        match self.client.transport().put_presigned(url, &headers, source).await {
            Ok(()) => self.complete(&view.id).send().await,
            Err(error) => {
                // Best effort: without it, an object that never gets its bytes stays behind.
                if let Err(cleanup) = self.delete(&view.id).max_retries(1).send().await {
                    tracing::warn!(object = %view.id, error = %cleanup, "unfinished object stays behind");
                }
                Err(error)
            }
        }
    }
}

/// What a file holds, by its name.
fn content_type(name: &str) -> ObjectContentType {
    let name = name.to_ascii_lowercase();
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| name.ends_with(suffix));
    if ends(&[".tar.gz", ".tgz"]) {
        ObjectContentType::Tgz
    } else if ends(&[".gz"]) {
        ObjectContentType::Gzip
    } else if ends(&[".tar"]) {
        ObjectContentType::Tar
    } else if ends(&[".txt", ".html", ".css", ".js", ".json", ".xml", ".yaml", ".yml", ".md", ".csv"]) {
        ObjectContentType::Text
    } else {
        ObjectContentType::Unspecified
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_says_what_it_holds() {
        for (name, expected) in [
            ("a.tar.gz", ObjectContentType::Tgz),
            ("A.TGZ", ObjectContentType::Tgz),
            ("a.gz", ObjectContentType::Gzip),
            ("a.tar", ObjectContentType::Tar),
            ("a.yml", ObjectContentType::Text),
            ("a.bin", ObjectContentType::Unspecified),
            ("txt", ObjectContentType::Unspecified),
        ] {
            assert_eq!(content_type(name), expected, "{name}");
        }
    }

    #[test]
    fn time_to_live_is_sent_in_whole_seconds_and_zero_means_none() {
        let ttl = |ttl| {
            ObjectUpload { ttl: Some(ttl), ..ObjectUpload::default() }
                .params("x", ObjectContentType::Text)
                .ttl_ms
        };
        assert_eq!(ttl(Duration::from_millis(2999)), Some(2000));
        assert_eq!(ttl(Duration::from_millis(999)), None);
        assert_eq!(ttl(Duration::MAX), Some(i64::MAX));
    }
}
