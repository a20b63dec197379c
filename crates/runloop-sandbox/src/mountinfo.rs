//! Reading `/proc/self/mountinfo`: where something is mounted.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// The mount points, in the order of the table.
pub(crate) fn mount_points(table: &[u8]) -> Vec<PathBuf> {
    table.split(|&byte| byte == b'\n').filter_map(mount_point).collect()
}

/// The fifth field of a line, such as `36 35 98:0 /mnt1 /mnt/a\040b rw,noatime - ext3 /dev/root rw`.
fn mount_point(line: &[u8]) -> Option<PathBuf> {
    let field = line.split(|&byte| byte == b' ').nth(4)?;
    Some(OsString::from_vec(unescape(field)).into())
}

/// Blanks, line ends and backslashes are written as three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                text.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = after;
            }
            _ => {
                text.push(*first);
                rest = tail;
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn mount_points_are_unescaped() {
        let table = b"22 27 0:21 / /proc rw,relatime - proc proc rw\n\
            36 35 98:0 /mnt1 /mnt/a\\040b\\134c rw,noatime master:1 - ext3 /dev/root rw\n";
        assert_eq!(mount_points(table), [Path::new("/proc"), Path::new("/mnt/a b\\c")]);
    }

    #[test]
    fn lines_that_are_not_mounts_are_skipped() {
        assert!(mount_points(b"\nshort line\n").is_empty());
        assert_eq!(unescape(b"a\\9\\04"), b"a\\9\\04");
    }

    #[test]
    fn the_tables_of_this_machine_name_its_root() {
        let table = std::fs::read("/proc/self/mountinfo").unwrap();
        assert!(mount_points(&table).iter().any(|point| point == Path::new("/")));
    }
}
