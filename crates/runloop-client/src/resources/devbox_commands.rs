//! Commands in devboxes.

use runloop_types::{
    DevboxAsyncExecutionDetailView, DevboxExecutionDetailView, ExecuteAsyncParams, ExecuteParams,
};
use uuid::Uuid;

use crate::call::Call;
use crate::request::Request;
use crate::resources::Devboxes;

impl Devboxes {
    /// Starts a command and answers at once. 404 if there is no such devbox.
    ///
    /// Two calls are two commands, also if the first one's answer was lost: name the call with
    /// [`Call::idempotency_key`], or use [`Devboxes::execute`].
    ///
    /// SDK 1 to 3.
    pub fn execute_async(
        &self,
        id: impl AsRef<str>,
        params: &ExecuteAsyncParams,
    ) -> Call<DevboxAsyncExecutionDetailView> {
        let request = Request::post("/v1/devboxes/{}/execute_async", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.json(params)))
    }

    /// Starts a command and waits up to 25 s for its end; after that it goes on, and
    /// [`Executions::await_completed`](crate::Executions::await_completed) waits for it. `last_n` is how many lines of each
    /// output the answer holds: 100 unless set. 404 if there is no such devbox; 408 may end the hold.
    ///
    /// An empty `command_id` becomes a fresh one, the same for all attempts of this call.
    ///
    /// SDK 1 to 3.
    pub fn execute(
        &self,
        id: impl AsRef<str>,
        params: &ExecuteParams,
        last_n: Option<u32>,
    ) -> Call<DevboxAsyncExecutionDetailView> {
        let request = Request::post("/v1/devboxes/{}/execute", &[id.as_ref()]);
        let request = request.and_then(|request| {
            if params.command_id.is_empty() {
                let command_id = Uuid::now_v7().to_string();
                request.json(&ExecuteParams { command_id, ..params.clone() })
            } else {
                request.json(params)
            }
        });
        self.client.call(request.map(|request| with_last_n(request, last_n).long()))
    }

    /// Runs a command to its end in one call, of at most 10 minutes. Deprecated by the API: a retry may run it twice.
    ///
    /// SDK 1 to 3.
    pub fn execute_sync(
        &self,
        id: impl AsRef<str>,
        params: &ExecuteAsyncParams,
    ) -> Call<DevboxExecutionDetailView> {
        let request = Request::post("/v1/devboxes/{}/execute_sync", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.json(params)).map(Request::long))
    }
}

pub(crate) fn with_last_n<T>(request: Request<T>, last_n: Option<u32>) -> Request<T> {
    match last_n {
        Some(n) => request.query("last_n", n),
        None => request,
    }
}
