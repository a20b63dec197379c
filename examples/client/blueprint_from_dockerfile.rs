//! A blueprint from a Dockerfile: built once, the start of many devboxes.
//!
//! ```text
//! $ cargo run -p runloop-client --example blueprint_from_dockerfile
//! bpt_… is built
//! info: #1 FROM runloop/starter-x86_64:latest
//! info: #2 RUN apt-get install -y ripgrep
//! ripgrep 14.1.0
//! the blueprint is deleted
//! ```

use std::time::Duration;

use runloop_client::types::{BlueprintCreateParams, DevboxCreateParams, LaunchParameters, ResourceSize};
use runloop_client::{Blueprint, Client, Error, PollingConfig, WaitOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env(|name| std::env::var(name).ok())?;
    let params = BlueprintCreateParams {
        name: "with-ripgrep".into(),
        dockerfile: Some("FROM runloop/starter-x86_64:latest\nRUN apt-get install -y ripgrep\n".into()),
        launch_parameters: Some(LaunchParameters {
            resource_size_request: Some(ResourceSize::Small),
            ..Default::default()
        }),
        ..Default::default()
    };
    // A build that fails is `Error::WrongState`; the log says why.
    let polling = PollingConfig::within(Duration::from_secs(1800), Duration::from_secs(1));
    let blueprint = client.create_blueprint(&params, polling).await?;
    println!("{} is built", blueprint.id());

    let outcome = use_it(&blueprint).await;
    blueprint.delete().await?;
    println!("the blueprint is {}", blueprint.info().await?.state);
    Ok(outcome?)
}

async fn use_it(blueprint: &Blueprint) -> Result<(), Error> {
    for line in blueprint.logs().await?.logs {
        println!("{}: {}", line.level, line.message);
    }
    // By name it is `DevboxCreateParams::blueprint_name`: the latest build of that name that went well.
    let devbox = blueprint.create_devbox(&DevboxCreateParams::default(), WaitOptions::default()).await?;
    let result = devbox.exec("rg --version | head -1").await;
    devbox.shutdown(false).await?;
    print!("{}", result?.stdout);
    Ok(())
}
