//! The output of an execution, as it is printed.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{Stream, StreamExt, TryStreamExt};
use runloop_types::{DevboxId, ExecutionId, ExecutionStatus, ExecutionUpdateChunk};

use crate::client::Client;
use crate::error::Error;
use crate::event_stream::{Ended, EventStream, Feed};
use crate::lines::LineStream;
use crate::request::Request;

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
/// ended it: the execution is asked whether it is completed, and then for what it may have printed meanwhile.
///
/// Chunks are pieces, not lines; [`ExecutionStream::lines`] gives lines. The `offset` of a chunk is the position after
/// it, from which [`ExecutionStream::from_offset`] continues in another process. A server that sends no offsets has its
/// bytes counted, which is exact as long as the output is UTF-8.
///
/// ```no_run
/// # async fn example(devbox: runloop_client::Devbox) -> Result<(), runloop_client::Error> {
/// use futures::TryStreamExt;
/// use runloop_client::ExecOptions;
///
/// let execution = devbox.spawn("make", &ExecOptions::default()).await?;
/// let mut chunks = execution.stdout();
/// while let Some(chunk) = chunks.try_next().await? {
///     print!("{}", chunk.output);
/// }
/// # Ok(()) }
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct ExecutionStream {
    chunks: EventStream<Output>,
}

impl std::fmt::Debug for ExecutionStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExecutionStream").finish_non_exhaustive()
    }
}

impl ExecutionStream {
    pub(crate) fn new(client: Client, devbox: DevboxId, execution: ExecutionId, kind: OutputKind) -> Self {
        let output = Output {
            devbox,
            execution,
            kind,
            position: 0,
            offsets: Offsets::Unknown,
            resumed: false,
            completed: false,
        };
        Self { chunks: EventStream::new(client, output) }
    }

    /// The execution is known to have ended: the end of the body is then the end of the output.
    pub(crate) fn of_completed(mut self) -> Self {
        if let Some(output) = self.chunks.feed() {
            output.completed = true;
        }
        self
    }

    /// Begins at this byte instead of the first one. Without effect once the stream was polled.
    ///
    /// ```no_run
    /// # async fn example(execution: runloop_client::Execution) -> Result<(), runloop_client::Error> {
    /// let rest = execution.stdout().from_offset(4096).text().await?;
    /// # Ok(()) }
    /// ```
    pub fn from_offset(mut self, offset: u64) -> Self {
        if let Some(output) = self.chunks.feed() {
            output.position = offset;
        }
        self
    }

    /// Collects all output, in memory.
    ///
    /// ```no_run
    /// # async fn example(execution: runloop_client::Execution) -> Result<(), runloop_client::Error> {
    /// let log = execution.stderr().text().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error`] if the stream cannot be opened again.
    pub async fn text(self) -> Result<String, Error> {
        Ok(self.head(usize::MAX).await?.0)
    }

    /// The output line by line; see [`LineStream`].
    ///
    /// ```no_run
    /// # async fn example(execution: runloop_client::Execution) -> Result<(), runloop_client::Error> {
    /// use futures::TryStreamExt;
    ///
    /// let mut lines = execution.stdout().lines();
    /// while let Some(line) = lines.try_next().await? {
    ///     println!("| {line}");
    /// }
    /// # Ok(()) }
    /// ```
    pub fn lines(self) -> LineStream {
        LineStream::new(self.map_ok(|chunk| chunk.output))
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
        self.chunks.poll_next_unpin(cx)
    }
}

/// The place in an output up to which it was delivered.
#[derive(Debug)]
struct Output {
    devbox: DevboxId,
    execution: ExecutionId,
    kind: OutputKind,
    /// Bytes delivered: where a new connection begins.
    position: u64,
    offsets: Offsets,
    /// The connection began at `position`, and nothing new came since: what comes first may be known already.
    resumed: bool,
    /// The execution is known to have ended before the current body was opened: the body's end is the output's.
    completed: bool,
}

/// What a server's offsets mean. No document says it; the first chunk shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offsets {
    Unknown,
    /// Where a chunk begins.
    Begin,
    /// Where a chunk ends.
    End,
}

impl Output {
    /// Moves the position past a chunk; `None` if it was delivered before.
    fn place(&mut self, mut chunk: ExecutionUpdateChunk) -> Option<ExecutionUpdateChunk> {
        if chunk.output.is_empty() {
            return None;
        }
        let length = chunk.output.len() as u64;
        if let Some(offset) = chunk.offset {
            if self.offsets == Offsets::Unknown {
                self.offsets = if offset == self.position { Offsets::Begin } else { Offsets::End };
            }
            let end = if self.offsets == Offsets::Begin { offset.saturating_add(length) } else { offset };
            if self.resumed {
                if end <= self.position {
                    return None;
                }
                // A server may begin at the chunk around the position. Text that stands for other bytes cannot be
                // measured, so it is not cut.
                let known = self.position.saturating_sub(end.saturating_sub(length));
                let known = usize::try_from(known).unwrap_or(usize::MAX);
                if !chunk.output.contains(char::REPLACEMENT_CHARACTER) && chunk.output.is_char_boundary(known)
                {
                    chunk.output.drain(..known);
                }
            }
            self.position = end;
        } else {
            self.position = self.position.saturating_add(length);
        }
        self.resumed = false;
        chunk.offset = Some(self.position);
        Some(chunk)
    }
}

impl Feed for Output {
    type Item = ExecutionUpdateChunk;

    fn request(&mut self) -> Result<Request<()>, Error> {
        let request = Request::get(self.kind.path(), &[self.devbox.as_str(), self.execution.as_str()])?;
        self.resumed = self.position > 0;
        Ok(if self.resumed { request.query("offset", self.position) } else { request })
    }

    fn read(&mut self, data: &[u8]) -> serde_json::Result<Option<ExecutionUpdateChunk>> {
        Ok(self.place(serde_json::from_slice(data)?))
    }

    async fn ended(&mut self, client: &Client) -> Result<Ended, Error> {
        if self.completed {
            return Ok(Ended::Stream);
        }
        // The body may have been cut by something between us and the server: the execution knows.
        let view = client.executions().retrieve(&self.devbox, &self.execution, Some(1)).send().await?;
        self.completed = view.status == ExecutionStatus::Completed;
        // It may have ended after the body did, with more to say.
        Ok(if self.completed { Ended::Look } else { Ended::Connection })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(position: u64) -> Output {
        Output {
            devbox: "dbx_1".into(),
            execution: "exec_1".into(),
            kind: OutputKind::Stdout,
            position,
            offsets: Offsets::Unknown,
            resumed: position > 0,
            completed: false,
        }
    }

    fn feed(output: &mut Output, text: &str, offset: Option<u64>) -> Option<(String, u64)> {
        let chunk = output.place(ExecutionUpdateChunk { output: text.to_owned(), offset })?;
        Some((chunk.output, chunk.offset.unwrap()))
    }

    #[test]
    fn offsets_mean_what_the_first_chunk_shows() {
        let mut ends = output(0);
        assert_eq!(feed(&mut ends, "ab", Some(2)), Some(("ab".into(), 2)));
        assert_eq!(feed(&mut ends, "c", Some(3)), Some(("c".into(), 3)));
        let mut begins = output(0);
        assert_eq!(feed(&mut begins, "ab", Some(0)), Some(("ab".into(), 2)));
        // Bytes that are not UTF-8 came as one longer mark: the next chunk sets it right.
        assert_eq!(feed(&mut begins, "\u{fffd}", Some(2)), Some(("\u{fffd}".into(), 5)));
        assert_eq!(feed(&mut begins, "d", Some(3)), Some(("d".into(), 4)));
        let mut none = output(0);
        assert_eq!(feed(&mut none, "ä", None), Some(("ä".into(), 2)));
    }

    #[test]
    fn a_resumed_stream_leaves_out_what_is_known() {
        let mut resumed = output(4);
        assert_eq!(feed(&mut resumed, "ab", Some(2)), None);
        assert_eq!(feed(&mut resumed, "cdef", Some(6)), Some(("ef".into(), 6)));
        // From here on nothing is doubted.
        assert_eq!(feed(&mut resumed, "x", Some(6)), Some(("x".into(), 6)));
        // Four bytes were replaced by three times as many: nothing of them is known.
        let mut lossy = output(4);
        assert_eq!(feed(&mut lossy, "\u{fffd}\u{fffd}", Some(6)), Some(("\u{fffd}\u{fffd}".into(), 6)));
    }

    #[test]
    fn absurd_offsets_do_not_overflow() {
        let mut begins = output(7);
        assert!(feed(&mut begins, "a", Some(7)).is_some());
        assert_eq!(feed(&mut begins, "b", Some(u64::MAX)), Some(("b".into(), u64::MAX)));
        assert!(feed(&mut begins, "c", None).is_some());
    }
}
