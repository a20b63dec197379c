//! Stored objects.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use runloop_types::{
    Metadata, ObjectContentType, ObjectCreateParams, ObjectDownloadUrlView, ObjectState, ObjectView,
    PageParams,
};
use serde::Serialize;

use crate::archive::{Archive, archive_dir};
use crate::byte_stream::ByteStream;
use crate::call::Call;
use crate::error::Error;
use crate::file_source::FileSource;
use crate::page::ListCall;
use crate::request::Request;
use crate::resources::resource;

resource! {
    /// Endpoints of stored objects, and uploads; from [`Client::objects`](crate::Client::objects).
    Objects
}

/// Filters of [`Objects::list`] and [`Objects::list_public`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ObjectListParams {
    /// Only objects with this text in their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only objects with this text in their id or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Only objects of this content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<ObjectContentType>,
    /// Only objects in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ObjectState>,
    /// Size and place of the page.
    #[serde(flatten)]
    pub page: PageParams,
}

/// What an upload becomes. What is not set is taken from the source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
}

impl ObjectUpload {
    /// An upload of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..Self::default() }
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
    /// Creates an object without bytes: PUT them to its `upload_url`, then [`Objects::complete`] it. The `upload_*`
    /// methods do all three.
    ///
    /// SDK 1 to 3.
    pub fn create(&self, params: &ObjectCreateParams) -> Call<ObjectView> {
        self.client.call(Request::post("/v1/objects", &[]).and_then(|request| request.json(params)))
    }

    /// What an object is at present; also of a deleted one.
    ///
    /// SDK 1 to 3.
    pub fn retrieve(&self, id: impl AsRef<str>) -> Call<ObjectView> {
        self.client.call(Request::get("/v1/objects/{}", &[id.as_ref()]))
    }

    /// Lists objects, newest first.
    ///
    /// SDK 1 to 3.
    pub fn list(&self, params: &ObjectListParams) -> ListCall<ObjectView> {
        ListCall::new(self.client.clone(), "/v1/objects", params)
    }

    /// Lists the objects that every account may read.
    ///
    /// SDK 1 to 3.
    pub fn list_public(&self, params: &ObjectListParams) -> ListCall<ObjectView> {
        ListCall::new(self.client.clone(), "/v1/objects/list_public", params)
    }

    /// Ends the upload; the object never changes again. 409 if it was ended before.
    ///
    /// SDK 1 to 3.
    pub fn complete(&self, id: impl AsRef<str>) -> Call<ObjectView> {
        self.client.call(Request::post("/v1/objects/{}/complete", &[id.as_ref()]))
    }

    /// Deletes an object.
    ///
    /// SDK 1 to 3.
    pub fn delete(&self, id: impl AsRef<str>) -> Call<ObjectView> {
        self.client.call(Request::post("/v1/objects/{}/delete", &[id.as_ref()]))
    }

    /// A URL that gives the bytes without a key, valid for `duration` (an hour unless set). Treat it as a credential.
    ///
    /// SDK 1 to 3.
    pub fn download_url(
        &self,
        id: impl AsRef<str>,
        duration: Option<Duration>,
    ) -> Call<ObjectDownloadUrlView> {
        let request = Request::get("/v1/objects/{}/download", &[id.as_ref()]);
        self.client.call(request.map(|request| match duration {
            Some(duration) => request.query("duration_seconds", duration.as_secs()),
            None => request,
        }))
    }

    /// The object's bytes as they arrive.
    ///
    /// # Errors
    /// [`Error::Presigned`] if the store does not give them.
    pub async fn download(&self, id: impl AsRef<str>) -> Result<ByteStream, Error> {
        let view = self.download_url(id, None).send().await?;
        self.client.transport().get_presigned(&view.download_url).await
    }

    /// The object's bytes in memory.
    ///
    /// # Errors
    /// As [`Objects::download`].
    pub async fn download_as_bytes(&self, id: impl AsRef<str>) -> Result<Bytes, Error> {
        self.download(id).await?.bytes().await
    }

    /// Uploads bytes.
    ///
    /// # Errors
    /// As all `upload_*` methods: [`Error`] of the step that failed. The unfinished object is deleted if possible.
    pub async fn upload_bytes(
        &self,
        bytes: impl Into<Bytes>,
        upload: &ObjectUpload,
    ) -> Result<ObjectView, Error> {
        self.upload(upload.params("object", ObjectContentType::Binary), FileSource::bytes(bytes), upload)
            .await
    }

    /// Uploads text.
    ///
    /// # Errors
    /// As [`Objects::upload_bytes`].
    pub async fn upload_text(
        &self,
        text: impl Into<String>,
        upload: &ObjectUpload,
    ) -> Result<ObjectView, Error> {
        let source = FileSource::bytes(text.into());
        self.upload(upload.params("object", ObjectContentType::Text), source, upload).await
    }

    /// Uploads a file; its name says what it holds.
    ///
    /// # Errors
    /// As [`Objects::upload_bytes`].
    pub async fn upload_file(
        &self,
        path: impl AsRef<Path>,
        upload: &ObjectUpload,
    ) -> Result<ObjectView, Error> {
        let path = path.as_ref();
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        self.upload(upload.params(&name, content_type(&name)), FileSource::path(path), upload).await
    }

    /// Uploads everything below a directory as a gzipped tar archive.
    ///
    /// # Errors
    /// As [`Objects::upload_bytes`].
    pub async fn upload_dir(
        &self,
        path: impl AsRef<Path>,
        upload: &ObjectUpload,
    ) -> Result<ObjectView, Error> {
        let path = path.as_ref();
        let name = path.file_name().map_or_else(|| "directory".into(), |name| name.to_string_lossy());
        let archive = archive_dir(path).await?;
        self.upload_archive(archive, &format!("{name}.tar.gz"), upload).await
    }

    /// Uploads an archive that was made before.
    ///
    /// # Errors
    /// As [`Objects::upload_bytes`].
    pub async fn upload_archive(
        &self,
        archive: Archive,
        name: &str,
        upload: &ObjectUpload,
    ) -> Result<ObjectView, Error> {
        self.upload(upload.params(name, ObjectContentType::Tgz), archive.source(), upload).await
    }

    /// Uploads a stream of chunks. Without a `length` it is written to a temporary file first, because object stores
    /// want to know it.
    ///
    /// # Errors
    /// As [`Objects::upload_bytes`].
    pub async fn upload_stream(
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
