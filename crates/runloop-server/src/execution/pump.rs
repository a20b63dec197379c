//! Moves a command's output from its pipe into its log.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::sync::Arc;

use tokio::net::unix::pipe;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::output_log::OutputLog;

/// Bytes read at once: what a pipe holds by default.
const BUFFER: usize = 64 * 1024;

/// More than a pipe can hold, so that having read as much after the command's end means having read all before it.
const PIPE_CAPACITY: usize = 1024 * 1024;

thread_local! {
    /// One buffer a thread, not one a command: most commands write a few bytes, and there are many of them.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; BUFFER].into_boxed_slice());
}

/// Reads a pipe to its end, which may come long after the command's own: background processes hold it open.
///
/// `drained` is dropped as soon as all that was written before `exited` is in the log.
pub(super) async fn pump(
    pipe: pipe::Receiver,
    log: Arc<OutputLog>,
    exited: CancellationToken,
    drained: oneshot::Sender<()>,
) {
    let mut drained = Some(drained);
    let mut read_after_exit = 0;
    loop {
        let readable = if drained.is_some() {
            tokio::select! {
                readable = pipe.readable() => readable,
                () = exited.cancelled() => Ok(()),
            }
        } else {
            pipe.readable().await
        };
        let after_exit = exited.is_cancelled();
        let read = readable.and_then(|()| match (after_exit, &drained) {
            // The runtime may not know yet that the pipe has something; only the kernel can say that it has not.
            (true, Some(_)) => unwatched(&pipe).and_then(|mut file| read(&log, |buffer| file.read(buffer))),
            _ => read(&log, |buffer| pipe.try_read(buffer)),
        });
        match read {
            Ok(Piece::End) => break,
            Ok(Piece::Some { bytes, to_disk }) => {
                if let Some(chunk) = to_disk {
                    let log = Arc::clone(&log);
                    if tokio::task::spawn_blocking(move || log.append(&chunk)).await.is_err() {
                        break;
                    }
                }
                if after_exit {
                    read_after_exit += bytes;
                    if read_after_exit > PIPE_CAPACITY {
                        drained = None;
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if after_exit {
                    drained = None;
                }
            }
            Err(error) => {
                tracing::debug!(%error, "an output pipe broke");
                break;
            }
        }
        // A command that writes without a pause must not keep this thread from other tasks.
        tokio::task::coop::consume_budget().await;
    }
    log.close();
}

enum Piece {
    End,
    Some {
        bytes: usize,
        /// What was read but not appended, because appending goes to the disk.
        to_disk: Option<Vec<u8>>,
    },
}

/// The pipe as the kernel knows it: still one that does not block.
fn unwatched(pipe: &pipe::Receiver) -> io::Result<File> {
    pipe.as_fd().try_clone_to_owned().map(File::from)
}

fn read(log: &OutputLog, from: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> io::Result<Piece> {
    SCRATCH.with_borrow_mut(|buffer| {
        let bytes = from(buffer)?;
        if bytes == 0 {
            return Ok(Piece::End);
        }
        let to_disk = if log.is_spilled() {
            Some(buffer[..bytes].to_vec())
        } else {
            log.append(&buffer[..bytes]);
            None
        };
        Ok(Piece::Some { bytes, to_disk })
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt;

    use super::*;

    fn start() -> (pipe::Sender, Arc<OutputLog>, CancellationToken, oneshot::Receiver<()>, tempfile::TempDir)
    {
        let dir = tempfile::tempdir().unwrap();
        let (sender, receiver) = pipe::pipe().unwrap();
        let log = Arc::new(OutputLog::new(dir.path().join("out")));
        let exited = CancellationToken::new();
        let (drained, is_drained) = oneshot::channel();
        tokio::spawn(pump(receiver, Arc::clone(&log), exited.clone(), drained));
        (sender, log, exited, is_drained, dir)
    }

    #[tokio::test]
    async fn output_arrives_and_the_end_closes_the_log() {
        let (mut pipe, log, ..) = start();
        let mut seen = log.subscribe();
        pipe.write_all(b"hello").await.unwrap();
        drop(pipe);
        seen.wait_for(|progress| progress.closed).await.unwrap();
        assert_eq!(log.read_at(0, 99).await.unwrap(), b"hello");
    }

    #[tokio::test]
    async fn what_was_written_before_the_exit_is_there_though_the_pipe_stays_open() {
        let (mut pipe, log, exited, is_drained, _dir) = start();
        pipe.write_all(&[b'x'; 50_000]).await.unwrap();
        exited.cancel();
        // An error, as the sender is dropped without a value.
        is_drained.await.unwrap_err();
        assert_eq!(log.progress().len, 50_000);
        assert!(!log.progress().closed);

        pipe.write_all(b"late").await.unwrap();
        drop(pipe);
        log.subscribe().wait_for(|progress| progress.closed).await.unwrap();
        assert_eq!(log.progress().len, 50_004);
    }

    #[tokio::test]
    async fn a_child_that_never_stops_writing_cannot_hold_up_the_command_that_exited() {
        let (mut pipe, _log, exited, is_drained, _dir) = start();
        let writer = tokio::spawn(async move { while pipe.write_all(&[b'y'; 4096]).await.is_ok() {} });
        exited.cancel();
        tokio::time::timeout(Duration::from_secs(30), is_drained).await.unwrap().unwrap_err();
        writer.abort();
    }
}
