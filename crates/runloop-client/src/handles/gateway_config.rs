//! A handle on one gateway config.

use runloop_types::{DevboxGateway, GatewayConfigCreateParams, GatewayConfigUpdateParams, GatewayConfigView};

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::handles::handle;

handle! {
    /// A gateway config: an endpoint that devboxes reach without holding the credential.
    ///
    /// ```no_run
    /// # use runloop_client::WaitOptions;
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::{AuthMechanism, DevboxCreateParams, GatewayConfigCreateParams};
    ///
    /// let params = GatewayConfigCreateParams {
    ///     name: "models".into(),
    ///     endpoint: "https://models.example.com".into(),
    ///     auth_mechanism: AuthMechanism::bearer(),
    ///     ..Default::default()
    /// };
    /// let gateway = client.create_gateway_config(&params).await?;
    /// // In the devbox, MODELS_URL is where to ask, and MODELS the token to ask with.
    /// let gateways = Some([("MODELS".to_owned(), gateway.with_secret("MODELS_KEY"))].into());
    /// let params = DevboxCreateParams { gateways, ..Default::default() };
    /// let devbox = client.create_devbox(&params, WaitOptions::default()).await?;
    /// # Ok(()) }
    /// ```
    GatewayConfig(GatewayConfigId), gateway_config
}

impl Client {
    /// Creates a gateway config.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// 400 if a value cannot be used or, in SDK 1, the name is taken.
    pub async fn create_gateway_config(
        &self,
        params: &GatewayConfigCreateParams,
    ) -> Result<GatewayConfig, Error> {
        Ok(self.gateway_config(self.gateway_configs().create(params).send().await?.id))
    }
}

impl GatewayConfig {
    /// What it is at present; 404 once deleted.
    ///
    /// SDK 1 to 3.
    #[doc(alias = "get_info")]
    pub fn info(&self) -> Call<GatewayConfigView> {
        self.client.gateway_configs().retrieve(&self.id)
    }

    /// Changes the fields that are set.
    ///
    /// SDK 1 to 3.
    pub fn update(&self, params: &GatewayConfigUpdateParams) -> Call<GatewayConfigView> {
        self.client.gateway_configs().update(&self.id, params)
    }

    /// Deletes it; 400 while devboxes use it.
    ///
    /// SDK 1 to 3.
    pub fn delete(&self) -> Call<GatewayConfigView> {
        self.client.gateway_configs().delete(&self.id)
    }

    /// This gateway with a secret, by its id or name, as the `gateways` of a new devbox want it.
    pub fn with_secret(&self, secret: impl Into<String>) -> DevboxGateway {
        DevboxGateway { gateway: self.id.to_string(), secret: secret.into() }
    }
}
