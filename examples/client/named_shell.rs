//! Named shells: commands that share a directory and variables (SDK majors 1 and 2).
//!
//! ```text
//! $ cargo run -p runloop-client --example named_shell
//! in the shell: hello world from /tmp
//! without it:   hello from /home/user
//! ```

use runloop_client::types::DevboxCreateParams;
use runloop_client::{Client, Devbox, WaitOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env(|name| std::env::var(name).ok())?;
    let params = DevboxCreateParams { name: Some("named-shell".into()), ..Default::default() };
    // Shut down afterwards, whatever happens in between.
    client.with_devbox(&params, WaitOptions::default(), say_hello).await
}

async fn say_hello(devbox: Devbox) -> Result<(), Box<dyn std::error::Error>> {
    // The first command of a name makes the shell. It runs one command at a time, in order.
    let build = devbox.shell("build");
    build.exec("cd /tmp && export WHO=world").await?;
    let result = build.exec("echo hello $WHO from $PWD").await?;
    print!("in the shell: {}", result.stdout);

    // A command without a shell begins in the home directory and knows nothing of the others.
    let result = devbox.exec("echo hello $WHO from $PWD").await?;
    print!("without it:   {}", result.stdout);
    Ok(())
}
