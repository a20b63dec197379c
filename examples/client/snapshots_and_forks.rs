//! Snapshots and forks: one disk, many ways to go on from it.
//!
//! ```text
//! $ cargo run -p runloop-client --example snapshots_and_forks
//! snp_… is complete
//! fork a has: base a
//! fork b has: base b
//! the original still has: base
//! the snapshot is deleted
//! ```

use std::time::Duration;

use runloop_client::types::{DevboxCreateParams, SnapshotParams};
use runloop_client::{Client, Devbox, Error, PollingConfig, Snapshot, WaitOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env(|name| std::env::var(name).ok())?;
    let params = DevboxCreateParams { name: Some("snapshots-and-forks".into()), ..Default::default() };
    // Shut down afterwards, whatever happens in between.
    client.with_devbox(&params, WaitOptions::default(), take_and_fork).await
}

async fn take_and_fork(devbox: Devbox) -> Result<(), Box<dyn std::error::Error>> {
    devbox.write_file("state.txt", "base").await?;
    let params = SnapshotParams { name: Some("base".into()), ..Default::default() };
    let polling = PollingConfig::within(Duration::from_secs(600), Duration::from_millis(100));
    let snapshot = devbox.snapshot_disk(&params, polling).await?;
    println!("{} is {}", snapshot.id(), snapshot.info().await?.status);

    // Both at the same time.
    let forks = futures::future::try_join(fork(&snapshot, "a"), fork(&snapshot, "b")).await;
    snapshot.delete().await?;
    let (a, b) = forks?;
    println!("fork a has: {a}\nfork b has: {b}");
    println!("the original still has: {}", devbox.read_file("state.txt").await?);
    println!("the snapshot is {}", snapshot.info().await?.status);
    Ok(())
}

async fn fork(snapshot: &Snapshot, name: &str) -> Result<String, Error> {
    let devbox = snapshot.create_devbox(&DevboxCreateParams::default(), WaitOptions::default()).await?;
    let result = devbox.exec(format!("echo -n ' {name}' >> state.txt; cat state.txt")).await;
    devbox.shutdown(false).await?;
    Ok(result?.stdout)
}
