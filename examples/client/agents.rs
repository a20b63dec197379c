//! Agents: registered once, installed in a devbox by a mount (SDK majors 1 and 2).
//!
//! ```text
//! $ cargo run -p runloop-client --example agents
//! agt_… comes from npm, agt_… from git
//! there are: 1.3.0, 1.2.0
//! my-agent 1.3.0
//! the agents are deleted
//! ```

use futures::TryStreamExt;
use runloop_client::types::{AgentCreateParams, AgentGitSource, AgentPackageSource, DevboxCreateParams};
use runloop_client::{Agent, AgentListParams, Client, Error, WaitOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env(|name| std::env::var(name).ok())?;
    let package = AgentPackageSource { package_name: "my-agent".into(), ..Default::default() };
    let repository = AgentGitSource {
        repository: "https://github.com/example/my-agent".into(),
        git_ref: Some("v1.3.0".into()),
        agent_setup: Some(vec!["make install".into()]),
    };
    let params = |version: &str| AgentCreateParams {
        name: "my-agent".into(),
        version: Some(version.into()),
        ..Default::default()
    };
    let old = client.create_agent_from_npm(&params("1.2.0"), package).await?;
    let new = client.create_agent_from_git(&params("1.3.0"), repository).await?;
    println!("{} comes from npm, {} from git", old.id(), new.id());

    let outcome = use_it(&new).await;
    old.delete().await?;
    new.delete().await?;
    println!("the agents are deleted");
    Ok(outcome?)
}

async fn use_it(agent: &Agent) -> Result<(), Error> {
    let client = agent.client();
    let mine = AgentListParams { name: Some("my-agent".into()), ..Default::default() };
    let versions = client.agents().list(&mine).items().map_ok(|agent| agent.version.unwrap_or_default());
    println!("there are: {}", versions.try_collect::<Vec<_>>().await?.join(", "));

    // An agent from git needs to be told where to go.
    let mount = agent.as_mount(Some("/home/user/my-agent"));
    let params = DevboxCreateParams { mounts: Some(vec![mount]), ..Default::default() };
    let result = client
        .with_devbox(&params, WaitOptions::default(), async |devbox| devbox.exec("my-agent --version").await);
    print!("{}", result.await?.stdout);
    Ok(())
}
