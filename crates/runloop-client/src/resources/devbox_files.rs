//! Files in devboxes. Paths are absolute, begin with `~/`, or are relative to the home directory.

use runloop_types::{
    DevboxExecutionDetailView, DownloadFileParams, ReadFileContentsParams, WriteFileContentsParams,
};

use crate::byte_stream::ByteStream;
use crate::call::Call;
use crate::file_source::FileSource;
use crate::request::Request;
use crate::resources::Devboxes;

impl Devboxes {
    /// Reads a file of UTF-8 text, of up to 100 MB. 404 if there is no such devbox.
    ///
    /// SDK 1 to 3.
    pub fn read_file_contents(&self, id: impl AsRef<str>, path: &str) -> Call<String> {
        let params = ReadFileContentsParams { file_path: path.to_owned() };
        let request = Request::<()>::post("/v1/devboxes/{}/read_file_contents", &[id.as_ref()]);
        self.client
            .call(request.and_then(|request| request.json(&params)).map(|request| request.long().text()))
    }

    /// Creates or overwrites a file of UTF-8 text, of up to 100 MB. 404 if there is no such devbox.
    ///
    /// SDK 1 to 3.
    pub fn write_file_contents(
        &self,
        id: impl AsRef<str>,
        path: &str,
        contents: &str,
    ) -> Call<DevboxExecutionDetailView> {
        let params = WriteFileContentsParams { file_path: path.to_owned(), contents: contents.to_owned() };
        let request = Request::post("/v1/devboxes/{}/write_file_contents", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.json(&params)).map(Request::long))
    }

    /// Creates or overwrites a file of any bytes. 404 if there is no such devbox.
    ///
    /// SDK 1 to 3.
    pub fn upload_file(&self, id: impl AsRef<str>, path: &str, file: impl Into<FileSource>) -> Call<()> {
        let request = Request::<()>::post("/v1/devboxes/{}/upload_file", &[id.as_ref()]);
        self.client.call(request.map(|request| request.upload(path, file.into()).empty()))
    }

    /// Reads a file of any bytes, as they arrive. 404 if there is no such devbox.
    ///
    /// SDK 1 to 3.
    pub fn download_file(&self, id: impl AsRef<str>, path: &str) -> Call<ByteStream> {
        let params = DownloadFileParams { path: path.to_owned() };
        let request = Request::<()>::post("/v1/devboxes/{}/download_file", &[id.as_ref()]);
        let request = request.and_then(|request| request.json(&params));
        self.client.call(request.map(|request| request.long().stream("application/octet-stream")))
    }
}
