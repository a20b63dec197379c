//! What an official SDK sends.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use libtest_mimic::Failed;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ours::Sent;

/// What came of one call.
#[derive(Debug, Deserialize)]
pub(crate) struct Theirs {
    /// Why nothing was sent.
    pub(crate) error: Option<String>,
    pub(crate) sent: Option<Sent>,
    /// Arguments, by wire name, that this release has no parameter for.
    pub(crate) dropped: Vec<String>,
    /// Parameters that the table does not have.
    pub(crate) unknown: Vec<String>,
}

/// Makes the calls, which are as `record.py` wants them.
pub(crate) fn record(python: &Path, calls: &[Value]) -> Result<Vec<Theirs>, Failed> {
    let types: Value = serde_json::from_str(include_str!("../../../runloop-types/api/types.json"))?;
    let mut child = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sdk/record.py"))
        .env_remove("RUNLOOP_CUSTOM_HEADERS")
        .env_remove("RUNLOOP_BASE_URL")
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().ok_or("no standard input")?;
    input.write_all(json!({"types": types, "calls": calls}).to_string().as_bytes())?;
    drop(input);
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let theirs: Vec<Theirs> = serde_json::from_slice(&output.stdout)?;
    if theirs.len() != calls.len() {
        return Err(format!("{} answers to {} calls", theirs.len(), calls.len()).into());
    }
    Ok(theirs)
}
