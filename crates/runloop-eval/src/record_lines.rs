//! `--format jsonl`: the record of a run on standard output while it is written.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use eval_record::RunDirectory;

use crate::commands::print_from;
use crate::error::CliError;

/// How often the record is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Bytes that are copied at once.
const CHUNK: u64 = 1 << 20;

/// Copies what is added to a record to standard output, on a thread of its own: whoever reads it may be slow, or stop, and
/// neither does the run wait for that nor does it keep in memory what is in the record.
pub(crate) struct RecordLines {
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<Result<(), CliError>>>,
}

impl RecordLines {
    /// Begins with what is added from here on. The record is there already.
    pub(crate) fn start(directory: &RunDirectory) -> io::Result<Self> {
        let mut file = File::open(directory.path().join("events.jsonl"))?;
        file.seek(SeekFrom::End(0))?;
        let (over, is_over) = channel();
        let thread = std::thread::spawn(move || follow(file, &is_over));
        Ok(Self { over: Some(over), thread: Some(thread) })
    }

    /// Copies the rest of a record that is finished.
    ///
    /// # Errors
    /// If it cannot be read, or standard output not be written. A reader that went away is no error.
    pub(crate) fn finish(mut self) -> Result<(), CliError> {
        self.join()
    }

    fn join(&mut self) -> Result<(), CliError> {
        drop(self.over.take());
        // It does not panic.
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or(Ok(()))
    }
}

impl Drop for RecordLines {
    fn drop(&mut self) {
        // Whoever wants to know whether it worked calls `finish`.
        let _ = self.join();
    }
}

fn follow(mut file: File, is_over: &Receiver<()>) -> Result<(), CliError> {
    let mut text = Vec::new();
    loop {
        let is_over = !matches!(is_over.recv_timeout(LOOK), Err(RecvTimeoutError::Timeout));
        loop {
            let read = (&mut file).take(CHUNK).read_to_end(&mut text);
            // A line that is not whole yet waits for the rest of it.
            let lines = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let is_end = matches!(read, Ok(0));
            print_from(|stdout| {
                read?;
                stdout.write_all(text.get(..lines).unwrap_or_default())
            })?;
            text.drain(..lines);
            if is_end {
                break;
            }
        }
        if is_over {
            return Ok(());
        }
    }
}
