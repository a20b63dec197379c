//! Disk snapshots.

use runloop_client::DiskSnapshotListParams;
use runloop_client::types::*;
use serde_json::json;

use super::{Row, metadata, row};

pub(crate) fn rows() -> Vec<Row> {
    let label = || SnapshotParams { name: Some("s".into()), metadata: metadata(), commit_message: None };
    let label_json = json!({"name": "s", "metadata": {"team": "a"}});
    vec![
        row!("devboxes.disk_snapshots.list", "GET" "/v1/devboxes/disk_snapshots?devbox_id=dbx_1&source_blueprint_id=bpt_1&metadata%5Brun%5D=r%201", None, |c| {
            let params = DiskSnapshotListParams { devbox_id: Some("dbx_1".into()), source_blueprint_id: Some("bpt_1".into()), ..Default::default() };
            c.disk_snapshots().list(&params).with_metadata("run", "r 1")
        }),
        row!("devboxes.disk_snapshots.query_status", "GET" "/v1/devboxes/disk_snapshots/snp_1/status", None, |c| c.disk_snapshots().query_status("snp_1")),
        row!("devboxes.disk_snapshots.update", "POST" "/v1/devboxes/disk_snapshots/snp_1", Some(label_json), |c| c.disk_snapshots().update("snp_1", &label())),
        row!("devboxes.disk_snapshots.delete", "POST" "/v1/devboxes/disk_snapshots/snp_1/delete", None, |c| c.disk_snapshots().delete("snp_1")),
    ]
}
