//! Network policies.

use serde_json::{Value, json};

use crate::support::{Api, fresh_id};

async fn create(api: &Api, params: Value) -> Value {
    api.post("/v1/network-policies", params).await.ok()
}

pub(crate) async fn a_policy_is_created_updated_and_deleted(api: Api) {
    let name = fresh_id();
    let view =
        create(&api, json!({"name": name, "allowed_hostnames": ["*.example.com"], "description": "d"})).await;
    let id = view["id"].as_str().unwrap();
    assert_eq!(
        (&view["egress"]["allow_all"], &view["egress"]["allowed_hostnames"]),
        (&json!(false), &json!(["*.example.com"]))
    );
    let path = format!("/v1/network-policies/{id}");
    let updated = api.post(&path, json!({"allow_all": true, "description": null})).await.ok();
    let egress = &updated["egress"];
    assert_eq!((&egress["allow_all"], &egress["allow_devbox_to_devbox"]), (&json!(true), &json!(true)));
    assert_eq!(
        (&updated["description"], &egress["allowed_hostnames"]),
        (&json!("d"), &json!(["*.example.com"]))
    );
    assert_eq!(api.get(&path).await.ok(), updated);
    let listed = api.get(&format!("/v1/network-policies?name={}", &name[..20])).await.ok();
    assert!(listed["network_policies"].as_array().unwrap().contains(&updated));
    assert_eq!(api.post(&format!("{path}/delete"), json!({})).await.ok(), json!({}));
    api.get(&path).await.error(404);
    api.post(&format!("{path}/delete"), json!({})).await.error(404);
    // Names are labels.
    create(&api, json!({"name": "twice"})).await;
    create(&api, json!({"name": "twice"})).await;
}

pub(crate) async fn deny_all_is_enforced(api: Api) {
    // A listener on the host is what a devbox with a network could reach.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let connect =
        format!("timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}' && echo reached || echo refused");
    for (policy, outcome) in [(json!({"allow_all": true}), "reached\n"), (json!({}), "refused\n")] {
        let mut params = policy;
        params["name"] = fresh_id().into();
        let policy = create(&api, params).await;
        let id = api.devbox(json!({"launch_parameters": {"network_policy_id": policy["id"]}})).await;
        assert_eq!(api.stdout(&id, &connect).await, outcome);
        api.shutdown(&id).await;
    }
}

pub(crate) async fn a_policy_that_cannot_be_held_is_refused(api: Api) {
    for rules in [
        json!({"allowed_hostnames": ["example.com"]}),
        json!({"allowed_cidrs": [{"cidr": "10.0.0.0/8"}]}),
        json!({"allow_devbox_to_devbox": true}),
        json!({"allow_runloop_mirrors": true}),
    ] {
        let mut params = rules.clone();
        params["name"] = fresh_id().into();
        let policy = create(&api, params).await;
        let launch = json!({"launch_parameters": {"network_policy_id": policy["id"]}});
        let message = api.post("/v1/devboxes", launch).await.error(400);
        assert!(
            message.contains("cannot enforce")
                && message.contains(rules.as_object().unwrap().keys().next().unwrap())
        );
    }
}

pub(crate) async fn a_policy_in_use_is_not_deleted(api: Api) {
    let policy = create(&api, json!({"name": fresh_id(), "allow_all": true})).await;
    let id = api.devbox(json!({"launch_parameters": {"network_policy_id": policy["id"]}})).await;
    let path = format!("/v1/network-policies/{}/delete", policy["id"].as_str().unwrap());
    assert!(api.post(&path, json!({})).await.error(400).contains(&id));
    api.shutdown(&id).await;
    api.post(&path, json!({})).await.ok();
}

pub(crate) async fn impossible_policies_are_refused(api: Api) {
    for params in [
        json!({}),
        json!({"name": ""}),
        json!({"name": "x", "allowed_hostnames": ["https://a.test"]}),
        json!({"name": "x", "allowed_hostnames": ["a.*.test"]}),
        json!({"name": "x", "allowed_cidrs": [{"cidr": "10.0.0.1/8"}]}),
        json!({"name": "x", "allowed_cidrs": [{"cidr": "10.0.0.0/8", "ports": [{"port": 0}]}]}),
    ] {
        api.post("/v1/network-policies", params).await.error(400);
    }
}
