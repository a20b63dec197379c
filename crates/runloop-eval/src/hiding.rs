//! Keeps secret values out of all that this program says on standard error: logs, errors, panics.
//!
//! What goes to standard output and into the record is masked by the runner, event by event.

use std::io::{self, Write};
use std::sync::{PoisonError, RwLock};

use eval_record::Masker;

struct Known {
    values: Vec<String>,
    masker: Masker,
}

static KNOWN: RwLock<Option<Known>> = RwLock::new(None);

/// Hides these values from now on.
pub(crate) fn hide<'a>(values: impl IntoIterator<Item = &'a str>) {
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    let mut all = known.take().map(|known| known.values).unwrap_or_default();
    all.extend(values.into_iter().map(str::to_owned));
    let masker = Masker::new(&all);
    *known = Some(Known { values: all, masker });
}

/// The text as it may be shown.
pub(crate) fn shown(text: &str) -> String {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    known.as_ref().map_or_else(|| text.to_owned(), |known| known.masker.mask_text(text))
}

/// A panic's message may hold anything.
pub(crate) fn hide_in_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.to_string();
        if shown(&text) == text {
            usual(panic);
        } else {
            // Nowhere to say it if standard error is gone.
            let _ = writeln!(io::stderr(), "{}", shown(&text));
        }
    }));
}

/// Standard error for logs, which come line by line.
pub(crate) struct Log;

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // The subscriber would tell an error with `eprintln!`, which panics.
        let _ = io::stderr().write_all(shown(&String::from_utf8_lossy(line)).as_bytes());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
