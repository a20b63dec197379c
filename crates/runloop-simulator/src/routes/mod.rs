//! The endpoints that a run calls.

mod devboxes;
mod executions;
mod files;
mod lists;
mod objects;
mod settings;
mod snapshots;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::error::{Answer, ApiError, json};
use crate::replay::once;
use crate::world::Shared;

/// Everything that is served.
pub(crate) fn router(world: &Shared) -> Router {
    let changes = Router::new()
        .merge(devboxes::changes())
        .merge(executions::changes())
        .merge(snapshots::changes())
        .merge(objects::changes())
        .merge(settings::changes())
        .route_layer(from_fn_with_state(world.clone(), once));
    let api = Router::new()
        .merge(changes)
        .merge(devboxes::reads())
        .merge(executions::reads())
        .merge(files::routes())
        .merge(snapshots::reads())
        .merge(objects::reads())
        .merge(settings::reads())
        .route_layer(from_fn_with_state(world.clone(), counted))
        .fallback(not_served)
        .layer(from_fn_with_state(world.clone(), key_only));
    Router::new()
        .merge(objects::bytes())
        .route("/simulator/counts", get(counts))
        .fallback_service(api.with_state(world.clone()))
        .with_state(world.clone())
}

async fn counts(State(world): State<Shared>) -> Answer {
    json(&world.counts())
}

async fn not_served(request: Request) -> ApiError {
    ApiError::not_served(format!("{} {} is not simulated", request.method(), request.uri().path()))
}

async fn counted(State(world): State<Shared>, request: Request, next: Next) -> Response {
    world.count(&route(request.method(), request.uri().path()));
    next.run(request).await
}

async fn key_only(State(world): State<Shared>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).map(|value| value.as_bytes());
    let key = given.and_then(|value| value.strip_prefix(b"Bearer "));
    if key == Some(world.key.as_bytes()) {
        next.run(request).await
    } else {
        ApiError::unauthorized().into_response()
    }
}

/// The method and the path with `{}` for ids, which are what has a digit in it.
fn route(method: &Method, path: &str) -> String {
    let mut route = format!("{method} ");
    for part in path.strip_prefix("/v1").unwrap_or(path).split('/').filter(|part| !part.is_empty()) {
        let is_id = part.bytes().any(|byte| byte.is_ascii_digit());
        route.push('/');
        route.push_str(if is_id { "{}" } else { part });
    }
    route
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_for_different_things_are_of_one_route() {
        let path = "/v1/devboxes/dbx_0000000000000001/executions/0190f3a2-1c/wait_for_status";
        assert_eq!(route(&Method::POST, path), "POST /devboxes/{}/executions/{}/wait_for_status");
    }
}
