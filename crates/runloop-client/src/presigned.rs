//! Presigned URLs: they are credentials, so they get none of ours and are shown nowhere.

use std::time::Duration;

use futures::{StreamExt, stream};
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use runloop_types::Metadata;
use url::Url;

use crate::byte_stream::ByteStream;
use crate::error::{Error, PresignedError, PresignedKind};
use crate::error_body;
use crate::file_source::{FileSource, Progress};
use crate::transport::{Transport, unless_silent};

/// What is done with the URL, for errors.
#[derive(Debug, Clone, Copy)]
enum Action {
    Upload,
    Download,
}

impl Transport {
    /// PUTs bytes to a presigned URL with exactly these headers; tried once.
    pub(crate) async fn put_presigned(
        &self,
        url: &str,
        headers: &Metadata,
        file: FileSource,
    ) -> Result<(), Error> {
        let failed = |kind| failed(Action::Upload, kind);
        let url = Url::parse(url).map_err(|_| failed(PresignedKind::BadUrl))?;
        let progress = Progress::default();
        let (body, length) = file.open(&progress).await?;
        let mut request = reqwest::Request::new(reqwest::Method::PUT, url);
        *request.headers_mut() = exact_headers(headers).ok_or_else(|| failed(PresignedKind::BadHeader))?;
        if let Some(length) = length {
            // Object stores refuse chunked bodies.
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        *request.body_mut() = Some(body);
        self.execute_presigned(Action::Upload, request, &progress).await.map(drop)
    }

    /// GETs a presigned URL; tried once.
    pub(crate) async fn get_presigned(&self, url: &str) -> Result<ByteStream, Error> {
        let url = Url::parse(url).map_err(|_| failed(Action::Download, PresignedKind::BadUrl))?;
        let request = reqwest::Request::new(reqwest::Method::GET, url);
        let response = self.execute_presigned(Action::Download, request, &Progress::default()).await?;
        let length = response.content_length();
        let limit = self.timeout;
        let chunks = stream::unfold(Some(response), move |response| async move {
            let mut response = response?;
            match chunk(&mut response, limit).await {
                Ok(Some(chunk)) => Some((Ok(chunk), Some(response))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        Ok(ByteStream::new(chunks.boxed(), length))
    }

    async fn execute_presigned(
        &self,
        action: Action,
        request: reqwest::Request,
        progress: &Progress,
    ) -> Result<reqwest::Response, Error> {
        let broken =
            |error: reqwest::Error| failed(action, PresignedKind::Transport(Box::new(error.without_url())));
        let client = self.pools.presigned(request.url());
        let client = client.map_err(|fault| failed(action, PresignedKind::Transport(fault.source)))?;
        let answer = unless_silent(self.long_timeout, progress, client.execute(request)).await;
        let mut response = answer
            .ok_or_else(|| failed(action, PresignedKind::Silent(self.long_timeout)))?
            .map_err(broken)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        // Stores answer with XML that may repeat the URL: the status and the store's error code are enough.
        let mut text = String::new();
        if let Ok(Some(body)) = chunk(&mut response, Duration::from_secs(5)).await {
            let body =
                String::from_utf8_lossy(body.get(..error_body::LONGEST_BODY).unwrap_or(&body)).into_owned();
            text = between(&body, "<Code>", "</Code>").unwrap_or_default().to_owned();
        }
        Err(failed(action, PresignedKind::Status { status: status.as_u16(), code: text }))
    }
}

async fn chunk(response: &mut reqwest::Response, limit: Duration) -> Result<Option<bytes::Bytes>, Error> {
    match tokio::time::timeout(limit, response.chunk()).await {
        Ok(Ok(chunk)) => Ok(chunk),
        Ok(Err(error)) => {
            Err(failed(Action::Download, PresignedKind::Transport(Box::new(error.without_url()))))
        }
        Err(_) => Err(failed(Action::Download, PresignedKind::Silent(limit))),
    }
}

fn exact_headers(headers: &Metadata) -> Option<HeaderMap> {
    headers
        .iter()
        .map(|(name, value)| Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?)))
        .collect()
}

/// A short word between two marks: an error code, not a sentence.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    let rest = &text[text.find(begin)? + begin.len()..];
    let word = &rest[..rest.find(end)?];
    word.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some(word)
}

fn failed(action: Action, kind: PresignedKind) -> Error {
    let action = match action {
        Action::Upload => "upload",
        Action::Download => "download",
    };
    Error::Presigned(Box::new(PresignedError { action, kind }))
}
