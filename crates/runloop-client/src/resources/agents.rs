//! Agents.

use runloop_types::{AgentCreateParams, AgentDevboxCountsView, AgentView, PageParams};
use serde::Serialize;

use crate::call::Call;
use crate::page::ListCall;
use crate::request::Request;
use crate::resources::resource;

resource! {
    /// Endpoints of the agent registry: coding agents that a devbox can install; from [`Client::agents`](crate::Client::agents).
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::{AgentCreateParams, AgentPackageSource, AgentSource};
    ///
    /// let package = AgentPackageSource { package_name: "my-agent".into(), ..Default::default() };
    /// let params = AgentCreateParams {
    ///     name: "my-agent".into(),
    ///     version: Some("1.2.0".into()),
    ///     source: Some(AgentSource::npm(package)),
    /// };
    /// let agent = client.agents().create(&params).await?;
    /// println!("{} is registered", agent.id);
    /// # Ok(()) }
    /// ```
    Agents
}

/// Filters of [`Agents::list`] and [`Agents::list_public`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AgentListParams {
    /// Only agents with this text in their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only this version; `latest` stands for the newest one of each name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Only agents with this text in their id or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Only public agents, or only private ones; [`Agents::list_public`] has no use for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_public: Option<bool>,
    /// Size and place of the page.
    #[serde(flatten)]
    pub page: PageParams,
}

impl Agents {
    /// Lists agents, newest first.
    ///
    /// SDK 1 and 2.
    pub fn list(&self, params: &AgentListParams) -> ListCall<AgentView> {
        ListCall::new(self.client.clone(), "/v1/agents", params)
    }

    /// Lists the agents that every account may use.
    ///
    /// SDK 1 and 2.
    pub fn list_public(&self, params: &AgentListParams) -> ListCall<AgentView> {
        ListCall::new(self.client.clone(), "/v1/agents/list_public", params)
    }

    /// Registers an agent; 400 if the source does not say where it is.
    ///
    /// SDK 1 and 2.
    pub fn create(&self, params: &AgentCreateParams) -> Call<AgentView> {
        self.client.call(Request::post("/v1/agents", &[]).and_then(|request| request.json(params)))
    }

    /// What an agent is at present; 404 once deleted.
    ///
    /// SDK 1 and 2.
    pub fn retrieve(&self, id: impl AsRef<str>) -> Call<AgentView> {
        self.client.call(Request::get("/v1/agents/{}", &[id.as_ref()]))
    }

    /// Deletes an agent for ever.
    ///
    /// SDK 1 and 2.
    pub fn delete(&self, id: impl AsRef<str>) -> Call<()> {
        self.client.call(Request::<()>::post("/v1/agents/{}/delete", &[id.as_ref()]).map(Request::empty))
    }

    /// How many devboxes run which agent.
    ///
    /// SDK 1 and 2.
    pub fn devbox_counts(&self) -> Call<AgentDevboxCountsView> {
        self.client.call(Request::get("/v1/agents/devbox_counts", &[]))
    }
}
