//! What this program says to people, on standard error.

use std::fmt;
use std::io::Write as _;

use crate::hiding;

/// Says a line. Use the macro `say!`.
///
/// Nobody may be there to hear it: a terminal that was closed, a log on a full disk. That is no reason to stop, and none to
/// panic, as `eprintln!` does.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let text = hiding::shown(&text.to_string());
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Says a line on standard error, without what must be hidden. Takes what `format!` takes; `anstream` takes colours away
/// where they are not wanted.
macro_rules! say {
    ($($text:tt)*) => { $crate::say::line(format_args!($($text)*)) };
}
