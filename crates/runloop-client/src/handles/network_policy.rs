//! A handle on one network policy.

use runloop_types::{NetworkPolicyParams, NetworkPolicyView};

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::handles::handle;

handle! {
    /// A network policy: what devboxes and builds may reach.
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::NetworkPolicyParams;
    ///
    /// let hosts = Some(vec!["*.example.com".into()]);
    /// let params = NetworkPolicyParams { name: Some("packages".into()), allowed_hostnames: hosts, ..Default::default() };
    /// let policy = client.create_network_policy(&params).await?;
    /// println!("{} allows {:?}", policy.id(), policy.info().await?.egress.allowed_hostnames);
    /// policy.delete().await?;
    /// # Ok(()) }
    /// ```
    NetworkPolicy(NetworkPolicyId), network_policy
}

impl Client {
    /// Creates a network policy; what it does not allow is denied.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// 400 if a value cannot be used or, in SDK 1, the name is taken.
    pub async fn create_network_policy(&self, params: &NetworkPolicyParams) -> Result<NetworkPolicy, Error> {
        Ok(self.network_policy(self.network_policies().create(params).send().await?.id))
    }
}

impl NetworkPolicy {
    /// What it is at present; 404 once deleted.
    ///
    /// SDK 1 to 3.
    #[doc(alias = "get_info")]
    pub fn info(&self) -> Call<NetworkPolicyView> {
        self.client.network_policies().retrieve(&self.id)
    }

    /// Changes the fields that are set.
    ///
    /// SDK 1 to 3.
    pub fn update(&self, params: &NetworkPolicyParams) -> Call<NetworkPolicyView> {
        self.client.network_policies().update(&self.id, params)
    }

    /// Deletes it; 400 while devboxes use it.
    ///
    /// SDK 1 to 3.
    pub fn delete(&self) -> Call<NetworkPolicyView> {
        self.client.network_policies().delete(&self.id)
    }
}
