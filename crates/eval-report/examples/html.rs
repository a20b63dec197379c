//! Writes the `report.html` of a run directory: `cargo run -p eval-report --example html -- RUN_DIRECTORY FILE`.

use std::error::Error;
use std::path::PathBuf;

use eval_record::RunDirectory;
use eval_report::gate::{Limits, judge};
use eval_report::{Summary, html};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(run), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err("usage: html RUN_DIRECTORY FILE".into());
    };
    let directory = RunDirectory::open(&run)?;
    let summary = Summary::from_events(&directory.events()?.events);
    let limits = Limits { min_score: Some(0.8), ..Limits::default() };
    let gate = judge(&limits, None, &summary);
    let mut page = Vec::new();
    html::write(&summary, Some(&gate), &html::DirectoryLogs::open(&run)?, &mut page)?;
    std::fs::write(file, page)?;
    Ok(())
}
