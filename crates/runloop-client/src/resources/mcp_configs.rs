//! MCP configs.

use runloop_types::{McpConfigCreateParams, McpConfigUpdateParams, McpConfigView, PageParams};
use serde::Serialize;

use crate::call::Call;
use crate::page::ListCall;
use crate::request::Request;
use crate::resources::resource;

resource! {
    /// Endpoints of MCP configs: MCP servers that devboxes reach through the hub; from [`Client::mcp_configs`](crate::Client::mcp_configs).
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::McpConfigCreateParams;
    ///
    /// let params = McpConfigCreateParams {
    ///     name: "issues-eu".into(),
    ///     endpoint: "https://mcp.example.com".into(),
    ///     allowed_tools: vec!["read_*".into()],
    ///     ..Default::default()
    /// };
    /// let config = client.mcp_configs().create(&params).await?;
    /// println!("{}", config.id);
    /// # Ok(()) }
    /// ```
    McpConfigs
}

/// Filters of [`McpConfigs::list`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct McpConfigListParams {
    /// Only the config with this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Only configs whose name begins like this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only configs with this text in their id or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Size and place of the page.
    #[serde(flatten)]
    pub page: PageParams,
}

impl McpConfigs {
    /// Creates a config; 400 if a value cannot be used or, in SDK 1, the name is taken.
    ///
    /// SDK 1 to 3.
    pub fn create(&self, params: &McpConfigCreateParams) -> Call<McpConfigView> {
        self.client.call(Request::post("/v1/mcp-configs", &[]).and_then(|request| request.json(params)))
    }

    /// What a config is at present; 404 once deleted.
    ///
    /// SDK 1 to 3.
    pub fn retrieve(&self, id: impl AsRef<str>) -> Call<McpConfigView> {
        self.client.call(Request::get("/v1/mcp-configs/{}", &[id.as_ref()]))
    }

    /// Lists configs, newest first.
    ///
    /// SDK 1 to 3.
    pub fn list(&self, params: &McpConfigListParams) -> ListCall<McpConfigView> {
        ListCall::new(self.client.clone(), "/v1/mcp-configs", params)
    }

    /// Changes the fields that are set.
    ///
    /// SDK 1 to 3.
    pub fn update(&self, id: impl AsRef<str>, params: &McpConfigUpdateParams) -> Call<McpConfigView> {
        self.client.call(
            Request::post("/v1/mcp-configs/{}", &[id.as_ref()]).and_then(|request| request.json(params)),
        )
    }

    /// Deletes a config; 400 while devboxes use it.
    ///
    /// SDK 1 to 3.
    pub fn delete(&self, id: impl AsRef<str>) -> Call<McpConfigView> {
        self.client.call(Request::post("/v1/mcp-configs/{}/delete", &[id.as_ref()]))
    }
}
