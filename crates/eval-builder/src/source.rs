//! Text files and places in them.

use std::fmt;
use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest YAML file that is read. Content belongs into files of its own, which have no such limit.
pub(crate) const MAX_YAML_BYTES: u64 = 4 * 1024 * 1024;

/// A file that diagnostics can point into.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// As the user would write it: relative to where they started, where possible.
    pub(crate) path: PathBuf,
    /// Its content.
    pub(crate) text: String,
}

impl SourceFile {
    /// The directory that relative paths in this file start from.
    pub(crate) fn directory(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }
}

/// Why a YAML file could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("cannot read {}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{} is not a regular file", path.display())]
    NotAFile { path: PathBuf },
    #[error("{} is larger than {} MiB, the limit for YAML files", path.display(), MAX_YAML_BYTES / 1024 / 1024)]
    TooLarge { path: PathBuf },
    #[error("{} is not UTF-8 text: byte {offset} is invalid", path.display())]
    NotUtf8 { path: PathBuf, offset: usize },
}

impl ReadError {
    /// What the user can do about it.
    pub(crate) fn help(&self) -> Option<&'static str> {
        match self {
            Self::Io { .. } => None,
            Self::NotAFile { .. } => Some("name a YAML file; one in a directory as `directory/file.yaml`"),
            Self::TooLarge { .. } => {
                Some("move long texts and data into files of their own and name those here")
            }
            Self::NotUtf8 { .. } => Some("save the file as UTF-8"),
        }
    }
}

/// Reads a YAML file within its limit. The type of the file is checked first, so that a pipe does not block.
pub(crate) fn read_source(path: &Path) -> Result<Arc<SourceFile>, ReadError> {
    let io = |source| ReadError::Io { path: path.to_owned(), source };
    if !std::fs::metadata(path).map_err(io)?.is_file() {
        return Err(ReadError::NotAFile { path: path.to_owned() });
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(io)?;
    file.take(MAX_YAML_BYTES + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > MAX_YAML_BYTES {
        return Err(ReadError::TooLarge { path: path.to_owned() });
    }
    let text = String::from_utf8(bytes).map_err(|error| ReadError::NotUtf8 {
        path: path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })?;
    Ok(Arc::new(SourceFile { path: path.to_owned(), text }))
}

/// A place in a file: a range of bytes that lies on character boundaries.
#[derive(Clone)]
pub(crate) struct Span {
    pub(crate) file: Arc<SourceFile>,
    pub(crate) range: Range<usize>,
}

impl Span {
    /// A place, moved onto character boundaries within the text.
    pub(crate) fn new(file: &Arc<SourceFile>, range: Range<usize>) -> Self {
        let text = &file.text;
        let mut start = range.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = range.end.clamp(start, text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        Self { file: Arc::clone(file), range: start..end }
    }

    /// The text at this place.
    pub(crate) fn text(&self) -> &str {
        self.file.text.get(self.range.clone()).unwrap_or_default()
    }

    /// The place cut to its first line, for carets that stay readable.
    pub(crate) fn first_line(&self) -> Self {
        let line = self.text().lines().next().unwrap_or_default().trim_end().len();
        Self { file: Arc::clone(&self.file), range: self.range.start..self.range.start + line }
    }

    /// The whole line of the start, and where in it this place is; the place must be within a line.
    pub(crate) fn in_line(&self) -> (&str, Range<usize>) {
        let text = self.file.text.as_str();
        let start = text[..self.range.start].rfind('\n').map_or(0, |newline| newline + 1);
        let end =
            text[self.range.start..].find('\n').map_or(text.len(), |newline| self.range.start + newline);
        let line = text[start..end].trim_end_matches('\r');
        let within = |offset: usize| offset.saturating_sub(start).min(line.len());
        (line, within(self.range.start)..within(self.range.end))
    }

    /// Line and column of the start, both from 1, columns in characters.
    pub(crate) fn position(&self) -> (usize, usize) {
        let before = self.file.text.get(..self.range.start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }

    /// `file:line`, to mention this place in a text.
    pub(crate) fn mention(&self) -> String {
        format!("{}:{}", self.file.path.display(), self.position().0)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:?}", self.file.path.display(), self.range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Arc<SourceFile> {
        Arc::new(SourceFile { path: "a.yaml".into(), text: text.into() })
    }

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let file = file("ä: 1\nbä: x\n");
        assert_eq!(Span::new(&file, 0..1).position(), (1, 1));
        let x = file.text.find('x').expect("x");
        assert_eq!(Span::new(&file, x..x + 1).position(), (2, 5));
    }

    #[test]
    fn ranges_are_moved_onto_characters_and_into_the_text() {
        let file = file("aä");
        assert_eq!(Span::new(&file, 2..2).range, 1..3);
        assert_eq!(Span::new(&file, 7..9).range, 3..3);
    }
}
