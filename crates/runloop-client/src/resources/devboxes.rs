//! Devboxes: from their creation to their end.

use std::sync::atomic::Ordering;
use std::time::Duration;

use runloop_types::{
    DevboxCreateParams, DevboxId, DevboxResourceUsageView, DevboxSnapshotView, DevboxStatus,
    DevboxUpdateParams, DevboxView, PageParams, SnapshotParams, WaitForStatusParams,
};
use serde::Serialize;

use crate::call::Call;
use crate::error::{Error, LastValue, WrongState};
use crate::page::ListCall;
use crate::request::Request;
use crate::resources::{Browsers, Computers, DevboxLogs, DiskSnapshots, Executions, refuse, resource};
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
    /// Executions: commands that run or ran in devboxes.
    pub fn executions(&self) -> Executions {
        Executions::new(self.client.clone())
    }

    /// Disk snapshots of devboxes.
    pub fn disk_snapshots(&self) -> DiskSnapshots {
        DiskSnapshots::new(self.client.clone())
    }

    /// Logs of devboxes.
    pub fn logs(&self) -> DevboxLogs {
        DevboxLogs::new(self.client.clone())
    }

    /// Devboxes with a browser. Legacy: gone before SDK 1.32.
    pub fn browsers(&self) -> Browsers {
        Browsers::new(self.client.clone())
    }

    /// Devboxes with a desktop. Legacy: gone before SDK 1.32.
    pub fn computers(&self) -> Computers {
        Computers::new(self.client.clone())
    }

    /// Asks for a devbox; answers before it runs. More than one of blueprint id, blueprint name and snapshot is refused
    /// before anything is sent.
    ///
    /// SDK 1 to 3.
    pub fn create(&self, params: &DevboxCreateParams) -> Call<DevboxView> {
        self.create_at("/v1/devboxes", params)
    }

    /// Asks for a devbox; the server holds its answer for a while, so that a devbox that starts fast is running in it.
    /// One that is not is no error: any status may come. [`Devboxes::create_and_await_running`] asks this first and then
    /// waits. Servers from before SDK 1.30 answer 404 or 405.
    ///
    /// SDK 1 to 3.
    pub fn create_and_hold(&self, params: &DevboxCreateParams) -> Call<DevboxView> {
        self.create_at("/v1/devboxes/create_and_await_running", params)
    }

    fn create_at(&self, path: &'static str, params: &DevboxCreateParams) -> Call<DevboxView> {
        self.client.call(check_origin(params).and_then(|()| Request::post(path, &[])?.json(params)))
    }

    /// Asks for a devbox and waits until it runs.
    ///
    /// # Errors
    /// [`Error::WrongState`] if it fails or is shut down, [`Error::PollingTimeout`] if it takes longer than `options`
    /// allow: it then still exists, and the error's last value has its id.
    ///
    /// SDK 1 to 3.
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
    ///
    /// SDK 1 to 3.
    pub async fn create_and_await_running_as(
        &self,
        params: &DevboxCreateParams,
        options: WaitOptions,
        idempotency_key: Option<&str>,
    ) -> Result<DevboxView, Error> {
        let deadline = options.deadline();
        let view = self.create_optimistically(params, idempotency_key).await?;
        if view.status == DevboxStatus::Running {
            return Ok(view);
        }
        let id = view.id.clone();
        self.await_state(&id, DevboxStatus::Running, deadline, Some(Box::new(view))).await
    }

    /// Servers from SDK 1.30 on create and wait in one call; older ones only create.
    pub(crate) async fn create_optimistically(
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
            match keyed(self.create_and_hold(params)).await {
                // A 404 may also be about a blueprint: then the plain endpoint says so again.
                Err(error) if matches!(error.status(), Some(404 | 405)) => {}
                answer => return answer,
            }
        }
        let view = keyed(self.create(params)).await?;
        lacks.store(true, Ordering::Relaxed);
        Ok(view)
    }

    /// What a devbox is at present; also of one that has ended. 404 if there never was one of this id.
    ///
    /// SDK 1 to 3.
    pub fn retrieve(&self, id: impl AsRef<str>) -> Call<DevboxView> {
        self.client.call(Request::get("/v1/devboxes/{}", &[id.as_ref()]))
    }

    /// Lists devboxes, newest first.
    ///
    /// SDK 1 to 3.
    pub fn list(&self, params: &DevboxListParams) -> ListCall<DevboxView> {
        ListCall::new(self.client.clone(), "/v1/devboxes", params)
    }

    /// Changes name and labels: what is left out stays, what is empty is cleared, labels are replaced whole.
    ///
    /// SDK 1 to 3.
    pub fn update(&self, id: impl AsRef<str>, params: &DevboxUpdateParams) -> Call<DevboxView> {
        self.client
            .call(Request::post("/v1/devboxes/{}", &[id.as_ref()]).and_then(|request| request.json(params)))
    }

    /// One hold: answers as soon as the devbox is in one of `statuses`, or fails with 408 after `hold` (at most 30 s).
    /// It is not retried. 400 if a status does not exist, 404 if the devbox does not.
    ///
    /// SDK 1 to 3.
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
    ///
    /// SDK 1 to 3.
    pub async fn await_running(&self, id: &DevboxId, options: WaitOptions) -> Result<DevboxView, Error> {
        self.await_state(id, DevboxStatus::Running, options.deadline(), None).await
    }

    /// Waits until a devbox is suspended.
    ///
    /// # Errors
    /// As [`Devboxes::await_running`].
    ///
    /// SDK 1 to 3.
    pub async fn await_suspended(&self, id: &DevboxId, options: WaitOptions) -> Result<DevboxView, Error> {
        self.await_state(id, DevboxStatus::Suspended, options.deadline(), None).await
    }

    pub(crate) async fn await_state(
        &self,
        id: &DevboxId,
        wanted: DevboxStatus,
        deadline: Deadline,
        known: Option<Box<DevboxView>>,
    ) -> Result<DevboxView, Error> {
        let what = || format!("devbox {id} to be {wanted}");
        let statuses = [wanted.clone(), DevboxStatus::Failure, DevboxStatus::Shutdown];
        let view = match known {
            Some(view) if statuses.contains(&view.status) => *view,
            known => {
                hold(
                    self.client.transport(),
                    deadline,
                    LONGEST_HOLD,
                    || (what(), known.map(LastValue::Devbox)),
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
    ///
    /// SDK 1 to 3.
    pub fn shutdown(&self, id: impl AsRef<str>, force: bool) -> Call<DevboxView> {
        let request = Request::post("/v1/devboxes/{}/shutdown", &[id.as_ref()]);
        self.client.call(request.map(|request| if force { request.query("force", "true") } else { request }))
    }

    /// Begins to suspend: the disk is kept, processes and memory are lost. 400 if it does not run; see
    /// [`Devboxes::await_suspended`].
    ///
    /// SDK 1 to 3.
    pub fn suspend(&self, id: impl AsRef<str>) -> Call<DevboxView> {
        self.client.call(Request::post("/v1/devboxes/{}/suspend", &[id.as_ref()]))
    }

    /// Begins to resume a suspended devbox. 400 if it is not suspended; see [`Devboxes::await_running`].
    ///
    /// SDK 1 to 3.
    pub fn resume(&self, id: impl AsRef<str>) -> Call<DevboxView> {
        self.client.call(Request::post("/v1/devboxes/{}/resume", &[id.as_ref()]))
    }

    /// Resets the idle clock.
    ///
    /// SDK 1 to 3.
    pub fn keep_alive(&self, id: impl AsRef<str>) -> Call<()> {
        self.client
            .call(Request::<()>::post("/v1/devboxes/{}/keep_alive", &[id.as_ref()]).map(Request::empty))
    }

    /// What a devbox has used so far, in seconds of cores, GiB of memory and GiB of disk. 404 if there is none of this
    /// id.
    ///
    /// SDK 1 to 3.
    pub fn retrieve_resource_usage(&self, id: impl AsRef<str>) -> Call<DevboxResourceUsageView> {
        self.client.call(Request::get("/v1/devboxes/{}/usage", &[id.as_ref()]))
    }

    /// Takes a snapshot of the disk; answers when it is complete, which may take minutes. 404 if there is no such devbox.
    ///
    /// SDK 1 to 3.
    pub fn snapshot_disk(&self, id: impl AsRef<str>, params: &SnapshotParams) -> Call<DevboxSnapshotView> {
        let request = Request::post("/v1/devboxes/{}/snapshot_disk", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.json(params)).map(Request::long))
    }

    /// Begins a snapshot of the disk; see [`DiskSnapshots::await_complete`](crate::DiskSnapshots::await_complete). 404 if
    /// there is no such devbox.
    ///
    /// SDK 1 to 3.
    pub fn snapshot_disk_async(
        &self,
        id: impl AsRef<str>,
        params: &SnapshotParams,
    ) -> Call<DevboxSnapshotView> {
        let request = Request::post("/v1/devboxes/{}/snapshot_disk_async", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.json(params)))
    }
}

/// A devbox is made from one thing.
fn check_origin(params: &DevboxCreateParams) -> Result<(), Error> {
    let given =
        [params.blueprint_id.is_some(), params.blueprint_name.is_some(), params.snapshot_id.is_some()];
    if given.into_iter().filter(|given| *given).count() > 1 {
        return Err(refuse(
            "a devbox is made from one of `blueprint_id`, `blueprint_name` and `snapshot_id`",
        ));
    }
    Ok(())
}

/// A wait for nothing would never end.
pub(crate) fn check_statuses<S>(statuses: &[S]) -> Result<(), Error> {
    if statuses.is_empty() {
        return Err(refuse("a wait needs at least one status"));
    }
    Ok(())
}
