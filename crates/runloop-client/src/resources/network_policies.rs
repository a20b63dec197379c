//! Network policies.

use runloop_types::{NetworkPolicyParams, NetworkPolicyView, PageParams};
use serde::Serialize;

use crate::call::Call;
use crate::page::ListCall;
use crate::request::Request;
use crate::resources::resource;

resource! {
    /// Endpoints of network policies; from [`Client::network_policies`](crate::Client::network_policies).
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::NetworkPolicyParams;
    ///
    /// let params = NetworkPolicyParams {
    ///     name: Some("packages-only".into()),
    ///     allowed_hostnames: Some(vec!["*.example.com".into()]),
    ///     ..Default::default()
    /// };
    /// let policy = client.network_policies().create(&params).await?;
    /// println!("{} allows {:?}", policy.id, policy.egress.allowed_hostnames);
    /// # Ok(()) }
    /// ```
    NetworkPolicies
}

/// Filters of [`NetworkPolicies::list`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NetworkPolicyListParams {
    /// Only the policy with this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Only policies with this text in their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only policies with this text in their id or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Size and place of the page.
    #[serde(flatten)]
    pub page: PageParams,
}

impl NetworkPolicies {
    /// Creates a policy; what it does not allow is denied. 400 if a value cannot be used or, in SDK 1, the name is taken.
    ///
    /// SDK 1 to 3.
    pub fn create(&self, params: &NetworkPolicyParams) -> Call<NetworkPolicyView> {
        self.client.call(Request::post("/v1/network-policies", &[]).and_then(|request| request.json(params)))
    }

    /// What a policy is at present; 404 once deleted.
    ///
    /// SDK 1 to 3.
    pub fn retrieve(&self, id: impl AsRef<str>) -> Call<NetworkPolicyView> {
        self.client.call(Request::get("/v1/network-policies/{}", &[id.as_ref()]))
    }

    /// Lists policies, newest first.
    ///
    /// SDK 1 to 3.
    pub fn list(&self, params: &NetworkPolicyListParams) -> ListCall<NetworkPolicyView> {
        ListCall::new(self.client.clone(), "/v1/network-policies", params)
    }

    /// Changes the fields that are set.
    ///
    /// SDK 1 to 3.
    pub fn update(&self, id: impl AsRef<str>, params: &NetworkPolicyParams) -> Call<NetworkPolicyView> {
        let request = Request::post("/v1/network-policies/{}", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.json(params)))
    }

    /// Deletes a policy; 400 while devboxes use it.
    ///
    /// SDK 1 to 3.
    pub fn delete(&self, id: impl AsRef<str>) -> Call<NetworkPolicyView> {
        self.client.call(Request::post("/v1/network-policies/{}/delete", &[id.as_ref()]))
    }
}
