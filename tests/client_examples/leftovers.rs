//! What is still there when all examples have ended.

use runloop_client::types::{ObjectState, PageParams};
use runloop_client::{
    BlueprintListParams, Client, DevboxListParams, DiskSnapshotListParams, NetworkPolicyListParams,
    ObjectListParams,
};

/// A line for each thing that lives, as far as a page of each kind shows: more than all examples make.
pub(crate) async fn find(url: &str, key: &str) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let client = Client::builder().base_url(url).api_key(key).build()?;
    let page = PageParams { limit: Some(100), ..PageParams::default() };
    let mut left = Vec::new();

    let params = DevboxListParams { page: page.clone(), ..DevboxListParams::default() };
    let devboxes = client.devboxes().list(&params).await?.items;
    let alive = devboxes.iter().filter(|devbox| !devbox.status.is_final());
    left.extend(alive.map(|devbox| format!("devbox {} ({:?}) is {}", devbox.id, devbox.name, devbox.status)));

    let params = ObjectListParams { page: page.clone(), ..ObjectListParams::default() };
    let objects = client.objects().list(&params).await?.items;
    let alive = objects.iter().filter(|object| object.state != ObjectState::Deleted);
    left.extend(alive.map(|object| format!("object {} ({}) is {}", object.id, object.name, object.state)));

    let params = DiskSnapshotListParams { page: page.clone(), ..DiskSnapshotListParams::default() };
    let snapshots = client.disk_snapshots().list(&params).await?.items;
    left.extend(snapshots.iter().map(|snapshot| format!("snapshot {}", snapshot.id)));

    let params = NetworkPolicyListParams { page: page.clone(), ..NetworkPolicyListParams::default() };
    let policies = client.network_policies().list(&params).await?.items;
    left.extend(policies.iter().map(|policy| format!("network policy {} ({})", policy.id, policy.name)));

    let params = BlueprintListParams { page, ..BlueprintListParams::default() };
    let blueprints = client.blueprints().list(&params).await?.items;
    left.extend(
        blueprints.iter().map(|blueprint| format!("blueprint {} ({})", blueprint.id, blueprint.name)),
    );
    Ok(left)
}
