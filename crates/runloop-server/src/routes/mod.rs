//! The endpoints, one file per resource. Handlers read the request, call what does the work, and write the answer.

mod account;
mod blueprints;
mod devboxes;
mod executions;
mod files;
mod network_policies;
mod object_bytes;
mod objects;
mod secrets;
mod snapshots;

use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use crate::auth::{key_only, loopback_names_only};
use crate::error::{ApiError, shown};
use crate::idempotency::once;
use crate::state::Shared;

pub(crate) use objects::remove_expired;

/// Everything that is served.
pub(crate) fn router(app: Shared) -> Router {
    // What changes something is done once per request id; what only looks, waits or streams is done as often as asked.
    let changes = Router::new()
        .merge(devboxes::changes())
        .merge(executions::changes())
        .merge(files::changes())
        .merge(snapshots::changes())
        .merge(objects::changes())
        .merge(blueprints::changes())
        .merge(secrets::changes())
        .merge(network_policies::changes())
        .route_layer(from_fn_with_state(app.clone(), once));
    let api = Router::new()
        .merge(changes)
        .merge(devboxes::reads())
        .merge(executions::reads())
        .merge(files::reads())
        .merge(snapshots::reads())
        .merge(objects::reads())
        .merge(blueprints::reads())
        .merge(secrets::reads())
        .merge(network_policies::reads())
        .merge(account::reads())
        .fallback(not_served)
        .method_not_allowed_fallback(not_served)
        .layer(from_fn_with_state(app.clone(), key_only));
    Router::new()
        .merge(object_bytes::routes())
        .fallback_service(api.with_state(app.clone()))
        .layer(from_fn(answer_errors_in_json))
        .layer(from_fn_with_state(app.clone(), loopback_names_only))
        .with_state(app)
}

async fn not_served(method: Method, request: Request) -> ApiError {
    ApiError::not_served(format!(
        "{method} {} is not served by this version of the embedded platform",
        shown(request.uri().path())
    ))
}

/// Gives errors that the framework itself answers, such as a path that is no UTF-8, the API's form.
async fn answer_errors_in_json(request: Request, next: axum::middleware::Next) -> Response {
    let response = next.run(request).await;
    let plain = response
        .headers()
        .get(axum::http::header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !(response.status().is_client_error() || response.status().is_server_error()) || !plain {
        return response;
    }
    let status = response.status();
    let text = axum::body::to_bytes(response.into_body(), 64 * 1024).await.unwrap_or_default();
    let body = runloop_types::ErrorBody {
        code: status.as_u16(),
        message: String::from_utf8_lossy(&text).into_owned(),
    };
    (status, axum::Json(body)).into_response()
}
