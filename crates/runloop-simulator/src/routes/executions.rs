//! Commands in devboxes.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use axum::{Json, Router};
use runloop_types::{
    ExecuteAsyncParams, ExecuteParams, ExecutionId, ExecutionStatus, ExecutionUpdateChunk,
    WaitForStatusParams,
};

use super::devboxes::hold;
use crate::error::{Answer, ApiError, json};
use crate::world::Shared;

/// Longest hold of `execute`.
const HOLD: Duration = Duration::from_secs(25);

pub(super) fn changes() -> Router<Shared> {
    Router::new()
        .route("/v1/devboxes/{id}/execute", post(execute))
        .route("/v1/devboxes/{id}/execute_async", post(execute_async))
        .route("/v1/devboxes/{id}/executions/{execution}/kill", post(kill))
}

pub(super) fn reads() -> Router<Shared> {
    let path = |end: &str| format!("/v1/devboxes/{{id}}/executions/{{execution}}{end}");
    Router::new()
        .route(&path(""), get(retrieve))
        .route(&path("/wait_for_status"), post(wait_for_status))
        .route(&path("/stream_stdout_updates"), get(stream_stdout))
        .route(&path("/stream_stderr_updates"), get(stream_stderr))
}

async fn execute(
    State(world): State<Shared>,
    Path(id): Path<String>,
    Json(params): Json<ExecuteParams>,
) -> Answer {
    let devbox = world.devbox(&id)?;
    if params.command_id.is_empty() {
        return Err(ApiError::bad_request("`command_id` is missing"));
    }
    let execution = devbox.execute(ExecutionId::new(params.command_id), params.command, &world)?;
    let hold = params.optimistic_timeout.map_or(HOLD, |seconds| Duration::from_secs(seconds.into()));
    execution.wait(hold.min(HOLD)).await;
    json(&devbox.execution_view(&execution))
}

async fn execute_async(
    State(world): State<Shared>,
    Path(id): Path<String>,
    Json(params): Json<ExecuteAsyncParams>,
) -> Answer {
    let devbox = world.devbox(&id)?;
    let execution =
        devbox.execute(ExecutionId::new(world.id(ExecutionId::PREFIX)), params.command, &world)?;
    json(&devbox.execution_view(&execution))
}

async fn retrieve(State(world): State<Shared>, Path((id, execution)): Path<(String, String)>) -> Answer {
    let devbox = world.devbox(&id)?;
    json(&devbox.execution_view(&*devbox.execution(&execution)?))
}

async fn wait_for_status(
    State(world): State<Shared>,
    Path((id, execution)): Path<(String, String)>,
    Json(params): Json<WaitForStatusParams<ExecutionStatus>>,
) -> Answer {
    let devbox = world.devbox(&id)?;
    let execution = devbox.execution(&execution)?;
    let view = devbox.execution_view(&execution);
    if params.statuses.contains(&view.status) {
        return json(&view);
    }
    execution.wait(hold(params.timeout_seconds)).await;
    let view = devbox.execution_view(&execution);
    if params.statuses.contains(&view.status) { json(&view) } else { Err(ApiError::wait_expired()) }
}

async fn kill(State(world): State<Shared>, Path((id, execution)): Path<(String, String)>) -> Answer {
    let devbox = world.devbox(&id)?;
    let execution = devbox.execution(&execution)?;
    execution.kill();
    execution.wait(HOLD).await;
    json(&devbox.execution_view(&execution))
}

async fn stream_stdout(state: State<Shared>, path: Path<(String, String)>) -> Answer {
    stream(state, path, true).await
}

async fn stream_stderr(state: State<Shared>, path: Path<(String, String)>) -> Answer {
    stream(state, path, false).await
}

/// The whole output at once when the command has ended.
async fn stream(
    State(world): State<Shared>,
    Path((id, execution)): Path<(String, String)>,
    stdout: bool,
) -> Answer {
    let devbox = world.devbox(&id)?;
    let execution = devbox.execution(&execution)?;
    execution.wait(Duration::MAX).await;
    let view = devbox.execution_view(&execution);
    let output = if stdout { view.stdout } else { view.stderr }.unwrap_or_default();
    let chunk = ExecutionUpdateChunk { offset: Some(output.len() as u64), output };
    let json = serde_json::to_string(&chunk).map_err(|error| ApiError::broke(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "text/event-stream")], format!("data: {json}\n\n")).into_response())
}
