//! Terminals.

use runloop_client::PtyConnectParams;
use runloop_client::types::*;
use serde_json::json;

use super::{Row, row};

pub(crate) fn rows() -> Vec<Row> {
    let resize =
        PtyControlParams { action: Some(PtyAction::Resize), cols: Some(120), rows: Some(40), signal: None };
    let signal = PtyControlParams {
        action: Some(PtyAction::Signal),
        signal: Some("SIGINT".into()),
        ..PtyControlParams::default()
    };
    vec![
        row!("pty.connect", "GET" "/pty/main-1?cols=120&rows=40", None, |c| {
            c.pty().connect("main-1", &PtyConnectParams { cols: Some(120), rows: Some(40) })
        }),
        row!("pty.connect", "GET" "/pty/main", None, |c| c.pty().connect("main", &PtyConnectParams::default())),
        row!(
            "pty.control",
            "POST" "/pty/main/control",
            Some(json!({"action": "resize", "cols": 120, "rows": 40})),
            |c| c.pty().control("main", &resize)
        ),
        row!("pty.control", "POST" "/pty/main/control", Some(json!({"action": "signal", "signal": "SIGINT"})), |c| {
            c.pty().control("main", &signal)
        }),
        row!("pty.control", "POST" "/pty/main/control", Some(json!({})), |c| {
            c.pty().control("main", &PtyControlParams::default())
        }),
    ]
}
