//! Streaming: output while the command runs, by a callback and as a stream.
//!
//! ```text
//! $ cargo run -p runloop-client --example streaming_output
//! step 1
//! step 2
//! step 3
//! exit status 3, and on stderr: step 4 is missing
//! 1000 lines came in a stream, the last one is 1000
//! ```

use futures::TryStreamExt;
use runloop_client::types::DevboxCreateParams;
use runloop_client::{Client, Devbox, ExecOptions, OutputKind, WaitOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env(|name| std::env::var(name).ok())?;
    let params = DevboxCreateParams { name: Some("streaming-output".into()), ..Default::default() };
    // Shut down afterwards, whatever happens in between.
    client.with_devbox(&params, WaitOptions::default(), stream).await
}

async fn stream(devbox: Devbox) -> Result<(), Box<dyn std::error::Error>> {
    // A callback sees each line as it is printed; the result has everything once more. `exec_with` does not wait for ends
    // of lines.
    let command = "for i in 1 2 3; do echo step $i; sleep 0.1; done; echo step 4 is missing >&2; exit 3";
    let on_line = |kind: OutputKind, line: &str| {
        if kind == OutputKind::Stdout {
            println!("{line}");
        }
    };
    let result = devbox.exec_lines(command, &ExecOptions::default(), on_line).await?;
    // A command that fails is a result, not an error.
    let status = result.exit_status.unwrap_or(-1);
    println!("exit status {status}, and on stderr: {}", result.stderr.trim_end());

    // A stream goes on where it stopped if the connection breaks.
    let execution = devbox.spawn("seq 1000", &ExecOptions::default()).await?;
    let lines: Vec<_> = execution.stdout().lines().try_collect().await?;
    println!("{} lines came in a stream, the last one is {}", lines.len(), lines[lines.len() - 1]);
    Ok(())
}
