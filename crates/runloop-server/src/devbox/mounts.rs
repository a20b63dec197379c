//! Puts files and objects into a box before it runs.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use runloop_sandbox::{ArchiveFormat, FileError, LinuxBox, OpenMode};
use runloop_types::{Mount, ObjectContentType, ObjectState, ObjectView};

use super::path::box_path;
use crate::clock::now_ms;
use crate::error::{ApiError, chain, shown};
use crate::state::App;

/// Permission bits of files that the server makes.
const FILE_MODE: u32 = 0o644;

/// Bytes that one gzipped file may unpack to.
const MOST_UNPACKED: u64 = 16 * 1024 * 1024 * 1024;

/// Puts everything in place, in order.
///
/// # Errors
/// Text that says which mount could not be placed and why.
pub(crate) async fn place(app: &App, linux_box: &LinuxBox, mounts: &[Mount]) -> Result<(), String> {
    for mount in mounts {
        match mount {
            Mount::FileMount { target, content } => {
                let failed = |why: String| format!("the file mount `{}`: {why}", shown(target));
                let path =
                    box_path(target, linux_box.home()).map_err(|error| failed(error.message().to_owned()))?;
                write_file(linux_box, &path, content.clone().into_bytes())
                    .await
                    .map_err(|error| failed(chain(error.as_ref())))?;
            }
            Mount::ObjectMount { object_id, object_path } => {
                let failed = |why: String| {
                    format!("the object mount `{object_id}` at `{}`: {why}", shown(object_path))
                };
                let path = box_path(object_path, linux_box.home())
                    .map_err(|error| failed(error.message().to_owned()))?;
                place_object(app, linux_box, object_id.as_str(), &path).await.map_err(failed)?;
            }
            _ => return Err("a mount of this type is not served by this version".into()),
        }
    }
    Ok(())
}

/// Writes a whole file of a box.
///
/// # Errors
/// When the box refuses the path, or its disk the content.
pub(crate) async fn write_file(
    linux_box: &LinuxBox,
    path: &Path,
    content: Vec<u8>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut file = linux_box.open(path, OpenMode::Write { mode: FILE_MODE }).await?;
    tokio::task::spawn_blocking(move || file.write_all(&content)).await??;
    Ok(())
}

async fn place_object(app: &App, linux_box: &LinuxBox, id: &str, path: &Path) -> Result<(), String> {
    let object = app
        .store
        .object(id, now_ms())
        .await
        .map_err(|error| chain(&error))?
        .filter(|object| object.state == ObjectState::ReadOnly)
        .ok_or("it was deleted")?;
    let blob = app.object_dir.join(id);
    let (archive, kind) = tokio::task::spawn_blocking(move || {
        let mut file = File::open(blob)?;
        let kind = kind_of(&object, &mut file)?;
        io::Result::Ok((file, kind))
    })
    .await
    .map_err(|error| chain(&error))?
    .map_err(|error| format!("its bytes cannot be read: {error}"))?;
    match kind {
        Kind::Archive(format) => linux_box.unpack(archive, format, path).await.map_err(|error| chain(&error)),
        Kind::Gzip { name } => {
            copy(linux_box, &path.join(name), MultiGzDecoder::new(archive).take(MOST_UNPACKED)).await
        }
        Kind::Plain => copy(linux_box, path, archive).await,
    }
}

async fn copy(linux_box: &LinuxBox, path: &Path, mut from: impl Read + Send + 'static) -> Result<(), String> {
    let mut to =
        linux_box.open(path, OpenMode::Write { mode: FILE_MODE }).await.map_err(|error| chain(&error))?;
    tokio::task::spawn_blocking(move || io::copy(&mut from, &mut to))
        .await
        .map_err(|error| chain(&error))?
        .map_err(|error| error.to_string())?;
    Ok(())
}

/// How an object is put in place.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// Unpacked into a directory.
    Archive(ArchiveFormat),
    /// One gzipped file: unpacked into a directory under this name.
    Gzip { name: String },
    /// A file as it is.
    Plain,
}

fn kind_of(object: &ObjectView, file: &mut File) -> io::Result<Kind> {
    Ok(match object.content_type {
        ObjectContentType::Tar => Kind::Archive(ArchiveFormat::Tar),
        ObjectContentType::Tgz => Kind::Archive(ArchiveFormat::TarGz),
        ObjectContentType::Gzip => {
            // The name of this type covers both a gzipped archive and a gzipped file; the content tells which it is.
            let is_tar = holds_tar(MultiGzDecoder::new(&mut *file))?;
            file.seek(SeekFrom::Start(0))?;
            if is_tar {
                Kind::Archive(ArchiveFormat::TarGz)
            } else {
                Kind::Gzip { name: unpacked_name(&object.name) }
            }
        }
        _ => Kind::Plain,
    })
}

fn holds_tar(reader: impl Read) -> io::Result<bool> {
    let mut header = Vec::new();
    reader.take(512).read_to_end(&mut header)?;
    Ok(header.get(257..262) == Some(b"ustar"))
}

/// The last part of a name, without `.gz`.
fn unpacked_name(name: &str) -> String {
    let base = name.rsplit('/').next().unwrap_or_default();
    let base = base.strip_suffix(".gz").unwrap_or(base).replace('\0', "");
    if matches!(base.as_str(), "" | "." | "..") { "object".into() } else { base }
}

/// The answer to a file operation that failed.
pub(crate) fn file_error(path: &str, error: &FileError) -> ApiError {
    match error {
        FileError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
            ApiError::not_found("file", path)
        }
        FileError::Io { source, .. } if source.kind() == io::ErrorKind::IsADirectory => {
            ApiError::bad_request(format!("`{}` is a directory: give the path of a file", shown(path)))
        }
        FileError::Io { source, .. } => ApiError::bad_request(format!("`{}`: {source}", shown(path))),
        FileError::Gone => ApiError::bad_request("the devbox has just ended"),
        _ => ApiError::internal("the devbox could not reach the file", error),
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        let mut encoder = GzEncoder::new(&mut file, Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        file
    }

    fn object(content_type: ObjectContentType) -> ObjectView {
        ObjectView { name: "data/table.csv.gz".into(), content_type, ..ObjectView::default() }
    }

    #[test]
    fn a_gzip_object_is_judged_by_its_content() {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_size(1);
        archive.append_data(&mut header, "a", &b"x"[..]).unwrap();
        let tar = archive.into_inner().unwrap();
        let gz = object(ObjectContentType::Gzip);
        assert_eq!(kind_of(&gz, &mut gzip(&tar)).unwrap(), Kind::Archive(ArchiveFormat::TarGz));
        assert_eq!(kind_of(&gz, &mut gzip(b"a,b\n")).unwrap(), Kind::Gzip { name: "table.csv".into() });
        assert_eq!(kind_of(&gz, &mut gzip(b"")).unwrap(), Kind::Gzip { name: "table.csv".into() });
    }

    #[test]
    fn other_types_are_taken_at_their_word() {
        let kind = |content_type| kind_of(&object(content_type), &mut gzip(b"x")).unwrap();
        assert_eq!(kind(ObjectContentType::Tgz), Kind::Archive(ArchiveFormat::TarGz));
        assert_eq!(kind(ObjectContentType::Text), Kind::Plain);
        assert_eq!(kind(ObjectContentType::Unspecified), Kind::Plain);
    }

    #[test]
    fn a_hostile_name_stays_a_name() {
        for (name, unpacked) in
            [("../..", "object"), ("/etc/passwd.gz", "passwd"), (".gz", "object"), ("a\nb", "a\nb")]
        {
            assert_eq!(unpacked_name(name), unpacked);
        }
    }
}
