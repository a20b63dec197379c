//! A handle on one disk snapshot.

use runloop_types::{DevboxCreateParams, DevboxSnapshotAsyncStatusView, DevboxSnapshotView, SnapshotParams};

use crate::call::Call;
use crate::error::Error;
use crate::handles::{Devbox, handle};
use crate::resources::refuse;
use crate::wait::{PollingConfig, WaitOptions};

handle! {
    /// A disk snapshot: files of a devbox, from which others start. Taken by [`Devbox::snapshot_disk`].
    ///
    /// ```no_run
    /// # use runloop_client::{PollingConfig, WaitOptions};
    /// # async fn example(devbox: runloop_client::Devbox) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::{DevboxCreateParams, SnapshotParams};
    ///
    /// let params = SnapshotParams { name: Some("dependencies installed".into()), ..Default::default() };
    /// let snapshot = devbox.snapshot_disk(&params, PollingConfig::default()).await?;
    /// let copy = snapshot.create_devbox(&DevboxCreateParams::default(), WaitOptions::default()).await?;
    /// # Ok(()) }
    /// ```
    Snapshot(SnapshotId), snapshot
}

impl Snapshot {
    /// How far it is, and what it is once complete; also of a deleted one.
    ///
    /// SDK 1 to 3.
    #[doc(alias = "get_info")]
    pub fn info(&self) -> Call<DevboxSnapshotAsyncStatusView> {
        self.client.disk_snapshots().query_status(&self.id)
    }

    /// Changes name, message and labels: what is left out stays, labels are replaced whole.
    ///
    /// SDK 1 to 3.
    pub fn update(&self, params: &SnapshotParams) -> Call<DevboxSnapshotView> {
        self.client.disk_snapshots().update(&self.id, params)
    }

    /// Deletes it; 409 if it is not complete.
    ///
    /// SDK 1 to 3.
    pub fn delete(&self) -> Call<()> {
        self.client.disk_snapshots().delete(&self.id)
    }

    /// Polls until it is complete. One that was deleted ends the wait, where the official SDKs poll on to the timeout.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error::WrongState`] if it could not be taken or was deleted, [`Error::PollingTimeout`] if it takes too long.
    pub async fn await_completed(
        &self,
        config: PollingConfig,
    ) -> Result<DevboxSnapshotAsyncStatusView, Error> {
        self.client.disk_snapshots().await_complete(&self.id, config).await
    }

    /// Creates a devbox that starts from it, and waits until that runs.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// As [`Client::create_devbox`](crate::Client::create_devbox); [`Error::InvalidRequest`] if `params` say what else it
    /// starts from: nothing is sent then.
    pub async fn create_devbox(
        &self,
        params: &DevboxCreateParams,
        options: WaitOptions,
    ) -> Result<Devbox, Error> {
        if params.snapshot_id.as_ref().is_some_and(|id| *id != self.id) {
            return Err(refuse(format!("a devbox from snapshot {} cannot be from another one", self.id)));
        }
        let params = DevboxCreateParams { snapshot_id: Some(self.id.clone()), ..params.clone() };
        self.client.create_devbox(&params, options).await
    }
}
