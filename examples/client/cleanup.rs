//! Cleaning up: whatever happens, and also what an earlier program left behind.
//!
//! ```text
//! $ cargo run -p runloop-client --example cleanup
//! the work failed: exit status 7
//! its devbox is shutdown all the same
//! one devbox and one snapshot are left behind
//! swept 1 devbox and 1 snapshot
//! nothing is left
//! ```

use futures::TryStreamExt;
use runloop_client::types::{DevboxCreateParams, DevboxStatus, LaunchParameters, Metadata, SnapshotParams};
use runloop_client::{Client, DevboxListParams, DiskSnapshotListParams, Error, PollingConfig, WaitOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env(|name| std::env::var(name).ok())?;
    // A label on everything that a run makes, and an end that comes by itself.
    let run = format!("cleanup-{}", std::process::id());
    let labels = Metadata::from([("run".into(), run.clone())]);
    let launch = LaunchParameters { keep_alive_time_seconds: Some(600), ..Default::default() };
    let params = DevboxCreateParams {
        metadata: Some(labels.clone()),
        launch_parameters: Some(launch),
        ..Default::default()
    };

    // Shut down after the work, whether it went well, failed or panicked. Dropping a handle ends nothing.
    let work = client.with_devbox(&params, WaitOptions::default(), async |devbox| {
        let result = devbox.exec("exit 7").await?;
        println!("the work failed: exit status {}", result.exit_status.unwrap_or(-1));
        Ok::<_, Error>(devbox)
    });
    println!("its devbox is {} all the same", work.await?.info().await?.status);

    // As if a program had been killed here.
    let devbox = client.create_devbox(&params, WaitOptions::default()).await?;
    let snapshot = SnapshotParams { metadata: Some(labels), ..Default::default() };
    devbox.snapshot_disk(&snapshot, PollingConfig::default()).await?;
    println!("one devbox and one snapshot are left behind");

    let (devboxes, snapshots) = sweep(&client, &run).await?;
    println!("swept {devboxes} devbox and {snapshots} snapshot");
    if sweep(&client, &run).await? == (0, 0) {
        println!("nothing is left");
    }
    Ok(())
}

/// Ends and deletes everything with the label of a run; answers how much that was.
async fn sweep(client: &Client, run: &str) -> Result<(usize, usize), Error> {
    let running = DevboxListParams { status: Some(DevboxStatus::Running), ..Default::default() };
    let devboxes: Vec<_> = client.devboxes().list(&running).items().try_collect().await?;
    let ours: Vec<_> = devboxes
        .into_iter()
        .filter(|view| view.metadata.get("run").is_some_and(|label| label == run))
        .collect();
    for view in &ours {
        client.devbox(view.id.clone()).shutdown(true).await?;
    }
    let labeled = client.disk_snapshots().list(&DiskSnapshotListParams::default()).with_metadata("run", run);
    let snapshots: Vec<_> = labeled.items().try_collect().await?;
    for snapshot in &snapshots {
        client.snapshot(snapshot.id.clone()).delete().await?;
    }
    Ok((ours.len(), snapshots.len()))
}
