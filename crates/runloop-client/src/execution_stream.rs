//! The output of an execution, as it is printed.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use runloop_types::{
    DevboxAsyncExecutionDetailView, DevboxId, ExecutionId, ExecutionStatus, ExecutionUpdateChunk,
};
use serde_json::Value;

use crate::byte_stream::ByteStream;
use crate::call::Call;
use crate::client::Client;
use crate::error::{Error, StatusError};
use crate::request::{Method, Request};
use crate::retry::backoff;
use crate::sse::{Event, Parser};

/// One of a command's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutputKind {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl OutputKind {
    fn path(self) -> &'static str {
        match self {
            Self::Stdout => "/v1/devboxes/{}/executions/{}/stream_stdout_updates",
            Self::Stderr => "/v1/devboxes/{}/executions/{}/stream_stderr_updates",
        }
    }
}

/// A [`Stream`] of output chunks; ends when the command has ended and all its output was delivered.
///
/// A stream that times out, is ended by the service for being idle, or breaks is opened again at the byte where it
/// stopped: nothing is lost and nothing comes twice. A body that ends proves nothing, as something in between may have
/// ended it: the execution is asked whether it is completed, and then for what it may have printed meanwhile. Chunks are
/// pieces, not lines.
pub struct ExecutionStream {
    inner: Inner,
}

/// Boxed when it is first polled: until then it can be told more.
enum Inner {
    New(Option<Box<State>>),
    Streaming(BoxStream<'static, Result<ExecutionUpdateChunk, Error>>),
}

impl std::fmt::Debug for ExecutionStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExecutionStream").finish_non_exhaustive()
    }
}

impl ExecutionStream {
    pub(crate) fn new(client: Client, devbox: DevboxId, execution: ExecutionId, kind: OutputKind) -> Self {
        let state = State {
            client,
            devbox,
            execution,
            kind,
            position: 0,
            completed: false,
            body: None,
            parser: Parser::default(),
            ready: VecDeque::new(),
            fruitless: 0,
            failures: 0,
        };
        Self { inner: Inner::New(Some(Box::new(state))) }
    }

    /// The execution is known to have ended: the end of the body is then the end of the output.
    pub(crate) fn of_completed(mut self) -> Self {
        if let Inner::New(Some(state)) = &mut self.inner {
            state.completed = true;
        }
        self
    }

    /// Begins at this byte instead of the first one.
    pub fn from_offset(mut self, offset: u64) -> Self {
        if let Inner::New(Some(state)) = &mut self.inner {
            state.position = offset;
        }
        self
    }

    /// Collects all output.
    ///
    /// # Errors
    /// [`Error`] if the stream cannot be opened again.
    pub async fn text(self) -> Result<String, Error> {
        Ok(self.head(usize::MAX).await?.0)
    }

    /// Collects the first `most` bytes of output, and tells whether there are more.
    pub(crate) async fn head(mut self, most: usize) -> Result<(String, bool), Error> {
        let mut text = String::new();
        while let Some(chunk) = self.try_next().await? {
            if text.len() + chunk.output.len() > most {
                let mut end = most - text.len();
                while !chunk.output.is_char_boundary(end) {
                    end -= 1;
                }
                text.push_str(&chunk.output[..end]);
                return Ok((text, true));
            }
            text.push_str(&chunk.output);
        }
        Ok((text, false))
    }
}

impl Stream for ExecutionStream {
    type Item = Result<ExecutionUpdateChunk, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match &mut self.inner {
                Inner::Streaming(chunks) => return chunks.poll_next_unpin(cx),
                Inner::New(state) => {
                    let Some(state) = state.take() else { return Poll::Ready(None) };
                    let chunks = stream::try_unfold(state, |mut state| async move {
                        Ok(state.next().await?.map(|chunk| (chunk, state)))
                    });
                    self.inner = Inner::Streaming(chunks.boxed());
                }
            }
        }
    }
}

struct State {
    client: Client,
    devbox: DevboxId,
    execution: ExecutionId,
    kind: OutputKind,
    /// Bytes delivered: where a new connection begins.
    position: u64,
    /// The execution is known to have ended before the current body was opened: the body's end is the output's.
    completed: bool,
    body: Option<ByteStream>,
    parser: Parser,
    ready: VecDeque<Event>,
    /// Connections in a row that ended without bringing anything.
    fruitless: u32,
    /// Connections in a row that failed.
    failures: u32,
}

impl State {
    async fn next(&mut self) -> Result<Option<ExecutionUpdateChunk>, Error> {
        loop {
            while let Some(event) = self.ready.pop_front() {
                match self.read(event) {
                    Ok(Some(chunk)) => return Ok(Some(chunk)),
                    Ok(None) => {}
                    Err(error) => self.lost(error).await?,
                }
            }
            let Some(body) = &mut self.body else {
                self.open().await?;
                continue;
            };
            match body.next().await {
                Some(Ok(piece)) => {
                    self.failures = 0;
                    self.fruitless = 0;
                    let ready = &mut self.ready;
                    let pushed = self.parser.push(&piece, |event| ready.push_back(event));
                    pushed.map_err(|_| self.malformed("an event is longer than 16 MiB".to_owned()))?;
                }
                Some(Err(error)) => self.lost(error).await?,
                None => {
                    self.close();
                    if self.completed {
                        return Ok(None);
                    }
                    let asked = self.ask_status();
                    if asked.send().await?.status == ExecutionStatus::Completed {
                        // It may have ended after the body did, with more to say: one more look shows.
                        self.completed = true;
                    } else {
                        self.pause().await;
                    }
                }
            }
        }
    }

    async fn open(&mut self) -> Result<(), Error> {
        let mut request =
            Request::<()>::get(self.kind.path(), &[self.devbox.as_str(), self.execution.as_str()])?;
        if self.position > 0 {
            request = request.query("offset", self.position);
        }
        // Retries are ours: a stream that stays silent is asked again without the pauses of a failure.
        let request = request.stream("text/event-stream").max_retries(0);
        match self.client.transport().send(request).await {
            Ok(body) => {
                self.body = Some(body);
                Ok(())
            }
            Err(error) => self.lost(error).await,
        }
    }

    /// Takes an event apart; `None` for one that means nothing here.
    fn read(&mut self, event: Event) -> Result<Option<ExecutionUpdateChunk>, Error> {
        match event.name.as_slice() {
            b"error" => Err(self.error(&event.data)),
            b"" | b"message" => {
                let chunk: ExecutionUpdateChunk = serde_json::from_slice(&event.data)
                    .map_err(|error| self.malformed(format!("an event is not a chunk of output: {error}")))?;
                self.advance(&chunk);
                Ok((!chunk.output.is_empty()).then_some(chunk))
            }
            _ => Ok(None),
        }
    }

    /// Moves the position past a chunk. Servers say where a chunk ends; should one say where it begins, its length
    /// tells.
    fn advance(&mut self, chunk: &ExecutionUpdateChunk) {
        let length = chunk.output.len() as u64;
        self.position = match chunk.offset {
            Some(offset) if offset != self.position => offset,
            _ => self.position + length,
        };
    }

    fn error(&self, data: &[u8]) -> Error {
        let value: Value = serde_json::from_slice(data).unwrap_or_default();
        let code = match value.get("code") {
            Some(Value::String(code)) => code.parse().ok(),
            Some(Value::Number(code)) => code.as_u64().and_then(|code| code.try_into().ok()),
            _ => None,
        };
        let status = code.unwrap_or(500);
        let message = match value.get("message").and_then(Value::as_str) {
            Some(message) => message.to_owned(),
            None => String::from_utf8_lossy(data.get(..500).unwrap_or(data)).into_owned(),
        };
        Error::Status(Box::new(StatusError {
            method: Method::Get,
            path: self.path(),
            status,
            code: None,
            message,
            body: String::from_utf8_lossy(data).into_owned(),
            request_id: None,
            attempts: 1,
            retry_after: None,
            retryable: matches!(status, 408 | 409 | 429 | 500..),
        }))
    }

    fn malformed(&self, reason: String) -> Error {
        Error::MalformedStream { method: Method::Get, path: self.path(), reason }
    }

    fn path(&self) -> String {
        let mut values = [self.devbox.as_str(), self.execution.as_str()].into_iter();
        self.kind
            .path()
            .split("{}")
            .map(|piece| format!("{piece}{}", values.next().unwrap_or_default()))
            .collect()
    }

    /// The connection is gone: waits a little if it may be opened again.
    async fn lost(&mut self, error: Error) -> Result<(), Error> {
        self.close();
        // A silent command may be silent for ever: that is no failure.
        let idle = error.status() == Some(408) || (error.is_timeout() && !error.is_connect());
        let transport = self.client.transport();
        if idle {
            self.pause().await;
        } else if error.is_retryable() && self.failures < transport.max_retries {
            let pause =
                error.retry_after().filter(|pause| !pause.is_zero() && *pause <= Duration::from_secs(60));
            let pause = pause.unwrap_or_else(|| backoff(self.failures, (transport.jitter)()));
            tracing::debug!(execution = %self.execution, position = self.position, %error, ?pause, "output stream broke");
            self.failures += 1;
            tokio::time::sleep(pause).await;
        } else {
            return Err(error);
        }
        Ok(())
    }

    /// Drops what belongs to the old connection: events of it that were not delivered come again.
    fn close(&mut self) {
        self.body = None;
        self.parser = Parser::default();
        self.ready.clear();
    }

    /// None after a connection that brought something, then from 1/16 s up to 2 s: a server that ends streams at once
    /// is not hammered.
    async fn pause(&mut self) {
        if self.fruitless > 0 {
            let jitter = (self.client.transport().jitter)();
            tokio::time::sleep(backoff(self.fruitless - 1, jitter).min(Duration::from_secs(32)) / 16).await;
        }
        self.fruitless += 1;
    }

    /// A body that ended may have been cut by something between us and the server: the execution knows.
    fn ask_status(&self) -> Call<DevboxAsyncExecutionDetailView> {
        self.client.executions().retrieve(&self.devbox, &self.execution, Some(1))
    }
}
