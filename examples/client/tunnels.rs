//! Tunnels: a port of a devbox, reached from outside.
//!
//! ```text
//! $ cargo run -p runloop-client --example tunnels
//! the tunnel is authenticated
//! port 8080 is at http://8080-k3y.tunnel.…
//! requests carry the token: true
//! closed: true
//! ```

use runloop_client::types::{DevboxCreateParams, TunnelAuthMode, TunnelParams};
use runloop_client::{Client, Devbox, ExecOptions, WaitOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env(|name| std::env::var(name).ok())?;
    let params = DevboxCreateParams { name: Some("tunnels".into()), ..Default::default() };
    // Shut down afterwards, whatever happens in between.
    client.with_devbox(&params, WaitOptions::default(), serve).await
}

async fn serve(devbox: Devbox) -> Result<(), Box<dyn std::error::Error>> {
    let server = devbox.spawn("python3 -m http.server 8080", &ExecOptions::default()).await?;

    let params = TunnelParams { auth_mode: Some(TunnelAuthMode::Authenticated), ..Default::default() };
    let tunnel = devbox.enable_tunnel(&params).await?;
    println!("the tunnel is {}", tunnel.auth_mode);
    println!("port 8080 is at {}", devbox.tunnel_url(8080).await?.unwrap_or_default());
    // As `X-Runloop-Tunnel-Authorization: Bearer <token>`. The token is a secret: it is not printed.
    println!("requests carry the token: {}", tunnel.auth_token.is_some());

    devbox.remove_tunnel().await?;
    println!("closed: {}", devbox.tunnel().await?.is_none());
    server.kill(true).await?;
    Ok(())
}
