//! /v1/devboxes

use std::time::Duration;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use runloop_types::{DevboxCreateParams, DevboxStatus, WaitForStatusParams};

use super::lists::Query;
use crate::devbox::End;
use crate::error::{Answer, ApiError, empty, json};
use crate::world::Shared;

/// How long `create_and_await_running` holds.
const CREATE_HOLD: Duration = Duration::from_secs(10);

/// Longest hold of a wait, and that of one that names none.
pub(super) fn hold(seconds: Option<f64>) -> Duration {
    Duration::try_from_secs_f64(seconds.unwrap_or(10.0)).unwrap_or_default().min(Duration::from_secs(30))
}

pub(super) fn changes() -> Router<Shared> {
    Router::new()
        .route("/v1/devboxes", post(create))
        .route("/v1/devboxes/create_and_await_running", post(create_and_await_running))
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
}

async fn create(State(world): State<Shared>, Json(params): Json<DevboxCreateParams>) -> Answer {
    json(&world.create(params)?.view())
}

async fn create_and_await_running(
    State(world): State<Shared>,
    Json(params): Json<DevboxCreateParams>,
) -> Answer {
    let devbox = world.create(params)?;
    let settled = [DevboxStatus::Running, DevboxStatus::Failure, DevboxStatus::Shutdown];
    let view = devbox.wait_for(&settled, CREATE_HOLD).await;
    json(&view.unwrap_or_else(|| devbox.view()))
}

async fn retrieve(State(world): State<Shared>, Path(id): Path<String>) -> Answer {
    json(&world.devbox(&id)?.view())
}

async fn list(State(world): State<Shared>, query: Query) -> Answer {
    let status = query.get("status");
    // Before views are made: there may be ten thousands, and a page is asked for as often as there are pages.
    let cursor = query.get("starting_after").filter(|_| !query.counts());
    let devboxes = world.devboxes().into_iter();
    query.page(
        devboxes
            .filter(|devbox| cursor.is_none_or(|cursor| devbox.id.as_str() < cursor))
            .filter(|devbox| status.is_none_or(|status| devbox.status().as_str() == status))
            .map(|devbox| devbox.view())
            .filter(|view| query.fits(&view.metadata)),
    )
}

async fn wait_for_status(
    State(world): State<Shared>,
    Path(id): Path<String>,
    Json(params): Json<WaitForStatusParams<DevboxStatus>>,
) -> Answer {
    let devbox = world.devbox(&id)?;
    match devbox.wait_for(&params.statuses, hold(params.timeout_seconds)).await {
        Some(view) => json(&view),
        None => Err(ApiError::wait_expired()),
    }
}

async fn shutdown(State(world): State<Shared>, Path(id): Path<String>, query: Query) -> Answer {
    let devbox = world.devbox(&id)?;
    if devbox.is_being_snapshot() && query.get("force") != Some("true") {
        return Err(ApiError::conflict(format!("a snapshot of devbox `{id}` is being taken")));
    }
    world.end(&devbox, End::Asked);
    json(&devbox.view())
}

async fn suspend(State(world): State<Shared>, Path(id): Path<String>) -> Answer {
    let devbox = world.devbox(&id)?;
    if !devbox.enter(&[DevboxStatus::Running], DevboxStatus::Suspending) {
        return Err(ApiError::bad_request(format!("devbox `{id}` is {}, not running", devbox.status())));
    }
    devbox.kill_all();
    let time = devbox.draw(world.script.times.suspend);
    world.after(&devbox, time, DevboxStatus::Suspending, DevboxStatus::Suspended);
    json(&devbox.view())
}

async fn resume(State(world): State<Shared>, Path(id): Path<String>) -> Answer {
    let devbox = world.devbox(&id)?;
    if !devbox.enter(&[DevboxStatus::Suspended], DevboxStatus::Resuming) {
        return Err(ApiError::bad_request(format!("devbox `{id}` is {}, not suspended", devbox.status())));
    }
    let time = devbox.draw(world.script.times.resume);
    world.after(&devbox, time, DevboxStatus::Resuming, DevboxStatus::Running);
    json(&devbox.view())
}

async fn keep_alive(State(world): State<Shared>, Path(id): Path<String>) -> Answer {
    world.devbox(&id)?.renew()?;
    empty()
}
