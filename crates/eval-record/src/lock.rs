//! Whether somebody writes to a run directory, and that nobody else does.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

/// The file in a run directory that its writer holds. It stays when the run is over: only the lock says something.
const NAME: &str = "run.lock";

/// How often a lock is tried that somebody holds, and the time between: whoever only looks holds it for an instant.
const TRIES: (u32, Duration) = (10, Duration::from_millis(25));

/// Held by the one program that writes to a run directory. The system ends it with the program, however that ends.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// Takes the lock. The inner error is that another program has it: its process id, if that could be read.
pub(crate) fn take(root: &Path) -> io::Result<Result<RunLock, Option<u32>>> {
    let mut file =
        File::options().create(true).truncate(false).read(true).write(true).open(root.join(NAME))?;
    for again in (0..TRIES.0).rev() {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if again > 0 => std::thread::sleep(TRIES.1),
            Err(TryLockError::WouldBlock) => return Ok(Err(holder(&mut file))),
            // A file system without locks: the run is worth more than the lock.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => break,
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    file.set_len(0)?;
    file.write_all(format!("{}\n", std::process::id()).as_bytes())?;
    Ok(Ok(RunLock { _file: file }))
}

/// Whether a program holds the lock now.
pub(crate) fn is_held(root: &Path) -> bool {
    File::open(root.join(NAME))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writer_holds_it_and_everybody_can_tell() {
        let directory = tempfile::tempdir().unwrap();
        assert!(!is_held(directory.path()), "a run of before there were locks");
        let lock = take(directory.path()).unwrap().unwrap();
        assert!(is_held(directory.path()));
        assert_eq!(take(directory.path()).unwrap().unwrap_err(), Some(std::process::id()));
        drop(lock);
        assert!(!is_held(directory.path()));
        let _lock = take(directory.path()).unwrap().unwrap();
    }

    #[test]
    fn those_who_only_look_do_not_keep_a_writer_out() {
        let directory = tempfile::tempdir().unwrap();
        drop(take(directory.path()).unwrap());
        let looking = File::open(directory.path().join(NAME)).unwrap();
        looking.lock_shared().unwrap();
        assert!(!is_held(directory.path()), "they do not see each other");
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| take(directory.path()).unwrap());
            looking.unlock().unwrap();
            assert!(writer.join().unwrap().is_ok());
        });
    }
}
