//! A handle on one devbox: its creation, its life, its end.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use runloop_types::{
    DevboxCreateParams, DevboxLogsListView, DevboxResourceUsageView, DevboxStatus, DevboxUpdateParams,
    DevboxView, SnapshotParams,
};

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::handles::{Snapshot, handle};
use crate::resources::DevboxLogListParams;
use crate::wait::{PollingConfig, WaitOptions};

handle! {
    /// A devbox: a machine of one's own, with commands, files and ports.
    ///
    /// It lives until it is shut down or its keep-alive time is over, whatever becomes of its handles:
    /// [`Client::with_devbox`] shuts it down after some work.
    ///
    /// ```no_run
    /// # use runloop_client::WaitOptions;
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::DevboxCreateParams;
    ///
    /// let params = DevboxCreateParams { blueprint_name: Some("project".into()), ..Default::default() };
    /// let devbox = client.create_devbox(&params, WaitOptions::default()).await?;
    /// println!("{}", devbox.exec("uname -a").await?.stdout);
    /// devbox.shutdown(false).await?;
    /// # Ok(()) }
    /// ```
    Devbox(DevboxId), devbox
}

impl Client {
    /// Creates a devbox, from whatever `params` name, and waits until it runs.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error::WrongState`] if it fails or is shut down, [`Error::PollingTimeout`] if it takes longer than `options`
    /// allow: it then still exists, and the error's last value has its id.
    #[doc(alias("create_from_blueprint_id", "create_from_blueprint_name", "create_from_snapshot"))]
    pub async fn create_devbox(
        &self,
        params: &DevboxCreateParams,
        options: WaitOptions,
    ) -> Result<Devbox, Error> {
        Ok(self.devbox(self.devboxes().create_and_await_running(params, options).await?.id))
    }

    /// Creates a devbox, waits until it runs, does `work` in it, and shuts it down: also if the work fails or panics, and
    /// if the devbox does not run in time. What the work gives is what this gives; a devbox that cannot be shut down is
    /// only logged.
    ///
    /// Dropping the future ends the work, too, but sends nothing: the devbox then lives until its keep-alive time is over.
    ///
    /// ```no_run
    /// # use runloop_client::WaitOptions;
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::DevboxCreateParams;
    ///
    /// let (params, options) = (DevboxCreateParams::default(), WaitOptions::default());
    /// let kernel = client.with_devbox(&params, options, async |devbox| {
    ///     Ok::<_, runloop_client::Error>(devbox.exec("uname -r").await?.stdout)
    /// });
    /// println!("{}", kernel.await?);
    /// # Ok(()) }
    /// ```
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// As [`Client::create_devbox`], and those of the work.
    pub async fn with_devbox<T, E: From<Error>>(
        &self,
        params: &DevboxCreateParams,
        options: WaitOptions,
        work: impl AsyncFnOnce(Devbox) -> Result<T, E>,
    ) -> Result<T, E> {
        let devboxes = self.devboxes();
        let deadline = options.deadline();
        let view = devboxes.create_optimistically(params, None).await?;
        let devbox = self.devbox(view.id.clone());
        let outcome = AssertUnwindSafe(async {
            devboxes.await_state(devbox.id(), DevboxStatus::Running, deadline, Some(Box::new(view))).await?;
            work(devbox.clone()).await
        });
        let outcome = outcome.catch_unwind().await;
        if let Err(error) = devbox.shutdown(false).send().await {
            tracing::warn!(devbox = %devbox.id, %error, "devbox could not be shut down");
        }
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Devbox {
    /// What it is at present; also of one that has ended.
    ///
    /// SDK 1 to 3.
    #[doc(alias = "get_info")]
    pub fn info(&self) -> Call<DevboxView> {
        self.client.devboxes().retrieve(&self.id)
    }

    /// Changes name and labels: what is left out stays, what is empty is cleared, labels are replaced whole.
    ///
    /// SDK 1 to 3.
    pub fn update(&self, params: &DevboxUpdateParams) -> Call<DevboxView> {
        self.client.devboxes().update(&self.id, params)
    }

    /// What happened in it, oldest first: all of it, not in pages.
    ///
    /// SDK 1 to 3.
    pub fn logs(&self, params: &DevboxLogListParams) -> Call<DevboxLogsListView> {
        self.client.devboxes().logs().list(&self.id, params)
    }

    /// What it has used so far, in seconds of cores, GiB of memory and GiB of disk.
    ///
    /// SDK 1 to 3.
    pub fn resource_usage(&self) -> Call<DevboxResourceUsageView> {
        self.client.devboxes().retrieve_resource_usage(&self.id)
    }

    /// Takes a snapshot of the disk, and polls until it is complete. One that is short is known sooner by
    /// [`Devboxes::snapshot_disk`](crate::Devboxes::snapshot_disk), whose answer is held.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error::WrongState`] if it could not be taken, [`Error::PollingTimeout`] if it takes longer than `config` allows. To
    /// have its handle all the same, call [`Devbox::snapshot_disk_async`] and [`Snapshot::await_completed`].
    pub async fn snapshot_disk(
        &self,
        params: &SnapshotParams,
        config: PollingConfig,
    ) -> Result<Snapshot, Error> {
        let snapshot = self.snapshot_disk_async(params).await?;
        snapshot.await_completed(config).await?;
        Ok(snapshot)
    }

    /// Begins a snapshot of the disk.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error`] as for any call.
    pub async fn snapshot_disk_async(&self, params: &SnapshotParams) -> Result<Snapshot, Error> {
        let view = self.client.devboxes().snapshot_disk_async(&self.id, params).send().await?;
        Ok(self.client.snapshot(view.id))
    }

    /// Suspends it, and waits until it is suspended: the disk is kept, processes and memory are lost.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// 400 if it does not run; [`Error::WrongState`] or [`Error::PollingTimeout`] if it is not suspended in the end.
    pub async fn suspend(&self, options: WaitOptions) -> Result<DevboxView, Error> {
        self.suspend_async().send().await?;
        self.await_suspended(options).await
    }

    /// Begins to suspend it; see [`Devbox::await_suspended`].
    ///
    /// SDK 1 to 3.
    pub fn suspend_async(&self) -> Call<DevboxView> {
        self.client.devboxes().suspend(&self.id)
    }

    /// Resumes it, and waits until it runs.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// 400 if it is not suspended; [`Error::WrongState`] or [`Error::PollingTimeout`] if it does not run in the end.
    pub async fn resume(&self, options: WaitOptions) -> Result<DevboxView, Error> {
        self.resume_async().send().await?;
        self.await_running(options).await
    }

    /// Begins to resume it; see [`Devbox::await_running`].
    ///
    /// SDK 1 to 3.
    pub fn resume_async(&self) -> Call<DevboxView> {
        self.client.devboxes().resume(&self.id)
    }

    /// Waits until it runs.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error::WrongState`] if it fails or is shut down, [`Error::PollingTimeout`] if that takes too long.
    pub async fn await_running(&self, options: WaitOptions) -> Result<DevboxView, Error> {
        self.client.devboxes().await_running(&self.id, options).await
    }

    /// Waits until it is suspended.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// As [`Devbox::await_running`].
    pub async fn await_suspended(&self, options: WaitOptions) -> Result<DevboxView, Error> {
        self.client.devboxes().await_suspended(&self.id, options).await
    }

    /// Resets the idle clock.
    ///
    /// SDK 1 to 3.
    pub fn keep_alive(&self) -> Call<()> {
        self.client.devboxes().keep_alive(&self.id)
    }

    /// Ends it for good, and does not wait until it has ended. `force` is needed while a snapshot of it is in progress: else
    /// that is a 409.
    ///
    /// SDK 1 to 3.
    #[doc(alias = "close")]
    pub fn shutdown(&self, force: bool) -> Call<DevboxView> {
        self.client.devboxes().shutdown(&self.id, force)
    }
}
