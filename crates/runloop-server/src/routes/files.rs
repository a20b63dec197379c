//! Files of a devbox.

use std::fs::File;
use std::future::Future;
use std::io::Read;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, Multipart, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use runloop_sandbox::{LinuxBox, OpenMode};
use runloop_types::{
    DevboxExecutionDetailView, DownloadFileParams, ReadFileContentsParams, WriteFileContentsParams,
};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWrite, AsyncWriteExt};
use tokio_util::io::ReaderStream;

use crate::body::{Json, MAX_FILE, MOST_DISCARDED, empty, json};
use crate::devbox::{Devbox, box_path, file_error, write_file};
use crate::error::{ApiError, ApiResult, shown, without_room};
use crate::state::Shared;

/// Files up to this size are read in one go, larger ones are streamed.
const ONE_GO: u64 = 1024 * 1024;

/// Bytes of one step of a streamed file.
const STEP: usize = 256 * 1024;

/// Bytes of a path in a multipart body: more than the kernel takes.
const LONGEST_PATH_PART: u64 = 16 * 1024;

pub(super) fn changes() -> Router<Shared> {
    Router::new().route("/v1/devboxes/{id}/write_file_contents", post(write_file_contents))
}

pub(super) fn reads() -> Router<Shared> {
    // An upload is streamed and the same bytes at the same place when repeated, so it needs no record of having been done.
    // Its parts are counted as they are read.
    let limit = DefaultBodyLimit::disable();
    Router::new()
        .route("/v1/devboxes/{id}/upload_file", post(upload_file).layer(limit))
        .route("/v1/devboxes/{id}/read_file_contents", post(read_file_contents))
        .route("/v1/devboxes/{id}/download_file", post(download_file))
}

async fn write_file_contents(
    State(app): State<Shared>,
    id: Path<String>,
    params: Json<WriteFileContentsParams>,
) -> ApiResult<Response> {
    judged(&app, write(&app, id, params)).await
}

/// A write that the devbox refused while the host had no room was not refused because of what is in the devbox.
async fn judged(app: &Shared, writing: impl Future<Output = ApiResult<Response>>) -> ApiResult<Response> {
    let since = Instant::now();
    writing.await.map_err(|error| match error.status() {
        StatusCode::BAD_REQUEST => without_room(&app.sandbox, since).unwrap_or(error),
        _ => error,
    })
}

async fn write(
    app: &Shared,
    Path(id): Path<String>,
    Json(params): Json<WriteFileContentsParams>,
) -> ApiResult<Response> {
    let devbox = app.devboxes.get(&id)?;
    if params.contents.len() as u64 > MAX_FILE {
        return Err(ApiError::too_large("the file", MAX_FILE));
    }
    let linux_box = devbox.running()?.linux_box;
    let _in_use = devbox.clock.in_use();
    let path = box_path(&params.file_path, linux_box.home())?;
    write_file(&linux_box, &path, params.contents.into_bytes()).await.map_err(|error| {
        match error.downcast_ref::<runloop_sandbox::FileError>() {
            Some(error) => file_error(&params.file_path, error),
            None => not_written(&params.file_path, &error.to_string()),
        }
    })?;
    json(&DevboxExecutionDetailView { devbox_id: devbox.id.clone(), ..DevboxExecutionDetailView::default() })
}

fn not_written(path: &str, why: &str) -> ApiError {
    ApiError::bad_request(format!("`{}` could not be written: {why}", shown(path)))
}

async fn read_file_contents(
    State(app): State<Shared>,
    Path(id): Path<String>,
    Json(params): Json<ReadFileContentsParams>,
) -> ApiResult<Response> {
    let devbox = app.devboxes.get(&id)?;
    content(&devbox, &params.file_path, "text/plain; charset=utf-8", MAX_FILE).await
}

async fn download_file(
    State(app): State<Shared>,
    Path(id): Path<String>,
    Json(params): Json<DownloadFileParams>,
) -> ApiResult<Response> {
    let devbox = app.devboxes.get(&id)?;
    content(&devbox, &params.path, "application/octet-stream", u64::MAX).await
}

async fn content(devbox: &Devbox, path: &str, kind: &'static str, limit: u64) -> ApiResult<Response> {
    let linux_box = devbox.running()?.linux_box;
    let _in_use = devbox.clock.in_use();
    let resolved = box_path(path, linux_box.home())?;
    let file = linux_box.open(&resolved, OpenMode::Read).await.map_err(|error| file_error(path, &error))?;
    let (start, file) = tokio::task::spawn_blocking(move || first_part(file))
        .await
        .map_err(|error| ApiError::internal("the file could not be read", &error))?
        .map_err(|error| ApiError::bad_request(format!("`{}` could not be read: {error}", shown(path))))?;
    let kind = HeaderValue::from_static(kind);
    let Some((file, size)) = file else {
        return Ok(([(header::CONTENT_TYPE, kind)], start).into_response());
    };
    if size > limit {
        return Err(ApiError::too_large(&format!("the file `{}` (use download_file)", shown(path)), limit));
    }
    // The length that was announced is the length that is sent, also of a file that grows meanwhile.
    let rest = tokio::fs::File::from_std(file).take(size.saturating_sub(start.len() as u64));
    let body = Body::from_stream(ReaderStream::with_capacity(
        AsyncReadExt::chain(std::io::Cursor::new(start), rest),
        STEP,
    ));
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_LENGTH, HeaderValue::from(size))], body)
        .into_response())
}

/// All of a short file, or the start of a long one with the rest of it and its size.
///
/// Read first, asked for its size later: files of `/proc` have none but hold something.
type FirstPart = (Vec<u8>, Option<(File, u64)>);

fn first_part(file: File) -> std::io::Result<FirstPart> {
    let mut start = Vec::new();
    let mut limited = file.take(ONE_GO);
    limited.read_to_end(&mut start)?;
    let file = limited.into_inner();
    let read = start.len() as u64;
    let size = file.metadata()?.len();
    Ok(if read < ONE_GO || size <= read { (start, None) } else { (start, Some((file, size))) })
}

async fn upload_file(State(app): State<Shared>, id: Path<String>, parts: Multipart) -> ApiResult<Response> {
    judged(&app, upload(&app, id, parts)).await
}

async fn upload(app: &Shared, Path(id): Path<String>, mut parts: Multipart) -> ApiResult<Response> {
    let devbox = app.devboxes.get(&id)?;
    let linux_box = devbox.running()?.linux_box;
    let _in_use = devbox.clock.in_use();
    let mut path: Option<String> = None;
    // The bytes, when they came before the path.
    let mut waiting: Option<tokio::fs::File> = None;
    let mut written = false;
    while let Some(mut part) = parts.next_field().await.map_err(|error| broken(&error))? {
        match part.name() {
            Some("path") => {
                let mut text = Vec::new();
                receive(&mut part, &mut text, "the path", LONGEST_PATH_PART).await?;
                let text = String::from_utf8(text);
                path =
                    Some(text.map_err(|_| ApiError::bad_request("the multipart field `path` is not UTF-8"))?);
            }
            Some("file") => match &path {
                Some(path) => {
                    let mut file = create(&linux_box, path).await?;
                    receive(&mut part, &mut file, path, MAX_FILE).await?;
                    written = true;
                }
                None => {
                    let scratch = tempfile_in(&app.scratch_dir).await?;
                    let file = waiting.insert(scratch);
                    receive(&mut part, file, "the upload", MAX_FILE).await?;
                }
            },
            _ => {}
        }
    }
    let Some(path) = path else {
        return Err(ApiError::bad_request(
            "the multipart field `path` is missing: give the file's path in the devbox",
        ));
    };
    if let Some(mut scratch) = waiting {
        let mut file = create(&linux_box, &path).await?;
        scratch.rewind().await.map_err(|error| not_written(&path, &error.to_string()))?;
        tokio::io::copy(&mut scratch, &mut file)
            .await
            .map_err(|error| not_written(&path, &error.to_string()))?;
        file.flush().await.map_err(|error| not_written(&path, &error.to_string()))?;
        written = true;
    }
    if !written {
        return Err(ApiError::bad_request("the multipart file `file` is missing"));
    }
    empty()
}

async fn create(linux_box: &LinuxBox, path: &str) -> ApiResult<tokio::fs::File> {
    let resolved = box_path(path, linux_box.home())?;
    let file = linux_box
        .open(&resolved, OpenMode::Write { mode: 0o644 })
        .await
        .map_err(|error| file_error(path, &error))?;
    Ok(tokio::fs::File::from_std(file))
}

/// A file without a name: it is gone when it is closed, however the request ends.
async fn tempfile_in(dir: &std::path::Path) -> ApiResult<tokio::fs::File> {
    let path = dir.join(format!("{}.upload", uuid::Uuid::now_v7().simple()));
    let make = move || {
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        std::fs::remove_file(&path)?;
        std::io::Result::Ok(file)
    };
    tokio::task::spawn_blocking(make)
        .await
        .map_err(|error| ApiError::internal("the upload could not be kept", &error))?
        .map(tokio::fs::File::from_std)
        .map_err(|error| ApiError::internal("the upload could not be kept", &error))
}

/// Writes a part's bytes, up to a limit.
async fn receive(
    part: &mut Field<'_>,
    to: &mut (impl AsyncWrite + Unpin),
    name: &str,
    limit: u64,
) -> ApiResult<()> {
    let mut size = 0_u64;
    while let Some(bytes) = part.chunk().await.map_err(|error| broken(&error))? {
        size += bytes.len() as u64;
        if size <= limit {
            to.write_all(&bytes).await.map_err(|error| not_written(name, &error.to_string()))?;
        } else if size > MOST_DISCARDED {
            break;
        }
    }
    if size > limit {
        return Err(ApiError::too_large(&format!("`{}`", shown(name)), limit));
    }
    to.flush().await.map_err(|error| not_written(name, &error.to_string()))
}

fn broken(error: &MultipartError) -> ApiError {
    ApiError::bad_request(format!("the multipart body cannot be read: {}", error.body_text()))
}
