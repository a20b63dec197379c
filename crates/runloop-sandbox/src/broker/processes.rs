//! Seeing and signalling everything that runs in a box.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::sys::files::{self, Resolve};
use crate::sys::{clone, ids, process};

/// How long stopping may take before it is left to the kernel to finish.
const STOP_PATIENCE: Duration = Duration::from_secs(2);

/// The processes of this box other than the broker.
pub(super) struct Processes {
    /// `/proc`, opened before any program of the box could cover it.
    table: OwnedFd,
    extent: Extent,
    /// The table is that of the container around this box, whose numbers mean nothing here.
    foreign: bool,
}

enum Extent {
    /// All of this pid namespace: the kernel signals it as one.
    Namespace,
    /// All descendants of the broker. Where the box has a user of its own, the kernel signals that user as one.
    Descendants { own_user: Option<u32> },
}

/// One line of the process table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    pid: i32,
    parent: i32,
    state: u8,
    /// Resident pages.
    resident: u64,
}

impl Processes {
    pub(super) fn whole_namespace() -> io::Result<Self> {
        let mut processes = Self {
            table: files::open_directory(Path::new("/proc"))?,
            extent: Extent::Namespace,
            foreign: false,
        };
        processes.foreign = !processes.are_all_visible();
        Ok(processes)
    }

    pub(super) fn descendants(own_user: Option<u32>) -> io::Result<Self> {
        let table = files::open_directory(Path::new("/proc"))?;
        Ok(Self { table, extent: Extent::Descendants { own_user }, foreign: false })
    }

    /// Whether `/proc` shows this pid namespace and no other.
    pub(super) fn are_all_visible(&self) -> bool {
        match self.extent {
            // Another namespace's table has another number for this process.
            Extent::Namespace => {
                files::read_link(self.table.as_fd(), c"self").is_ok_and(|own| own.as_bytes() == b"1")
            }
            Extent::Descendants { .. } => false,
        }
    }

    fn rows(&self) -> Vec<Row> {
        match self.extent {
            Extent::Namespace if self.foreign => Vec::new(),
            Extent::Namespace => {
                let own = std::process::id() as i32;
                table(self.table.as_fd()).into_iter().filter(|row| row.pid != own).collect()
            }
            Extent::Descendants { .. } => descendants(self.table.as_fd(), std::process::id() as i32),
        }
    }

    /// Whether the broker is alone.
    pub(super) fn none_left(&self) -> bool {
        match self.extent {
            Extent::Namespace => {
                matches!(process::kill(-1, 0), Err(error) if error.raw_os_error() == Some(libc::ESRCH))
            }
            Extent::Descendants { .. } => self.rows().is_empty(),
        }
    }

    fn signal_all(&self, signal: i32) {
        match self.extent {
            Extent::Namespace => {
                let _ = process::kill(-1, signal);
            }
            Extent::Descendants { own_user } => {
                if let Some(uid) = own_user {
                    signal_user(uid, signal);
                }
                for row in self.rows() {
                    let _ = process::kill(row.pid, signal);
                }
            }
        }
    }

    /// Stops everything, and waits until it stands.
    pub(super) fn freeze(&self) -> io::Result<()> {
        let start = Instant::now();
        loop {
            self.signal_all(libc::SIGSTOP);
            // Z and X are over, D cannot touch user memory and stops as soon as it comes back.
            if self.rows().iter().all(|row| matches!(row.state, b'T' | b't' | b'Z' | b'X')) {
                return Ok(());
            }
            if start.elapsed() > STOP_PATIENCE {
                return Err(io::Error::from_raw_os_error(libc::ETIMEDOUT));
            }
            std::thread::sleep(Duration::from_micros(300));
        }
    }

    pub(super) fn thaw(&self) -> io::Result<()> {
        self.signal_all(libc::SIGCONT);
        Ok(())
    }

    /// Kills everything, until nothing is left. In a pid namespace the end of the broker does the same.
    pub(super) fn kill_all(&self) {
        match self.extent {
            Extent::Namespace => {
                let _ = process::kill(-1, libc::SIGKILL);
            }
            Extent::Descendants { own_user } => {
                kill_tree(self.table.as_fd(), std::process::id() as i32, own_user);
            }
        }
    }

    /// Kills the largest process if all together, with `in_files` bytes of memory file systems, are over the limit.
    pub(super) fn kill_largest_over(&self, limit: u64, in_files: u64) -> bool {
        let rows = self.rows();
        let page = 4096;
        let total = rows.iter().map(|row| row.resident * page).sum::<u64>().saturating_add(in_files);
        if total <= limit {
            return false;
        }
        match rows.iter().max_by_key(|row| row.resident) {
            Some(largest) => process::kill(largest.pid, libc::SIGKILL).is_ok(),
            None => false,
        }
    }
}

/// Kills every descendant of this process, by its own `/proc`. For the zygote's last act.
pub(crate) fn kill_descendants() {
    if let Ok(table) = files::open_directory(Path::new("/proc")) {
        kill_tree(table.as_fd(), std::process::id() as i32, None);
    }
}

/// Kills the children that this process adopted from dead brokers, with all below them: its children that are no
/// brokers themselves.
pub(crate) fn kill_adopted(brokers: &std::collections::HashSet<i32>) {
    let own = std::process::id() as i32;
    let Ok(directory) = files::open_directory(Path::new("/proc")) else { return };
    loop {
        let rows = table(directory.as_fd());
        let strangers = rows.iter().filter(|row| row.parent == own && !brokers.contains(&row.pid));
        let mut left = false;
        for stranger in strangers {
            for row in below(&rows, stranger.pid).iter().chain([stranger]).filter(|row| row.state != b'Z') {
                left = true;
                let _ = process::kill(row.pid, libc::SIGKILL);
            }
            if stranger.state == b'Z' {
                let _ = process::wait_for(stranger.pid);
            }
        }
        if !left {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Stops and then kills the descendants of `ancestor`, which adopts orphans, until it has no child left.
fn kill_tree(proc_directory: BorrowedFd<'_>, ancestor: i32, own_user: Option<u32>) {
    let mut before = Vec::new();
    loop {
        // First stop: what stands cannot fork away from the list that is made of it.
        if let Some(uid) = own_user {
            signal_user(uid, libc::SIGKILL);
        }
        let mut now: Vec<i32> = descendants(proc_directory, ancestor).iter().map(|row| row.pid).collect();
        now.sort_unstable();
        for pid in &now {
            let _ = process::kill(*pid, libc::SIGSTOP);
        }
        if now == before {
            for pid in &now {
                let _ = process::kill(*pid, libc::SIGKILL);
            }
        }
        // An error is the end: no children, and as a subreaper that means no descendants.
        while match process::reap(false) {
            Ok(Some(_)) => true,
            Ok(None) => false,
            Err(_) => return,
        } {}
        before = now;
    }
}

/// Has every process of a user signalled by one of its own: the kernel does that in one go.
fn signal_user(uid: u32, signal: i32) {
    match clone::fork() {
        Ok(None) => {
            if ids::become_user(uid, uid).is_ok() {
                let _ = process::kill(-1, signal);
            }
            process::exit_now(0)
        }
        Ok(Some(pid)) => {
            let _ = process::wait_for(pid);
        }
        Err(_) => {}
    }
}

fn descendants(proc_directory: BorrowedFd<'_>, ancestor: i32) -> Vec<Row> {
    below(&table(proc_directory), ancestor)
}

/// The rows whose chain of parents leads to `ancestor`.
fn below(rows: &[Row], ancestor: i32) -> Vec<Row> {
    let mut found: Vec<Row> = Vec::new();
    let mut parents = vec![ancestor];
    while let Some(parent) = parents.pop() {
        for row in rows.iter().filter(|row| row.parent == parent && row.pid != parent) {
            if found.iter().all(|seen| seen.pid != row.pid) {
                parents.push(row.pid);
                found.push(*row);
            }
        }
    }
    found
}

fn table(proc_directory: BorrowedFd<'_>) -> Vec<Row> {
    let entries = files::entries(proc_directory, usize::MAX).unwrap_or_default();
    let pids = entries.iter().filter_map(|entry| entry.name.to_str().ok()?.parse::<i32>().ok());
    pids.filter_map(|pid| {
        use std::io::Read;
        let path = format!("{pid}/stat");
        let file =
            files::open_at(proc_directory, Path::new(&path), libc::O_RDONLY, 0, Resolve::Strict).ok()?;
        let mut text = [0u8; 1024];
        let length = std::fs::File::from(file).read(&mut text).ok()?;
        parse_row(pid, &text[..length])
    })
    .collect()
}

/// Reads `/proc/PID/stat`. The name in it may hold anything, so its end is the last parenthesis.
fn parse_row(pid: i32, text: &[u8]) -> Option<Row> {
    let end = text.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(text.get(end + 2..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    Some(Row {
        pid,
        state: *fields.first()?.as_bytes().first()?,
        parent: fields.get(1)?.parse().ok()?,
        resident: fields.get(21)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_whatever_the_process_calls_itself() {
        let line = b"42 (a) S 1 (x) R 7 42 42 0 -1 4194304 100 0 0 0 1 2 3 4 20 0 1 0 9 1000 123 18446744073709551615\n";
        assert_eq!(parse_row(42, line), Some(Row { pid: 42, parent: 7, state: b'R', resident: 123 }));
        assert_eq!(parse_row(1, b"1 (cut"), None);
        assert_eq!(parse_row(1, b""), None);
    }

    #[test]
    fn descendants_are_found_over_generations_and_strangers_are_not() {
        let row = |pid, parent| Row { pid, parent, state: b'S', resident: 1 };
        let rows = [row(10, 1), row(11, 10), row(12, 11), row(20, 1), row(21, 20), row(13, 12)];
        let mut pids: Vec<_> = below(&rows, 10).iter().map(|row| row.pid).collect();
        pids.sort_unstable();
        assert_eq!(pids, [11, 12, 13]);
    }

    #[test]
    fn this_process_is_in_the_table() {
        let directory = files::open_directory(Path::new("/proc")).unwrap();
        let own = std::process::id() as i32;
        assert!(table(directory.as_fd()).iter().any(|row| row.pid == own && row.resident > 0));
    }
}
