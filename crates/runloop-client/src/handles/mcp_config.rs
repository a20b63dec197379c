//! A handle on one MCP config.

use runloop_types::{DevboxMcp, McpConfigCreateParams, McpConfigUpdateParams, McpConfigView};

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::handles::handle;

handle! {
    /// An MCP config: an MCP server that devboxes reach through the hub.
    ///
    /// ```no_run
    /// # use runloop_client::WaitOptions;
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::{DevboxCreateParams, McpConfigCreateParams};
    ///
    /// let params = McpConfigCreateParams {
    ///     name: "issues-eu".into(),
    ///     endpoint: "https://mcp.example.com".into(),
    ///     allowed_tools: vec!["read_*".into()],
    ///     ..Default::default()
    /// };
    /// let server = client.create_mcp_config(&params).await?;
    /// // In the devbox, RL_MCP_URL is where the hub is, and ISSUES the token for it.
    /// let mcp = Some([("ISSUES".to_owned(), server.with_secret("ISSUES_KEY"))].into());
    /// let params = DevboxCreateParams { mcp, ..Default::default() };
    /// let devbox = client.create_devbox(&params, WaitOptions::default()).await?;
    /// # Ok(()) }
    /// ```
    McpConfig(McpConfigId), mcp_config
}

impl Client {
    /// Creates an MCP config.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// 400 if a value cannot be used or, in SDK 1, the name is taken.
    pub async fn create_mcp_config(&self, params: &McpConfigCreateParams) -> Result<McpConfig, Error> {
        Ok(self.mcp_config(self.mcp_configs().create(params).send().await?.id))
    }
}

impl McpConfig {
    /// What it is at present; 404 once deleted.
    ///
    /// SDK 1 to 3.
    #[doc(alias = "get_info")]
    pub fn info(&self) -> Call<McpConfigView> {
        self.client.mcp_configs().retrieve(&self.id)
    }

    /// Changes the fields that are set.
    ///
    /// SDK 1 to 3.
    pub fn update(&self, params: &McpConfigUpdateParams) -> Call<McpConfigView> {
        self.client.mcp_configs().update(&self.id, params)
    }

    /// Deletes it; 400 while devboxes use it.
    ///
    /// SDK 1 to 3.
    pub fn delete(&self) -> Call<McpConfigView> {
        self.client.mcp_configs().delete(&self.id)
    }

    /// This server with a secret, by its id or name, as the `mcp` of a new devbox wants it.
    pub fn with_secret(&self, secret: impl Into<String>) -> DevboxMcp {
        DevboxMcp { mcp_config: self.id.to_string(), secret: secret.into() }
    }
}
