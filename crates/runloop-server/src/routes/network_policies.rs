//! /v1/network-policies

use std::net::Ipv4Addr;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use runloop_types::{
    AllowedCidr, Egress, NetworkPolicyId, NetworkPolicyParams, NetworkPolicyView, PortProtocol,
};

use crate::body::{Json, empty, json};
use crate::clock::now_ms;
use crate::error::{ApiError, ApiResult, shown};
use crate::new_id::{is_well_formed, new_id};
use crate::pagination::PageRequest;
use crate::query::Query;
use crate::state::Shared;

pub(super) fn changes() -> Router<Shared> {
    Router::new()
        .route("/v1/network-policies", post(create))
        .route("/v1/network-policies/{id}", post(update))
        .route("/v1/network-policies/{id}/delete", post(delete))
}

pub(super) fn reads() -> Router<Shared> {
    Router::new().route("/v1/network-policies", get(list)).route("/v1/network-policies/{id}", get(retrieve))
}

async fn create(State(app): State<Shared>, Json(params): Json<NetworkPolicyParams>) -> ApiResult<Response> {
    let name = params.name.clone().filter(|name| !name.trim().is_empty());
    let Some(name) = name else {
        return Err(ApiError::bad_request("`name` is missing: give the network policy a name"));
    };
    let now = now_ms();
    let mut view = NetworkPolicyView {
        id: NetworkPolicyId::new(new_id(NetworkPolicyId::PREFIX)),
        name,
        description: None,
        create_time_ms: now,
        update_time_ms: now,
        egress: Egress::default(),
    };
    check(&params)?;
    merge(&mut view, params);
    app.store.insert_policy(view.clone()).await?;
    json(&view)
}

fn check(params: &NetworkPolicyParams) -> ApiResult<()> {
    for name in params.allowed_hostnames.iter().flatten() {
        check_hostname(name)?;
    }
    for rule in params.allowed_cidrs.iter().flatten() {
        check_cidr(rule)?;
    }
    Ok(())
}

/// Puts the given fields over the policy's.
fn merge(view: &mut NetworkPolicyView, params: NetworkPolicyParams) {
    if let Some(name) = params.name.filter(|name| !name.trim().is_empty()) {
        view.name = name;
    }
    if let Some(description) = params.description {
        view.description = Some(description).filter(|text| !text.is_empty());
    }
    let egress = &mut view.egress;
    let flags = [
        (params.allow_all, &mut egress.allow_all),
        (params.allow_devbox_to_devbox, &mut egress.allow_devbox_to_devbox),
        (params.allow_agent_gateway, &mut egress.allow_agent_gateway),
        (params.allow_mcp_gateway, &mut egress.allow_mcp_gateway),
        (params.allow_runloop_mirrors, &mut egress.allow_runloop_mirrors),
    ];
    for (given, flag) in flags {
        *flag = given.unwrap_or(*flag);
    }
    if let Some(names) = params.allowed_hostnames {
        egress.allowed_hostnames = names;
    }
    if let Some(rules) = params.allowed_cidrs {
        egress.allowed_cidrs = rules;
    }
    if egress.allow_all {
        egress.allow_devbox_to_devbox = true;
        egress.allow_runloop_mirrors = true;
    }
}

fn check_hostname(name: &str) -> ApiResult<()> {
    let labels = name.strip_prefix("*.").unwrap_or(name);
    let fits = !labels.is_empty()
        && labels.len() <= 253
        && labels.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        });
    if fits {
        return Ok(());
    }
    Err(ApiError::bad_request(format!(
        "`{}` is no host name: give a name without scheme and port; `*` only as the first label, as in `*.example.com`",
        shown(name)
    )))
}

fn check_cidr(rule: &AllowedCidr) -> ApiResult<()> {
    let text = &rule.cidr;
    if !is_canonical(text) {
        return Err(ApiError::bad_request(format!(
            "`{}` is no IPv4 range: give the first address and the length, as in `10.1.0.0/16`",
            shown(text)
        )));
    }
    for rule in rule.ports.iter().flatten() {
        let fits = |port: i64| (1..=65_535).contains(&port);
        if !fits(rule.port)
            || rule.end_port.is_some_and(|last| !fits(last) || last < rule.port)
            || matches!(rule.protocol, Some(PortProtocol::Other(_)))
        {
            return Err(ApiError::bad_request(format!(
                "a port rule of `{text}` is wrong: `port` and `end_port` are 1 to 65535, `protocol` is TCP or UDP"
            )));
        }
    }
    Ok(())
}

/// Whether a range is written with its first address.
fn is_canonical(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let (Ok(address), Ok(length)) = (address.parse::<Ipv4Addr>(), length.parse::<u32>()) else {
        return false;
    };
    let host_bits = match length {
        0..=32 => u32::MAX.checked_shr(length).unwrap_or(0),
        _ => return false,
    };
    address.to_bits() & host_bits == 0
}

fn check_id(id: &str) -> ApiResult<()> {
    if is_well_formed(id) {
        return Ok(());
    }
    Err(ApiError::bad_request(format!("`{}` is no network policy id", shown(id))))
}

async fn retrieve(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    check_id(&id)?;
    json(&app.store.policy(&id).await?.ok_or_else(|| ApiError::not_found("network policy", &id))?)
}

async fn list(State(app): State<Shared>, query: Query) -> ApiResult<Response> {
    let owned = |name| query.get(name).map(str::to_owned);
    let request = PageRequest::read(&query)?;
    let page = app.store.policies(owned("id"), owned("name"), owned("search"), request).await?;
    json(&page.or_bad_request()?.into_json()?)
}

async fn update(
    State(app): State<Shared>,
    Path(id): Path<String>,
    Json(params): Json<NetworkPolicyParams>,
) -> ApiResult<Response> {
    check_id(&id)?;
    check(&params)?;
    let change = move |view: &mut NetworkPolicyView| {
        merge(view, params);
        view.update_time_ms = now_ms();
    };
    json(
        &app.store
            .change_policy(&id, change)
            .await?
            .ok_or_else(|| ApiError::not_found("network policy", &id))?,
    )
}

async fn delete(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    check_id(&id)?;
    let users: Vec<String> = app
        .devboxes
        .all()
        .iter()
        .filter(|devbox| !devbox.status().is_final())
        .filter(|devbox| {
            devbox.identity.launch.network_policy_id.as_ref().is_some_and(|used| used.as_str() == id)
        })
        .map(|devbox| devbox.id.to_string())
        .take(20)
        .collect();
    if !users.is_empty() {
        return Err(ApiError::bad_request(format!(
            "network policy `{id}` is in use by active devboxes, shut them down first: {}",
            users.join(", ")
        )));
    }
    if !app.store.delete_policy(&id).await? {
        return Err(ApiError::not_found("network policy", &id));
    }
    empty()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn host_names_are_checked() {
        for good in ["example.com", "*.example.com", "localhost", "a-b.c_d.test"] {
            assert!(check_hostname(good).is_ok(), "{good}");
        }
        for bad in ["", "*", "*.", "a.*.com", "https://a.com", "a.com:443", "a..b", "-a.com", "a b"] {
            assert!(check_hostname(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ranges_are_written_with_their_first_address() {
        for good in ["10.0.0.0/8", "0.0.0.0/0", "192.168.1.7/32"] {
            assert!(is_canonical(good), "{good}");
        }
        for bad in ["10.0.0.1/8", "10.0.0.0", "10.0.0.0/33", "::/0", "10.0.0/8", "10.0.0.0/-1"] {
            assert!(!is_canonical(bad), "{bad}");
        }
    }

    #[test]
    fn port_rules_are_checked() {
        let rule = |port| {
            let rule = json!({"cidr": "10.0.0.0/8", "ports": [port]});
            check_cidr(&serde_json::from_value(rule).unwrap()).is_ok()
        };
        assert!(
            rule(json!({"port": 1, "end_port": 65_535, "protocol": "UDP"})) && rule(json!({"port": 443}))
        );
        for bad in [
            json!({}),
            json!({"port": 0}),
            json!({"port": 9, "end_port": 8}),
            json!({"port": 1, "protocol": "X"}),
        ] {
            assert!(!rule(bad.clone()), "{bad}");
        }
    }

    #[test]
    fn an_update_merges_field_by_field() {
        let mut view = NetworkPolicyView::default();
        merge(
            &mut view,
            NetworkPolicyParams { allowed_hostnames: Some(vec!["a.test".into()]), ..Default::default() },
        );
        merge(&mut view, NetworkPolicyParams { description: Some("d".into()), ..Default::default() });
        assert_eq!(view.egress.allowed_hostnames, ["a.test"]);
        merge(&mut view, NetworkPolicyParams { allow_all: Some(true), ..Default::default() });
        assert!(view.egress.allow_devbox_to_devbox && view.egress.allow_runloop_mirrors);
    }
}
