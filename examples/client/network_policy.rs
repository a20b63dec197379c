//! Network policies: where a devbox may connect to.
//!
//! ```text
//! $ cargo run -p runloop-client --example network_policy
//! npol_… allows nothing: true
//! a connection from the devbox fails: true
//! npol_… was last described as no network at all
//! the policy is gone: true
//! ```

use runloop_client::types::{DevboxCreateParams, LaunchParameters, NetworkPolicyParams};
use runloop_client::{Client, Error, WaitOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env(|name| std::env::var(name).ok())?;
    // What a policy does not allow is denied. To allow some hosts: `allowed_hostnames: Some(vec!["*.example.com".into()])`.
    let name = format!("no-network-{}", std::process::id());
    let params = NetworkPolicyParams { name: Some(name), allow_all: Some(false), ..Default::default() };
    let policy = client.create_network_policy(&params).await?;
    let egress = policy.info().await?.egress;
    let nothing = !egress.allow_all && egress.allowed_hostnames.is_empty() && egress.allowed_cidrs.is_empty();
    println!("{} allows nothing: {nothing}", policy.id());

    let launch = LaunchParameters { network_policy_id: Some(policy.id().clone()), ..Default::default() };
    let params = DevboxCreateParams { launch_parameters: Some(launch), ..Default::default() };
    let result: Result<_, Error> = client
        .with_devbox(&params, WaitOptions::default(), async |devbox| {
            devbox.exec("timeout 10 bash -c 'exec 3<>/dev/tcp/1.1.1.1/443'").await
        })
        .await;

    // Only the fields that are set change.
    let changes = NetworkPolicyParams { description: Some("no network at all".into()), ..Default::default() };
    let changed = policy.update(&changes).await?;
    policy.delete().await?;
    println!("a connection from the devbox fails: {}", result?.failed());
    println!("{} was last described as {}", changed.id, changed.description.unwrap_or_default());
    println!("the policy is gone: {}", policy.info().await.is_err_and(|error| error.is_not_found()));
    Ok(())
}
