//! Files of a devbox. Paths are absolute, begin with `~/`, or are relative to the home directory.

use std::path::Path;

use bytes::Bytes;
use runloop_types::DevboxExecutionDetailView;

use crate::call::Call;
use crate::error::Error;
use crate::file_source::FileSource;
use crate::handles::Devbox;

impl Devbox {
    /// Reads a file of UTF-8 text, of up to 100 MB.
    ///
    /// SDK 1 to 3.
    #[doc(alias = "file")]
    pub fn read_file(&self, path: &str) -> Call<String> {
        self.client.devboxes().read_file_contents(&self.id, path)
    }

    /// Creates or overwrites a file of UTF-8 text, of up to 100 MB.
    ///
    /// SDK 1 to 3.
    #[doc(alias = "file")]
    pub fn write_file(&self, path: &str, contents: &str) -> Call<DevboxExecutionDetailView> {
        self.client.devboxes().write_file_contents(&self.id, path, contents)
    }

    /// Creates or overwrites a file of any bytes.
    ///
    /// SDK 1 to 3.
    #[doc(alias = "file")]
    pub fn upload(&self, path: &str, file: impl Into<FileSource>) -> Call<()> {
        self.client.devboxes().upload_file(&self.id, path, file)
    }

    /// Reads a file of any bytes into memory.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error`] as for any call.
    #[doc(alias = "file")]
    pub async fn download(&self, path: &str) -> Result<Bytes, Error> {
        self.client.devboxes().download_file(&self.id, path).send().await?.bytes().await
    }

    /// Copies a file to a local one, which is created or overwritten; answers its size.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error::File`] if the local file cannot be written.
    pub async fn download_to(&self, path: &str, local: impl AsRef<Path>) -> Result<u64, Error> {
        self.client.devboxes().download_file(&self.id, path).send().await?.save_to(local).await
    }
}
