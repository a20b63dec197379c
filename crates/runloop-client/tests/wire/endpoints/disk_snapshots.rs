//! Disk snapshots.

use runloop_client::DiskSnapshotListParams;
use runloop_client::types::*;
use serde_json::json;

use super::devboxes::{label, label_json};
use super::{Row, page, row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row!(
            "devboxes.disk_snapshots.list",
            "GET" "/v1/devboxes/disk_snapshots?devbox_id=dbx_1&source_blueprint_id=bpt_1&limit=5&starting_after=x%2F1\
                   &include_total_count=false&metadata%5Brun%5D=r%201&metadata%5Bstep%5D%5Bin%5D=a%2Cb",
            None,
            |c| {
                let params = DiskSnapshotListParams {
                    devbox_id: Some("dbx_1".into()),
                    source_blueprint_id: Some("bpt_1".into()),
                    page: page(),
                };
                let call = c.devboxes().disk_snapshots().list(&params);
                call.with_metadata("run", "r 1").with_metadata_in("step", &["a", "b"])
            }
        ),
        row!("devboxes.list_disk_snapshots", "GET" "/v1/devboxes/disk_snapshots", None, |c| {
            c.disk_snapshots().list(&DiskSnapshotListParams::default())
        }),
        row!("devboxes.disk_snapshots.query_status", "GET" "/v1/devboxes/disk_snapshots/snp_1/status", None, |c| {
            c.disk_snapshots().query_status("snp_1")
        }),
        row!("devboxes.disk_snapshots.update", "POST" "/v1/devboxes/disk_snapshots/snp_1", Some(label_json()), |c| {
            c.disk_snapshots().update("snp_1", &label())
        }),
        row!("devboxes.disk_snapshots.update", "POST" "/v1/devboxes/disk_snapshots/snp_1", Some(json!({})), |c| {
            c.disk_snapshots().update("snp_1", &SnapshotParams::default())
        }),
        row!("devboxes.disk_snapshots.delete", "POST" "/v1/devboxes/disk_snapshots/snp_1/delete", None, |c| {
            c.disk_snapshots().delete("snp_1")
        }),
    ]
}
