//! Objects and mounts: upload once, find it in every devbox.
//!
//! ```text
//! $ cargo run -p runloop-client --example objects_and_mounts
//! obj_… greeting.txt is READ_ONLY with 6 bytes
//! obj_… inputs.tar.gz is READ_ONLY with … bytes
//! hello
//! inputs/a.csv
//! inputs/sub/b.csv
//! debug = true
//! downloaded: hello
//! obj_… is DELETED
//! obj_… is DELETED
//! ```

use std::time::Duration;

use runloop_client::types::{DevboxCreateParams, Mount};
use runloop_client::{ArchiveOptions, Client, Error, ObjectUpload, StorageObject, WaitOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env(|name| std::env::var(name).ok())?;
    let inputs = tempfile::tempdir()?;
    std::fs::write(inputs.path().join("a.csv"), "1,2\n")?;
    std::fs::create_dir(inputs.path().join("sub"))?;
    std::fs::write(inputs.path().join("sub/b.csv"), "3,4\n")?;

    // An object with a life time goes by itself should this program not come to delete it.
    let named = |name| ObjectUpload { ttl: Some(Duration::from_secs(3600)), ..ObjectUpload::named(name) };
    let text = client.upload_object_from_text("hello\n", &named("greeting.txt")).await?;
    // A directory becomes a reproducible archive, which a mount unpacks.
    let upload = named("inputs.tar.gz");
    let archive = client.upload_object_from_dir(inputs.path(), &upload, ArchiveOptions::default()).await?;

    let outcome = mount(&client, &text, &archive).await;
    for object in [text, archive] {
        println!("{} is {}", object.id(), object.delete().await?.state);
    }
    Ok(outcome?)
}

async fn mount(client: &Client, text: &StorageObject, archive: &StorageObject) -> Result<(), Error> {
    for object in [text, archive] {
        let view = object.info().await?;
        println!("{} {} is {} with {} bytes", view.id, view.name, view.state, view.size_bytes.unwrap_or(0));
    }
    let config = Mount::FileMount { target: "settings.toml".into(), content: "debug = true\n".into() };
    let mounts = vec![text.as_mount("greeting.txt"), archive.as_mount("inputs"), config];
    let params = DevboxCreateParams { mounts: Some(mounts), ..Default::default() };
    let result = client.with_devbox(&params, WaitOptions::default(), async |devbox| {
        devbox.exec("cat greeting.txt; find inputs -type f | sort; cat settings.toml").await
    });
    print!("{}", result.await?.stdout);
    print!("downloaded: {}", text.download_as_text().await?);
    Ok(())
}
