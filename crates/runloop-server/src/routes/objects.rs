//! /v1/objects

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use runloop_types::{
    Metadata, ObjectContentType, ObjectCreateParams, ObjectDownloadUrlView, ObjectId, ObjectState, ObjectView,
};

use super::object_bytes::{DOWNLOAD, UPLOAD, UPLOAD_TYPE, signed_url};
use crate::body::{Json, json};
use crate::clock::now_ms;
use crate::error::{ApiError, ApiResult, chain, shown};
use crate::new_id::{is_well_formed, new_id};
use crate::pagination::{Page, PageRequest};
use crate::query::Query;
use crate::state::{App, Shared};
use crate::store::ObjectFilter;

const LONGEST_NAME: usize = 1024;

/// How long an upload URL holds.
const UPLOAD_MS: i64 = 24 * 3600 * 1000;

const DEFAULT_DOWNLOAD_SECONDS: u64 = 3600;

/// A week.
const MAX_DOWNLOAD_SECONDS: u64 = 7 * 24 * 3600;

pub(super) fn changes() -> Router<Shared> {
    Router::new()
        .route("/v1/objects", post(create))
        .route("/v1/objects/{id}/complete", post(complete))
        .route("/v1/objects/{id}/delete", post(delete))
}

pub(super) fn reads() -> Router<Shared> {
    Router::new()
        .route("/v1/objects", get(list))
        .route("/v1/objects/list_public", get(list_public))
        .route("/v1/objects/{id}", get(retrieve))
        .route("/v1/objects/{id}/download", get(download))
}

async fn create(State(app): State<Shared>, Json(params): Json<ObjectCreateParams>) -> ApiResult<Response> {
    if params.name.is_empty() || params.name.len() > LONGEST_NAME {
        return Err(ApiError::bad_request(format!("`name` must have 1 to {LONGEST_NAME} bytes")));
    }
    if let ObjectContentType::Other(other) = &params.content_type {
        return Err(ApiError::bad_request(format!(
            "`content_type` is `{}`: give one of {}",
            shown(other),
            ObjectContentType::KNOWN.join(", ")
        )));
    }
    if let Some(ttl) = params.ttl_ms.filter(|ttl| *ttl < 0) {
        return Err(ApiError::bad_request(format!("`ttl_ms` is {ttl}: give 0 (keep it) or more")));
    }
    let now = now_ms();
    let view = ObjectView {
        id: ObjectId::new(new_id(ObjectId::PREFIX)),
        name: params.name,
        content_type: params.content_type,
        create_time_ms: now,
        state: ObjectState::Uploading,
        delete_after_time_ms: params.ttl_ms.filter(|ttl| *ttl > 0).map(|ttl| now.saturating_add(ttl)),
        size_bytes: None,
        upload_url: None,
        upload_headers: None,
        metadata: Some(params.metadata.unwrap_or_default()),
    };
    app.store.insert_object(view.clone()).await?;
    let upload_url = signed_url(&app, UPLOAD, view.id.as_str(), now.saturating_add(UPLOAD_MS));
    let upload_headers = Metadata::from([("Content-Type".to_owned(), UPLOAD_TYPE.to_owned())]);
    json(&ObjectView { upload_url: Some(upload_url), upload_headers: Some(upload_headers), ..view })
}

async fn find(app: &Arc<App>, id: &str) -> ApiResult<ObjectView> {
    if !is_well_formed(id) {
        return Err(ApiError::bad_request(format!("`{}` is no object id", shown(id))));
    }
    app.store.object(id, now_ms()).await?.ok_or_else(|| ApiError::not_found("object", id))
}

async fn retrieve(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    json(&find(&app, &id).await?)
}

async fn list(State(app): State<Shared>, query: Query) -> ApiResult<Response> {
    remove_expired(&app).await?;
    let owned = |name| query.get(name).map(str::to_owned);
    let filter = ObjectFilter {
        content_type: owned("content_type"),
        state: owned("state"),
        name: owned("name"),
        search: owned("search"),
    };
    json(&app.store.objects(filter, PageRequest::read(&query)?).await?.or_bad_request()?.into_json()?)
}

/// Nothing is public on a server of one's own.
async fn list_public(query: Query) -> ApiResult<Response> {
    PageRequest::read(&query)?;
    json(&Page::<ObjectView>::empty().into_json()?)
}

async fn complete(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    let object = find(&app, &id).await?;
    if object.state != ObjectState::Uploading {
        return Err(not_uploading(&object));
    }
    let size = match tokio::fs::metadata(app.object_dir.join(&id)).await {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(ApiError::bad_request(format!(
                "nothing was uploaded to object `{id}` yet: PUT its bytes to the upload_url first"
            )));
        }
        Err(error) => return Err(ApiError::internal("the object's bytes could not be looked at", &error)),
    };
    let (view, changed) = app
        .store
        .change_object(&id, &[ObjectState::Uploading], move |view| {
            view.state = ObjectState::ReadOnly;
            view.size_bytes = i64::try_from(size).ok();
        })
        .await?
        .ok_or_else(|| ApiError::not_found("object", &id))?;
    if changed { json(&view) } else { Err(not_uploading(&view)) }
}

fn not_uploading(object: &ObjectView) -> ApiError {
    ApiError::conflict(format!(
        "object `{}` is {}, not UPLOADING: it never changes again",
        object.id, object.state
    ))
}

async fn delete(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    find(&app, &id).await?;
    let present = &[ObjectState::Uploading, ObjectState::ReadOnly, ObjectState::Error];
    let (view, _) = app
        .store
        .change_object(&id, present, |view| view.state = ObjectState::Deleted)
        .await?
        .ok_or_else(|| ApiError::not_found("object", &id))?;
    remove_bytes(&app, &id).await;
    json(&view)
}

async fn download(State(app): State<Shared>, Path(id): Path<String>, query: Query) -> ApiResult<Response> {
    let object = find(&app, &id).await?;
    if object.state != ObjectState::ReadOnly {
        return Err(ApiError::bad_request(format!(
            "object `{id}` is {}: there is nothing to download",
            object.state
        )));
    }
    let seconds =
        query.number("duration_seconds")?.unwrap_or(DEFAULT_DOWNLOAD_SECONDS).min(MAX_DOWNLOAD_SECONDS);
    let holds = i64::try_from(Duration::from_secs(seconds).as_millis()).unwrap_or(i64::MAX);
    let download_url = signed_url(&app, DOWNLOAD, &id, now_ms().saturating_add(holds));
    json(&ObjectDownloadUrlView { download_url })
}

/// Deletes the objects whose time is over.
pub(crate) async fn remove_expired(app: &App) -> ApiResult<()> {
    for id in app.store.expire_objects(now_ms()).await? {
        remove_bytes(app, &id).await;
    }
    Ok(())
}

async fn remove_bytes(app: &App, id: &str) {
    match tokio::fs::remove_file(app.object_dir.join(id)).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(object = id, error = %chain(&error), "the bytes of a deleted object are still there");
        }
        _ => {}
    }
}
