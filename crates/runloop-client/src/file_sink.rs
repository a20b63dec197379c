//! Writes a stream to a file on a thread that may block, while the next chunks are read.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::sync::mpsc;

/// Chunks that wait for the disk.
const QUEUE: usize = 4;

/// Smaller chunks are gathered to this size.
const BUFFER: usize = 256 * 1024;

/// Which side failed.
pub(crate) enum Failed<E> {
    Stream(E),
    File(io::Error),
}

/// Writes all chunks to the file that `open` gives; answers how many bytes there were. If the stream fails, the file
/// holds what came before.
pub(crate) async fn write<E>(
    stream: impl Stream<Item = Result<Bytes, E>>,
    open: impl FnOnce() -> io::Result<File> + Send + 'static,
) -> Result<u64, Failed<E>> {
    let (sender, mut receiver) = mpsc::channel::<Bytes>(QUEUE);
    let writer = tokio::task::spawn_blocking(move || -> io::Result<u64> {
        let mut file = BufWriter::with_capacity(BUFFER, open()?);
        let mut written = 0;
        while let Some(chunk) = receiver.blocking_recv() {
            file.write_all(&chunk)?;
            written += chunk.len() as u64;
        }
        file.flush()?;
        Ok(written)
    });
    let mut stream = std::pin::pin!(stream);
    let mut failed = None;
    while let Some(chunk) = stream.next().await {
        match chunk {
            // A writer that is gone says why below.
            Ok(chunk) => {
                if sender.send(chunk).await.is_err() {
                    break;
                }
            }
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    drop(sender);
    let written = writer.await.map_err(io::Error::other).flatten();
    match failed {
        Some(error) => Err(Failed::Stream(error)),
        None => written.map_err(Failed::File),
    }
}
