//! Devboxes, their commands and their files.

use std::time::Duration;

use runloop_client::DevboxListParams;
use runloop_client::types::*;
use serde_json::json;

use super::{Row, metadata, page, row};

pub(crate) fn rows() -> Vec<Row> {
    let create =
        || DevboxCreateParams { name: Some("box".into()), metadata: metadata(), ..Default::default() };
    let run = || ExecuteAsyncParams { command: "ls".into(), attach_stdin: Some(true), shell_name: None };
    let label = || SnapshotParams { name: Some("s".into()), metadata: metadata(), commit_message: None };
    let box_json = json!({"name": "box", "metadata": {"team": "a"}});
    let label_json = json!({"name": "s", "metadata": {"team": "a"}});
    let run_json = json!({"command": "ls", "attach_stdin": true});
    let hold = Duration::from_millis(12_500);
    vec![
        row!("devboxes.create", "POST" "/v1/devboxes", Some(box_json), |c| c.devboxes().create(&create())),
        row!("devboxes.retrieve", "GET" "/v1/devboxes/dbx_1", None, |c| c.devboxes().retrieve("dbx_1")),
        row!("devboxes.list", "GET" "/v1/devboxes?status=running&limit=5&starting_after=x%2F1&include_total_count=false", None, |c| {
            c.devboxes().list(&DevboxListParams { status: Some(DevboxStatus::Running), page: page() })
        }),
        row!("devboxes.update", "POST" "/v1/devboxes/dbx_1", Some(json!({"name": "", "metadata": {}})), |c| {
            c.devboxes().update("dbx_1", &DevboxUpdateParams { name: Some(String::new()), metadata: Some(Metadata::new()) })
        }),
        row!("devboxes.wait_for_status", "POST" "/v1/devboxes/dbx_1/wait_for_status", Some(json!({"statuses": ["running", "failure"], "timeout_seconds": 12.5})), |c| {
            c.devboxes().wait_for_status("dbx_1", &[DevboxStatus::Running, DevboxStatus::Failure], hold)
        }),
        row!("devboxes.shutdown", "POST" "/v1/devboxes/dbx_1/shutdown", None, |c| c.devboxes().shutdown("dbx_1", false)),
        row!("devboxes.shutdown", "POST" "/v1/devboxes/dbx_1/shutdown?force=true", None, |c| c.devboxes().shutdown("dbx_1", true)),
        row!("devboxes.suspend", "POST" "/v1/devboxes/dbx_1/suspend", None, |c| c.devboxes().suspend("dbx_1")),
        row!("devboxes.resume", "POST" "/v1/devboxes/dbx_1/resume", None, |c| c.devboxes().resume("dbx_1")),
        row!("devboxes.keep_alive", "POST" "/v1/devboxes/dbx_1/keep_alive", None, |c| c.devboxes().keep_alive("dbx_1")),
        row!("devboxes.execute_async", "POST" "/v1/devboxes/dbx_1/execute_async", Some(run_json.clone()), |c| c.devboxes().execute_async("dbx_1", &run())),
        row!("devboxes.execute_sync", "POST" "/v1/devboxes/dbx_1/execute_sync", Some(run_json), |c| c.devboxes().execute_sync("dbx_1", &run())),
        row!("devboxes.execute", "POST" "/v1/devboxes/dbx_1/execute?last_n=7", Some(json!({"command": "ls", "command_id": "id", "optimistic_timeout": 3})), |c| {
            let params = ExecuteParams { command: "ls".into(), command_id: "id".into(), optimistic_timeout: Some(3), shell_name: None };
            c.devboxes().execute("dbx_1", &params, Some(7))
        }),
        row!("devboxes.read_file_contents", "POST" "/v1/devboxes/dbx_1/read_file_contents", Some(json!({"file_path": "a/b"})), |c| c.devboxes().read_file_contents("dbx_1", "a/b")),
        row!("devboxes.write_file_contents", "POST" "/v1/devboxes/dbx_1/write_file_contents", Some(json!({"file_path": "a/b", "contents": "ä"})), |c| c.devboxes().write_file_contents("dbx_1", "a/b", "ä")),
        row!("devboxes.download_file", "POST" "/v1/devboxes/dbx_1/download_file", Some(json!({"path": "a/b"})), |c| c.devboxes().download_file("dbx_1", "a/b")),
        row!("devboxes.snapshot_disk", "POST" "/v1/devboxes/dbx_1/snapshot_disk", Some(label_json.clone()), |c| c.devboxes().snapshot_disk("dbx_1", &label())),
        row!("devboxes.snapshot_disk_async", "POST" "/v1/devboxes/dbx_1/snapshot_disk_async", Some(label_json.clone()), |c| c.devboxes().snapshot_disk_async("dbx_1", &label())),
    ]
}
