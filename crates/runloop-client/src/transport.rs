//! Sends requests: headers, retries, timeouts.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use reqwest::Version;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use crate::byte_stream::ByteStream;
use crate::error::{Error, StatusError, TransportError, TransportKind};
use crate::error_body::{self, LONGEST_BODY};
use crate::file_source::{FileSource, Progress};
use crate::gate::{Attempt, Gate, Outcome};
use crate::http::{Cause, Fault, Pools};
use crate::log::{self, LogLevel};
use crate::long_poll::Way;
use crate::request::{Body, Finish, Method, Parts, Pool, Request, TimeoutClass};
use crate::response::{RawResponse, Response};
use crate::retry;
use crate::shards::Lease;

/// The idempotency header of requests, and the name of a request in answers.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Source of the present time; see [`ClientBuilder::clock`](crate::ClientBuilder::clock).
pub(crate) type Clock = Box<dyn Fn() -> SystemTime + Send + Sync>;

/// Source of random numbers in `[0, 1)`.
pub(crate) type Jitter = Box<dyn Fn() -> f64 + Send + Sync>;

/// Everything that sending needs; shared by all clones of a client.
pub(crate) struct Transport {
    /// Without a slash at its end.
    pub(crate) base_url: String,
    pub(crate) pools: Pools,
    /// On every request, credentials included.
    pub(crate) headers: HeaderMap,
    pub(crate) timeout: Duration,
    pub(crate) long_timeout: Duration,
    pub(crate) max_retries: u32,
    pub(crate) max_response_bytes: usize,
    pub(crate) log: Option<LogLevel>,
    pub(crate) clock: Clock,
    pub(crate) jitter: Jitter,
    pub(crate) gate: Option<Arc<dyn Gate>>,
}

/// An answer with a good status, with what is not read of it yet.
struct Answer {
    raw: RawResponse,
    /// Of a streamed answer.
    rest: Option<Box<(reqwest::Response, Lease)>>,
}

/// A failed attempt.
enum Failed {
    Status {
        status: u16,
        reason: &'static str,
        headers: HeaderMap,
        body: String,
    },
    Transport {
        kind: TransportKind,
        source: Option<Cause>,
    },
    /// Not the way to the server's fault: never tried again.
    Ours(Error),
}

impl From<Fault> for Failed {
    fn from(Fault { kind, source }: Fault) -> Self {
        Self::Transport { kind, source: Some(source) }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl Failed {
    fn late() -> Self {
        Self::Transport { kind: TransportKind::TotalTimeout, source: None }
    }

    /// Late, and never sent.
    fn held_back() -> Self {
        let why = "it was held back, as no connection had room for it";
        Self::Transport { kind: TransportKind::TotalTimeout, source: Some(why.into()) }
    }

    fn silent() -> Self {
        Self::Transport { kind: TransportKind::ReadTimeout, source: None }
    }
}

impl Transport {
    /// Sends a request, again where that may help, and reads the answer.
    pub(crate) async fn send<T>(&self, request: Request<T>) -> Result<T, Error> {
        Ok(self.respond(request).await?.value)
    }

    /// The same, with the answer beside the value.
    pub(crate) async fn respond<T>(&self, request: Request<T>) -> Result<Response<T>, Error> {
        let parts = request.parts;
        let deadline = Deadline::of(&parts);
        match request.finish {
            Finish::Body(decode) => {
                let raw = self.run(&parts, deadline, false).await?.raw;
                Ok(Response { value: raw.decode(decode)?, raw })
            }
            Finish::Stream(wrap) => {
                let Answer { raw, rest } = self.run(&parts, deadline, true).await?;
                Ok(Response { value: wrap(self.body_stream(parts, deadline, rest)), raw })
            }
        }
    }

    /// Sends a request and reads the answer, whatever it is.
    pub(crate) async fn send_raw<T>(&self, request: Request<T>) -> Result<RawResponse, Error> {
        Ok(self.run(&request.parts, Deadline::of(&request.parts), false).await?.raw)
    }

    async fn run(&self, parts: &Parts, deadline: Deadline, open: bool) -> Result<Answer, Error> {
        let request_id = request_id(parts)?;
        let max_retries =
            if parts.is_replayable() { parts.options.max_retries.unwrap_or(self.max_retries) } else { 0 };

        let (mut retries, mut last) = (0, None);
        let error = loop {
            let pass = match &self.gate {
                Some(gate) => match deadline.bound(gate.admit(Attempt::of(parts))).await {
                    Some(pass) => Some(pass),
                    // Nothing was sent: what went wrong is what did before, if anything.
                    None => {
                        let late =
                            || error(parts, request_id.as_ref(), Failed::late(), retries, (self.clock)());
                        break last.unwrap_or_else(late);
                    }
                },
                None => None,
            };
            let Some(place) = deadline.bound(pin!(self.place(parts, open))).await else {
                // As with the gate.
                let failed = Failed::held_back();
                let held = || error(parts, request_id.as_ref(), failed, retries, (self.clock)());
                break last.unwrap_or_else(held);
            };
            let failed = {
                let answer = match place {
                    Ok((lease, mut way)) => {
                        // Pinned here, because a future that is handed on by value is kept twice by whoever
                        // awaits it; and gone before the pause.
                        let attempt = pin!(self.attempt(parts, request_id.as_ref(), open, lease, &mut way));
                        deadline.bound(attempt).await
                    }
                    Err(failed) => Some(Err(failed)),
                };
                if let (Some(pass), Some(outcome)) = (pass, self.outcome(answer.as_ref())) {
                    pass.done(outcome);
                }
                match answer {
                    Some(Ok(mut answer)) => {
                        answer.raw.attempts = retries + 1;
                        answer.raw.elapsed = deadline.begun.elapsed();
                        tracing::debug!(method = parts.method.as_str(), path = parts.path, status = answer.raw.status, retries, elapsed = ?answer.raw.elapsed, "request done");
                        self.log_done(&answer.raw);
                        return Ok(answer);
                    }
                    Some(Err(Failed::Ours(error))) => return Err(error),
                    Some(Err(failed)) => failed,
                    None => Failed::late(),
                }
            };
            let (error, pause) = self.judge(parts, request_id.as_ref(), failed, retries, max_retries);
            retries += 1;
            let pause = pause.filter(|pause| deadline.allows(*pause));
            tracing::debug!(method = parts.method.as_str(), path = parts.path, %error, ?pause, "request failed");
            let Some(pause) = pause else { break error };
            log::line(self.log, LogLevel::Debug, format_args!("{error}; again in {pause:.1?}"));
            last = Some(error);
            tokio::time::sleep(pause).await;
        };
        log::line(self.log, LogLevel::Info, &error);
        Err(error)
    }

    /// What a gate is told of an attempt; nothing where the way to the server has no part in it.
    fn outcome(&self, answer: Option<&Result<Answer, Failed>>) -> Option<Outcome> {
        Some(match answer {
            Some(Ok(answer)) => Outcome::Answered { status: answer.raw.status, retry_after: None },
            Some(Err(Failed::Status { status, headers, .. })) => Outcome::Answered {
                status: *status,
                retry_after: retry::retry_after(headers, (self.clock)()),
            },
            Some(Err(Failed::Transport { kind, .. })) => Outcome::Failed(*kind),
            Some(Err(Failed::Ours(_))) => return None,
            None => Outcome::Failed(TransportKind::TotalTimeout),
        })
    }

    /// What a failed attempt means, and the pause before the next one, if there shall be one.
    fn judge(
        &self,
        parts: &Parts,
        request_id: Option<&HeaderValue>,
        failed: Failed,
        retries: u32,
        max_retries: u32,
    ) -> (Error, Option<Duration>) {
        let now = (self.clock)();
        let pause = |failure| retry::pause(failure, retries, max_retries, now, (self.jitter)());
        let pause = match &failed {
            Failed::Transport { kind, .. } if !kind.is_retryable() => None,
            Failed::Status { status, headers, .. } => pause(retry::Failure::Status(*status, headers)),
            _ => pause(retry::Failure::Transport),
        };
        (error(parts, request_id, failed, retries + 1, now), pause)
    }

    fn log_done(&self, raw: &RawResponse) {
        if self.log.is_none() {
            return;
        }
        let RawResponse { method, path, status, elapsed, .. } = raw;
        let id = raw.request_id().unwrap_or("-");
        log::line(
            self.log,
            LogLevel::Info,
            format_args!("{method} {path}: {status} in {elapsed:.1?} (request {id})"),
        );
    }

    /// Waits for a place to send a request from; with a way for it if it is one that is held.
    async fn place(&self, parts: &Parts, open: bool) -> Result<(Lease, Option<Way>), Failed> {
        let lease = self.pools.lease(parts.pool()).await;
        if parts.pool() != Pool::Wait || open {
            return Ok((lease, None));
        }
        let Some(connections) = self.pools.long_polls(&lease)? else { return Ok((lease, None)) };
        let way = connections.way().await?;
        if way.is_shared() {
            // Before it is answered, which may take as long as all those who queue for a place may wait.
            lease.speaks(Version::HTTP_2);
        }
        Ok((lease, Some(way)))
    }

    /// Sends a request and reads its answer, or its beginning if it is `open`.
    async fn attempt(
        &self,
        parts: &Parts,
        request_id: Option<&HeaderValue>,
        open: bool,
        lease: Lease,
        way: &mut Option<Way>,
    ) -> Result<Answer, Failed> {
        let limit = self.read_timeout(parts);
        let mut response = self.exchange(parts, request_id, &lease, way).await?;
        lease.speaks(response.version());
        let status = response.status();
        if status.is_success() {
            let body = if open {
                Bytes::new()
            } else {
                collect(&mut response, limit, self.max_response_bytes).await?
            };
            let raw = RawResponse {
                method: parts.method,
                path: parts.path.clone(),
                status: status.as_u16(),
                headers: std::mem::take(response.headers_mut()),
                body,
                attempts: 0,
                elapsed: Duration::ZERO,
                sent_id: request_id.cloned(),
            };
            return Ok(Answer { raw, rest: open.then(|| Box::new((response, lease))) });
        }
        // The status alone is an answer: a body that breaks off is kept as far as it came.
        let body = error_text(&mut response, limit).await;
        let headers = std::mem::take(response.headers_mut());
        let reason = status.canonical_reason().unwrap_or("unknown status");
        Err(Failed::Status { status: status.as_u16(), reason, headers, body })
    }

    /// Sends a request and waits until its answer begins.
    async fn exchange(
        &self,
        parts: &Parts,
        request_id: Option<&HeaderValue>,
        lease: &Lease,
        way: &mut Option<Way>,
    ) -> Result<reqwest::Response, Failed> {
        let limit = self.read_timeout(parts);
        let progress = Progress::default();
        if let Some(way) = way.take() {
            // Made only now, so that those who wait for a way are small, too.
            let answer = way.send(self.http_request(parts, request_id)?)?;
            let response = unless_silent(limit, &progress, answer).await.ok_or_else(Failed::silent)??;
            if !response.status().is_redirection() {
                return Ok(response);
            }
            self.pools.redirected();
        }
        let client = self.pools.client(lease, !parts.options.headers.is_empty())?;
        let mut request = self.http_request(parts, request_id)?;
        if let Body::Upload { path, file } = &parts.body {
            // Boxed, so that the futures of all other calls do without its size.
            request = Box::pin(with_form(client, request, path, file, &progress)).await?;
        }
        let answer = unless_silent(limit, &progress, client.execute(request)).await;
        Ok(answer.ok_or_else(Failed::silent)?.map_err(Fault::from)?)
    }

    fn url(&self, parts: &Parts) -> Result<Url, Error> {
        let mut url = String::with_capacity(self.base_url.len() + parts.path.len() + 32);
        url.push_str(&self.base_url);
        url.push_str(&parts.path);
        parts.query.append_to(&mut url);
        Url::parse(&url).map_err(|error| Error::InvalidRequest {
            reason: format!("{} {} is not a URL: {error}", parts.method, parts.path),
        })
    }

    fn http_request(
        &self,
        parts: &Parts,
        request_id: Option<&HeaderValue>,
    ) -> Result<reqwest::Request, Error> {
        let method = match parts.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut request = reqwest::Request::new(method, self.url(parts)?);
        let headers = request.headers_mut();
        headers.clone_from(&self.headers);
        headers.insert(header::ACCEPT, HeaderValue::from_static(parts.accept));
        if parts.method != Method::Get && !matches!(parts.body, Body::Upload { .. }) {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(request_id) = request_id {
            headers.insert(REQUEST_ID, request_id.clone());
        }
        for (name, value) in &parts.options.headers {
            headers.insert(name, value.clone());
        }
        if let Body::Json(bytes) = &parts.body {
            *request.body_mut() = Some(bytes.clone().into());
        }
        Ok(request)
    }

    fn read_timeout(&self, parts: &Parts) -> Duration {
        parts.options.timeout.unwrap_or(match parts.timeout_class {
            TimeoutClass::Usual => self.timeout,
            TimeoutClass::Long => self.long_timeout,
        })
    }

    fn body_stream(
        &self,
        parts: Box<Parts>,
        deadline: Deadline,
        answer: Option<Box<(reqwest::Response, Lease)>>,
    ) -> ByteStream {
        let limit = self.read_timeout(&parts);
        let length = answer.as_ref().and_then(|answer| answer.0.content_length());
        let chunks = stream::unfold(answer.map(|answer| (answer, parts)), move |state| async move {
            let (mut answer, parts) = state?;
            let failed = match deadline.bound(tokio::time::timeout(limit, answer.0.chunk())).await {
                Some(Ok(Ok(Some(chunk)))) => return Some((Ok(chunk), Some((answer, parts)))),
                Some(Ok(Ok(None))) => return None,
                Some(Ok(Err(error))) => interrupted(error),
                Some(Err(_)) => Failed::silent(),
                None => Failed::late(),
            };
            Some((Err(error(&parts, None, failed, 1, SystemTime::UNIX_EPOCH)), None))
        });
        ByteStream::new(chunks.boxed(), length)
    }
}

/// When a call began, and when it has to be over.
#[derive(Debug, Clone, Copy)]
struct Deadline {
    begun: Instant,
    end: Option<Instant>,
}

impl Deadline {
    fn of(parts: &Parts) -> Self {
        let begun = Instant::now();
        // A time that cannot be counted to never comes.
        Self { begun, end: parts.options.total_timeout.and_then(|most| begun.checked_add(most)) }
    }

    /// The future's output; `None` if it comes too late.
    async fn bound<F: Future>(self, future: F) -> Option<F::Output> {
        match self.end {
            Some(end) => tokio::time::timeout_at(end, future).await.ok(),
            None => Some(future.await),
        }
    }

    /// Whether there is time left after a pause.
    fn allows(self, pause: Duration) -> bool {
        self.end.is_none_or(|end| Instant::now() + pause < end)
    }
}

/// Adds the form with the text field `path` and the file part `file`.
async fn with_form(
    client: &reqwest::Client,
    mut request: reqwest::Request,
    path: &str,
    file: &FileSource,
    progress: &Progress,
) -> Result<reqwest::Request, Failed> {
    let (body, length) = file.open(progress).await.map_err(Failed::Ours)?;
    let part = match length {
        Some(length) => reqwest::multipart::Part::stream_with_length(body, length),
        None => reqwest::multipart::Part::stream(body),
    };
    let part = part.file_name(file.name().to_owned());
    let form = reqwest::multipart::Form::new().text("path", path.to_owned()).part("file", part);
    // The boundary is the form's own.
    request.headers_mut().remove(header::CONTENT_TYPE);
    // Only `RequestBuilder` knows how to make the form's headers.
    let builder = reqwest::RequestBuilder::from_parts(client.clone(), request);
    builder.multipart(form).build().map_err(|error| Fault::from(error).into())
}

/// Waits for `future` as long as it, or the body that it sends, makes progress.
pub(crate) async fn unless_silent<F: Future>(
    limit: Duration,
    progress: &Progress,
    future: F,
) -> Option<F::Output> {
    let mut future = pin!(future);
    loop {
        let before = progress.get();
        match tokio::time::timeout(limit, &mut future).await {
            Ok(output) => return Some(output),
            Err(_) if progress.get() != before => {}
            Err(_) => return None,
        }
    }
}

async fn collect(response: &mut reqwest::Response, limit: Duration, most: usize) -> Result<Bytes, Failed> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    loop {
        let chunk = match tokio::time::timeout(limit, response.chunk()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => break,
            Ok(Err(error)) => return Err(interrupted(error)),
            Err(_) => return Err(Failed::silent()),
        };
        if first.len() + rest.len() + chunk.len() > most {
            return Err(Failed::Transport { kind: TransportKind::TooLarge, source: None });
        }
        // Most answers are one chunk, which needs no copy.
        if first.is_empty() && rest.is_empty() {
            first = chunk;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&chunk);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

async fn error_text(response: &mut reqwest::Response, limit: Duration) -> String {
    let mut body = Vec::new();
    while body.len() < LONGEST_BODY {
        match tokio::time::timeout(limit, response.chunk()).await {
            Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
            _ => break,
        }
    }
    body.truncate(LONGEST_BODY);
    String::from_utf8_lossy(&body).into_owned()
}

/// While a body is read, everything but a timeout is a broken connection.
fn interrupted(error: reqwest::Error) -> Failed {
    let kind = if error.is_timeout() { TransportKind::ReadTimeout } else { TransportKind::Interrupted };
    Failed::Transport { kind, source: Some(error.without_url().into()) }
}

/// The idempotency header: on everything but a GET, the same for all attempts of one call.
fn request_id(parts: &Parts) -> Result<Option<HeaderValue>, Error> {
    // A header set by hand is what will be sent.
    if let Some(id) = parts.options.headers.get(REQUEST_ID) {
        return Ok(Some(id.clone()));
    }
    if parts.method == Method::Get {
        return Ok(None);
    }
    let key = match &parts.options.idempotency_key {
        Some(key) => key.clone(),
        None => format!("runloop-client-rust-{}", Uuid::new_v4().as_hyphenated()),
    };
    let value = HeaderValue::try_from(key).map_err(|_| Error::InvalidRequest {
        reason: format!(
            "the idempotency key of {} {} cannot be a header: use visible ASCII",
            parts.method, parts.path
        ),
    })?;
    Ok(Some(value))
}

fn error(
    parts: &Parts,
    request_id: Option<&HeaderValue>,
    failed: Failed,
    attempts: u32,
    now: SystemTime,
) -> Error {
    let sent_id = || request_id.and_then(|id| id.to_str().ok()).map(str::to_owned);
    match failed {
        Failed::Ours(error) => error,
        Failed::Transport { kind, source } => Error::Transport(Box::new(TransportError {
            method: parts.method,
            path: parts.path.clone(),
            kind,
            attempts,
            request_id: sent_id(),
            source,
        })),
        Failed::Status { status, reason, headers, body } => {
            let said = error_body::read(&body, status, reason);
            let servers_id = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
            Error::Status(Box::new(StatusError {
                method: parts.method,
                path: parts.path.clone(),
                status,
                code: said.code,
                message: said.message,
                body,
                request_id: servers_id.or_else(sent_id),
                attempts,
                retry_after: retry::retry_after(&headers, now),
                retryable: retry::is_worth_retrying(retry::Failure::Status(status, &headers)),
            }))
        }
    }
}
