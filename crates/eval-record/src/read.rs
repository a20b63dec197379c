//! Reads events back.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use crate::{Event, EventKind, FORMAT, older};

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

impl ReadError {
    /// Whether there is no such file.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// Reads `events.jsonl` event by event, in constant memory. A last line that is unfinished or no event is left out; any other
/// line that is no event is an error, after which there is nothing more.
#[derive(Debug)]
pub struct EventReader {
    path: PathBuf,
    file: BufReader<File>,
    line: Vec<u8>,
    /// Lines read.
    number: usize,
    /// Of a line that is two events.
    second: Option<Event>,
    torn: bool,
    over: bool,
}

impl EventReader {
    /// Begins with the first event.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let path = path.to_path_buf();
        let file = match File::open(&path) {
            Ok(file) => BufReader::with_capacity(256 << 10, file),
            Err(source) => return Err(ReadError::Io { path, source }),
        };
        Ok(Self { path, file, line: Vec::new(), number: 0, second: None, torn: false, over: false })
    }

    /// Whether the last line was unfinished and left out; known at the end.
    pub fn is_torn(&self) -> bool {
        self.torn
    }

    fn read(&mut self) -> Result<Option<Event>, ReadError> {
        loop {
            if let Some(event) = self.second.take() {
                return Ok(Some(event));
            }
            if !self.read_line()? {
                return Ok(None);
            }
            if !self.line.ends_with(b"\n") {
                // Whatever is written in this moment: this is as far as the file went.
                self.torn = true;
                return Ok(None);
            }
            if self.line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match parse(&self.line, &self.path, self.number) {
                Ok((event, second)) => {
                    self.second = second;
                    return Ok(Some(event));
                }
                Err(error @ ReadError::Malformed { .. }) => {
                    if self.read_line()? {
                        return Err(error);
                    }
                    self.torn = true;
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads the next line; false at the end.
    fn read_line(&mut self) -> Result<bool, ReadError> {
        self.line.clear();
        self.number += 1;
        let read = self.file.read_until(b'\n', &mut self.line);
        read.map(|bytes| bytes > 0).map_err(|source| ReadError::Io { path: self.path.clone(), source })
    }
}

impl Iterator for EventReader {
    type Item = Result<Event, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.read().transpose();
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}

/// Reads all of `events.jsonl`, as [`EventReader`] does.
///
/// # Errors
/// See [`ReadError`].
pub fn read_events(path: &Path) -> Result<RecordedEvents, ReadError> {
    let mut reader = EventReader::open(path)?;
    let events = reader.by_ref().collect::<Result<_, _>>()?;
    Ok(RecordedEvents { events, torn: reader.is_torn() })
}

/// The event in a line, which is named by its number; two where older versions wrote one.
pub(crate) fn parse(line: &[u8], path: &Path, number: usize) -> Result<(Event, Option<Event>), ReadError> {
    match serde_json::from_slice::<Event>(line) {
        Ok(event) => match &event.kind {
            EventKind::RunStarted(header) if header.format > FORMAT => {
                Err(ReadError::NewerFormat { path: path.to_path_buf(), found: header.format })
            }
            _ => Ok((event, None)),
        },
        Err(source) => older::translated(line).ok_or_else(|| match newer_format(line) {
            // A newer event kind must be told as such, not as damage.
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
    use std::fs;

    use super::*;
    use crate::{Ledger, Phase, ResourceKind, RunHeader, TrialKey};

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
        for cut in 1..=line.len() {
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
        let event = Event { at_ms: 0, kind: EventKind::RunStarted(Box::new(header)) };
        let line = [serde_json::to_vec(&event).unwrap().as_slice(), b"\n"].concat();
        assert!(matches!(read(&line), Err(ReadError::NewerFormat { found, .. }) if found == FORMAT + 1));
    }

    #[test]
    fn devboxes_of_format_1_are_in_the_ledger() {
        let trial = r#"{"scenario":"s","agent":"a","repetition":1}"#;
        let created = |id: &str| {
            format!(
                r#"{{"at_ms":7,"event":"devbox_created","devbox_id":"{id}","purpose":"agent","trial":{trial}}}"#
            )
        };
        let lines = [
            created("dbx_1"),
            r#"{"at_ms":7,"event":"devbox_created","devbox_id":"dbx_2","purpose":"prepare"}"#.to_owned(),
            r#"{"at_ms":9,"event":"devbox_ended","devbox_id":"dbx_2"}"#.to_owned(),
            created("dbx_3")[..40].to_owned(),
        ];
        let read = read(lines.join("\n").as_bytes()).unwrap();
        assert!(read.torn);
        let mut ledger = Ledger::default();
        read.events.iter().for_each(|event| ledger.take(&event.kind));
        let [living] = ledger.leaked()[..] else { panic!("{ledger:?}") };
        assert_eq!(living.id.as_deref(), Some("dbx_1"));
        assert_eq!(living.request.resource, ResourceKind::Devbox);
        assert_eq!(living.request.trial.as_ref().map(|trial| trial.scenario.as_str()), Some("s"));
    }

    #[test]
    fn an_empty_record_has_no_events() {
        assert_eq!(read(b"").unwrap(), RecordedEvents::default());
    }
}
