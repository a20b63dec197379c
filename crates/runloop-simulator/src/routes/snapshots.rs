//! Disk snapshots.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use runloop_types::{
    DevboxSnapshotAsyncStatusView, DevboxSnapshotView, DevboxStatus, SnapshotId, SnapshotParams,
    SnapshotStatus,
};

use super::lists::Query;
use crate::error::{Answer, ApiError, empty, json};
use crate::world::{Shared, Snapshot, now_ms};

pub(super) fn changes() -> Router<Shared> {
    Router::new()
        .route("/v1/devboxes/{id}/snapshot_disk", post(snapshot_disk))
        .route("/v1/devboxes/disk_snapshots/{id}/delete", post(delete))
}

pub(super) fn reads() -> Router<Shared> {
    Router::new()
        .route("/v1/devboxes/disk_snapshots", get(list))
        .route("/v1/devboxes/disk_snapshots/{id}/status", get(status))
}

async fn snapshot_disk(
    State(world): State<Shared>,
    Path(id): Path<String>,
    Json(params): Json<SnapshotParams>,
) -> Answer {
    let devbox = world.devbox(&id)?;
    let status = devbox.status();
    if !matches!(status, DevboxStatus::Running | DevboxStatus::Suspended) {
        return Err(ApiError::bad_request(format!("devbox `{id}` is {status}: nothing can be taken of it")));
    }
    let view = DevboxSnapshotView {
        id: SnapshotId::new(world.id(SnapshotId::PREFIX)),
        create_time_ms: now_ms(),
        metadata: params.metadata.unwrap_or_default(),
        source_devbox_id: devbox.id.clone(),
        name: params.name,
        commit_message: params.commit_message,
        ..DevboxSnapshotView::default()
    };
    let key = view.id.to_string();
    world.things().snapshots.insert(key.clone(), Snapshot { view: view.clone(), disk: None });
    devbox.begin_snapshot();
    tokio::time::sleep(devbox.draw(world.script.times.snapshot)).await;
    devbox.end_snapshot();
    let mut things = world.things();
    if devbox.status().is_final() {
        things.snapshots.remove(&key);
        return Err(ApiError::unprocessable(format!("devbox `{id}` ended under the snapshot")));
    }
    if let Some(snapshot) = things.snapshots.get_mut(&key) {
        snapshot.disk = Some(devbox.disk());
    }
    drop(things);
    json(&view)
}

async fn status(State(world): State<Shared>, Path(id): Path<String>) -> Answer {
    let things = world.things();
    let snapshot = things.snapshots.get(&id).ok_or_else(|| ApiError::not_found("snapshot", &id))?;
    let status = if snapshot.disk.is_some() { SnapshotStatus::Complete } else { SnapshotStatus::InProgress };
    json(&DevboxSnapshotAsyncStatusView {
        status,
        error_message: None,
        snapshot: Some(snapshot.view.clone()),
    })
}

async fn list(State(world): State<Shared>, query: Query) -> Answer {
    let things = world.things();
    let views = things.snapshots.values().rev().map(|snapshot| &snapshot.view);
    let of = query.get("devbox_id");
    query.page(
        views
            .filter(|view| of.is_none_or(|id| view.source_devbox_id.as_str() == id))
            .filter(|view| query.fits(&view.metadata))
            .cloned(),
    )
}

async fn delete(State(world): State<Shared>, Path(id): Path<String>) -> Answer {
    let mut things = world.things();
    if things.deleted_snapshots.contains(&id) {
        // Deleting twice is what a retry does.
        return empty();
    }
    let snapshot = things.snapshots.get(&id).ok_or_else(|| ApiError::not_found("snapshot", &id))?;
    if snapshot.disk.is_none() {
        return Err(ApiError::conflict(format!("snapshot `{id}` is still being taken")));
    }
    things.snapshots.remove(&id);
    things.deleted_snapshots.insert(id);
    empty()
}
