//! Executions.

use std::time::Duration;

use runloop_client::types::*;
use serde_json::json;

use super::{Row, row};

pub(crate) fn rows() -> Vec<Row> {
    let completed = [ExecutionStatus::Completed];
    vec![
        row!("devboxes.executions.retrieve", "GET" "/v1/devboxes/dbx_1/executions/exec_1?last_n=3", None, |c| c.executions().retrieve("dbx_1", "exec_1", Some(3))),
        row!("devboxes.executions.wait_for_status", "POST" "/v1/devboxes/dbx_1/executions/exec_1/wait_for_status", Some(json!({"statuses": ["completed"], "timeout_seconds": 25.0})), |c| {
            c.executions().wait_for_status("dbx_1", "exec_1", &completed, Duration::MAX, None)
        }),
        row!("devboxes.executions.kill", "POST" "/v1/devboxes/dbx_1/executions/exec_1/kill", Some(json!({"kill_process_group": true})), |c| c.executions().kill("dbx_1", "exec_1", true)),
        row!("devboxes.executions.send_std_in", "POST" "/v1/devboxes/dbx_1/executions/exec_1/send_std_in", Some(json!({"text": "y\n"})), |c| {
            c.executions().send_std_in("dbx_1", "exec_1", &SendStdInParams { text: Some("y\n".into()), signal: None })
        }),
    ]
}
