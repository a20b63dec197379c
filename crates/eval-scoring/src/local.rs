//! A workspace in a directory of this machine.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::{Command, Output, Workspace, WorkspaceFile};

/// Bytes kept of each end of a stream.
const KEPT: usize = 256 * 1024;

/// Runs scorers in a temporary directory of this machine, without any isolation: for tests of scorers that are trusted.
/// The directory is removed with it.
#[derive(Debug)]
pub struct LocalWorkspace {
    directory: TempDir,
}

impl LocalWorkspace {
    /// An empty directory.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn new() -> io::Result<Self> {
        Ok(Self { directory: tempfile::Builder::new().prefix("workspace-").tempdir()? })
    }

    /// The working directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

impl Workspace for LocalWorkspace {
    type Error = io::Error;

    async fn exec(&self, command: &Command) -> io::Result<Output> {
        let mut child = tokio::process::Command::new("bash")
            .args(["--noprofile", "--norc", "-c", &command.line])
            .current_dir(self.path())
            .envs(command.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = child.id();
        let stdout = tokio::spawn(keep(child.stdout.take()));
        let stderr = tokio::spawn(keep(child.stderr.take()));
        let exit_status = match tokio::time::timeout(command.timeout, child.wait()).await {
            Ok(status) => Some(exit_status(status?)),
            Err(_) => None,
        };
        // What it left running would hold the streams open, after its end as well as after its time.
        if let Some(group) = group {
            tokio::process::Command::new("bash")
                .args(["-c", &format!("kill -KILL -- -{group} 2>/dev/null")])
                .stdin(Stdio::null())
                .status()
                .await?;
        }
        let (stdout, stdout_cut) = stdout.await.map_err(io::Error::other)??;
        let (stderr, _) = stderr.await.map_err(io::Error::other)??;
        Ok(Output { exit_status, stdout, stderr, stdout_cut, hidden_stdout: None })
    }

    async fn write(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let target = self.path().join(path);
        if let Some(parent) = target.parent() {
            self.make_directories(parent)?;
        }
        clear(&target)?;
        std::fs::OpenOptions::new().write(true).create_new(true).open(&target)?;
        std::fs::write(&target, content)
    }

    async fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        let path = self.path().join(path);
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => std::fs::read(&path).map(Some),
            Ok(_) => Ok(None),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn files(
        &self,
        directory: &str,
        extensions: &[String],
        max_file_bytes: u64,
    ) -> io::Result<Vec<WorkspaceFile>> {
        let mut found = Vec::new();
        let mut pending = vec![self.path().join(directory)];
        while let Some(directory) = pending.pop() {
            let entries = match std::fs::read_dir(&directory) {
                Ok(entries) => entries,
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
                {
                    continue;
                }
                Err(error) => return Err(error),
            };
            for entry in entries {
                let entry = entry?;
                let path = entry.path();
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    pending.push(path);
                } else if kind.is_file()
                    && extensions
                        .iter()
                        .any(|extension| entry.file_name().to_string_lossy().ends_with(extension.as_str()))
                    && entry.metadata()?.len() <= max_file_bytes
                {
                    let relative =
                        path.strip_prefix(self.path()).unwrap_or(&path).components().collect::<PathBuf>();
                    let content = std::fs::read(&path)?;
                    found.push(WorkspaceFile { path: relative.to_string_lossy().into_owned(), content });
                }
            }
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }
}

impl LocalWorkspace {
    /// Makes the directories of a path; what is no directory, or a link, gives way below the working directory.
    fn make_directories(&self, path: &Path) -> io::Result<()> {
        let Ok(relative) = path.strip_prefix(self.path()) else { return std::fs::create_dir_all(path) };
        let mut current = self.path().to_owned();
        for part in relative.components().filter(|part| *part != Component::CurDir) {
            current.push(part);
            match std::fs::symlink_metadata(&current) {
                Ok(metadata) if metadata.is_dir() => {}
                _ => {
                    clear(&current)?;
                    std::fs::create_dir(&current)?;
                }
            }
        }
        Ok(())
    }
}

/// Removes whatever stands at a path, without following it.
fn clear(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn exit_status(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

/// Reads a stream to its end and keeps its head and tail; and whether something between them was cut.
async fn keep(stream: Option<impl AsyncRead + Unpin>) -> io::Result<(String, bool)> {
    let Some(mut stream) = stream else { return Ok((String::new(), false)) };
    let mut head = Vec::new();
    let mut tail = Vec::new();
    let mut cut = 0_usize;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        let (first, rest) = buffer[..count].split_at(count.min(KEPT - head.len()));
        head.extend_from_slice(first);
        tail.extend_from_slice(rest);
        if tail.len() > 2 * KEPT {
            cut += tail.len() - KEPT;
            tail.drain(..tail.len() - KEPT);
        }
    }
    if cut > 0 {
        head.extend_from_slice(format!("\n[... {cut} bytes cut ...]\n").as_bytes());
    }
    head.extend_from_slice(&tail);
    Ok((String::from_utf8_lossy(&head).into_owned(), cut > 0))
}
