//! What stands beside devboxes: network policies, secrets, blueprints. They are kept and told of, and have no effect.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use runloop_types::{
    BlueprintCreateParams, BlueprintId, BlueprintState, BlueprintStatus, BlueprintView, NetworkPolicyId,
    NetworkPolicyParams, NetworkPolicyView, SecretCreateParams, SecretId, SecretView,
};

use super::lists::Query;
use crate::error::{Answer, ApiError, empty, json};
use crate::world::{Shared, now_ms};

pub(super) fn changes() -> Router<Shared> {
    Router::new()
        .route("/v1/network-policies", post(create_policy))
        .route("/v1/network-policies/{id}/delete", post(delete_policy))
        .route("/v1/secrets", post(create_secret))
        .route("/v1/blueprints", post(create_blueprint))
        .route("/v1/blueprints/{id}/delete", post(delete_blueprint))
}

pub(super) fn reads() -> Router<Shared> {
    Router::new()
        .route("/v1/network-policies", get(list_policies))
        .route("/v1/network-policies/{id}", get(retrieve_policy))
        .route("/v1/secrets/{name}", get(retrieve_secret))
        .route("/v1/blueprints", get(list_blueprints))
        .route("/v1/blueprints/{id}", get(retrieve_blueprint))
}

async fn create_policy(State(world): State<Shared>, Json(params): Json<NetworkPolicyParams>) -> Answer {
    let now = now_ms();
    let mut view = NetworkPolicyView {
        id: NetworkPolicyId::new(world.id(NetworkPolicyId::PREFIX)),
        name: params.name.ok_or_else(|| ApiError::bad_request("`name` is missing"))?,
        description: params.description,
        create_time_ms: now,
        update_time_ms: now,
        ..NetworkPolicyView::default()
    };
    let all = params.allow_all.unwrap_or_default();
    let egress = &mut view.egress;
    egress.allow_all = all;
    egress.allow_devbox_to_devbox = all || params.allow_devbox_to_devbox.unwrap_or_default();
    egress.allow_runloop_mirrors = all || params.allow_runloop_mirrors.unwrap_or_default();
    egress.allow_agent_gateway = params.allow_agent_gateway.unwrap_or_default();
    egress.allow_mcp_gateway = params.allow_mcp_gateway.unwrap_or_default();
    egress.allowed_hostnames = params.allowed_hostnames.unwrap_or_default();
    egress.allowed_cidrs = params.allowed_cidrs.unwrap_or_default();
    world.things().policies.insert(view.id.to_string(), view.clone());
    json(&view)
}

async fn list_policies(State(world): State<Shared>, query: Query) -> Answer {
    // A part of it will do.
    let name = query.get("name").map(str::to_lowercase);
    let fits = |view: &&NetworkPolicyView| {
        name.as_ref().is_none_or(|name| view.name.to_lowercase().contains(name.as_str()))
    };
    let things = world.things();
    let policies = things.policies.values().rev();
    query.page(policies.filter(fits).cloned())
}

async fn retrieve_policy(State(world): State<Shared>, Path(id): Path<String>) -> Answer {
    let things = world.things();
    json(things.policies.get(&id).ok_or_else(|| ApiError::not_found("network policy", &id))?)
}

async fn delete_policy(State(world): State<Shared>, Path(id): Path<String>) -> Answer {
    let removed = world.things().policies.remove(&id);
    removed.ok_or_else(|| ApiError::not_found("network policy", &id))?;
    empty()
}

async fn create_secret(State(world): State<Shared>, Json(params): Json<SecretCreateParams>) -> Answer {
    let now = now_ms();
    let view = SecretView {
        id: SecretId::new(world.id(SecretId::PREFIX)),
        name: params.name,
        create_time_ms: now,
        update_time_ms: now,
    };
    world.things().secrets.insert(view.name.clone(), view.clone());
    json(&view)
}

async fn retrieve_secret(State(world): State<Shared>, Path(name): Path<String>) -> Answer {
    let things = world.things();
    json(things.secrets.get(&name).ok_or_else(|| ApiError::not_found("secret", &name))?)
}

async fn create_blueprint(State(world): State<Shared>, Json(params): Json<BlueprintCreateParams>) -> Answer {
    let now = now_ms();
    let view = BlueprintView {
        id: BlueprintId::new(world.id(BlueprintId::PREFIX)),
        name: params.name.clone(),
        create_time_ms: now,
        build_finish_time_ms: Some(now),
        state: BlueprintState::Created,
        status: BlueprintStatus::BuildComplete,
        metadata: params.metadata.clone(),
        parameters: params,
        ..BlueprintView::default()
    };
    world.things().blueprints.insert(view.id.to_string(), view.clone());
    json(&view)
}

async fn list_blueprints(State(world): State<Shared>, query: Query) -> Answer {
    let name = query.get("name");
    let things = world.things();
    let blueprints = things.blueprints.values().rev();
    query.page(
        blueprints
            .filter(|view| name.is_none_or(|name| view.name == name))
            .filter(|view| query.fits(&view.metadata.clone().unwrap_or_default()))
            .cloned(),
    )
}

async fn retrieve_blueprint(State(world): State<Shared>, Path(id): Path<String>) -> Answer {
    let things = world.things();
    json(things.blueprints.get(&id).ok_or_else(|| ApiError::not_found("blueprint", &id))?)
}

async fn delete_blueprint(State(world): State<Shared>, Path(id): Path<String>) -> Answer {
    let removed = world.things().blueprints.remove(&id);
    removed.ok_or_else(|| ApiError::not_found("blueprint", &id))?;
    empty()
}
