//! Files of devboxes.

use axum::extract::{DefaultBodyLimit, Multipart, Path, State};
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use runloop_types::{
    DevboxExecutionDetailView, DownloadFileParams, ReadFileContentsParams, WriteFileContentsParams,
};

use crate::error::{Answer, ApiError, empty, json};
use crate::world::Shared;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/devboxes/{id}/upload_file", post(upload_file))
        .route("/v1/devboxes/{id}/download_file", post(download_file))
        .route("/v1/devboxes/{id}/write_file_contents", post(write_file_contents))
        .route("/v1/devboxes/{id}/read_file_contents", post(read_file_contents))
        .layer(DefaultBodyLimit::disable())
}

async fn upload_file(State(world): State<Shared>, Path(id): Path<String>, mut parts: Multipart) -> Answer {
    let broken = |error: axum::extract::multipart::MultipartError| ApiError::bad_request(error.to_string());
    let devbox = world.devbox(&id)?;
    let (mut path, mut content) = (None, None);
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        match part.name() {
            Some("path") => path = Some(part.text().await.map_err(broken)?),
            Some("file") => content = Some(part.bytes().await.map_err(broken)?),
            _ => {}
        }
    }
    let (Some(path), Some(content)) = (path, content) else {
        return Err(ApiError::bad_request("the multipart fields are `path` and `file`"));
    };
    devbox.with_disk(|disk| disk.insert(path, content))?;
    empty()
}

async fn write_file_contents(
    State(world): State<Shared>,
    Path(id): Path<String>,
    Json(params): Json<WriteFileContentsParams>,
) -> Answer {
    let devbox = world.devbox(&id)?;
    devbox.with_disk(|disk| disk.insert(params.file_path, params.contents.into()))?;
    json(&DevboxExecutionDetailView { devbox_id: devbox.id.clone(), ..DevboxExecutionDetailView::default() })
}

async fn download_file(
    State(world): State<Shared>,
    Path(id): Path<String>,
    Json(params): Json<DownloadFileParams>,
) -> Answer {
    content(&world, &id, &params.path)
}

async fn read_file_contents(
    State(world): State<Shared>,
    Path(id): Path<String>,
    Json(params): Json<ReadFileContentsParams>,
) -> Answer {
    content(&world, &id, &params.file_path)
}

fn content(world: &Shared, id: &str, path: &str) -> Answer {
    let found: Option<Bytes> = world.devbox(id)?.with_disk(|disk| disk.get(path).cloned())?;
    match found {
        Some(content) => Ok(([(header::CONTENT_TYPE, "application/octet-stream")], content).into_response()),
        None => Err(ApiError::not_found("file", path)),
    }
}
