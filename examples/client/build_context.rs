//! A blueprint whose Dockerfile copies files of a local directory: the directory is the build context.
//!
//! ```text
//! $ cargo run -p runloop-client --example build_context
//! the context is obj_…
//! bpt_… is built
//! hello from the image
//! ```

use std::path::Path;
use std::time::Duration;

use runloop_client::types::{BlueprintCreateParams, DevboxCreateParams};
use runloop_client::{
    Client, Error, IgnoreRules, ObjectUpload, PollingConfig, StorageObject, WaitOptions,
    build_docker_context_tar,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env(|name| std::env::var(name).ok())?;
    let project = tempfile::tempdir()?;
    write_project(project.path())?;

    // Without what .dockerignore and these rules exclude. The same files give the same bytes.
    let rules = IgnoreRules::from_patterns(["*.log"]);
    let context = build_docker_context_tar(project.path(), &rules).await?;
    let upload = ObjectUpload { ttl: Some(Duration::from_secs(3600)), ..Default::default() };
    let context = client.upload_object_from_archive(context, "context.tar.gz", &upload).await?;
    println!("the context is {}", context.id());

    let outcome = build(&client, &context).await;
    context.delete().await?;
    Ok(outcome?)
}

fn write_project(directory: &Path) -> std::io::Result<()> {
    std::fs::write(directory.join("hello.sh"), "echo hello from the image\n")?;
    std::fs::write(directory.join("build.log"), "not wanted\n")?;
    std::fs::write(directory.join(".env"), "TOKEN=secret\n")?;
    std::fs::write(directory.join(".dockerignore"), ".env\n")
}

async fn build(client: &Client, context: &StorageObject) -> Result<(), Error> {
    let params = BlueprintCreateParams {
        name: "with-context".into(),
        dockerfile: Some("FROM runloop/starter-x86_64:latest\nCOPY hello.sh /opt/hello.sh\n".into()),
        build_context: Some(context.as_build_context()),
        ..Default::default()
    };
    let polling = PollingConfig::within(Duration::from_secs(1800), Duration::from_secs(1));
    let blueprint = client.create_blueprint(&params, polling).await?;
    println!("{} is built", blueprint.id());

    let params = DevboxCreateParams { blueprint_id: Some(blueprint.id().clone()), ..Default::default() };
    let result = client
        .with_devbox(&params, WaitOptions::default(), async |devbox| devbox.exec("bash /opt/hello.sh").await);
    let result = result.await;
    blueprint.delete().await?;
    print!("{}", result?.stdout);
    Ok(())
}
