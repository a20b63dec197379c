//! The first process of a box: takes requests from the harness, forks, opens, reaps. It never executes a program, so
//! nothing of ours has to exist in the box's files.
//!
//! It ends when the harness does: its socket is then at its end. In a pid namespace the kernel kills the rest of the
//! box with it; elsewhere it hunts its descendants down first.

mod archive;
mod command;
mod paths;
mod processes;

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use crate::protocol::{self, Failure, MAX_PACKET, Plan, Reply, Request, Shape};
use crate::sys::limits::{self, Resource};
use crate::sys::{files, process, socket};
use processes::Processes;
pub(crate) use processes::{kill_adopted, kill_descendants};

/// How often the memory of a box with running processes is looked at.
const WATCH_MILLISECONDS: u32 = 250;

/// Whom commands run as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Users {
    /// Any user of the box: the broker is root there.
    Any,
    /// This user and no other: what the harness asks for only changes the environment.
    Only(u32),
    /// The one user there is.
    Same,
}

/// The broker of one box.
pub(crate) struct Broker {
    socket: OwnedFd,
    events: OwnedFd,
    plan: Plan,
    users: Users,
    processes: Processes,
    /// Process number to command number, for commands that run.
    running: HashMap<i32, u64>,
    /// Command number to process number; kept after the end, for signals to what is left of its group.
    commands: HashMap<u64, i32>,
    /// Whether the memory has to be looked at.
    watching: bool,
}

impl Broker {
    /// Makes the broker of the box that this process is in.
    pub(crate) fn new(socket: OwnedFd, plan: Plan, users: Users) -> Result<Self, Failure> {
        let failed = |step: &str| {
            let step = step.to_owned();
            move |error: io::Error| Failure::new(step, &error)
        };
        limits::lower(Resource::Core, 0).map_err(failed("limiting core dumps"))?;
        limits::lower(Resource::FileSize, plan.max_file_size).map_err(failed("limiting file sizes"))?;
        if let Some(limit) = plan.max_processes {
            limits::lower(Resource::Processes, limit).map_err(failed("limiting processes"))?;
        }
        if let Some(count) = plan.processors {
            limits::use_processors(count as usize).map_err(failed("limiting processors"))?;
        }
        limits::forbid_inspection().map_err(failed("hiding the broker"))?;
        let processes = match &plan.shape {
            Shape::Namespaces { .. } => Processes::whole_namespace(),
            Shape::Directory { uid, .. } => {
                limits::adopt_orphans().map_err(failed("adopting orphans"))?;
                Processes::descendants(*uid)
            }
        }
        .map_err(failed("opening /proc"))?;
        let events = process::child_events().map_err(failed("listening for ended children"))?;
        limits::umask(0o022);
        Ok(Self {
            socket,
            events,
            plan,
            users,
            processes,
            running: HashMap::new(),
            commands: HashMap::new(),
            watching: false,
        })
    }

    /// Hands the root over, if there is one, and serves until the harness is gone.
    pub(crate) fn serve(mut self, root: Option<OwnedFd>) -> ! {
        let own_processes = self.processes.are_all_visible();
        let along: Vec<_> = root.iter().map(AsFd::as_fd).collect();
        self.reply(0, &Reply::Ready { own_processes }, &along);
        drop(along);
        // Before anything of the box runs: it is not for the box.
        drop(root);
        let mut buffer = vec![0u8; MAX_PACKET + 64];
        loop {
            let timeout = self.watching.then_some(WATCH_MILLISECONDS);
            let ready = process::wait_readable([self.socket.as_fd(), self.events.as_fd()], timeout);
            let Ok([asked, ended]) = ready else { self.end() };
            if ended {
                process::drain(self.events.as_fd());
                self.reap();
            }
            if asked {
                match socket::receive(self.socket.as_fd(), &mut buffer, true) {
                    Ok(received) if received.length == 0 => self.end(),
                    Ok(received) if !received.cut => {
                        self.answer(&buffer[..received.length], received.fds);
                    }
                    Ok(_) => {}
                    Err(_) => self.end(),
                }
            } else if !ended {
                self.watch_memory();
            }
        }
    }

    fn end(&mut self) -> ! {
        self.processes.kill_all();
        process::exit_now(0)
    }

    fn reply(&self, number: u64, reply: &Reply, fds: &[BorrowedFd<'_>]) {
        // A harness that does not listen any more is found out by the next receive.
        let _ = protocol::send(self.socket.as_fd(), number, reply, fds);
    }

    fn reap(&mut self) {
        while let Ok(Some((pid, ended))) = process::reap(false) {
            if let Some(number) = self.running.remove(&pid) {
                let status = match ended {
                    process::Ended::Exited(status) => status,
                    process::Ended::Signaled(signal) => -signal,
                };
                self.reply(number, &Reply::Ended { status }, &[]);
            }
        }
    }

    fn answer(&mut self, packet: &[u8], mut fds: Vec<OwnedFd>) {
        let Some((number, request)) = protocol::unpack::<Request>(packet, &mut fds) else {
            return;
        };
        let answer = match request {
            Request::Exec { argv, env, cwd, uid, null_input } => {
                let wanted = if null_input { 2 } else { 3 };
                let command =
                    command::Command::new(argv, env, &self.inside(&cwd), (uid, self.users), null_input);
                let started = command.and_then(|command| match fds.len() == wanted {
                    true => command.start(&fds),
                    false => Err(io::ErrorKind::InvalidInput.into()),
                });
                match started {
                    Ok(pid) => self.started(number, pid),
                    Err(error) => Some(Reply::Failed { failure: Failure::new("starting a command", &error) }),
                }
            }
            Request::Unpack { target, gzip } => {
                let target = self.inside(&target);
                let (uid, users) = (self.plan.uid, self.users);
                self.start(number, move || archive::run(fds, gzip, &target, || users.become_user(uid)))
            }
            Request::Read { path } => {
                let path = self.inside(&path);
                self.opened(number, self.as_user(|| paths::open_for_reading(&path)), &path)
            }
            Request::Write { path, mode } => {
                let path = self.inside(&path);
                self.opened(number, self.as_user(|| paths::open_for_writing(&path, mode)), &path)
            }
            Request::MakeDirectories { path } => {
                let path = self.inside(&path);
                done(self.as_user(|| paths::make_directories(&path)).map(drop), &path)
            }
            Request::Signal { command, signal, group } => self.signal(command, signal, group),
            Request::Freeze {} => done(self.processes.freeze(), Path::new("processes")),
            Request::Thaw {} => done(self.processes.thaw(), Path::new("processes")),
            Request::IsIdle {} => {
                self.reap();
                Some(Reply::Idle { idle: self.processes.none_left() })
            }
            Request::End {} => {
                self.processes.kill_all();
                self.reply(number, &Reply::Done {}, &[]);
                process::exit_now(0)
            }
        };
        if let Some(answer) = answer {
            self.reply(number, &answer, &[]);
        }
    }

    /// Forks a child that does `work`, as a command that can be waited for and signalled.
    fn start(
        &mut self,
        number: u64,
        work: impl FnOnce() -> Result<std::convert::Infallible, i32>,
    ) -> Option<Reply> {
        match crate::sys::clone::fork() {
            Ok(None) => {
                // In the child. Whatever happens, it never returns to the broker's loop.
                process::unblock_signals();
                let _ = process::new_session();
                let status = match work() {
                    Ok(never) => match never {},
                    Err(status) => status,
                };
                process::exit_now(status)
            }
            Ok(Some(pid)) => self.started(number, pid),
            Err(error) => Some(Reply::Failed { failure: Failure::new("forking", &error) }),
        }
    }

    fn started(&mut self, number: u64, pid: i32) -> Option<Reply> {
        // An earlier command's number may have come around again.
        self.commands.retain(|_, old| *old != pid);
        self.commands.insert(number, pid);
        self.running.insert(pid, number);
        self.watching = self.plan.watch_memory;
        Some(Reply::Done {})
    }

    fn opened(&self, number: u64, result: io::Result<OwnedFd>, path: &Path) -> Option<Reply> {
        match result {
            Ok(file) => {
                self.reply(number, &Reply::Opened {}, &[file.as_fd()]);
                None
            }
            Err(error) => Some(Reply::Failed { failure: Failure::new(path.to_string_lossy(), &error) }),
        }
    }

    fn signal(&self, command: u64, signal: i32, group: bool) -> Option<Reply> {
        let Some(&pid) = self.commands.get(&command) else { return Some(Reply::Done {}) };
        let result = if group {
            process::kill(-pid, signal)
        } else if self.running.contains_key(&pid) {
            process::kill(pid, signal)
        } else {
            Ok(())
        };
        match result {
            Err(error) if error.raw_os_error() != Some(libc::ESRCH) => {
                Some(Reply::Failed { failure: Failure::new("sending a signal", &error) })
            }
            _ => Some(Reply::Done {}),
        }
    }

    fn watch_memory(&mut self) {
        if self.processes.none_left() {
            self.watching = false;
            return;
        }
        let mounts = match self.plan.shape {
            Shape::Namespaces { .. } => &["/run", "/dev/shm"][..],
            Shape::Directory { .. } => &[],
        };
        let in_files: u64 = mounts
            .iter()
            .filter_map(|path| files::open_directory(Path::new(path)).ok())
            .filter_map(|directory| files::space(directory.as_fd()).ok())
            .map(|space| space.used)
            .sum();
        if self.processes.kill_largest_over(self.plan.max_memory, in_files) {
            self.reply(0, &Reply::OutOfMemory {}, &[]);
        }
    }

    /// Where a path of the API lies for this process.
    fn inside(&self, path: &Path) -> PathBuf {
        match &self.plan.shape {
            Shape::Namespaces { .. } => self.plan.home.join(path),
            Shape::Directory { path: directory, .. } => {
                let home = directory.join("home");
                match path.strip_prefix(&self.plan.home) {
                    Ok(below) => home.join(below),
                    Err(_) => home.join(path),
                }
            }
        }
    }

    /// Does file work with the rights of the box's user.
    fn as_user<T>(&self, work: impl FnOnce() -> T) -> T {
        limits::umask(0);
        let result = match self.users {
            Users::Any => crate::sys::ids::as_file_user(self.plan.uid, self.plan.uid, work),
            Users::Only(uid) => crate::sys::ids::as_file_user(uid, uid, work),
            Users::Same => work(),
        };
        limits::umask(0o022);
        result
    }
}

impl Users {
    /// In a child: takes on the user that a command is to run as.
    fn become_user(self, wanted: u32) -> io::Result<()> {
        match self {
            Self::Any if wanted == 0 => Ok(()),
            Self::Any => crate::sys::ids::become_user(wanted, wanted),
            Self::Only(uid) => crate::sys::ids::become_user(uid, uid),
            Self::Same => Ok(()),
        }
    }
}

fn done(result: io::Result<()>, what: &Path) -> Option<Reply> {
    Some(match result {
        Ok(()) => Reply::Done {},
        Err(error) => Reply::Failed { failure: Failure::new(what.to_string_lossy(), &error) },
    })
}

/// Value of a variable in an environment.
fn variable<'a>(env: &'a [(std::ffi::OsString, std::ffi::OsString)], name: &str) -> Option<&'a OsStr> {
    env.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_os_str())
}
