//! Gateway configs.

use runloop_types::{GatewayConfigCreateParams, GatewayConfigUpdateParams, GatewayConfigView, PageParams};
use serde::Serialize;

use crate::call::Call;
use crate::page::ListCall;
use crate::request::Request;
use crate::resources::resource;

resource! {
    /// Endpoints of gateway configs: endpoints that devboxes reach without holding the credential; from [`Client::gateway_configs`](crate::Client::gateway_configs).
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::{AuthMechanism, GatewayConfigCreateParams};
    ///
    /// let params = GatewayConfigCreateParams {
    ///     name: "models".into(),
    ///     endpoint: "https://models.example.com".into(),
    ///     auth_mechanism: AuthMechanism::bearer(),
    ///     ..Default::default()
    /// };
    /// let config = client.gateway_configs().create(&params).await?;
    /// println!("{}", config.id);
    /// # Ok(()) }
    /// ```
    GatewayConfigs
}

/// Filters of [`GatewayConfigs::list`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GatewayConfigListParams {
    /// Only the config with this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Only configs with this text in their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only configs with this text in their id or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Size and place of the page.
    #[serde(flatten)]
    pub page: PageParams,
}

impl GatewayConfigs {
    /// Creates a config; 400 if a value cannot be used or, in SDK 1, the name is taken.
    ///
    /// SDK 1 to 3.
    pub fn create(&self, params: &GatewayConfigCreateParams) -> Call<GatewayConfigView> {
        self.client.call(Request::post("/v1/gateway-configs", &[]).and_then(|request| request.json(params)))
    }

    /// What a config is at present; 404 once deleted.
    ///
    /// SDK 1 to 3.
    pub fn retrieve(&self, id: impl AsRef<str>) -> Call<GatewayConfigView> {
        self.client.call(Request::get("/v1/gateway-configs/{}", &[id.as_ref()]))
    }

    /// Lists configs, newest first, and the service's own.
    ///
    /// SDK 1 to 3.
    pub fn list(&self, params: &GatewayConfigListParams) -> ListCall<GatewayConfigView> {
        ListCall::new(self.client.clone(), "/v1/gateway-configs", params)
    }

    /// Changes the fields that are set.
    ///
    /// SDK 1 to 3.
    pub fn update(&self, id: impl AsRef<str>, params: &GatewayConfigUpdateParams) -> Call<GatewayConfigView> {
        self.client.call(
            Request::post("/v1/gateway-configs/{}", &[id.as_ref()]).and_then(|request| request.json(params)),
        )
    }

    /// Deletes a config; 400 while devboxes use it.
    ///
    /// SDK 1 to 3.
    pub fn delete(&self, id: impl AsRef<str>) -> Call<GatewayConfigView> {
        self.client.call(Request::post("/v1/gateway-configs/{}/delete", &[id.as_ref()]))
    }
}
