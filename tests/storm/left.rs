//! What is left on a platform, and `cleanup`, after which nothing is.

use futures::TryStreamExt as _;
use runloop_client::{Client, DevboxListParams};
use runloop_simulator::Simulator;
use runloop_types::{BlueprintState, ObjectState, SnapshotStatus};
use serde_json::Value;

use crate::support::{Bench, Finished};

/// What runs end themselves: no devbox, snapshot or object lives in a simulator.
#[track_caller]
pub(super) fn assert_empty(simulator: &Simulator, seed: u64) {
    let counts = simulator.counts();
    let left = (counts.devboxes, counts.snapshots, counts.objects);
    assert_eq!(left, (0, 0, 0), "devboxes, snapshots and objects left with seed {seed}: {counts:#?}");
}

/// Ends everything that runs left, by the real binary, and makes sure that it did.
#[track_caller]
pub(super) fn cleanup(bench: &Bench, url: &str, key: &str, seed: u64) {
    let mut command = bench.command();
    command.env("RUNLOOP_API_KEY", key).args(["cleanup", "--all", "--format", "json", "--target", url]);
    let finished = Finished::of(command.output().expect("the program starts"));
    assert_eq!(finished.code(), 0, "seed {seed}: {finished}");
    let said: Value = serde_json::from_str(&finished.stdout()).expect("JSON");
    assert_eq!(said["alive"], Value::Array(Vec::new()), "seed {seed}: every run has ended: {finished}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let left = runtime.block_on(on(url, key));
    assert!(left.is_empty(), "left with seed {seed}: {left:?}\n{finished}");
}

/// Everything that lives on a server, whatever the number of pages.
async fn on(url: &str, key: &str) -> Vec<String> {
    let client = Client::builder().base_url(url).api_key(key).build().expect("a client");
    let devboxes = client.devboxes().list(&DevboxListParams::default()).items();
    let devboxes = devboxes.try_filter_map(async |view| {
        Ok((!view.status.is_final()).then(|| format!("{} ({})", view.id, view.status)))
    });
    let snapshots = client.disk_snapshots();
    // One whose taking failed stays on the list, without a disk.
    let snapshots = snapshots.list(&Default::default()).items().try_filter_map(async |view| {
        let status = client.disk_snapshots().query_status(&view.id).send().await?.status;
        Ok((status != SnapshotStatus::Error).then(|| view.id.to_string()))
    });
    let objects = client.objects().list(&Default::default()).items();
    let objects = objects
        .try_filter_map(async |view| Ok((view.state != ObjectState::Deleted).then(|| view.id.to_string())));
    let blueprints = client.blueprints().list(&Default::default()).items();
    let blueprints = blueprints.try_filter_map(async |view| {
        Ok((view.state == BlueprintState::Created).then(|| view.id.to_string()))
    });
    let policies = client.network_policies().list(&Default::default()).items();
    let mut left: Vec<String> = devboxes.try_collect().await.expect("devboxes");
    left.extend(snapshots.try_collect::<Vec<_>>().await.expect("snapshots"));
    left.extend(objects.try_collect::<Vec<_>>().await.expect("objects"));
    left.extend(blueprints.try_collect::<Vec<_>>().await.expect("blueprints"));
    left.extend(policies.map_ok(|view| view.id.to_string()).try_collect::<Vec<_>>().await.expect("policies"));
    left
}
