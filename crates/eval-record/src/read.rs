//! Reads events back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::{Event, EventKind, FORMAT};

/// Events as they were recorded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecordedEvents {
    /// In their order.
    pub events: Vec<Event>,
    /// Whether the last line was unfinished and left out: the program that wrote it was killed.
    pub torn: bool,
}

/// Events cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is no event.
    #[error("{}, line {line}: not an event of a run", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// A newer program wrote it.
    #[error("{}: format {found} is newer than this program understands ({FORMAT}); use a newer runloop-eval", path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
}

/// Reads `events.jsonl`. A last line that is unfinished is left out; any other line that is no event is an error.
///
/// # Errors
/// See [`ReadError`].
pub fn read_events(path: &Path) -> Result<RecordedEvents, ReadError> {
    let content = fs::read(path).map_err(|source| ReadError::Io { path: path.to_path_buf(), source })?;
    let lines: Vec<&[u8]> = content.split(|byte| *byte == b'\n').collect();
    let mut read = RecordedEvents::default();
    for (index, line) in lines.iter().enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let is_last = lines[index + 1..].iter().all(|rest| rest.is_empty());
        match parse(line, path, index + 1) {
            Ok(event) => read.events.push(event),
            Err(ReadError::Malformed { .. }) if is_last => read.torn = true,
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// The event in a line, which is named by its number.
pub(crate) fn parse(line: &[u8], path: &Path, number: usize) -> Result<Event, ReadError> {
    match serde_json::from_slice::<Event>(line) {
        Ok(event) => match &event.kind {
            EventKind::RunStarted(header) if header.format > FORMAT => {
                Err(ReadError::NewerFormat { path: path.to_path_buf(), found: header.format })
            }
            _ => Ok(event),
        },
        // A newer event kind must be told as such, not as damage.
        Err(source) => Err(match newer_format(line) {
            Some(found) => ReadError::NewerFormat { path: path.to_path_buf(), found },
            None => ReadError::Malformed { path: path.to_path_buf(), line: number, source },
        }),
    }
}

/// The format of a header that this version cannot decode.
fn newer_format(line: &[u8]) -> Option<u32> {
    let value: serde_json::Value = serde_json::from_slice(line).ok()?;
    let format = u32::try_from(value.get("format")?.as_u64()?).ok()?;
    (format > FORMAT).then_some(format)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Phase, RunHeader, TrialKey};

    fn read(content: &[u8]) -> Result<RecordedEvents, ReadError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events.jsonl");
        fs::write(&path, content).unwrap();
        read_events(&path)
    }

    fn phase() -> Event {
        let trial = TrialKey { scenario: "s".into(), agent: "a".into(), repetition: 1 };
        Event { at_ms: 7, kind: EventKind::PhaseStarted { trial, attempt: 1, phase: Phase::Agent } }
    }

    #[test]
    fn a_torn_last_line_is_left_out_at_any_byte() {
        let line = serde_json::to_vec(&phase()).unwrap();
        for cut in 1..line.len() {
            let content = [line.as_slice(), b"\n", &line[..cut]].concat();
            let read = read(&content).unwrap();
            assert_eq!(read.events, [phase()], "cut at {cut}");
            assert!(read.torn);
        }
    }

    #[test]
    fn a_last_line_of_zero_bytes_is_torn_too() {
        let line = serde_json::to_vec(&phase()).unwrap();
        let read = read(&[line.as_slice(), b"\n", &[0; 100]].concat()).unwrap();
        assert_eq!((read.events.len(), read.torn), (1, true));
    }

    #[test]
    fn damage_in_the_middle_is_told_with_its_line() {
        let line = String::from_utf8(serde_json::to_vec(&phase()).unwrap()).unwrap();
        let error = read(format!("{line}\nnonsense\n{line}\n").as_bytes()).unwrap_err();
        assert!(error.to_string().ends_with("events.jsonl, line 2: not an event of a run"), "{error}");
    }

    #[test]
    fn a_newer_format_is_refused_with_advice() {
        let header = RunHeader { format: FORMAT + 1, ..RunHeader::default() };
        let line = serde_json::to_vec(&Event { at_ms: 0, kind: EventKind::RunStarted(header) }).unwrap();
        assert!(matches!(read(&line), Err(ReadError::NewerFormat { found, .. }) if found == FORMAT + 1));
    }

    #[test]
    fn an_empty_record_has_no_events() {
        assert_eq!(read(b"").unwrap(), RecordedEvents::default());
    }
}
