//! Stored objects, and their bytes behind URLs that take no key.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::IntoResponse as _;
use axum::routing::{get, post, put};
use bytes::Bytes;
use runloop_types::{Metadata, ObjectCreateParams, ObjectDownloadUrlView, ObjectId, ObjectState, ObjectView};

use super::lists::Query;
use crate::error::{Answer, ApiError, json};
use crate::world::{Object, Shared, now_ms};

pub(super) fn changes() -> Router<Shared> {
    Router::new()
        .route("/v1/objects", post(create))
        .route("/v1/objects/{id}/complete", post(complete))
        .route("/v1/objects/{id}/delete", post(delete))
}

pub(super) fn reads() -> Router<Shared> {
    Router::new()
        .route("/v1/objects", get(list))
        .route("/v1/objects/{id}", get(retrieve))
        .route("/v1/objects/{id}/download", get(download_url))
}

pub(super) fn bytes() -> Router<Shared> {
    Router::new().route("/object-bytes/{id}", put(upload).get(download)).layer(DefaultBodyLimit::disable())
}

async fn create(State(world): State<Shared>, axum::Json(params): axum::Json<ObjectCreateParams>) -> Answer {
    let now = now_ms();
    let id = world.id(ObjectId::PREFIX);
    let view = ObjectView {
        id: ObjectId::new(id.clone()),
        name: params.name,
        content_type: params.content_type,
        create_time_ms: now,
        state: ObjectState::Uploading,
        delete_after_time_ms: params.ttl_ms.map(|ttl| now.saturating_add(ttl)),
        metadata: Some(params.metadata.unwrap_or_default()),
        ..ObjectView::default()
    };
    world.things().objects.insert(id.clone(), Object { view: view.clone(), content: None });
    let upload_headers = Metadata::from([("Content-Type".to_owned(), "application/octet-stream".to_owned())]);
    let upload_url = format!("{}/object-bytes/{id}", world.url);
    json(&ObjectView { upload_url: Some(upload_url), upload_headers: Some(upload_headers), ..view })
}

/// Does something with an object.
fn with<T>(
    world: &Shared,
    id: &str,
    work: impl FnOnce(&mut Object) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    work(world.things().objects.get_mut(id).ok_or_else(|| ApiError::not_found("object", id))?)
}

async fn retrieve(State(world): State<Shared>, Path(id): Path<String>) -> Answer {
    json(&with(&world, &id, |object| Ok(object.view.clone()))?)
}

async fn list(State(world): State<Shared>, query: Query) -> Answer {
    let things = world.things();
    let views = things.objects.values().rev().map(|object| &object.view);
    let (state, name) = (query.get("state"), query.get("name"));
    query.page(
        views
            .filter(|view| view.state != ObjectState::Deleted)
            .filter(|view| state.is_none_or(|state| view.state.as_str() == state))
            .filter(|view| name.is_none_or(|name| view.name == name))
            .cloned(),
    )
}

async fn complete(State(world): State<Shared>, Path(id): Path<String>) -> Answer {
    json(&with(&world, &id, |object| {
        let Some(content) = &object.content else {
            return Err(ApiError::bad_request(format!("nothing was uploaded to object `{id}`")));
        };
        if object.view.state != ObjectState::Uploading {
            return Err(ApiError::conflict(format!("object `{id}` is {}", object.view.state)));
        }
        object.view.state = ObjectState::ReadOnly;
        object.view.size_bytes = i64::try_from(content.len()).ok();
        Ok(object.view.clone())
    })?)
}

async fn delete(State(world): State<Shared>, Path(id): Path<String>) -> Answer {
    json(&with(&world, &id, |object| {
        object.view.state = ObjectState::Deleted;
        object.content = None;
        Ok(object.view.clone())
    })?)
}

async fn download_url(State(world): State<Shared>, Path(id): Path<String>) -> Answer {
    with(&world, &id, |object| match object.view.state {
        ObjectState::ReadOnly => Ok(()),
        _ => Err(ApiError::bad_request(format!("object `{id}` is {}", object.view.state))),
    })?;
    json(&ObjectDownloadUrlView { download_url: format!("{}/object-bytes/{id}", world.url) })
}

async fn upload(State(world): State<Shared>, Path(id): Path<String>, body: Bytes) -> Answer {
    with(&world, &id, |object| match object.view.state {
        ObjectState::Uploading => {
            object.content = Some(body);
            Ok(())
        }
        _ => Err(ApiError::conflict(format!("object `{id}` is {}", object.view.state))),
    })?;
    Ok(().into_response())
}

async fn download(State(world): State<Shared>, Path(id): Path<String>) -> Answer {
    with(&world, &id, |object| match &object.content {
        Some(content) => Ok(content.clone().into_response()),
        None => Err(ApiError::bad_request(format!("object `{id}` is {}", object.view.state))),
    })
}
