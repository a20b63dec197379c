//! Ways into devboxes and out of them: tunnels, SSH keys, tokens for gateways and MCP servers.

use runloop_types::{
    DevboxCreateSshKeyResponse, DevboxGateway, DevboxMcp, DevboxTunnelView, GatewayTokenView, McpTokenView,
    PtyTunnelView, TunnelParams, TunnelPortParams, TunnelView,
};

use crate::call::Call;
use crate::request::Request;
use crate::resources::Devboxes;

impl Devboxes {
    /// Opens the devbox's tunnel: each of its ports is then at `https://{port}-{tunnel_key}.tunnel.<domain>`, where the
    /// domain is the API's host without its `api.`. 400 if it does not run or has a tunnel, 404 if there is no such devbox.
    ///
    /// SDK 1 to 3.
    pub fn enable_tunnel(&self, id: impl AsRef<str>, params: &TunnelParams) -> Call<TunnelView> {
        let request = Request::post("/v1/devboxes/{}/enable_tunnel", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.json(params)))
    }

    /// Closes the devbox's tunnel. 404 if there is no such devbox.
    ///
    /// SDK 1 to 3.
    pub fn remove_tunnel(&self, id: impl AsRef<str>) -> Call<()> {
        let request = Request::<()>::post("/v1/devboxes/{}/remove_tunnel", &[id.as_ref()]);
        self.client.call(request.map(Request::empty))
    }

    /// Opens a tunnel to one port; [`Devboxes::enable_tunnel`] took its place.
    ///
    /// Legacy: gone before SDK 1.32.
    pub fn create_tunnel(&self, id: impl AsRef<str>, port: u16) -> Call<DevboxTunnelView> {
        let request = Request::post("/v1/devboxes/{}/create_tunnel", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.json(&TunnelPortParams { port })))
    }

    /// Closes the tunnel to one port; [`Devboxes::remove_tunnel`] took its place.
    ///
    /// Legacy: gone before SDK 1.32.
    pub fn remove_port_tunnel(&self, id: impl AsRef<str>, port: u16) -> Call<()> {
        let request = Request::<()>::post("/v1/devboxes/{}/remove_tunnel", &[id.as_ref()]);
        let request = request.and_then(|request| request.json(&TunnelPortParams { port }));
        self.client.call(request.map(Request::empty))
    }

    /// Opens a way to the devbox's terminals, with a new key and token at each call; see [`Ptys`](crate::Ptys). 400 if it
    /// does not run, 404 if there is no such devbox.
    ///
    /// SDK 1 to 3.
    pub fn create_pty_tunnel(&self, id: impl AsRef<str>) -> Call<PtyTunnelView> {
        self.client.call(Request::post("/v1/devboxes/{}/create_pty_tunnel", &[id.as_ref()]))
    }

    /// Makes a key for SSH into the devbox; it is shown this once. The service takes SSH inside of TLS, at port 443 of
    /// `ssh.<domain>`. 404 if there is no such devbox.
    ///
    /// SDK 1 to 3.
    pub fn create_ssh_key(&self, id: impl AsRef<str>) -> Call<DevboxCreateSshKeyResponse> {
        self.client.call(Request::post("/v1/devboxes/{}/create_ssh_key", &[id.as_ref()]))
    }

    /// Makes a token by which the running devbox, and nobody else, uses a gateway. Nothing is stored.
    ///
    /// SDK 1 to 3.
    pub fn create_gateway_token(
        &self,
        id: impl AsRef<str>,
        params: &DevboxGateway,
    ) -> Call<GatewayTokenView> {
        let request = Request::post("/v1/devboxes/{}/create_gateway_token", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.json(params)))
    }

    /// Makes a token by which the running devbox, and nobody else, uses an MCP server. Nothing is stored.
    ///
    /// SDK 1 to 3.
    pub fn create_mcp_token(&self, id: impl AsRef<str>, params: &DevboxMcp) -> Call<McpTokenView> {
        let request = Request::post("/v1/devboxes/{}/create_mcp_token", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.json(params)))
    }
}
