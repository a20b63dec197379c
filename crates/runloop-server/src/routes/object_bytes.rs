//! The bytes of objects, behind signed URLs: these take no key.

use std::path::PathBuf;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use futures::StreamExt;
use runloop_types::ObjectState;
use tokio::io::AsyncWriteExt;
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use crate::clock::now_ms;
use crate::error::{ApiError, ApiResult, chain};
use crate::new_id::is_well_formed;
use crate::query::Query;
use crate::state::{App, Shared};

/// What a signature is for: sending an object's bytes.
pub(super) const UPLOAD: &str = "upload";

/// What a signature is for: fetching an object's bytes.
pub(super) const DOWNLOAD: &str = "download";

/// Content type of an upload, told so that no client adds one of its own.
pub(super) const UPLOAD_TYPE: &str = "application/octet-stream";

/// Bytes of one object.
const MAX_OBJECT: u64 = 4 * 1024 * 1024 * 1024;

const STEP: usize = 256 * 1024;

pub(super) fn routes() -> Router<Shared> {
    // The limit of an upload is its own, counted while it is written.
    Router::new()
        .route("/object-bytes/upload/{id}", put(upload).layer(DefaultBodyLimit::disable()))
        .route("/object-bytes/download/{id}", get(download))
}

/// A URL that may be used for one purpose until a time.
pub(super) fn signed_url(app: &App, purpose: &str, id: &str, expires_ms: i64) -> String {
    let signature = app.signer.sign(purpose, id, expires_ms);
    format!("{}/object-bytes/{purpose}/{id}?expires={expires_ms}&signature={signature}", app.url)
}

fn check(app: &App, purpose: &str, id: &str, query: &Query) -> ApiResult<()> {
    let expires = query.get("expires").and_then(|text| text.parse().ok());
    let holds = match (expires, query.get("signature")) {
        (Some(expires), Some(signature)) => app.signer.verify(purpose, id, expires, signature, now_ms()),
        _ => false,
    };
    if holds && is_well_formed(id) {
        Ok(())
    } else {
        Err(ApiError::forbidden("the URL's signature is wrong or has expired: ask for a new URL"))
    }
}

async fn upload(
    State(app): State<Shared>,
    Path(id): Path<String>,
    query: Query,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Response> {
    check(&app, UPLOAD, &id, &query)?;
    // Refused before gigabytes are sent in vain.
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MAX_OBJECT) {
        return Err(ApiError::too_large("the object", MAX_OBJECT));
    }
    let object = app.store.object(&id, now_ms()).await?.ok_or_else(|| ApiError::not_found("object", &id))?;
    if object.state != ObjectState::Uploading {
        return Err(ApiError::conflict(format!("object `{id}` is {}, not UPLOADING", object.state)));
    }
    // Written aside and put in place whole: an upload that breaks off leaves nothing.
    let aside = Aside(app.scratch_dir.join(format!("{}.object", Uuid::now_v7().simple())));
    let failed = |error: std::io::Error| ApiError::internal("the object could not be stored", &error);
    let mut file = tokio::fs::File::create_new(&aside.0).await.map_err(failed)?;
    let mut size = 0_u64;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk
            .map_err(|error| ApiError::bad_request(format!("the upload broke off: {}", chain(&error))))?;
        size += chunk.len() as u64;
        if size > MAX_OBJECT {
            return Err(ApiError::too_large("the object", MAX_OBJECT));
        }
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    drop(file);
    // The rename is a job of the state's own order: a complete or delete comes before it or after it, not between.
    let (from, to) = (aside.0.clone(), app.object_dir.join(&id));
    let placed = app
        .store
        .change_object(&id, &[ObjectState::Uploading], move |_| {
            if let Err(error) = std::fs::rename(&from, &to) {
                tracing::error!(%error, "an uploaded object could not be put in place");
            }
        })
        .await?;
    match placed {
        Some((_, true)) if tokio::fs::try_exists(app.object_dir.join(&id)).await.unwrap_or(false) => {
            Ok(StatusCode::OK.into_response())
        }
        Some((view, false)) => {
            Err(ApiError::conflict(format!("object `{id}` is {}, not UPLOADING", view.state)))
        }
        _ => Err(ApiError::internal(
            "the object could not be stored",
            &std::io::Error::other("it was not put in place"),
        )),
    }
}

/// A file that is removed unless it was moved away.
struct Aside(PathBuf);

impl Drop for Aside {
    fn drop(&mut self) {
        // Usually it is not there any more.
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn download(State(app): State<Shared>, Path(id): Path<String>, query: Query) -> ApiResult<Response> {
    check(&app, DOWNLOAD, &id, &query)?;
    let object = app.store.object(&id, now_ms()).await?.ok_or_else(|| ApiError::not_found("object", &id))?;
    if object.state != ObjectState::ReadOnly {
        return Err(ApiError::bad_request(format!("object `{id}` is {}", object.state)));
    }
    let failed = |error: std::io::Error| ApiError::internal("the object's bytes could not be read", &error);
    let file = tokio::fs::File::open(app.object_dir.join(&id)).await.map_err(failed)?;
    let size = file.metadata().await.map_err(failed)?.len();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (header::CONTENT_LENGTH, HeaderValue::from(size)),
    ];
    Ok((headers, Body::from_stream(ReaderStream::with_capacity(file, STEP))).into_response())
}
