//! A handle on one stored object.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use runloop_types::{
    BuildContext, Metadata, Mount, ObjectCreateParams, ObjectDownloadUrlView, ObjectId, ObjectView,
};

use crate::archive::{Archive, ArchiveOptions};
use crate::byte_stream::ByteStream;
use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::file_source::FileSource;
use crate::resources::{ObjectUpload, refuse};

/// A stored object: bytes that are uploaded once, and then read, mounted and built from.
///
/// Most are made in one go, by [`Client::upload_object_from_file`] and its like. One that [`Client::create_object`] made
/// gets its bytes from [`StorageObject::upload_content`], and is usable after [`StorageObject::complete`]. Where those
/// bytes go is known to this handle and its clones only, until then: a handle of [`Client::storage_object`] can do all but
/// that.
///
/// ```no_run
/// # use runloop_client::{ObjectUpload, WaitOptions};
/// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
/// use runloop_client::types::DevboxCreateParams;
///
/// let object = client.upload_object_from_file("data.tar.gz", &ObjectUpload::default()).await?;
/// let mounts = Some(vec![object.as_mount("/home/user/data")]);
/// let params = DevboxCreateParams { mounts, ..Default::default() };
/// let devbox = client.create_devbox(&params, WaitOptions::default()).await?;
/// # Ok(()) }
/// ```
///
/// Step by step:
///
/// ```no_run
/// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
/// use runloop_client::types::{ObjectContentType, ObjectCreateParams};
///
/// let params = ObjectCreateParams {
///     name: "note.txt".into(),
///     content_type: ObjectContentType::Text,
///     ..Default::default()
/// };
/// let object = client.create_object(&params).await?;
/// object.upload_content("hello".to_owned()).await?;
/// object.complete().await?;
/// assert_eq!(object.download_as_text().await?, "hello");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct StorageObject {
    client: Client,
    id: ObjectId,
    /// Shared by all clones: what one of them completed, none can upload to.
    target: Arc<Mutex<Option<Arc<Target>>>>,
}

/// Where the bytes go: a credential, so there is no `Debug`.
struct Target {
    url: String,
    headers: Metadata,
}

impl std::fmt::Debug for StorageObject {
    /// Leaves out where the bytes go.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StorageObject")
            .field("client", &self.client)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A handle on the object with this id; sends nothing. See [`StorageObject`].
    #[doc(alias = "from_id")]
    pub fn storage_object(&self, id: impl Into<ObjectId>) -> StorageObject {
        StorageObject::new(self, id.into(), None)
    }

    /// Creates an object without bytes.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error`] as for any call.
    pub async fn create_object(&self, params: &ObjectCreateParams) -> Result<StorageObject, Error> {
        let view = self.objects().create(params).send().await?;
        let headers = view.upload_headers.unwrap_or_default();
        Ok(StorageObject::new(self, view.id, view.upload_url.map(|url| Target { url, headers })))
    }

    /// Uploads a file as a new object; its name says what it holds.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// As all `upload_object_*` methods: [`Error`] of the step that failed. The unfinished object is deleted if possible.
    pub async fn upload_object_from_file(
        &self,
        path: impl AsRef<Path>,
        upload: &ObjectUpload,
    ) -> Result<StorageObject, Error> {
        Ok(self.storage_object(self.objects().upload_from_file(path, upload).await?.id))
    }

    /// Uploads text as a new object.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// As [`Client::upload_object_from_file`].
    pub async fn upload_object_from_text(
        &self,
        text: impl Into<String>,
        upload: &ObjectUpload,
    ) -> Result<StorageObject, Error> {
        Ok(self.storage_object(self.objects().upload_from_text(text, upload).await?.id))
    }

    /// Uploads bytes as a new object: `binary`, unless `upload` says what they are.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// As [`Client::upload_object_from_file`].
    pub async fn upload_object_from_bytes(
        &self,
        bytes: impl Into<Bytes>,
        upload: &ObjectUpload,
    ) -> Result<StorageObject, Error> {
        Ok(self.storage_object(self.objects().upload_from_bytes(bytes, upload).await?.id))
    }

    /// Uploads a directory as a new object, a gzipped tar archive; `options` say what is left out of it.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// As [`Client::upload_object_from_file`].
    pub async fn upload_object_from_dir(
        &self,
        path: impl AsRef<Path>,
        upload: &ObjectUpload,
        options: ArchiveOptions,
    ) -> Result<StorageObject, Error> {
        Ok(self.storage_object(self.objects().upload_from_dir_with(path, upload, options).await?.id))
    }

    /// Uploads an archive that was made before, such as a [build context](crate::build_docker_context_tar).
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// As [`Client::upload_object_from_file`].
    pub async fn upload_object_from_archive(
        &self,
        archive: Archive,
        name: &str,
        upload: &ObjectUpload,
    ) -> Result<StorageObject, Error> {
        Ok(self.storage_object(self.objects().upload_archive(archive, name, upload).await?.id))
    }

    /// Uploads a stream of chunks as a new object; without a `length` it is written to a temporary file first.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// As [`Client::upload_object_from_file`].
    pub async fn upload_object_from_stream(
        &self,
        stream: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
        length: Option<u64>,
        upload: &ObjectUpload,
    ) -> Result<StorageObject, Error> {
        Ok(self.storage_object(self.objects().upload_from_stream(stream, length, upload).await?.id))
    }
}

impl StorageObject {
    fn new(client: &Client, id: ObjectId, target: Option<Target>) -> Self {
        Self { client: client.clone(), id, target: Arc::new(Mutex::new(target.map(Arc::new))) }
    }

    fn target(&self) -> std::sync::MutexGuard<'_, Option<Arc<Target>>> {
        self.target.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its id.
    pub fn id(&self) -> &ObjectId {
        &self.id
    }

    /// The client it uses.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What it is at present; also of a deleted one.
    ///
    /// SDK 1 to 3.
    #[doc(alias = "refresh")]
    pub fn info(&self) -> Call<ObjectView> {
        self.client.objects().retrieve(&self.id)
    }

    /// Sends its bytes, or chunks of them, to where the server wants them; tried once. A stream of unknown length is
    /// written to a temporary file first.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] if this handle does not know where they go: it did not create the object, or completed it.
    /// [`Error::Presigned`] if the store does not take them; they may be sent again then.
    pub async fn upload_content(&self, content: impl Into<FileSource>) -> Result<(), Error> {
        let target = self.target().clone().ok_or_else(|| {
            refuse(format!(
                "object {} has no upload URL: only the handle that created it has one, until it is completed",
                self.id
            ))
        })?;
        let content = content.into().with_known_length().await?;
        self.client.transport().put_presigned(&target.url, &target.headers, content).await
    }

    /// Ends the upload: the object never changes again, and this handle forgets where its bytes went.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// 409 if it was ended before.
    pub async fn complete(&self) -> Result<ObjectView, Error> {
        let view = self.client.objects().complete(&self.id).send().await?;
        *self.target() = None;
        Ok(view)
    }

    /// A URL that gives the bytes without a key, valid for `duration` (an hour unless set). Treat it as a credential.
    ///
    /// SDK 1 to 3.
    #[doc(alias = "get_download_url")]
    pub fn download_url(&self, duration: Option<Duration>) -> Call<ObjectDownloadUrlView> {
        self.client.objects().download_url(&self.id, duration)
    }

    /// Its bytes as they arrive, in constant memory.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error::Presigned`] if the store does not give them.
    pub async fn download(&self) -> Result<ByteStream, Error> {
        self.client.objects().download(&self.id).await
    }

    /// Its bytes in memory.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// As [`StorageObject::download`].
    pub async fn download_as_bytes(&self) -> Result<Bytes, Error> {
        self.client.objects().download_as_bytes(&self.id).await
    }

    /// Its bytes as UTF-8 text, in memory.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// As [`StorageObject::download`]; [`Error::InvalidText`] if they are not UTF-8.
    pub async fn download_as_text(&self) -> Result<String, Error> {
        self.client.objects().download_as_text(&self.id).await
    }

    /// Deletes it.
    ///
    /// SDK 1 to 3.
    pub fn delete(&self) -> Call<ObjectView> {
        self.client.objects().delete(&self.id)
    }

    /// This archive as the `build_context` of a new blueprint: the sources of its COPY steps.
    pub fn as_build_context(&self) -> BuildContext {
        BuildContext { object_id: self.id.clone(), ..BuildContext::default() }
    }

    /// This object as a mount of a new devbox: an archive is unpacked into `path`, another one becomes that file.
    pub fn as_mount(&self, path: impl Into<String>) -> Mount {
        Mount::ObjectMount { object_id: self.id.clone(), object_path: path.into() }
    }
}
