//! Logs of devboxes.

use runloop_types::{DevboxLogsListView, ExecutionId};
use serde::Serialize;

use crate::call::Call;
use crate::request::Request;
use crate::resources::resource;

resource! {
    /// Logs of devboxes; from [`Devboxes::logs`](crate::Devboxes::logs).
    DevboxLogs
}

/// Filters of [`DevboxLogs::list`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DevboxLogListParams {
    /// Only entries of this execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_id: Option<ExecutionId>,
    /// Only entries of this named shell. SDK 1 and 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell_name: Option<String>,
}

impl DevboxLogs {
    /// What happened in a devbox, oldest first: all of it, not in pages. 404 if there is no such devbox.
    ///
    /// SDK 1 to 3.
    pub fn list(&self, devbox: impl AsRef<str>, params: &DevboxLogListParams) -> Call<DevboxLogsListView> {
        let request = Request::get("/v1/devboxes/{}/logs", &[devbox.as_ref()]);
        self.client.call(request.and_then(|request| request.query_from(params)))
    }
}
