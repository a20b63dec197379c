//! Which objects a git directory holds, as far as their names tell.

use std::fs;
use std::path::{Path, PathBuf};

/// Largest index of a pack that is looked at.
const MOST_INDEX_BYTES: u64 = 256 << 20;

/// Bytes of the names of SHA-1 objects.
const NAME: usize = 20;

/// Whether it holds an object whose name begins with these hexadecimal digits, loose or in a pack.
pub(crate) fn holds(git: &Path, prefix: &str) -> bool {
    is_loose(git, prefix) || packs(git).iter().any(|index| is_in_index(index, prefix))
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
fn is_in_index(path: &Path, prefix: &str) -> bool {
    if fs::metadata(path).map_or(true, |metadata| metadata.len() > MOST_INDEX_BYTES) {
        return false;
    }
    let Ok(index) = fs::read(path) else { return false };
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
    let head = fs::read_to_string(git.join("HEAD")).ok()?;
    match head.trim().strip_prefix("ref: ") {
        Some(name) => reference(git, name),
        None => Some(head.trim().to_owned()),
    }
}

fn reference(git: &Path, name: &str) -> Option<String> {
    let loose = fs::read_to_string(git.join(name)).ok().map(|id| id.trim().to_owned());
    loose.or_else(|| {
        let packed = fs::read_to_string(git.join("packed-refs")).ok()?;
        packed.lines().find_map(|line| Some(line.strip_suffix(name)?.trim_end().to_owned()))
    })
}

/// A remote branch or a kept head that is another commit than the one that is checked out: its name and the commit.
pub(crate) fn elsewhere(git: &Path, head: &str) -> Option<(String, String)> {
    let is_other = |id: &str| id.len() >= 40 && id != head && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    for name in ["ORIG_HEAD", "FETCH_HEAD"] {
        let text = fs::read_to_string(git.join(name)).unwrap_or_default();
        if let Some(id) = text.split_whitespace().next().filter(|id| is_other(id)) {
            return Some((name.to_owned(), id.to_owned()));
        }
    }
    let packed = fs::read_to_string(git.join("packed-refs")).unwrap_or_default();
    let packed = packed.lines().filter_map(|line| line.split_once(' '));
    let packed = packed.filter(|(id, name)| name.starts_with("refs/remotes/") && is_other(id));
    let mut found: Vec<(String, String)> =
        packed.map(|(id, name)| (name.to_owned(), id.to_owned())).collect();
    let loose = walkdir::WalkDir::new(git.join("refs/remotes")).into_iter().flatten();
    found.extend(loose.filter(|entry| entry.file_type().is_file()).filter_map(|entry| {
        let id = fs::read_to_string(entry.path()).ok()?.trim().to_owned();
        let name = entry.path().strip_prefix(git).ok()?.display().to_string();
        is_other(&id).then_some((name, id))
    }));
    found.sort();
    found.into_iter().next()
}

/// Where the head was before it was set back to where it is, by the last line of its log.
pub(crate) fn set_back_from(git: &Path, head: &str) -> Option<String> {
    let log = fs::read_to_string(git.join("logs/HEAD")).ok()?;
    let (ids, message) = log.lines().last()?.split_once('\t')?;
    let (before, after) = {
        let mut words = ids.split(' ');
        (words.next()?, words.next()?)
    };
    let is_set_back = message.starts_with("reset: ") || message.starts_with("checkout: ");
    (is_set_back && after == head && before != head).then(|| before.to_owned())
}
