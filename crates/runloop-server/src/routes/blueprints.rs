//! /v1/blueprints

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use runloop_types::{BlueprintCreateParams, BlueprintId, BlueprintState, BlueprintStatus, BlueprintView};

use crate::blueprint;
use crate::body::{Json, empty, json};
use crate::error::{ApiError, ApiResult, shown};
use crate::new_id::is_well_formed;
use crate::pagination::{Page, PageRequest};
use crate::query::Query;
use crate::state::Shared;
use crate::store::{BlueprintRow, build_log_view};

pub(super) fn changes() -> Router<Shared> {
    Router::new().route("/v1/blueprints", post(create)).route("/v1/blueprints/{id}/delete", post(delete))
}

pub(super) fn reads() -> Router<Shared> {
    Router::new()
        .route("/v1/blueprints", get(list))
        .route("/v1/blueprints/list_public", get(list_public))
        .route("/v1/blueprints/{id}", get(retrieve))
        .route("/v1/blueprints/{id}/logs", get(logs))
}

async fn create(State(app): State<Shared>, Json(params): Json<BlueprintCreateParams>) -> ApiResult<Response> {
    json(&blueprint::create(&app, params).await?)
}

async fn find(app: &Shared, id: &str) -> ApiResult<BlueprintRow> {
    if !is_well_formed(id) {
        return Err(ApiError::bad_request(format!("`{}` is no blueprint id", shown(id))));
    }
    app.store.blueprint(id).await?.ok_or_else(|| ApiError::not_found("blueprint", id))
}

async fn retrieve(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    json(&find(&app, &id).await?.view)
}

async fn list(State(app): State<Shared>, query: Query) -> ApiResult<Response> {
    let owned = |name| query.get(name).map(str::to_owned);
    let page = app.store.blueprints(owned("name"), owned("status"), PageRequest::read(&query)?).await?;
    json(&page.or_bad_request()?.into_json()?)
}

/// Nothing is public on a server of one's own.
async fn list_public(query: Query) -> ApiResult<Response> {
    PageRequest::read(&query)?;
    json(&Page::<BlueprintView>::empty().into_json()?)
}

async fn logs(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    find(&app, &id).await?;
    let logs = match app.builds.get(&BlueprintId::from(id.as_str())) {
        Some(logs) => logs,
        None => app.store.blueprint_logs(&id).await?.ok_or_else(|| ApiError::not_found("blueprint", &id))?,
    };
    json(&build_log_view(&id, logs))
}

async fn delete(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    let row = find(&app, &id).await?;
    if row.view.state == BlueprintState::Deleted {
        // Deleting twice is what a retry does.
        return empty();
    }
    if !matches!(row.view.status, BlueprintStatus::BuildComplete | BlueprintStatus::Failed) {
        return Err(ApiError::bad_request(format!(
            "blueprint `{id}` is {}: wait until it is built",
            row.view.status
        )));
    }
    let snapshots = app.store.snapshots_of_blueprint(&id).await?;
    if !snapshots.is_empty() {
        return Err(ApiError::bad_request(format!(
            "blueprint `{id}` has dependent snapshots, delete them first: {}",
            snapshots.join(", ")
        )));
    }
    let row = app.store.delete_blueprint(&id).await?.ok_or_else(|| ApiError::not_found("blueprint", &id))?;
    if let Some(layer) = row.layer.as_deref().and_then(runloop_sandbox::SnapshotId::parse) {
        app.sandbox
            .delete_snapshot(&layer)
            .await
            .map_err(|error| ApiError::internal("the blueprint's disk could not be deleted", &error))?;
    }
    empty()
}
