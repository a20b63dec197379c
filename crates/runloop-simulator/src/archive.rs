//! The work of a devbox as an archive: what `verify: pristine` carries over, packed and unpacked by commands of the harness.

use std::io::{self, Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tar::Header;

use crate::command::Disk;

/// Where the harness's own files are: below the home directory, however it is written.
const HOMES: [&str; 2] = ["$HOME/", "\"$HOME\"/"];

/// What a command line does with `tar`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tar {
    /// Packs the working directory into this file, and then says something.
    Pack { file: String, says: String },
    /// Unpacks this file in place of the working directory.
    Unpack { file: String },
}

impl Tar {
    pub(crate) fn of(line: &str) -> Option<Self> {
        if let Some((before, after)) = line.split_once("tar -czf \"$place/") {
            let (name, after) = after.split_once('"')?;
            let place =
                before.rsplit_once("place=").and_then(|(_, place)| below_home(place.lines().next()?))?;
            let said = after.split_once("printf '").and_then(|(_, said)| said.split_once('\''));
            let says = said.map(|(said, _)| said.replace("\\n", "\n")).unwrap_or_default();
            return Some(Self::Pack { file: format!("~/{place}/{name}"), says });
        }
        let (_, after) = line.split_once("tar -xzf \"")?;
        let path = below_home(after.split_once('"')?.0)?;
        Some(Self::Unpack { file: format!("~/{path}") })
    }

    /// Does it; answers what it says, or nothing if it fails.
    pub(crate) fn apply(self, disk: &mut Disk) -> io::Result<String> {
        match self {
            Self::Pack { file, says } => {
                let archive = pack(disk)?;
                disk.insert(file, archive.into());
                Ok(says)
            }
            Self::Unpack { file } => {
                let archive = disk.get(&file).cloned().ok_or(io::ErrorKind::NotFound)?;
                disk.retain(|path, _| !is_work(path));
                unpack(&archive, disk)?;
                Ok(String::new())
            }
        }
    }
}

fn below_home(path: &str) -> Option<&str> {
    HOMES.iter().find_map(|home| path.strip_prefix(home))
}

/// Whether a file is in the working directory, where commands name theirs.
fn is_work(path: &str) -> bool {
    !path.starts_with(['~', '/', '.'])
}

fn pack(disk: &Disk) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, content) in disk.iter().filter(|(path, _)| is_work(path)) {
        let mut header = Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, content.as_ref())?;
    }
    let mut compressed = archive.into_inner()?;
    compressed.flush()?;
    compressed.finish()
}

fn unpack(archive: &[u8], disk: &mut Disk) -> io::Result<()> {
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        disk.insert(path, content.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn the_work_travels_and_nothing_else() {
        let disk = |files: &[(&str, &'static str)]| -> Disk {
            files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), Bytes::from_static(text.as_bytes())))
                .collect()
        };
        let pack = "place=\"$HOME\"/.place/c-1\nmkdir\ntar -czf \"$place/archive.tgz\" . && printf '\\nmark:archive\\n' || x";
        let mut from = disk(&[("answer", "done"), ("~/.bash_profile", "exit 0")]);
        let said = Tar::of(pack).expect("it packs").apply(&mut from).expect("it can");
        assert_eq!(said, "\nmark:archive\n");

        let mut to = disk(&[("answer", "old"), ("stale", "x"), ("~/kept", "x")]);
        to.insert("~/.place/artifacts".to_owned(), from["~/.place/c-1/archive.tgz"].clone());
        let unpack =
            Tar::of("cd x && tar -xzf \"$HOME/.place/artifacts\" --no-same-owner\n").expect("it unpacks");
        unpack.apply(&mut to).expect("it can");
        assert_eq!(to.remove("answer"), Some(Bytes::from_static(b"done")));
        assert_eq!(to.keys().collect::<Vec<_>>(), ["~/.place/artifacts", "~/kept"]);
        assert_eq!(Tar::of("tar -tf x"), None);
    }
}
