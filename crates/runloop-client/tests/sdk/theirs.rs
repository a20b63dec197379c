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
    /// Fields of the table, by wire name, that this release has no parameter for.
    pub(crate) missing: Vec<String>,
    /// Parameters that the table does not have.
    pub(crate) unknown: Vec<String>,
}

/// What came of one chain.
#[derive(Debug, Deserialize)]
pub(crate) struct TheirChain {
    /// How it failed.
    pub(crate) error: Option<String>,
    pub(crate) sent: Vec<Sent>,
}

/// What came of everything.
#[derive(Debug, Deserialize)]
pub(crate) struct Everything {
    pub(crate) calls: Vec<Theirs>,
    pub(crate) chains: Vec<TheirChain>,
}

/// Makes the calls and walks the chains, which are as `record.py` wants them.
pub(crate) fn record(python: &Path, calls: &[Value], chains: &[Value]) -> Result<Everything, Failed> {
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
    input.write_all(json!({"types": types, "calls": calls, "chains": chains}).to_string().as_bytes())?;
    drop(input);
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let theirs: Everything = serde_json::from_slice(&output.stdout)?;
    if (theirs.calls.len(), theirs.chains.len()) != (calls.len(), chains.len()) {
        return Err(format!("{} answers to {} calls", theirs.calls.len(), calls.len()).into());
    }
    Ok(theirs)
}
