//! Runs an agent beside the harness so that nothing of it outlives its trial.
//!
//! The agent's parent is this very program, executed again as a supervisor: processes that lose their parent become its
//! children, whatever group, session or environment they have. Its standard input is a socket to the harness. A byte asks
//! the agent to end; the end of the stream, which also the harness's death is, ends the agent at once. When the agent has
//! ended, however it did, everything that descends from the supervisor is killed until nothing is left, and only then the
//! harness is told how the agent ended. Only what other programs start in the agent's name (cron, a container engine) is
//! not found.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, getpid, kill_process, kill_process_group, pidfd_open,
    set_child_subreaper, wait,
};
use serde::{Deserialize, Serialize};

/// The first argument of a supervisor; the agent's command and its private directory follow.
const ARGUMENT: &str = "runloop-eval-supervisor";

/// How long killed processes may take to be gone.
pub(crate) const LAST_BREATH: Duration = Duration::from_secs(10);

/// Between two looks at what is left.
const PAUSE: Duration = Duration::from_millis(1);

/// Whether this program's `main` called [`init`].
static IS_READY: OnceLock<()> = OnceLock::new();

/// Call this early in `main`, before arguments are looked at and threads are started.
///
/// In the re-executed supervisor of an agent beside the harness it never returns. Otherwise it lets such agents run: without
/// it their trials are invalid.
pub fn init() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|argument| argument == ARGUMENT) {
        let (line, directory) = (arguments.next().unwrap_or_default(), arguments.next());
        std::process::exit(i32::from(supervise(line, directory.as_deref().map(Path::new)).is_err()));
    }
    // A second call changes nothing.
    let _ = IS_READY.set(());
}

/// A supervisor for a shell command, without its pipes; `None` if this program cannot be one. It removes the directory at
/// the end, which the harness may not live to see.
pub(crate) fn command(line: &str, directory: &Path) -> Option<Command> {
    IS_READY.get()?;
    let mut command = Command::new("/proc/self/exe");
    // A group of its own: Ctrl-C on the harness's terminal is for the harness.
    command.arg0("runloop-supervisor").arg(ARGUMENT).arg(line).arg(directory).process_group(0);
    Some(command)
}

/// What the harness is told at the end, as a line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Report {
    /// There is no agent, and why.
    NotStarted(String),
    /// It ended.
    Ended {
        /// 128 + signal for a killed one.
        exit_status: i32,
        /// Whether something of it could not be ended.
        is_left: bool,
    },
}

fn supervise(line: OsString, directory: Option<&Path>) -> io::Result<()> {
    // Not inherited: the agent's standard input is empty.
    let mut harness = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let report = match start(line) {
        Ok(agent) => {
            let status = attend(&mut harness, agent);
            let is_left = !end_descendants();
            Report::Ended { exit_status: exit_status(status), is_left }
        }
        Err(error) => Report::NotStarted(error.to_string()),
    };
    if let Some(directory) = directory {
        // One that is gone already needs no removal.
        let _ = std::fs::remove_dir_all(directory);
    }
    let mut line = serde_json::to_vec(&report)?;
    line.push(b'\n');
    harness.write_all(&line)
}

fn start(line: OsString) -> io::Result<Pid> {
    set_child_subreaper(Some(getpid()))?;
    let child = Command::new("sh").arg("-c").arg(line).stdin(Stdio::null()).process_group(0).spawn()?;
    Ok(Pid::from_child(&child))
}

/// Waits for the agent's end, and does to it what the harness asks.
fn attend(harness: &mut UnixStream, agent: Pid) -> WaitStatus {
    let handle = pidfd_open(agent, PidfdFlags::empty()).ok();
    // Orphans that have ended wait this long to be taken note of.
    let pause = Timespec { tv_sec: 0, tv_nsec: if handle.is_some() { 500_000_000 } else { 20_000_000 } };
    let mut is_open = true;
    loop {
        if let Reaped::Agent(status) = reap(Some(agent)) {
            return status;
        }
        let mut awaited: Vec<PollFd<'_>> =
            handle.iter().map(|handle| PollFd::new(handle, PollFlags::IN)).collect();
        if is_open {
            awaited.push(PollFd::new(&*harness, PollFlags::IN));
        }
        let is_ready = poll(&mut awaited, Some(&pause)).is_ok()
            && is_open
            && awaited.last().is_some_and(|harness| !harness.revents().is_empty());
        if !is_ready {
            continue;
        }
        // The agent is not reaped yet, so its id is still its own. If it has ended already there is nothing to signal.
        let _ = match harness.read(&mut [0]) {
            Ok(1) => kill_process_group(agent, Signal::TERM),
            _ => {
                is_open = false;
                kill_process(agent, Signal::KILL)
            }
        };
    }
}

/// What taking note of ended children came to.
enum Reaped {
    Agent(WaitStatus),
    /// Some are left.
    Others,
    /// There are no children: for a subreaper that means no descendants.
    None,
}

fn reap(agent: Option<Pid>) -> Reaped {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if Some(pid) == agent => return Reaped::Agent(status),
            Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
            Ok(None) => return Reaped::Others,
            Err(_) => return Reaped::None,
        }
    }
}

/// Kills until nothing is left; says whether that was reached.
fn end_descendants() -> bool {
    let since = Instant::now();
    loop {
        for pid in descendants() {
            // One that is gone already needs no signal, and one of another user cannot be sent any.
            let _ = kill_process(pid, Signal::KILL);
        }
        if matches!(reap(None), Reaped::None) {
            return true;
        }
        if since.elapsed() > LAST_BREATH {
            return false;
        }
        thread::sleep(PAUSE);
    }
}

/// All that descends from this process, the whole tree: what forks quickly is then killed at every depth at once.
fn descendants() -> Vec<Pid> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Ok(stat) = std::fs::read(entry.path().join("stat"))
            && let Some(parent) = parent(&stat)
        {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = Vec::new();
    let mut pending = vec![getpid().as_raw_nonzero().get()];
    while let Some(parent) = pending.pop() {
        let Some(mine) = children.remove(&parent) else { continue };
        found.extend(mine.iter().filter_map(|pid| Pid::from_raw(*pid)));
        pending.extend(mine);
    }
    found
}

/// The parent in a line of `/proc/<pid>/stat`. The name before it is in parentheses and may hold anything.
fn parent(stat: &[u8]) -> Option<i32> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(&stat[end + 1..]).ok()?;
    rest.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn exit_status(status: WaitStatus) -> i32 {
    let signal = status.terminating_signal().map(|signal| 128 + signal);
    status.exit_status().or(signal).unwrap_or(-1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_found_behind_any_name() {
        assert_eq!(parent(b"12 (sh) S 7 12 12 0"), Some(7));
        assert_eq!(parent(b"12 (a) S 99 (b)\n) Z 8 12"), Some(8));
        assert_eq!(parent(b"12 (sh"), None);
    }
}
