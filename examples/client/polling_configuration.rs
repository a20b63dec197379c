//! Waits and polls: how long, how often, and what a wait that ran out still tells.
//!
//! ```text
//! $ cargo run -p runloop-client --example polling_configuration
//! dbx_… is running
//! not yet after 1 poll: running
//! the command has gone on to its end: exit status 0
//! one poll every 50ms: the snapshot is complete
//! ```

use std::time::Duration;

use runloop_client::types::{DevboxCreateParams, SnapshotParams};
use runloop_client::{Client, Devbox, Error, ExecOptions, PollingConfig, WaitOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env(|name| std::env::var(name).ok())?;
    // A wait has one deadline, whatever it is made of; `WaitOptions::forever()` has none.
    let params = DevboxCreateParams { name: Some("polling".into()), ..Default::default() };
    let wait = WaitOptions::within(Duration::from_secs(600));
    let devbox = client.create_devbox(&params, wait).await?;
    println!("{} is {}", devbox.id(), devbox.info().await?.status);
    let outcome = wait_for_things(&devbox).await;
    devbox.shutdown(true).await?;
    Ok(outcome?)
}

async fn wait_for_things(devbox: &Devbox) -> Result<(), Error> {
    // A wait that runs out ends nothing but itself.
    let options = ExecOptions { attach_stdin: true, ..Default::default() };
    let execution = devbox.spawn("cat", &options).await?;
    match execution.wait(WaitOptions::within(Duration::from_millis(200))).await {
        Err(Error::PollingTimeout(timeout)) => {
            let last = execution.info().await?;
            println!("not yet after {} poll: {}", timeout.attempts, last.status);
        }
        other => println!("not expected: {other:?}"),
    }
    execution.close_std_in().await?;
    let view = execution.wait(WaitOptions::forever()).await?;
    println!("the command has gone on to its end: exit status {}", view.exit_status.unwrap_or(-1));

    // Endpoints that do not hold their answer are polled: this often, this many times, for this long.
    let polling = PollingConfig {
        interval: Duration::from_millis(50),
        max_attempts: 10_000,
        timeout: Some(Duration::from_secs(300)),
    };
    let snapshot = devbox.snapshot_disk_async(&SnapshotParams::default()).await?;
    let status = snapshot.await_completed(polling).await?;
    println!("one poll every {:?}: the snapshot is {}", polling.interval, status.status);
    snapshot.delete().await?;
    Ok(())
}
