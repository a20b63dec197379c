//! Becoming a command: what happens in the child between fork and exec.

use std::convert::Infallible;
use std::ffi::{CString, OsStr, OsString};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::{Users, variable};
use crate::sys::{c_bytes, process};

/// Where programs are looked for if the command's environment has no `PATH`.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Exit status of a shell for a program that is not there, and for one that cannot be executed.
const NOT_FOUND: i32 = 127;
const NOT_EXECUTABLE: i32 = 126;

pub(super) struct Command {
    pub(super) argv: Vec<OsString>,
    pub(super) env: Vec<(OsString, OsString)>,
    pub(super) cwd: PathBuf,
    pub(super) uid: u32,
    pub(super) null_input: bool,
    pub(super) users: Users,
}

impl Command {
    /// Never returns if all goes well; otherwise it said why on standard error, and the status is what a shell's
    /// would be.
    pub(super) fn run(self, fds: Vec<OwnedFd>) -> Result<Infallible, i32> {
        let expected = if self.null_input { 2 } else { 3 };
        if fds.len() != expected {
            return Err(NOT_EXECUTABLE);
        }
        // The broker's own standard input is the null device.
        let first = 3 - expected;
        for (index, fd) in fds.iter().enumerate() {
            process::place(fd.as_fd(), (first + index) as i32).map_err(|_| NOT_EXECUTABLE)?;
        }
        self.users.become_user(self.uid).map_err(|error| {
            complain(&format!("cannot become user {}", self.uid), &error);
            NOT_EXECUTABLE
        })?;
        std::env::set_current_dir(&self.cwd).map_err(|error| {
            complain(&format!("cannot enter {}", self.cwd.display()), &error);
            NOT_EXECUTABLE
        })?;
        let program = self.argv.first().cloned().unwrap_or_default();
        let error = self.execute(&program);
        complain(&program.to_string_lossy(), &error);
        Err(match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENOTDIR) => NOT_FOUND,
            _ => NOT_EXECUTABLE,
        })
    }

    fn execute(self, program: &OsStr) -> io::Error {
        let path = variable(&self.env, "PATH").unwrap_or(DEFAULT_PATH.as_ref()).to_owned();
        let candidates: Vec<PathBuf> = if program.as_bytes().contains(&b'/') {
            vec![program.into()]
        } else if program.is_empty() {
            return io::Error::from_raw_os_error(libc::ENOENT);
        } else {
            path.as_bytes().split(|&byte| byte == b':').map(|dir| directory(dir).join(program)).collect()
        };
        let Some(argv) = self.argv.into_iter().map(c_string).collect::<Option<Vec<_>>>() else {
            return io::Error::from_raw_os_error(libc::EINVAL);
        };
        let env = self.env.into_iter().filter_map(|(key, value)| {
            let mut pair = key.into_vec();
            pair.push(b'=');
            pair.extend(value.as_bytes());
            CString::new(pair).ok()
        });
        let env = process::Strings::new(env.collect());
        let arguments = process::Strings::new(argv.clone());
        let mut refused = None;
        for candidate in candidates {
            let Ok(file) = crate::sys::c_path(&candidate) else { continue };
            let error = process::execute(&file, &arguments, &env);
            match error.raw_os_error() {
                Some(libc::ENOENT | libc::ENOTDIR) => {}
                // A script without `#!` is the shell's, as everywhere.
                Some(libc::ENOEXEC) => {
                    let mut through_shell = vec![c"/bin/sh".to_owned(), file];
                    through_shell.extend(argv.iter().skip(1).cloned());
                    let error = process::execute(c"/bin/sh", &process::Strings::new(through_shell), &env);
                    return error;
                }
                Some(libc::EACCES) => refused = Some(error),
                _ => return error,
            }
        }
        refused.unwrap_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))
    }
}

fn directory(bytes: &[u8]) -> &Path {
    Path::new(if bytes.is_empty() { OsStr::new(".") } else { OsStr::from_bytes(bytes) })
}

fn c_string(text: OsString) -> Option<CString> {
    c_bytes(text.as_bytes()).ok()
}

fn complain(what: &str, error: &io::Error) {
    let text = match error.raw_os_error() {
        Some(libc::ENOENT) => "not found".to_owned(),
        Some(libc::EACCES) => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    let _ = writeln!(io::stderr(), "{what}: {text}");
}
