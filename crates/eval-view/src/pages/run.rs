//! The page of a run: its report in a frame.

use std::io;

use eval_report::Summary;
use eval_report::gate::Verdict;
use eval_report::html::{self, DirectoryLogs, Document, Frame, Log, Logs};

use super::Failure;
use super::frame::{lost, scripts, styles, ways};
use super::link::file_link;
use super::now::now;
use crate::library::Look;

/// The page of a run.
pub(crate) fn run(look: &Look) -> Result<Document, Failure> {
    let logs = DirectoryLogs::open(&look.found.path).map_err(|error| Failure::unreadable(&error))?;
    let logs = Linked { logs, key: &look.found.key };
    let above = ways(|html| {
        html.raw("<li><a").attribute("href", file_link(&look.found.key, "")).raw(">Files</a></li>");
        html.raw("<li class=\"here\"><code>").name(&look.found.label).raw("</code></li>");
    });
    let mut top = lost();
    top.piece(&now(look));
    let frame = Frame { above, top, styles: styles(), scripts: scripts() };
    let gate = look.judged.and_then(|_| Verdict::saved_in(&look.found.path).ok().flatten());
    let summary = Summary { gate, ..Summary::clone(&look.summary) };
    Ok(html::document(&summary, &logs, Some(&frame)))
}

/// The files of a run, with their addresses.
struct Linked<'a> {
    logs: DirectoryLogs,
    key: &'a str,
}

impl Logs for Linked<'_> {
    fn read(&self, path: &str, head: usize, tail: usize) -> io::Result<Log> {
        self.logs.read(path, head, tail)
    }

    fn link(&self, path: &str) -> Option<String> {
        Some(file_link(self.key, path))
    }
}
