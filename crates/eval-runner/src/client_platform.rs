//! A Runloop API through its client.

use std::time::Duration;

use eval_record::{Capture, ResourceKind};
use futures::TryStreamExt as _;
use runloop_client::{
    BlueprintListParams, Client, DevboxListParams, DiskSnapshotListParams, Error, FileSource, LastValue,
    NetworkPolicyListParams, ObjectListParams, ObjectUpload, PollingConfig, WaitOptions,
};
use runloop_types::{
    BlueprintCreateParams, BlueprintId, BlueprintState, BlueprintStatus, DevboxAsyncExecutionDetailView,
    DevboxCreateParams, DevboxId, DevboxStatus, DevboxView, ExecuteParams, ExecutionId, ExecutionStatus,
    Metadata, NetworkPolicyId, NetworkPolicyParams, NetworkPolicyView, ObjectContentType, ObjectId,
    ObjectState, PageParams, SnapshotId, SnapshotParams, SnapshotStatus,
};

use crate::failure::chain;
use crate::platform::{Labelled, OutputStream, Platform, PlatformError, PlatformErrorKind};

/// Items a page where all pages are read.
const PAGE: u32 = 500;

/// Objects that a crashed run leaves behind are deleted by the server after this time.
const OBJECT_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Retries of a request that ends or finds devboxes. The run asks again at its end, and keep-alive ends what nobody
/// could: with a platform that is gone, a run must come to its end too.
const CLEANUP_RETRIES: u32 = 2;

/// A [`Platform`] behind a [`Client`].
#[derive(Debug, Clone)]
pub struct ClientPlatform {
    client: Client,
}

impl ClientPlatform {
    /// Runs through this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

impl From<Error> for PlatformError {
    fn from(error: Error) -> Self {
        let kind = match (&error, error.status()) {
            (_, Some(status)) => PlatformErrorKind::Status(status),
            (Error::PollingTimeout(_) | Error::WrongState(_), _) => PlatformErrorKind::BadEnd,
            _ => PlatformErrorKind::Unreachable,
        };
        Self::new(kind, chain(&error))
    }
}

/// A hold that ran out is no failure.
fn held<T>(answer: Result<T, Error>) -> Result<Option<T>, PlatformError> {
    match answer {
        Ok(view) => Ok(Some(view)),
        Err(error) if error.status() == Some(408) || error.is_timeout() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What is gone needs no deletion.
fn gone<T>(answer: Result<T, Error>) -> Result<(), PlatformError> {
    match answer {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

impl Platform for ClientPlatform {
    async fn create_devbox(
        &self,
        params: &DevboxCreateParams,
        key: &str,
        timeout: Duration,
    ) -> Result<DevboxView, PlatformError> {
        let wait = WaitOptions::within(timeout);
        let created = self.client.devboxes().create_and_await_running_as(params, wait, Some(key)).await;
        match created {
            Ok(view) => Ok(view),
            // The devbox exists: its id must not be lost.
            Err(Error::WrongState(error)) => match error.last_value {
                LastValue::Devbox(view) => Ok(*view),
                _ => Err(Error::WrongState(error).into()),
            },
            Err(Error::PollingTimeout(error)) => match error.last_value {
                Some(LastValue::Devbox(view)) => Ok(*view),
                _ => Err(Error::PollingTimeout(error).into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    async fn probe(&self) -> Result<(), PlatformError> {
        let page = PageParams { limit: Some(1), include_total_count: Some(false), ..PageParams::default() };
        let list = self.client.devboxes().list(&DevboxListParams { status: None, page });
        list.max_retries(0).await?;
        Ok(())
    }

    async fn devbox(&self, id: &DevboxId) -> Result<DevboxView, PlatformError> {
        Ok(self.client.devboxes().retrieve(id).send().await?)
    }

    async fn wait_devbox(
        &self,
        id: &DevboxId,
        statuses: &[DevboxStatus],
        hold: Duration,
    ) -> Result<Option<DevboxView>, PlatformError> {
        held(self.client.devboxes().wait_for_status(id, statuses, hold).send().await)
    }

    async fn suspend(&self, id: &DevboxId) -> Result<DevboxView, PlatformError> {
        Ok(self.client.devboxes().suspend(id).send().await?)
    }

    async fn resume(&self, id: &DevboxId) -> Result<DevboxView, PlatformError> {
        Ok(self.client.devboxes().resume(id).send().await?)
    }

    async fn shutdown(&self, id: &DevboxId, force: bool) -> Result<(), PlatformError> {
        gone(self.client.devboxes().shutdown(id, force).max_retries(CLEANUP_RETRIES).send().await)
    }

    async fn keep_alive(&self, id: &DevboxId) -> Result<(), PlatformError> {
        Ok(self.client.devboxes().keep_alive(id).send().await?)
    }

    async fn labelled(
        &self,
        kind: ResourceKind,
        label: &str,
        value: Option<&str>,
    ) -> Result<Vec<Labelled>, PlatformError> {
        let page =
            PageParams { limit: Some(PAGE), include_total_count: Some(false), ..PageParams::default() };
        let is_ours = |labels: &Metadata| {
            labels.get(label).is_some_and(|found| value.is_none_or(|wanted| found == wanted))
        };
        let kept = |living: bool, id: String, labels: Option<Metadata>| {
            let found = labels.filter(|labels| living && is_ours(labels));
            std::future::ready(Ok(found.map(|labels| Labelled { id, labels })))
        };
        let found: Vec<Labelled> = match kind {
            ResourceKind::Devbox => {
                let list = self.client.devboxes().list(&DevboxListParams { status: None, page });
                let all = list.max_retries(CLEANUP_RETRIES).items();
                all.try_filter_map(|view| {
                    kept(!view.status.is_final(), view.id.to_string(), Some(view.metadata))
                })
                .try_collect()
                .await?
            }
            ResourceKind::Snapshot => {
                let params = DiskSnapshotListParams { page, ..DiskSnapshotListParams::default() };
                let mut list = self.client.disk_snapshots().list(&params).max_retries(CLEANUP_RETRIES);
                if let Some(value) = value {
                    list = list.with_metadata(label, value);
                }
                let all = list.items();
                all.try_filter_map(|view| kept(true, view.id.to_string(), Some(view.metadata)))
                    .try_collect()
                    .await?
            }
            ResourceKind::Object => {
                let params = ObjectListParams { page, ..ObjectListParams::default() };
                let all = self.client.objects().list(&params).max_retries(CLEANUP_RETRIES).items();
                let living = |state: &ObjectState| *state != ObjectState::Deleted;
                all.try_filter_map(|view| kept(living(&view.state), view.id.to_string(), view.metadata))
                    .try_collect()
                    .await?
            }
            ResourceKind::Blueprint => {
                let params = BlueprintListParams { page, ..BlueprintListParams::default() };
                let all = self.client.blueprints().list(&params).max_retries(CLEANUP_RETRIES).items();
                let living = |state: &BlueprintState| *state == BlueprintState::Created;
                all.try_filter_map(|view| {
                    let labels = view.metadata.or(view.parameters.metadata);
                    kept(living(&view.state), view.id.to_string(), labels)
                })
                .try_collect()
                .await?
            }
            ResourceKind::NetworkPolicy => Vec::new(),
        };
        Ok(found)
    }

    async fn execute(
        &self,
        id: &DevboxId,
        params: &ExecuteParams,
        last_n: u32,
    ) -> Result<DevboxAsyncExecutionDetailView, PlatformError> {
        Ok(self.client.devboxes().execute(id, params, Some(last_n)).send().await?)
    }

    async fn wait_execution(
        &self,
        devbox: &DevboxId,
        execution: &ExecutionId,
        hold: Duration,
        last_n: u32,
    ) -> Result<Option<DevboxAsyncExecutionDetailView>, PlatformError> {
        let completed = [ExecutionStatus::Completed];
        held(
            self.client
                .executions()
                .wait_for_status(devbox, execution, &completed, hold, Some(last_n))
                .send()
                .await,
        )
    }

    async fn kill(&self, devbox: &DevboxId, execution: &ExecutionId) -> Result<(), PlatformError> {
        self.client.executions().kill(devbox, execution, true).send().await?;
        Ok(())
    }

    async fn output(
        &self,
        devbox: &DevboxId,
        execution: &ExecutionId,
        stream: OutputStream,
        mut capture: Capture,
    ) -> Result<Capture, PlatformError> {
        let executions = self.client.executions();
        let mut chunks = match stream {
            OutputStream::Stdout => executions.stream_stdout_updates(devbox, execution),
            OutputStream::Stderr => executions.stream_stderr_updates(devbox, execution),
        };
        while let Some(chunk) = chunks.try_next().await? {
            capture.push(chunk.output.as_bytes());
        }
        Ok(capture)
    }

    async fn upload(&self, id: &DevboxId, path: &str, content: Vec<u8>) -> Result<(), PlatformError> {
        Ok(self.client.devboxes().upload_file(id, path, FileSource::bytes(content)).send().await?)
    }

    async fn download(&self, id: &DevboxId, path: &str, limit: u64) -> Result<Vec<u8>, PlatformError> {
        let too_large = || {
            let message = format!("{path} is larger than {limit} bytes");
            PlatformError::new(PlatformErrorKind::TooLarge, message)
        };
        let mut chunks = self.client.devboxes().download_file(id, path).send().await?;
        if chunks.length().is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let mut content = Vec::new();
        while let Some(chunk) = chunks.try_next().await? {
            if (content.len() + chunk.len()) as u64 > limit {
                return Err(too_large());
            }
            content.extend_from_slice(&chunk);
        }
        Ok(content)
    }

    async fn snapshot(
        &self,
        id: &DevboxId,
        params: &SnapshotParams,
        key: &str,
    ) -> Result<SnapshotId, PlatformError> {
        Ok(self.client.devboxes().snapshot_disk(id, params).idempotency_key(key).send().await?.id)
    }

    async fn delete_snapshot(&self, id: &SnapshotId) -> Result<(), PlatformError> {
        let snapshots = self.client.disk_snapshots();
        let deleted = snapshots.delete(id).send().await;
        if deleted.as_ref().is_err_and(|error| error.status() == Some(409)) {
            // Only complete ones can be deleted; one whose taking failed stays on the list, but has no disk.
            let status = snapshots.query_status(id).max_retries(CLEANUP_RETRIES).send().await;
            if status.is_ok_and(|view| view.status == SnapshotStatus::Error) {
                return Ok(());
            }
        }
        gone(deleted)
    }

    async fn store_archive(
        &self,
        name: &str,
        metadata: &Metadata,
        content: Vec<u8>,
        key: &str,
    ) -> Result<ObjectId, PlatformError> {
        let upload = ObjectUpload {
            name: Some(name.to_owned()),
            content_type: Some(ObjectContentType::Tgz),
            metadata: Some(metadata.clone()),
            ttl: Some(OBJECT_LIFE),
            idempotency_key: Some(key.to_owned()),
            ..ObjectUpload::default()
        };
        Ok(self.client.objects().upload_from_bytes(content, &upload).await?.id)
    }

    async fn delete_object(&self, id: &ObjectId) -> Result<(), PlatformError> {
        gone(self.client.objects().delete(id).send().await)
    }

    async fn network_policies(&self, name: &str) -> Result<Vec<NetworkPolicyView>, PlatformError> {
        let params =
            NetworkPolicyListParams { name: Some(name.to_owned()), ..NetworkPolicyListParams::default() };
        Ok(self.client.network_policies().list(&params).items().try_collect().await?)
    }

    async fn create_network_policy(
        &self,
        params: &NetworkPolicyParams,
        key: &str,
    ) -> Result<NetworkPolicyId, PlatformError> {
        Ok(self.client.network_policies().create(params).idempotency_key(key).send().await?.id)
    }

    async fn find_blueprint(
        &self,
        name: &str,
        key: &str,
        value: &str,
    ) -> Result<Option<BlueprintId>, PlatformError> {
        let params = BlueprintListParams { name: Some(name.to_owned()), ..BlueprintListParams::default() };
        let mut list = std::pin::pin!(self.client.blueprints().list(&params).items());
        while let Some(view) = list.try_next().await? {
            let metadata = view.metadata.as_ref().or(view.parameters.metadata.as_ref());
            let is_it =
                view.name == name && metadata.and_then(|labels| labels.get(key)).is_some_and(|v| v == value);
            if is_it && view.status == BlueprintStatus::BuildComplete && view.state == BlueprintState::Created
            {
                return Ok(Some(view.id));
            }
        }
        Ok(None)
    }

    async fn create_blueprint(
        &self,
        params: &BlueprintCreateParams,
        key: &str,
    ) -> Result<BlueprintId, PlatformError> {
        Ok(self.client.blueprints().create(params).idempotency_key(key).send().await?.id)
    }

    async fn await_blueprint(&self, id: &BlueprintId, timeout: Duration) -> Result<(), PlatformError> {
        let polling = PollingConfig::within(timeout, Duration::from_secs(1));
        self.client.blueprints().await_build_complete(id, polling).await?;
        Ok(())
    }

    async fn delete_blueprint(&self, id: &BlueprintId) -> Result<(), PlatformError> {
        gone(self.client.blueprints().delete(id).send().await)
    }

    async fn delete_network_policy(&self, id: &NetworkPolicyId) -> Result<(), PlatformError> {
        gone(self.client.network_policies().delete(id).send().await)
    }
}
