//! Stored objects: blobs that are uploaded once and mounted many times.

use serde::{Deserialize, Serialize};

use crate::{Metadata, ObjectId};

open_enum! {
    /// What an object holds.
    #[derive(Default)]
    ObjectContentType {
        /// Not told.
        #[default]
        Unspecified = "unspecified",
        /// Text.
        Text = "text",
        /// Bytes.
        Binary = "binary",
        /// One gzipped file.
        Gzip = "gzip",
        /// A tar archive.
        Tar = "tar",
        /// A gzipped tar archive.
        Tgz = "tgz",
    }
}

open_enum! {
    /// Where an object is in its life.
    ObjectState {
        /// Waits for its bytes.
        Uploading = "UPLOADING",
        /// Complete; never changes again.
        ReadOnly = "READ_ONLY",
        /// Was deleted.
        Deleted = "DELETED",
        /// The upload failed.
        Error = "ERROR",
    }
}

impl Default for ObjectState {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

/// A stored object.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectView {
    /// Its id.
    pub id: ObjectId,
    /// Its name; need not be unique.
    pub name: String,
    /// What it holds.
    pub content_type: ObjectContentType,
    /// When it was created.
    pub create_time_ms: i64,
    /// Where it is.
    pub state: ObjectState,
    /// When it will be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_after_time_ms: Option<i64>,
    /// Its size, once complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<i64>,
    /// Where to PUT the bytes; only in the answer to create. A credential: never log it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_url: Option<String>,
    /// Headers the PUT must carry, exactly (SDK major 2 and later).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_headers: Option<Metadata>,
    /// Labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl std::fmt::Debug for ObjectView {
    /// Leaves out the upload's URL and headers.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectView")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("content_type", &self.content_type)
            .field("create_time_ms", &self.create_time_ms)
            .field("state", &self.state)
            .field("delete_after_time_ms", &self.delete_after_time_ms)
            .field("size_bytes", &self.size_bytes)
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}

/// A new object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectCreateParams {
    /// Its name.
    pub name: String,
    /// What it will hold.
    pub content_type: ObjectContentType,
    /// Labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// Time to live in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<i64>,
}

/// Where to GET an object's bytes, without credentials.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectDownloadUrlView {
    /// A URL that is a credential itself: never log it.
    pub download_url: String,
}

impl std::fmt::Debug for ObjectDownloadUrlView {
    /// Leaves out the URL.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectDownloadUrlView").finish_non_exhaustive()
    }
}
