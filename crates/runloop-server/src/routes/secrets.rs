//! /v1/secrets

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use runloop_types::{SecretCreateParams, SecretId, SecretUpdateParams, SecretView};
use secrecy::SecretString;

use crate::body::{Json, json};
use crate::clock::now_ms;
use crate::error::{ApiError, ApiResult};
use crate::new_id::new_id;
use crate::pagination::PageRequest;
use crate::query::Query;
use crate::state::Shared;

const LONGEST_NAME: usize = 256;

/// What fits into an environment variable.
const LONGEST_VALUE: usize = 128 * 1024 - 1 - LONGEST_NAME;

pub(super) fn changes() -> Router<Shared> {
    Router::new()
        .route("/v1/secrets", post(create))
        // Before the names: the static part wins over the parameter.
        .route("/v1/secrets/id/{id}/update", post(update_by_id))
        .route("/v1/secrets/id/{id}/delete", post(delete_by_id))
        .route("/v1/secrets/id/delete", post(delete_named_id))
        .route("/v1/secrets/{name}", post(update))
        .route("/v1/secrets/{name}/delete", post(delete))
}

pub(super) fn reads() -> Router<Shared> {
    Router::new()
        .route("/v1/secrets", get(list))
        .route("/v1/secrets/id/{id}", get(retrieve_by_id))
        .route("/v1/secrets/{name}", get(retrieve))
}

fn check_value(value: &str) -> ApiResult<()> {
    if value.is_empty() || value.len() > LONGEST_VALUE || value.contains('\0') {
        return Err(ApiError::bad_request(format!(
            "`value` must have 1 to {LONGEST_VALUE} bytes and no NUL: it becomes an environment variable"
        )));
    }
    Ok(())
}

async fn create(State(app): State<Shared>, Json(params): Json<SecretCreateParams>) -> ApiResult<Response> {
    let name = params.name;
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(ApiError::bad_request(format!(
            "`name` must have 1 to {LONGEST_NAME} bytes and no control characters"
        )));
    }
    check_value(&params.value)?;
    let now = now_ms();
    let view = SecretView {
        id: SecretId::new(new_id(SecretId::PREFIX)),
        name,
        create_time_ms: now,
        update_time_ms: now,
    };
    if !app.store.insert_secret(view.clone(), SecretString::from(params.value)).await? {
        return Err(ApiError::bad_request(format!(
            "the name `{}` is taken: update that secret, or choose another name",
            crate::error::shown(&view.name)
        )));
    }
    json(&view)
}

async fn list(State(app): State<Shared>, query: Query) -> ApiResult<Response> {
    json(&app.store.secrets(PageRequest::read(&query)?).await?.or_bad_request()?.into_json()?)
}

fn found(kind: &str, key: &str, view: Option<SecretView>) -> ApiResult<Response> {
    json(&view.ok_or_else(|| ApiError::not_found(kind, key))?)
}

async fn retrieve(State(app): State<Shared>, Path(name): Path<String>) -> ApiResult<Response> {
    found("secret of the name", &name, app.store.secret_by_name(&name).await?)
}

async fn retrieve_by_id(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    found("secret", &id, app.store.secret(&id).await?)
}

async fn update(
    State(app): State<Shared>,
    Path(name): Path<String>,
    Json(params): Json<SecretUpdateParams>,
) -> ApiResult<Response> {
    check_value(&params.value)?;
    let view = app.store.secret_by_name(&name).await?;
    let id = view.ok_or_else(|| ApiError::not_found("secret of the name", &name))?.id;
    found("secret", &name, app.store.update_secret(id.as_str(), params.value.into(), now_ms()).await?)
}

async fn update_by_id(
    State(app): State<Shared>,
    Path(id): Path<String>,
    Json(params): Json<SecretUpdateParams>,
) -> ApiResult<Response> {
    check_value(&params.value)?;
    found("secret", &id, app.store.update_secret(&id, params.value.into(), now_ms()).await?)
}

async fn delete(State(app): State<Shared>, Path(name): Path<String>) -> ApiResult<Response> {
    found("secret of the name", &name, app.store.delete_secrets_by_name(&name).await?)
}

/// `id` is a name, too.
async fn delete_named_id(State(app): State<Shared>) -> ApiResult<Response> {
    found("secret of the name", "id", app.store.delete_secrets_by_name("id").await?)
}

async fn delete_by_id(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    found("secret", &id, app.store.delete_secret(&id).await?)
}
