//! Executions.

use std::time::Duration;

use runloop_client::types::*;
use serde_json::json;

use super::{Row, first, row};

pub(crate) fn rows() -> Vec<Row> {
    let completed = [ExecutionStatus::Completed];
    let early = [ExecutionStatus::Queued, ExecutionStatus::Running];
    let text = SendStdInParams { text: Some("y\n".into()), signal: None };
    let signal = SendStdInParams { text: None, signal: Some(StdinSignal::Interrupt) };
    let hold = Duration::from_millis(12_500);
    vec![
        row!("devboxes.executions.retrieve", "GET" "/v1/devboxes/dbx_1/executions/exec_1?last_n=3", None, |c| {
            c.devboxes().executions().retrieve("dbx_1", "exec_1", Some(3))
        }),
        row!("devboxes.executions.retrieve", "GET" "/v1/devboxes/dbx_1/executions/exec%2F1", None, |c| {
            c.executions().retrieve("dbx_1", "exec/1", None)
        }),
        row!(
            "devboxes.executions.wait_for_status",
            "POST" "/v1/devboxes/dbx_1/executions/exec_1/wait_for_status",
            Some(json!({"statuses": ["completed"], "timeout_seconds": 25.0})),
            |c| c.executions().wait_for_status("dbx_1", "exec_1", &completed, Duration::MAX, None)
        ),
        row!(
            "devboxes.wait_for_command",
            "POST" "/v1/devboxes/dbx_1/executions/exec_1/wait_for_status?last_n=7",
            Some(json!({"statuses": ["queued", "running"], "timeout_seconds": 12.5})),
            |c| c.executions().wait_for_status("dbx_1", "exec_1", &early, hold, Some(7))
        ),
        row!(
            "devboxes.executions.kill",
            "POST" "/v1/devboxes/dbx_1/executions/exec_1/kill",
            Some(json!({"kill_process_group": true})),
            |c| c.executions().kill("dbx_1", "exec_1", true)
        ),
        row!("devboxes.executions.kill", "POST" "/v1/devboxes/dbx_1/executions/exec_1/kill", Some(json!({})), |c| {
            c.executions().kill("dbx_1", "exec_1", false)
        }),
        row!(
            "devboxes.executions.send_std_in",
            "POST" "/v1/devboxes/dbx_1/executions/exec_1/send_std_in",
            Some(json!({"text": "y\n"})),
            |c| c.executions().send_std_in("dbx_1", "exec_1", &text)
        ),
        row!(
            "devboxes.executions.send_std_in",
            "POST" "/v1/devboxes/dbx_1/executions/exec_1/send_std_in",
            Some(json!({"signal": "INTERRUPT"})),
            |c| c.executions().send_std_in("dbx_1", "exec_1", &signal)
        ),
        row!(
            "devboxes.executions.stream_stdout_updates",
            "GET" "/v1/devboxes/dbx_1/executions/exec_1/stream_stdout_updates",
            None,
            |c| first(c.executions().stream_stdout_updates(&"dbx_1".into(), &"exec_1".into()))
        ),
        row!(
            "devboxes.executions.stream_stdout_updates",
            "GET" "/v1/devboxes/dbx_1/executions/exec_1/stream_stdout_updates?offset=7",
            None,
            |c| {
                let stream = c.executions().stream_stdout_updates(&"dbx_1".into(), &"exec_1".into());
                first(stream.from_offset(7))
            }
        ),
        row!(
            "devboxes.executions.stream_stderr_updates",
            "GET" "/v1/devboxes/dbx_1/executions/exec_1/stream_stderr_updates",
            None,
            |c| first(c.executions().stream_stderr_updates(&"dbx_1".into(), &"exec_1".into()))
        ),
        row!(
            "devboxes.executions.stream_stderr_updates",
            "GET" "/v1/devboxes/dbx_1/executions/exec_1/stream_stderr_updates?offset=7",
            None,
            |c| {
                let stream = c.executions().stream_stderr_updates(&"dbx_1".into(), &"exec_1".into());
                first(stream.from_offset(7))
            }
        ),
    ]
}
