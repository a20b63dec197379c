//! Quick start: a devbox, a command in it, and its end.
//!
//! ```text
//! $ cargo run -p runloop-client --example quick_start
//! dbx_… is running
//! Hello from Linux
//! exit status 0
//! dbx_… is shutdown
//! ```

use std::time::Duration;

use runloop_client::types::DevboxCreateParams;
use runloop_client::{Client, WaitOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // RUNLOOP_API_KEY says who is asking, RUNLOOP_BASE_URL whom.
    let client = Client::from_env(|name| std::env::var(name).ok())?;

    let params = DevboxCreateParams { name: Some("quick-start".into()), ..Default::default() };
    let wait = WaitOptions::within(Duration::from_secs(600));
    let devbox = client.create_devbox(&params, wait).await?;
    println!("{} is {}", devbox.id(), devbox.info().await?.status);

    let result = devbox.exec("echo Hello from $(uname)").await;
    // Shut down first, look at what happened afterwards: nothing is left behind either way.
    let ended = devbox.shutdown(false).await?;

    let result = result?;
    print!("{}", result.stdout);
    println!("exit status {}", result.exit_status.unwrap_or(-1));
    println!("{} is {}", ended.id, ended.status);
    Ok(())
}
