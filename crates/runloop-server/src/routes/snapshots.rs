//! /v1/devboxes/{id}/snapshot_disk*, /v1/devboxes/disk_snapshots

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use runloop_types::{DevboxSnapshotAsyncStatusView, SnapshotParams, SnapshotStatus};

use crate::body::{Json, empty, json};
use crate::devbox::{check_message, snapshot};
use crate::error::{ApiError, ApiResult};
use crate::new_id::is_well_formed;
use crate::pagination::PageRequest;
use crate::query::Query;
use crate::state::Shared;
use crate::store::{SnapshotFilter, SnapshotRow};

pub(super) fn changes() -> Router<Shared> {
    Router::new()
        .route("/v1/devboxes/{id}/snapshot_disk", post(snapshot_disk))
        .route("/v1/devboxes/{id}/snapshot_disk_async", post(snapshot_disk_async))
        .route("/v1/devboxes/disk_snapshots/{id}", post(update))
        .route("/v1/devboxes/disk_snapshots/{id}/delete", post(delete))
}

pub(super) fn reads() -> Router<Shared> {
    Router::new()
        .route("/v1/devboxes/disk_snapshots", get(list))
        .route("/v1/devboxes/disk_snapshots/{id}/status", get(status))
}

async fn snapshot_disk(
    State(app): State<Shared>,
    Path(id): Path<String>,
    Json(params): Json<SnapshotParams>,
) -> ApiResult<Response> {
    let devbox = app.devboxes.get(&id)?;
    let (view, ended) = snapshot(&app, &devbox, params)?;
    match ended.await {
        Ok(Ok(())) => json(&view),
        Ok(Err(why)) => Err(ApiError::unprocessable(format!("the snapshot could not be taken: {why}"))),
        Err(_) => Err(ApiError::shutting_down()),
    }
}

async fn snapshot_disk_async(
    State(app): State<Shared>,
    Path(id): Path<String>,
    Json(params): Json<SnapshotParams>,
) -> ApiResult<Response> {
    let devbox = app.devboxes.get(&id)?;
    let (view, _) = snapshot(&app, &devbox, params)?;
    json(&view)
}

async fn find(app: &Shared, id: &str) -> ApiResult<SnapshotRow> {
    if !is_well_formed(id) {
        return Err(ApiError::bad_request(format!("`{}` is no snapshot id", crate::error::shown(id))));
    }
    app.store.snapshot(id).await?.ok_or_else(|| ApiError::not_found("snapshot", id))
}

async fn status(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    let row = find(&app, &id).await?;
    json(&DevboxSnapshotAsyncStatusView {
        status: row.status,
        error_message: row.error,
        snapshot: Some(row.view),
    })
}

async fn list(State(app): State<Shared>, query: Query) -> ApiResult<Response> {
    let filter = SnapshotFilter {
        devbox_id: query.get("devbox_id").map(str::to_owned),
        source_blueprint_id: query.get("source_blueprint_id").map(str::to_owned),
        metadata: query.metadata(),
    };
    json(&app.store.snapshots(filter, PageRequest::read(&query)?).await?.or_bad_request()?.into_json()?)
}

async fn update(
    State(app): State<Shared>,
    Path(id): Path<String>,
    Json(params): Json<SnapshotParams>,
) -> ApiResult<Response> {
    let row = find(&app, &id).await?;
    if row.status == SnapshotStatus::Deleted {
        return Err(ApiError::bad_request(format!("snapshot `{id}` was deleted")));
    }
    check_message(params.commit_message.as_deref())?;
    let view =
        app.store.update_snapshot(&id, params).await?.ok_or_else(|| ApiError::not_found("snapshot", &id))?;
    json(&view)
}

async fn delete(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    find(&app, &id).await?;
    let row = app.store.delete_snapshot(&id).await?.ok_or_else(|| ApiError::not_found("snapshot", &id))?;
    match row.status {
        SnapshotStatus::Complete => {}
        // Deleting twice is what a retry does.
        SnapshotStatus::Deleted => return empty(),
        status => {
            return Err(ApiError::conflict(format!(
                "snapshot `{id}` is {status}: only a complete one can be deleted"
            ))
            .should_retry(status == SnapshotStatus::InProgress));
        }
    }
    if let Some(layer) = row.layer.as_deref().and_then(runloop_sandbox::SnapshotId::parse) {
        app.sandbox
            .delete_snapshot(&layer)
            .await
            .map_err(|error| ApiError::internal("the snapshot's disk could not be deleted", &error))?;
    }
    empty()
}
