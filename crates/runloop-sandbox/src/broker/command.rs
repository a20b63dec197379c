//! Starting a command: what is prepared before its process is made, and what that process does until it executes.

use std::ffi::{CString, OsStr, OsString};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use super::{Users, variable};
use crate::sys::{c_bytes, c_path, clone, files, process};

/// Where programs are looked for if the command's environment has no `PATH`.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Exit status of a shell for a program that is not there, and for one that cannot be executed.
const NOT_FOUND: i32 = 127;
const NOT_EXECUTABLE: i32 = 126;

/// A command that is ready to be executed: everything that needs memory is done.
pub(super) struct Command {
    /// Where the program may be, in the order of the `PATH`.
    candidates: Vec<CString>,
    arguments: Vec<CString>,
    env: process::Strings,
    cwd: CString,
    uid: u32,
    null_input: bool,
    users: Users,
}

/// Where a child that shares our memory got stuck, and on what.
#[derive(Clone, Copy)]
struct Stuck {
    at: Step,
    errno: i32,
}

#[derive(Clone, Copy)]
enum Step {
    Descriptors,
    User,
    Directory,
    /// The number of the candidate.
    Program(usize),
}

impl Command {
    /// The error is for requests that cannot be a command of any system.
    pub(super) fn new(
        argv: Vec<OsString>,
        env: Vec<(OsString, OsString)>,
        cwd: &Path,
        (uid, users): (u32, Users),
        null_input: bool,
    ) -> io::Result<Self> {
        let program = argv.first().ok_or(io::ErrorKind::InvalidInput)?.clone();
        let candidates = if program.as_bytes().contains(&b'/') {
            vec![c_bytes(program.as_bytes())?]
        } else {
            let path = variable(&env, "PATH").unwrap_or(DEFAULT_PATH.as_ref());
            let directories = path.as_bytes().split(|&byte| byte == b':').map(directory);
            directories.map(|directory| c_path(&directory.join(&program))).collect::<io::Result<_>>()?
        };
        let pairs = env.into_iter().filter_map(|(key, value)| {
            let mut pair = key.into_vec();
            pair.push(b'=');
            pair.extend(value.as_bytes());
            CString::new(pair).ok()
        });
        Ok(Self {
            candidates,
            arguments: argv.iter().map(|text| c_bytes(text.as_bytes())).collect::<io::Result<_>>()?,
            env: process::Strings::new(pairs.collect()),
            cwd: c_path(cwd)?,
            uid,
            null_input,
            users,
        })
    }

    /// Starts it with these descriptors for its standard input, output and error. If it cannot become the program, its
    /// standard error says why, and its exit status is what a shell's would be.
    pub(super) fn start(&self, fds: &[OwnedFd]) -> io::Result<i32> {
        let arguments = process::Strings::new(self.arguments.clone());
        let (mut pid, mut stuck) = self.attempt(fds, &self.candidates, &arguments)?;
        if let Some(Stuck { at: Step::Program(number), errno: libc::ENOEXEC }) = stuck
            && let Some(script) = self.candidates.get(number)
        {
            // A script without `#!` is the shell's, as everywhere.
            let _ = process::wait_for(pid);
            let through_shell = [c"/bin/sh".to_owned(), script.clone()];
            let rest = self.arguments.iter().skip(1).cloned();
            let arguments = process::Strings::new(through_shell.into_iter().chain(rest).collect());
            (pid, stuck) = self.attempt(fds, &[c"/bin/sh".to_owned()], &arguments)?;
        }
        if let (Some(stuck), Some(stderr)) = (stuck, fds.last()) {
            self.complain(stuck, stderr);
        }
        Ok(pid)
    }

    /// One child that tries the candidates in order. It shares our memory, and the box may end it at any moment: it only
    /// makes kernel calls.
    fn attempt(
        &self,
        fds: &[OwnedFd],
        candidates: &[CString],
        arguments: &process::Strings,
    ) -> io::Result<(i32, Option<Stuck>)> {
        let mut stuck = None;
        let pid = clone::spawn_sharing(&mut || {
            process::unblock_signals();
            let _ = process::new_session();
            let stop = self.become_program(fds, candidates, arguments);
            stuck = Some(stop);
            match (stop.at, stop.errno) {
                (Step::Program(_), libc::ENOENT | libc::ENOTDIR) => NOT_FOUND,
                _ => NOT_EXECUTABLE,
            }
        })?;
        Ok((pid, stuck))
    }

    /// In the child: comes back only if something refused.
    fn become_program(&self, fds: &[OwnedFd], candidates: &[CString], arguments: &process::Strings) -> Stuck {
        let stuck =
            |at| move |error: io::Error| Stuck { at, errno: error.raw_os_error().unwrap_or(libc::EIO) };
        let prepare = || -> Result<(), Stuck> {
            // The broker's own standard input is the null device.
            let first = i32::from(self.null_input);
            for (fd, number) in fds.iter().zip(first..) {
                process::place(fd.as_fd(), number).map_err(stuck(Step::Descriptors))?;
            }
            self.users.become_user(self.uid).map_err(stuck(Step::User))?;
            files::enter(&self.cwd).map_err(stuck(Step::Directory))
        };
        if let Err(stop) = prepare() {
            return stop;
        }
        let mut last = Stuck { at: Step::Program(0), errno: libc::ENOENT };
        for (number, candidate) in candidates.iter().enumerate() {
            let error = process::execute(candidate, arguments, &self.env);
            let stop = stuck(Step::Program(number))(error);
            match stop.errno {
                libc::ENOENT | libc::ENOTDIR => {}
                // Another directory may have one that can be executed; if not, this is the reason.
                libc::EACCES => last = stop,
                _ => return stop,
            }
        }
        last
    }

    fn complain(&self, stuck: Stuck, stderr: &OwnedFd) {
        let what = match stuck.at {
            Step::Descriptors => return,
            Step::User => format!("cannot become user {}", self.uid),
            Step::Directory => format!("cannot enter {}", self.cwd.to_string_lossy()),
            Step::Program(_) => {
                self.arguments.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
            }
        };
        let why = match stuck.errno {
            libc::ENOENT => "not found".to_owned(),
            libc::EACCES => "permission denied".to_owned(),
            errno => io::Error::from_raw_os_error(errno).to_string(),
        };
        if let Ok(stderr) = stderr.try_clone() {
            let _ = writeln!(std::fs::File::from(stderr), "{what}: {why}");
        }
    }
}

fn directory(bytes: &[u8]) -> &Path {
    Path::new(if bytes.is_empty() { OsStr::new(".") } else { OsStr::from_bytes(bytes) })
}
