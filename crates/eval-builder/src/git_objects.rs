//! Which objects a git directory holds, as far as their names tell.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Largest index of a pack that is looked at.
const MOST_INDEX_BYTES: u64 = 256 << 20;

/// Most that is read of a file of names: these directories come from elsewhere.
const MOST_TEXT_BYTES: u64 = 1 << 20;

/// Bytes of the names of SHA-1 objects.
const NAME: usize = 20;

/// The first of these beginnings of names, in hexadecimal digits, that an object has, loose or in a pack.
pub(crate) fn first_held<'a>(git: &Path, prefixes: &[&'a str]) -> Option<&'a str> {
    let loose = prefixes.iter().position(|prefix| is_loose(git, prefix));
    let first = packs(git).iter().fold(loose, |first, pack| {
        let Some(index) = read(pack, MOST_INDEX_BYTES) else { return first };
        let earlier = prefixes.iter().take(first.unwrap_or(prefixes.len()));
        earlier.into_iter().position(|prefix| is_in_index(&index, prefix)).or(first)
    });
    prefixes.get(first?).copied()
}

fn is_loose(git: &Path, prefix: &str) -> bool {
    let Some((directory, rest)) = prefix.split_at_checked(2) else { return false };
    let Ok(entries) = fs::read_dir(git.join("objects").join(directory)) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with(rest))
}

fn packs(git: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(git.join("objects/pack")).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "idx"))
        .collect()
}

/// Looks a name up in an index of version 2: a header of 8 bytes, 256 counts of names by their first byte, the names in
/// order.
fn is_in_index(index: &[u8], prefix: &str) -> bool {
    let Some((header, rest)) = index.split_at_checked(8) else { return false };
    if header != [0xff, b't', b'O', b'c', 0, 0, 0, 2] {
        return false;
    }
    let Some((counts, names)) = rest.split_at_checked(4 * 256) else { return false };
    let count = |byte: usize| {
        let at = counts.get(4 * byte..4 * byte + 4).and_then(|bytes| bytes.try_into().ok());
        at.map_or(0, u32::from_be_bytes) as usize
    };
    let Ok(first) = usize::from_str_radix(prefix.get(..2).unwrap_or_default(), 16) else { return false };
    let start = first.checked_sub(1).map_or(0, count);
    let names = names.get(start * NAME..count(first) * NAME).unwrap_or_default();
    names.chunks_exact(NAME).any(|name| {
        let hex: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
        hex.starts_with(prefix)
    })
}

/// The commit that is checked out.
pub(crate) fn head(git: &Path) -> Option<String> {
    let head = text(&git.join("HEAD"))?;
    match head.trim().strip_prefix("ref: ") {
        Some(name) => reference(git, name),
        None => Some(head.trim().to_owned()),
    }
}

fn reference(git: &Path, name: &str) -> Option<String> {
    // The name may have been written by anybody, and shall not lead elsewhere.
    if !name.starts_with("refs/") || name.split('/').any(|part| part == "..") {
        return None;
    }
    let loose = text(&git.join(name)).map(|id| id.trim().to_owned());
    loose.or_else(|| {
        let packed = text(&git.join("packed-refs"))?;
        let mut lines = packed.lines().filter_map(|line| line.split_once(' '));
        lines.find_map(|(id, of)| (of == name).then(|| id.to_owned()))
    })
}

/// What a file says, as far as it is read.
fn text(path: &Path) -> Option<String> {
    read(path, MOST_TEXT_BYTES).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The beginning of a file: neither a device, which never ends, nor a pipe, which never begins.
fn read(path: &Path, most: u64) -> Option<Vec<u8>> {
    let is_file = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let mut bytes = Vec::new();
    File::open(is_file.then_some(path)?).ok()?.take(most).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// A remote branch or a kept head that is another commit than the one that is checked out: its name and the commit.
pub(crate) fn elsewhere(git: &Path, head: &str) -> Option<(String, String)> {
    let is_other = |id: &str| id.len() >= 40 && id != head && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    for name in ["ORIG_HEAD", "FETCH_HEAD"] {
        let said = text(&git.join(name)).unwrap_or_default();
        if let Some(id) = said.split_whitespace().next().filter(|id| is_other(id)) {
            return Some((name.to_owned(), id.to_owned()));
        }
    }
    let packed = text(&git.join("packed-refs")).unwrap_or_default();
    let packed = packed.lines().filter_map(|line| line.split_once(' '));
    let packed = packed.filter(|(id, name)| name.starts_with("refs/remotes/") && is_other(id));
    let mut found: Vec<(String, String)> =
        packed.map(|(id, name)| (name.to_owned(), id.to_owned())).collect();
    let loose = walkdir::WalkDir::new(git.join("refs/remotes")).into_iter().flatten();
    found.extend(loose.filter(|entry| entry.file_type().is_file()).filter_map(|entry| {
        let id = text(entry.path())?.trim().to_owned();
        let name = entry.path().strip_prefix(git).ok()?.display().to_string();
        is_other(&id).then_some((name, id))
    }));
    found.sort();
    found.into_iter().next()
}

/// Where the head was before it was set back to where it is, by the last line of its log.
pub(crate) fn set_back_from(git: &Path, head: &str) -> Option<String> {
    let log = text(&git.join("logs/HEAD"))?;
    let (ids, message) = log.lines().last()?.split_once('\t')?;
    let (before, after) = {
        let mut words = ids.split(' ');
        (words.next()?, words.next()?)
    };
    let is_set_back = message.starts_with("reset: ") || message.starts_with("checkout: ");
    (is_set_back && after == head && before != head).then(|| before.to_owned())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const ID: &str = "0123456789012345678901234567890123456789";

    #[test]
    fn a_head_leads_to_a_file_of_its_own_directory_or_nowhere() {
        let directory = tempfile::tempdir().unwrap();
        let git = directory.path().join(".git");
        fs::create_dir_all(git.join("refs/heads")).unwrap();
        let outside = directory.path().join("refs");
        fs::write(&outside, ID).unwrap();
        fs::write(git.join("refs/heads/main"), format!("{ID}\n")).unwrap();
        let pipe = git.join("refs/heads/pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let at = |head: &str| {
            fs::write(git.join("HEAD"), head).unwrap();
            super::head(&git)
        };
        assert_eq!(at("ref: refs/heads/main\n").as_deref(), Some(ID));
        assert_eq!(at(&format!("ref: {}\n", outside.display())), None);
        assert_eq!(at("ref: refs/../../refs\n"), None);
        assert_eq!(at("ref: refs/heads/pipe\n"), None);
        assert_eq!(at("ref: /dev/zero\n"), None);
    }
}
