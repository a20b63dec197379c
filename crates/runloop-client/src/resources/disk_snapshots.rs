//! Disk snapshots.

use runloop_types::{
    BlueprintId, DevboxId, DevboxSnapshotAsyncStatusView, DevboxSnapshotView, PageParams, SnapshotId,
    SnapshotParams, SnapshotStatus,
};
use serde::Serialize;

use crate::call::Call;
use crate::error::{Error, LastValue, WrongState};
use crate::page::ListCall;
use crate::request::Request;
use crate::resources::resource;
use crate::wait::{Polled, PollingConfig, poll};

resource! {
    /// Endpoints of disk snapshots; from [`Client::disk_snapshots`](crate::Client::disk_snapshots). They are taken by
    /// [`Devboxes::snapshot_disk`](crate::Devboxes::snapshot_disk).
    DiskSnapshots
}

/// Filters of [`DiskSnapshots::list`]; for labels see [`ListCall::with_metadata`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DiskSnapshotListParams {
    /// Only snapshots of this devbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devbox_id: Option<DevboxId>,
    /// Only snapshots of devboxes made from this blueprint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_blueprint_id: Option<BlueprintId>,
    /// Size and place of the page.
    #[serde(flatten)]
    pub page: PageParams,
}

impl DiskSnapshots {
    /// Lists snapshots, newest first.
    ///
    /// SDK 1 to 3.
    pub fn list(&self, params: &DiskSnapshotListParams) -> ListCall<DevboxSnapshotView> {
        ListCall::new(self.client.clone(), "/v1/devboxes/disk_snapshots", params)
    }

    /// How far a snapshot is; also of a deleted one. 404 if there never was one of this id.
    ///
    /// SDK 1 to 3.
    pub fn query_status(&self, id: impl AsRef<str>) -> Call<DevboxSnapshotAsyncStatusView> {
        self.client.call(Request::get("/v1/devboxes/disk_snapshots/{}/status", &[id.as_ref()]))
    }

    /// Changes name, message and labels: what is left out stays, labels are replaced whole. 404 if there is no such
    /// snapshot.
    ///
    /// SDK 1 to 3.
    pub fn update(&self, id: impl AsRef<str>, params: &SnapshotParams) -> Call<DevboxSnapshotView> {
        let request = Request::post("/v1/devboxes/disk_snapshots/{}", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.json(params)))
    }

    /// Deletes a snapshot. 404 if there is none of this id, 409 if it is not complete.
    ///
    /// SDK 1 to 3.
    pub fn delete(&self, id: impl AsRef<str>) -> Call<()> {
        let request = Request::<()>::post("/v1/devboxes/disk_snapshots/{}/delete", &[id.as_ref()]);
        self.client.call(request.map(Request::empty))
    }

    /// Polls until a snapshot is complete.
    ///
    /// # Errors
    /// [`Error::WrongState`] if it could not be taken or was deleted, [`Error::PollingTimeout`] if it takes too long.
    pub async fn await_complete(
        &self,
        id: &SnapshotId,
        config: PollingConfig,
    ) -> Result<DevboxSnapshotAsyncStatusView, Error> {
        let what = || format!("snapshot {id} to be complete");
        poll(config, what, || async {
            let view = self.query_status(id).send().await?;
            match view.status {
                SnapshotStatus::Complete => Ok(Polled::Done(view)),
                SnapshotStatus::Error | SnapshotStatus::Deleted => {
                    Err(Error::WrongState(Box::new(WrongState {
                        what: what(),
                        reason: view.error_message.clone(),
                        last_value: LastValue::Snapshot(Box::new(view)),
                    })))
                }
                _ => Ok(Polled::Pending(LastValue::Snapshot(Box::new(view)))),
            }
        })
        .await
    }
}
