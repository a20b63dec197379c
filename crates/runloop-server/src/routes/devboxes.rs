//! /v1/devboxes

use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use runloop_types::{
    DevboxCreateParams, DevboxLog, DevboxLogsListView, DevboxShutdownReason, DevboxStatus,
    DevboxUpdateParams, DevboxView, WaitForStatusParams,
};

use crate::body::{Json, empty, json};
use crate::clock::now_ms;
use crate::devbox;
use crate::error::{ApiError, ApiResult, shown};
use crate::pagination::PageRequest;
use crate::query::Query;
use crate::state::Shared;
use crate::wait::hold;

/// How long `create_and_await_running` holds: well below the 30 s that clients read for.
const CREATE_HOLD: Duration = Duration::from_secs(10);

const DEFAULT_HOLD: Duration = Duration::from_secs(10);
const MAX_HOLD: Duration = Duration::from_secs(30);

/// Lines of each output in a devbox's log.
const LOG_LINES: usize = 1000;

/// Entries of a devbox's log: of a longer one the last.
const MOST_LOG_ENTRIES: usize = 20_000;

pub(super) fn changes() -> Router<Shared> {
    Router::new()
        .route("/v1/devboxes", post(create))
        .route("/v1/devboxes/create_and_await_running", post(create_and_await_running))
        .route("/v1/devboxes/{id}", post(update))
        .route("/v1/devboxes/{id}/shutdown", post(shutdown))
        .route("/v1/devboxes/{id}/suspend", post(suspend))
        .route("/v1/devboxes/{id}/resume", post(resume))
        .route("/v1/devboxes/{id}/keep_alive", post(keep_alive))
}

pub(super) fn reads() -> Router<Shared> {
    Router::new()
        .route("/v1/devboxes", get(list))
        .route("/v1/devboxes/{id}", get(retrieve))
        .route("/v1/devboxes/{id}/wait_for_status", post(wait_for_status))
        .route("/v1/devboxes/{id}/logs", get(logs))
        .route("/v1/devboxes/{id}/usage", get(usage))
}

async fn create(State(app): State<Shared>, Json(params): Json<DevboxCreateParams>) -> ApiResult<Response> {
    json(&devbox::create(&app, params).await?.view())
}

async fn create_and_await_running(
    State(app): State<Shared>,
    Json(params): Json<DevboxCreateParams>,
) -> ApiResult<Response> {
    let devbox = devbox::create(&app, params).await?;
    let settled = [DevboxStatus::Running, DevboxStatus::Failure, DevboxStatus::Shutdown];
    let view: Option<DevboxView> = devbox.wait_for(&settled, CREATE_HOLD, &app.stop).await;
    // An expired hold is no error here: the client waits on by the id.
    json(&view.unwrap_or_else(|| devbox.view()))
}

async fn retrieve(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    json(&app.devboxes.get(&id)?.view())
}

async fn list(State(app): State<Shared>, query: Query) -> ApiResult<Response> {
    let status = query.get("status").map(DevboxStatus::from);
    if let Some(DevboxStatus::Other(other)) = &status {
        return Err(unknown_status(other, DevboxStatus::KNOWN));
    }
    json(&app.devboxes.page(status.as_ref(), &PageRequest::read(&query)?)?.into_json()?)
}

fn unknown_status(status: &str, known: &[&str]) -> ApiError {
    ApiError::bad_request(format!("`{}` is no status: give one of {}", shown(status), known.join(", ")))
}

async fn update(
    State(app): State<Shared>,
    Path(id): Path<String>,
    Json(params): Json<DevboxUpdateParams>,
) -> ApiResult<Response> {
    let devbox = app.devboxes.get(&id)?;
    devbox.update(params.name, params.metadata);
    let view = devbox.view();
    app.store.put_devbox(view.clone());
    json(&view)
}

async fn wait_for_status(
    State(app): State<Shared>,
    Path(id): Path<String>,
    Json(params): Json<WaitForStatusParams<DevboxStatus>>,
) -> ApiResult<Response> {
    let devbox = app.devboxes.get(&id)?;
    if params.statuses.is_empty() {
        return Err(ApiError::bad_request("`statuses` is empty: give at least one status to wait for"));
    }
    for status in &params.statuses {
        if let DevboxStatus::Other(other) = status {
            return Err(unknown_status(other, DevboxStatus::KNOWN));
        }
    }
    let hold = hold(params.timeout_seconds, DEFAULT_HOLD, MAX_HOLD)?;
    match devbox.wait_for(&params.statuses, hold, &app.stop).await {
        Some(view) => json(&view),
        None if app.stop.is_cancelled() => Err(ApiError::shutting_down()),
        None => {
            Err(ApiError::wait_expired(format!("devbox `{id}` is {} still: wait again", devbox.status())))
        }
    }
}

async fn shutdown(State(app): State<Shared>, Path(id): Path<String>, query: Query) -> ApiResult<Response> {
    let devbox = app.devboxes.get(&id)?;
    let force = query.bool("force")?.unwrap_or(false);
    json(&devbox::shutdown(&app, &devbox, DevboxShutdownReason::ApiShutdown, force).await?)
}

async fn suspend(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    let devbox = app.devboxes.get(&id)?;
    json(&devbox::suspend(&app, &devbox).await?)
}

async fn resume(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    let devbox = app.devboxes.get(&id)?;
    json(&devbox::resume(&app, &devbox).await?)
}

async fn keep_alive(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    let devbox = app.devboxes.get(&id)?;
    if devbox.status().is_final() {
        // Says what to do, as for a command.
        devbox.running()?;
    }
    devbox.clock.reset();
    empty()
}

async fn logs(State(app): State<Shared>, Path(id): Path<String>, query: Query) -> ApiResult<Response> {
    let devbox = app.devboxes.get(&id)?;
    let wanted = query.get("execution_id");
    let mut logs: Vec<DevboxLog> = devbox
        .executions
        .all()
        .iter()
        .filter(|execution| wanted.is_none_or(|id| execution.id.as_str() == id))
        .flat_map(|execution| execution.log_entries(LOG_LINES))
        .collect();
    let surplus = logs.len().saturating_sub(MOST_LOG_ENTRIES);
    logs.drain(..surplus);
    json(&DevboxLogsListView { logs })
}

async fn usage(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    json(&devbox::usage(&app.devboxes.get(&id)?.view(), now_ms()))
}
