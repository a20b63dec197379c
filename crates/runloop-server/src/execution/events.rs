//! The output of an execution as server-sent events.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use runloop_types::{ErrorBody, ExecutionUpdateChunk};
use tokio_util::sync::CancellationToken;

use super::execution::{Execution, OutputStream};
use super::output_log::Progress;
use super::utf8::complete_prefix;
use crate::error::ApiError;

/// Comment lines in a silence keep a client's read timeout (30 s) from ending the stream.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Bytes of output in one event.
const CHUNK: usize = 32 * 1024;

/// Streams an output from a byte position on: what is there, then what comes, until the command has completed and
/// everything was sent. An output that is not whole ends with an error event.
pub(crate) fn output_events(
    execution: Arc<Execution>,
    which: OutputStream,
    offset: u64,
    stop: CancellationToken,
) -> Response {
    let reader = Reader { execution, which, offset, stop, over: false };
    let events = stream::unfold(reader, |mut reader| async move {
        let event = reader.next().await?;
        Some((event, reader))
    });
    let mut response = Body::from_stream(events).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

struct Reader {
    execution: Arc<Execution>,
    which: OutputStream,
    offset: u64,
    stop: CancellationToken,
    /// After an error nothing comes.
    over: bool,
}

impl Reader {
    /// The next event or heartbeat; `None` at the end. An error cuts the connection: the client resumes at its offset.
    async fn next(&mut self) -> Option<std::io::Result<Bytes>> {
        if self.over {
            return None;
        }
        let log = self.execution.output(self.which);
        let mut progress = log.subscribe();
        let mut completion = self.execution.subscribe();
        loop {
            // Read before looking at the output: what a command wrote is in the log before it is completed.
            let completed = completion.borrow_and_update().is_some();
            let Progress { closed, lost, .. } = *progress.borrow_and_update();
            let closed = closed || completed || lost;
            let bytes = match log.read_at(self.offset, CHUNK).await {
                Ok(bytes) => bytes,
                Err(error) => return Some(Err(error)),
            };
            // An unfinished character waits for its rest, which never comes once the output is closed.
            let at_end = closed && self.offset + bytes.len() as u64 >= log.progress().len;
            let ready = if at_end { bytes.len() } else { complete_prefix(&bytes) };
            if ready > 0 {
                return Some(Ok(self.event(&bytes[..ready])));
            }
            if closed && bytes.is_empty() {
                self.over = true;
                let error = if lost { self.execution.check_output().err() } else { None };
                return error.map(|error| Ok(error_event(&error)));
            }
            tokio::select! {
                changed = progress.changed() => changed.ok()?,
                changed = completion.changed() => changed.ok()?,
                () = self.stop.cancelled() => return None,
                () = tokio::time::sleep(HEARTBEAT) => return Some(Ok(Bytes::from_static(b": heartbeat\n"))),
            }
        }
    }

    fn event(&mut self, bytes: &[u8]) -> Bytes {
        self.offset += bytes.len() as u64;
        let chunk = ExecutionUpdateChunk {
            output: String::from_utf8_lossy(bytes).into_owned(),
            // The end, not the start: clients give it back unchanged to resume.
            offset: Some(self.offset),
        };
        let json = serde_json::to_string(&chunk).unwrap_or_default();
        Bytes::from(format!("data: {json}\n\n"))
    }
}

fn error_event(error: &ApiError) -> Bytes {
    let body = ErrorBody { code: error.status().as_u16(), message: error.message().to_owned() };
    let json = serde_json::to_string(&body).unwrap_or_default();
    Bytes::from(format!("event: error\ndata: {json}\n\n"))
}
