//! Ways into a devbox and out of it.

use runloop_types::{
    DevboxCreateSshKeyResponse, DevboxGateway, DevboxMcp, GatewayTokenView, McpTokenView, PtyTunnelView,
    TunnelParams, TunnelView,
};

use crate::call::Call;
use crate::error::Error;
use crate::handles::Devbox;
use crate::handles::tunnel_url::tunnel_url;

impl Devbox {
    /// Opens its tunnel, to all of its ports. 400 if it does not run or has a tunnel.
    ///
    /// ```no_run
    /// # use runloop_client::ExecOptions;
    /// # async fn example(devbox: runloop_client::Devbox) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::TunnelParams;
    ///
    /// devbox.spawn("python3 -m http.server 3000", &ExecOptions::default()).await?;
    /// devbox.enable_tunnel(&TunnelParams::default()).await?;
    /// println!("see {:?}", devbox.tunnel_url(3000).await?);
    /// # Ok(()) }
    /// ```
    ///
    /// SDK 1 to 3.
    #[doc(alias = "net")]
    pub fn enable_tunnel(&self, params: &TunnelParams) -> Call<TunnelView> {
        self.client.devboxes().enable_tunnel(&self.id, params)
    }

    /// Closes its tunnel.
    ///
    /// SDK 1 to 3.
    #[doc(alias = "net")]
    pub fn remove_tunnel(&self) -> Call<()> {
        self.client.devboxes().remove_tunnel(&self.id)
    }

    /// Its tunnel, if one is open.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error`] as for any call.
    #[doc(alias = "get_tunnel")]
    pub async fn tunnel(&self) -> Result<Option<TunnelView>, Error> {
        Ok(self.info().send().await?.tunnel)
    }

    /// Where one of its ports is reached from outside, if a tunnel is open:
    /// `https://{port}-{tunnel_key}.tunnel.<domain>`, where the domain is the API's host without its `api.`.
    ///
    /// Scheme and port are those of the API's address, and a loopback address counts as `localhost`, so that the URL is of
    /// use with a local server: `http://3000-{tunnel_key}.tunnel.localhost:8080`.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error`] as for any call; [`Error::InvalidRequest`] if the API is reached by an address that has no domain.
    #[doc(alias = "get_tunnel_url")]
    pub async fn tunnel_url(&self, port: u16) -> Result<Option<String>, Error> {
        let Some(tunnel) = self.tunnel().await? else { return Ok(None) };
        tunnel_url(self.client.base_url(), &tunnel.tunnel_key, port).map(Some)
    }

    /// Makes a key for SSH into it; it is shown this once. The service takes SSH inside of TLS, at port 443.
    ///
    /// SDK 1 to 3.
    #[doc(alias = "net")]
    pub fn create_ssh_key(&self) -> Call<DevboxCreateSshKeyResponse> {
        self.client.devboxes().create_ssh_key(&self.id)
    }

    /// Opens a way to its terminals, with a new key and token at each call; see [`Ptys`](crate::Ptys). 400 if it does not
    /// run.
    ///
    /// SDK 1 to 3.
    pub fn create_pty_tunnel(&self) -> Call<PtyTunnelView> {
        self.client.devboxes().create_pty_tunnel(&self.id)
    }

    /// Makes a token by which it, and nobody else, uses a gateway while it runs. Nothing is stored.
    ///
    /// SDK 1 to 3.
    pub fn create_gateway_token(&self, gateway: &DevboxGateway) -> Call<GatewayTokenView> {
        self.client.devboxes().create_gateway_token(&self.id, gateway)
    }

    /// Makes a token by which it, and nobody else, uses an MCP server while it runs. Nothing is stored.
    ///
    /// SDK 1 to 3.
    pub fn create_mcp_token(&self, server: &DevboxMcp) -> Call<McpTokenView> {
        self.client.devboxes().create_mcp_token(&self.id, server)
    }
}
