//! Files: text and bytes, into a devbox and out of it.
//!
//! ```text
//! $ cargo run -p runloop-client --example files
//! todo.txt has 2 lines, the first one is: write
//! 1048576 bytes went up, the same came down: true
//! copied 12 bytes to a local file
//! a file that is not there: 4…
//! ```

use runloop_client::types::DevboxCreateParams;
use runloop_client::{Client, Devbox, WaitOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env(|name| std::env::var(name).ok())?;
    let params = DevboxCreateParams { name: Some("files".into()), ..Default::default() };
    // Shut down afterwards, whatever happens in between.
    client.with_devbox(&params, WaitOptions::default(), copy_files).await
}

async fn copy_files(devbox: Devbox) -> Result<(), Box<dyn std::error::Error>> {
    // Text. Paths are absolute, or begin in the home directory.
    devbox.write_file("notes/todo.txt", "write\ntests\n").await?;
    let text = devbox.read_file("~/notes/todo.txt").await?;
    println!(
        "todo.txt has {} lines, the first one is: {}",
        text.lines().count(),
        text.lines().next().unwrap_or("")
    );

    // Bytes, from memory. A local file is read while it is sent: `devbox.upload("data.bin", Path::new("data.bin"))`.
    let bytes: Vec<u8> = (0..1024 * 1024).map(|n: u32| n.to_le_bytes()[0] ^ 0xa5).collect();
    devbox.upload("/tmp/data.bin", bytes.clone()).await?;
    let back = devbox.download("/tmp/data.bin").await?;
    println!("{} bytes went up, the same came down: {}", bytes.len(), back == bytes);

    // To a local file, in constant memory however large it is.
    let directory = tempfile::tempdir()?;
    let size = devbox.download_to("notes/todo.txt", directory.path().join("todo.txt")).await?;
    println!("copied {size} bytes to a local file");

    if let Err(error) = devbox.read_file("no/such/file").await {
        println!("a file that is not there: {}", error.status().unwrap_or(0));
    }
    Ok(())
}
