//! User namespaces of boxes that host root makes, and which ids they hold.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use crate::protocol::Failure;
use crate::sys::clone::{self, Forked, Namespaces};
use crate::sys::process;

/// Ids of a box.
const IDS: u32 = 65536;
/// In the box, where files of the host's user with the box user's number are shown to belong.
const STRANGER: u32 = 65000;

/// A user namespace whose ids begin at the shift. With a `stranger`, that host user's files are shown as somebody else's.
pub(crate) fn user_namespace(shift: u32, stranger: Option<u32>) -> Result<OwnedFd, Failure> {
    let failed = |error: io::Error| Failure::new("making a user namespace", &error);
    let (gate, key) = io::pipe().map_err(failed)?;
    match clone::fork_into(Namespaces::USER).map_err(failed)? {
        Forked::Child => {
            drop(key);
            // Stays until the parent has opened the namespace and closes its end.
            let _ = process::wait_readable([gate.as_fd()], None);
            process::exit_now(0)
        }
        Forked::Parent { pid, .. } => {
            drop(gate);
            let made = write_maps(pid, shift, stranger);
            drop(key);
            let _ = process::wait_for(pid);
            made.map_err(failed)
        }
    }
}

fn write_maps(pid: i32, shift: u32, stranger: Option<u32>) -> io::Result<OwnedFd> {
    let map = id_map(shift, stranger);
    std::fs::write(format!("/proc/{pid}/uid_map"), map)?;
    std::fs::write(format!("/proc/{pid}/gid_map"), format!("0 {shift} {IDS}"))?;
    Ok(File::open(format!("/proc/{pid}/ns/user"))?.into())
}

/// The lines of a uid map: first id inside, first id outside, how many.
fn id_map(shift: u32, stranger: Option<u32>) -> String {
    match stranger {
        Some(uid) if uid > 0 && uid < STRANGER => {
            let (after, behind) = (uid + 1, STRANGER + 1);
            let mut map = format!("0 {shift} {uid}\n{uid} {} 1\n", shift + STRANGER);
            if after < STRANGER {
                map += &format!("{after} {} {}\n", shift + after, STRANGER - after);
            }
            map + &format!("{behind} {} {}\n", shift + behind, IDS - behind)
        }
        _ => format!("0 {shift} {IDS}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_id_is_mapped_once_and_the_stranger_elsewhere() {
        assert_eq!(id_map(1000, None), "0 1000 65536");
        let map = id_map(100_000, Some(1000));
        let mut outside = HashSet::new();
        for line in map.lines() {
            let numbers: Vec<u32> = line.split(' ').map(|number| number.parse().unwrap()).collect();
            let [inside, first, count] = numbers[..] else { panic!("{line}") };
            for offset in 0..count {
                assert!(outside.insert(first + offset), "{} is mapped twice", first + offset);
            }
            if inside == 1000 {
                assert_eq!((first, count), (100_000 + STRANGER, 1));
            } else {
                assert_eq!(first - 100_000, inside);
            }
        }
        assert!(!outside.contains(&101_000), "the box's user owns nothing of the host");
    }
}
