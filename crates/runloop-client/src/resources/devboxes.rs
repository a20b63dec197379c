//! Devboxes, their commands and their files.

use std::sync::atomic::Ordering;
use std::time::Duration;

use runloop_types::{
    DevboxAsyncExecutionDetailView, DevboxCreateParams, DevboxExecutionDetailView, DevboxId,
    DevboxSnapshotView, DevboxStatus, DevboxUpdateParams, DevboxView, DownloadFileParams, ExecuteAsyncParams,
    ExecuteParams, PageParams, ReadFileContentsParams, SnapshotParams, WaitForStatusParams,
    WriteFileContentsParams,
};
use serde::Serialize;

use crate::byte_stream::ByteStream;
use crate::call::Call;
use crate::error::{Error, LastValue, WrongState};
use crate::file_source::FileSource;
use crate::page::ListCall;
use crate::request::Request;
use crate::resources::resource;
use crate::wait::{Deadline, WaitOptions, hold};

/// Longest hold that a server grants.
const LONGEST_HOLD: Duration = Duration::from_secs(30);

/// Silence after the hold that is still no failure.
pub(crate) const HOLD_GRACE: Duration = Duration::from_secs(5);

resource! {
    /// Endpoints of devboxes, their commands and their files; from [`Client::devboxes`](crate::Client::devboxes).
    Devboxes
}

/// Filters of [`Devboxes::list`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DevboxListParams {
    /// Only devboxes in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<DevboxStatus>,
    /// Size and place of the page.
    #[serde(flatten)]
    pub page: PageParams,
}

impl Devboxes {
    /// Asks for a devbox; answers before it runs.
    pub fn create(&self, params: &DevboxCreateParams) -> Call<DevboxView> {
        self.client.call(Request::post("/v1/devboxes", &[]).and_then(|request| request.json(params)))
    }

    /// Asks for a devbox and waits until it runs.
    ///
    /// # Errors
    /// [`Error::WrongState`] if it fails or is shut down, [`Error::PollingTimeout`] if it takes longer than `options`
    /// allow: it then still exists, and the error's last value has its id.
    pub async fn create_and_await_running(
        &self,
        params: &DevboxCreateParams,
        options: WaitOptions,
    ) -> Result<DevboxView, Error> {
        self.create_and_await_running_as(params, options, None).await
    }

    /// [`Devboxes::create_and_await_running`] under an idempotency key: asked twice, there is still one devbox.
    ///
    /// # Errors
    /// As that.
    pub async fn create_and_await_running_as(
        &self,
        params: &DevboxCreateParams,
        options: WaitOptions,
        idempotency_key: Option<&str>,
    ) -> Result<DevboxView, Error> {
        let deadline = options.deadline();
        let view = self.optimistic_create(params, idempotency_key).await?;
        if view.status == DevboxStatus::Running {
            return Ok(view);
        }
        let id = view.id.clone();
        self.await_state(&id, DevboxStatus::Running, deadline, Some(view)).await
    }

    /// Servers from SDK 1.30 on create and wait in one call; older ones only create.
    async fn optimistic_create(
        &self,
        params: &DevboxCreateParams,
        idempotency_key: Option<&str>,
    ) -> Result<DevboxView, Error> {
        let keyed = |call: Call<DevboxView>| match idempotency_key {
            Some(key) => call.idempotency_key(key),
            None => call,
        };
        let lacks = self.client.lacks_optimistic_create();
        if !lacks.load(Ordering::Relaxed) {
            let request = Request::post("/v1/devboxes/create_and_await_running", &[]);
            match keyed(self.client.call(request.and_then(|request| request.json(params)))).await {
                // A 404 may also be about a blueprint: then the plain endpoint says so again.
                Err(error) if matches!(error.status(), Some(404 | 405)) => {}
                answer => return answer,
            }
        }
        let view = keyed(self.create(params)).await?;
        lacks.store(true, Ordering::Relaxed);
        Ok(view)
    }

    /// What a devbox is at present.
    pub fn retrieve(&self, id: impl AsRef<str>) -> Call<DevboxView> {
        self.client.call(Request::get("/v1/devboxes/{}", &[id.as_ref()]))
    }

    /// Lists devboxes, newest first.
    pub fn list(&self, params: &DevboxListParams) -> ListCall<DevboxView> {
        ListCall::new(self.client.clone(), "/v1/devboxes", params)
    }

    /// Changes name and labels.
    pub fn update(&self, id: impl AsRef<str>, params: &DevboxUpdateParams) -> Call<DevboxView> {
        self.client
            .call(Request::post("/v1/devboxes/{}", &[id.as_ref()]).and_then(|request| request.json(params)))
    }

    /// One hold: answers as soon as the devbox is in one of `statuses`, or fails with 408 after `hold` (at most 30 s).
    /// It is not retried.
    pub fn wait_for_status(
        &self,
        id: impl AsRef<str>,
        statuses: &[DevboxStatus],
        hold: Duration,
    ) -> Call<DevboxView> {
        let hold = hold.min(LONGEST_HOLD);
        let params =
            WaitForStatusParams { statuses: statuses.to_vec(), timeout_seconds: Some(hold.as_secs_f64()) };
        let request = check_statuses(statuses)
            .and_then(|()| Request::post("/v1/devboxes/{}/wait_for_status", &[id.as_ref()])?.json(&params));
        self.client.call(request.map(|request| request.timeout(hold + HOLD_GRACE).max_retries(0)))
    }

    /// Waits until a devbox runs.
    ///
    /// # Errors
    /// [`Error::WrongState`] if it fails or is shut down, [`Error::PollingTimeout`] if that takes too long.
    pub async fn await_running(&self, id: &DevboxId, options: WaitOptions) -> Result<DevboxView, Error> {
        self.await_state(id, DevboxStatus::Running, options.deadline(), None).await
    }

    /// Waits until a devbox is suspended.
    ///
    /// # Errors
    /// As [`Devboxes::await_running`].
    pub async fn await_suspended(&self, id: &DevboxId, options: WaitOptions) -> Result<DevboxView, Error> {
        self.await_state(id, DevboxStatus::Suspended, options.deadline(), None).await
    }

    async fn await_state(
        &self,
        id: &DevboxId,
        wanted: DevboxStatus,
        deadline: Deadline,
        known: Option<DevboxView>,
    ) -> Result<DevboxView, Error> {
        let what = || format!("devbox {id} to be {wanted}");
        let statuses = [wanted.clone(), DevboxStatus::Failure, DevboxStatus::Shutdown];
        let view = match known {
            Some(view) if statuses.contains(&view.status) => view,
            known => {
                hold(
                    self.client.transport(),
                    deadline,
                    LONGEST_HOLD,
                    || (what(), known.map(|view| LastValue::Devbox(Box::new(view)))),
                    |hold| self.wait_for_status(id, &statuses, hold).send(),
                )
                .await?
            }
        };
        if view.status == wanted {
            return Ok(view);
        }
        let reason = view.failure_reason.as_ref().map(ToString::to_string);
        let reason = reason.or_else(|| view.shutdown_reason.as_ref().map(ToString::to_string));
        Err(Error::WrongState(Box::new(WrongState {
            what: what(),
            reason,
            last_value: LastValue::Devbox(Box::new(view)),
        })))
    }

    /// Ends a devbox for good. `force` is needed while a snapshot of it is in progress: else that is a 409.
    pub fn shutdown(&self, id: impl AsRef<str>, force: bool) -> Call<DevboxView> {
        let request = Request::post("/v1/devboxes/{}/shutdown", &[id.as_ref()]);
        self.client.call(request.map(|request| if force { request.query("force", "true") } else { request }))
    }

    /// Begins to suspend: the disk is kept, processes and memory are lost.
    pub fn suspend(&self, id: impl AsRef<str>) -> Call<DevboxView> {
        self.client.call(Request::post("/v1/devboxes/{}/suspend", &[id.as_ref()]))
    }

    /// Begins to resume a suspended devbox.
    pub fn resume(&self, id: impl AsRef<str>) -> Call<DevboxView> {
        self.client.call(Request::post("/v1/devboxes/{}/resume", &[id.as_ref()]))
    }

    /// Resets the idle clock.
    pub fn keep_alive(&self, id: impl AsRef<str>) -> Call<()> {
        self.client
            .call(Request::<()>::post("/v1/devboxes/{}/keep_alive", &[id.as_ref()]).map(Request::empty))
    }

    /// Starts a command and answers at once.
    pub fn execute_async(
        &self,
        id: impl AsRef<str>,
        params: &ExecuteAsyncParams,
    ) -> Call<DevboxAsyncExecutionDetailView> {
        let request = Request::post("/v1/devboxes/{}/execute_async", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.json(params)))
    }

    /// Starts a command and waits up to 25 s for its end. `last_n` is how many lines of each output the answer holds:
    /// 100 unless set.
    pub fn execute(
        &self,
        id: impl AsRef<str>,
        params: &ExecuteParams,
        last_n: Option<u32>,
    ) -> Call<DevboxAsyncExecutionDetailView> {
        let request = Request::post("/v1/devboxes/{}/execute", &[id.as_ref()]);
        let request = request.and_then(|request| request.json(params));
        self.client.call(request.map(|request| with_last_n(request, last_n).long()))
    }

    /// Runs a command to its end in one call. Deprecated by the API: a retry may run it twice.
    pub fn execute_sync(
        &self,
        id: impl AsRef<str>,
        params: &ExecuteAsyncParams,
    ) -> Call<DevboxExecutionDetailView> {
        let request = Request::post("/v1/devboxes/{}/execute_sync", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.json(params)).map(Request::long))
    }

    /// Reads a file of UTF-8 text. Paths are absolute, begin with `~/`, or are relative to the home directory.
    pub fn read_file_contents(&self, id: impl AsRef<str>, path: &str) -> Call<String> {
        let params = ReadFileContentsParams { file_path: path.to_owned() };
        let request = Request::<()>::post("/v1/devboxes/{}/read_file_contents", &[id.as_ref()]);
        self.client
            .call(request.and_then(|request| request.json(&params)).map(|request| request.long().text()))
    }

    /// Creates or overwrites a file of UTF-8 text.
    pub fn write_file_contents(
        &self,
        id: impl AsRef<str>,
        path: &str,
        contents: &str,
    ) -> Call<DevboxExecutionDetailView> {
        let params = WriteFileContentsParams { file_path: path.to_owned(), contents: contents.to_owned() };
        let request = Request::post("/v1/devboxes/{}/write_file_contents", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.json(&params)).map(Request::long))
    }

    /// Creates or overwrites a file of any bytes.
    pub fn upload_file(&self, id: impl AsRef<str>, path: &str, file: impl Into<FileSource>) -> Call<()> {
        let request = Request::<()>::post("/v1/devboxes/{}/upload_file", &[id.as_ref()]);
        self.client.call(request.map(|request| request.upload(path, file.into()).empty()))
    }

    /// Reads a file of any bytes.
    pub fn download_file(&self, id: impl AsRef<str>, path: &str) -> Call<ByteStream> {
        let params = DownloadFileParams { path: path.to_owned() };
        let request = Request::<()>::post("/v1/devboxes/{}/download_file", &[id.as_ref()]);
        let request = request.and_then(|request| request.json(&params));
        self.client.call(request.map(|request| request.long().stream("application/octet-stream")))
    }

    /// Takes a snapshot of the disk; answers when it is complete.
    pub fn snapshot_disk(&self, id: impl AsRef<str>, params: &SnapshotParams) -> Call<DevboxSnapshotView> {
        let request = Request::post("/v1/devboxes/{}/snapshot_disk", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.json(params)).map(Request::long))
    }

    /// Begins a snapshot of the disk; see [`DiskSnapshots::await_complete`](crate::DiskSnapshots::await_complete).
    pub fn snapshot_disk_async(
        &self,
        id: impl AsRef<str>,
        params: &SnapshotParams,
    ) -> Call<DevboxSnapshotView> {
        let request = Request::post("/v1/devboxes/{}/snapshot_disk_async", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.json(params)))
    }
}

pub(crate) fn with_last_n<T>(request: Request<T>, last_n: Option<u32>) -> Request<T> {
    match last_n {
        Some(n) => request.query("last_n", n),
        None => request,
    }
}

/// A wait for nothing would never end.
pub(crate) fn check_statuses<S>(statuses: &[S]) -> Result<(), Error> {
    if statuses.is_empty() {
        return Err(Error::InvalidRequest { reason: "a wait needs at least one status".to_owned() });
    }
    Ok(())
}
