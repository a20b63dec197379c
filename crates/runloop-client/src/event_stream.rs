//! Event streams that outlive their connections: one mechanism for output, axon events and evictions.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::time::Instant;

use crate::byte_stream::ByteStream;
use crate::client::Client;
use crate::error::{Error, StatusError};
use crate::error_body::{self, LONGEST_BODY};
use crate::request::{Method, Request};
use crate::retry::{self, backoff, is_worth_retrying};
use crate::sse::{Event, Parser};

/// A connection that lived this long was no failure, whatever ended it.
const LONG_LIFE: Duration = Duration::from_secs(2);

/// Longest pause that a server may ask for.
const LONGEST_WISH: Duration = Duration::from_secs(60);

/// What one kind of stream adds to the mechanism: where it continues, and what its events mean.
pub(crate) trait Feed: Send + Sized + 'static {
    /// What the stream yields.
    type Item: Send + 'static;

    /// The request that continues after what was delivered so far.
    fn request(&mut self) -> Result<Request<()>, Error>;

    /// Reads the data of an event; `None` for one that has nothing new.
    fn read(&mut self, data: &[u8]) -> serde_json::Result<Option<Self::Item>>;

    /// The server ended the body: is that the end of the stream?
    fn ended(&mut self, client: &Client) -> impl Future<Output = Result<Ended, Error>> + Send;

    /// The pause before the next connection, after `times` in a row that brought nothing new; `None` gives up.
    fn pause(&self, how: Broke, times: u32, max_retries: u32, jitter: f64) -> Option<Duration> {
        match how {
            // From 1/16 s up to 2 s: a server that ends streams at once is not hammered.
            Broke::Quiet => Some(match times {
                0 => Duration::ZERO,
                n => backoff(n - 1, jitter).min(Duration::from_secs(32)) / 16,
            }),
            _ if times >= max_retries => None,
            // What was cut is likely to be there still.
            Broke::Cut => Some(if times == 0 { Duration::ZERO } else { backoff(times - 1, jitter) }),
            Broke::Failed => Some(backoff(times, jitter)),
        }
    }
}

/// What the end of a body means.
pub(crate) enum Ended {
    /// There is no more.
    Stream,
    /// Another look will show the rest.
    Look,
    /// Only this connection.
    Connection,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broke {
    /// As it should, or because nothing happened for long.
    Quiet,
    /// In the middle.
    Cut,
    /// With an error, or it was never made.
    Failed,
}

/// The stream of a [`Feed`]. Boxed when it is first polled: until then the feed can be told more.
pub(crate) enum EventStream<F: Feed> {
    New(Option<Box<Connection<F>>>),
    Open(BoxStream<'static, Result<F::Item, Error>>),
}

impl<F: Feed> EventStream<F> {
    pub(crate) fn new(client: Client, feed: F) -> Self {
        Self::New(Some(Box::new(Connection {
            client,
            feed,
            path: String::new(),
            body: None,
            parser: Parser::default(),
            ready: VecDeque::new(),
            quiet: 0,
            failures: 0,
        })))
    }

    /// The feed, as long as nothing was asked of the stream.
    pub(crate) fn feed(&mut self) -> Option<&mut F> {
        match self {
            Self::New(Some(connection)) => Some(&mut connection.feed),
            _ => None,
        }
    }
}

impl<F: Feed> Stream for EventStream<F> {
    type Item = Result<F::Item, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match &mut *self {
                Self::Open(items) => return items.poll_next_unpin(cx),
                Self::New(connection) => {
                    let Some(connection) = connection.take() else { return Poll::Ready(None) };
                    let items = stream::try_unfold(connection, |mut connection| async move {
                        Ok(connection.next().await?.map(|item| (item, connection)))
                    });
                    *self = Self::Open(items.boxed());
                }
            }
        }
    }
}

pub(crate) struct Connection<F> {
    client: Client,
    feed: F,
    /// Of the latest request, for errors.
    path: String,
    /// The open body, and when it was opened.
    body: Option<(ByteStream, Instant)>,
    parser: Parser,
    ready: VecDeque<Event>,
    /// Connections in a row that ended quietly without bringing anything new.
    quiet: u32,
    /// Connections in a row that broke without bringing anything new.
    failures: u32,
}

impl<F: Feed> Connection<F> {
    async fn next(&mut self) -> Result<Option<F::Item>, Error> {
        loop {
            while let Some(event) = self.ready.pop_front() {
                match self.read(&event) {
                    Ok(Some(item)) => {
                        (self.quiet, self.failures) = (0, 0);
                        return Ok(Some(item));
                    }
                    Ok(None) => {}
                    Err(error) => self.lost(error).await?,
                }
            }
            let Some((body, _)) = &mut self.body else {
                self.open().await?;
                continue;
            };
            match body.next().await {
                Some(Ok(piece)) => {
                    let ready = &mut self.ready;
                    let pushed = self.parser.push(&piece, |event| ready.push_back(event));
                    pushed.map_err(|_| self.malformed("an event is longer than 16 MiB".to_owned()))?;
                }
                Some(Err(error)) => self.lost(error).await?,
                None => match self.feed.ended(&self.client).await? {
                    Ended::Stream => return Ok(None),
                    Ended::Look => self.close(),
                    Ended::Connection => {
                        self.close();
                        self.pause(Broke::Quiet, None).await;
                    }
                },
            }
        }
    }

    async fn open(&mut self) -> Result<(), Error> {
        // Retries are ours: a stream that stays silent is asked again without the pauses of a failure.
        let request = self.feed.request()?.stream("text/event-stream").max_retries(0);
        self.path.clone_from(&request.parts.path);
        match self.client.transport().send(request).await {
            Ok(body) => {
                self.body = Some((body, Instant::now()));
                Ok(())
            }
            Err(error) => self.lost(error).await,
        }
    }

    /// Takes an event apart; `None` for one that means nothing here.
    fn read(&mut self, event: &Event) -> Result<Option<F::Item>, Error> {
        match event.name.as_slice() {
            b"error" => Err(self.error(&event.data)),
            b"" | b"message" => {
                let item = self.feed.read(&event.data);
                item.map_err(|error| self.malformed(format!("an event is not what it should be: {error}")))
            }
            _ => Ok(None),
        }
    }

    /// The status error that an `error` event stands for.
    fn error(&self, data: &[u8]) -> Error {
        let value: Value = serde_json::from_slice(data).unwrap_or_default();
        let code = match value.get("code") {
            Some(Value::String(code)) => code.parse().ok(),
            Some(Value::Number(code)) => code.as_u64().and_then(|code| code.try_into().ok()),
            _ => None,
        };
        let status = code.unwrap_or(500);
        let body = String::from_utf8_lossy(data.get(..LONGEST_BODY).unwrap_or(data)).into_owned();
        let said = error_body::read(&body, status, "an error event");
        Error::Status(Box::new(StatusError {
            method: Method::Get,
            path: self.path.clone(),
            status,
            code: said.code,
            message: said.message,
            body,
            request_id: None,
            attempts: 1,
            retry_after: None,
            retryable: is_worth_retrying(retry::Failure::Status(status, &HeaderMap::new())),
        }))
    }

    fn malformed(&self, reason: String) -> Error {
        Error::MalformedStream { method: Method::Get, path: self.path.clone(), reason }
    }

    /// The connection is gone: waits a little if another one may help.
    async fn lost(&mut self, error: Error) -> Result<(), Error> {
        let was_open = self.body.is_some();
        self.close();
        // A silent command may be silent for ever: that is no failure.
        let how = if error.status() == Some(408) || (error.is_timeout() && !error.is_connect()) {
            Broke::Quiet
        } else if !error.is_retryable() {
            return Err(error);
        } else if was_open && error.transport_kind().is_some() {
            Broke::Cut
        } else {
            Broke::Failed
        };
        let wish = error.retry_after().filter(|wish| !wish.is_zero() && *wish <= LONGEST_WISH);
        match self.pause(how, wish).await {
            true => Ok(()),
            false => Err(error),
        }
    }

    /// Drops what belongs to the old connection: events of it that were not delivered come again.
    fn close(&mut self) {
        if let Some((_, opened)) = self.body.take()
            && opened.elapsed() >= LONG_LIFE
        {
            (self.quiet, self.failures) = (0, 0);
        }
        self.parser = Parser::default();
        self.ready.clear();
    }

    /// Waits as the feed says; `false` if it gives up.
    async fn pause(&mut self, how: Broke, wish: Option<Duration>) -> bool {
        let transport = self.client.transport();
        let times = if how == Broke::Quiet { &mut self.quiet } else { &mut self.failures };
        let pause = self.feed.pause(how, *times, transport.max_retries, (transport.jitter)());
        *times = times.saturating_add(1);
        let Some(pause) = pause else { return false };
        let pause = wish.unwrap_or(pause);
        tracing::debug!(path = self.path, ?how, ?pause, "event stream will be opened again");
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        true
    }
}
