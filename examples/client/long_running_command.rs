//! A long-running command: start it, look at it, talk to it, wait for it, kill it.
//!
//! ```text
//! $ cargo run -p runloop-client --example long_running_command
//! the command is running
//! got one
//! got two
//! end of input
//! exit status 0
//! the sleeper is running
//! killed: exit status 137
//! too slow: execution … to complete took longer than 1.… (… polls, last seen: running)
//! ```

use std::time::Duration;

use runloop_client::types::DevboxCreateParams;
use runloop_client::{Client, Devbox, ExecOptions, WaitOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env(|name| std::env::var(name).ok())?;
    let params = DevboxCreateParams { name: Some("long-running-command".into()), ..Default::default() };
    // Shut down afterwards, whatever happens in between.
    client.with_devbox(&params, WaitOptions::default(), run).await
}

async fn run(devbox: Devbox) -> Result<(), Box<dyn std::error::Error>> {
    let options = ExecOptions { attach_stdin: true, ..Default::default() };
    let reader =
        devbox.spawn("while read line; do echo got $line; done; echo end of input", &options).await?;
    println!("the command is {}", reader.info().await?.status);
    reader.send_std_in("one\n").await?;
    reader.send_std_in("two\n").await?;
    reader.close_std_in().await?;
    // Waits for as long as it takes: minutes or days.
    let result = reader.result(&ExecOptions::default()).await?;
    print!("{}", result.stdout);
    println!("exit status {}", result.exit_status.unwrap_or(-1));

    let sleeper = devbox.spawn("sleep 3600", &ExecOptions::default()).await?;
    println!("the sleeper is {}", sleeper.info().await?.status);
    sleeper.kill(true).await?;
    let view = sleeper.wait(WaitOptions::default()).await?;
    println!("killed: exit status {}", view.exit_status.unwrap_or(-1));

    // With a deadline: the command is killed when it passes.
    let options = ExecOptions::within(Duration::from_secs(1));
    match devbox.exec_opts("sleep 3600", &options).await {
        Err(error) if error.is_timeout() => println!("too slow: {error}"),
        other => println!("ended in time: {other:?}"),
    }
    Ok(())
}
