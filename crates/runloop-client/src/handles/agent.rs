//! A handle on one registered agent.

use runloop_types::{
    AgentCreateParams, AgentGitSource, AgentMount, AgentObjectSource, AgentPackageSource, AgentSource,
    AgentView, Mount,
};

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::handles::handle;
use crate::resources::refuse;

handle! {
    /// A coding agent of the registry, which devboxes can install. SDK 1 and 2.
    ///
    /// ```no_run
    /// # use runloop_client::WaitOptions;
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::{AgentCreateParams, AgentPackageSource, DevboxCreateParams};
    ///
    /// let params = AgentCreateParams { name: "my-agent".into(), version: Some("1.2.0".into()), source: None };
    /// let package = AgentPackageSource { package_name: "@my/agent".into(), ..Default::default() };
    /// let agent = client.create_agent_from_npm(&params, package).await?;
    ///
    /// let params = DevboxCreateParams { mounts: Some(vec![agent.as_mount(None)]), ..Default::default() };
    /// let devbox = client.create_devbox(&params, WaitOptions::default()).await?;
    /// # Ok(()) }
    /// ```
    Agent(AgentId), agent
}

impl Client {
    /// Registers an agent.
    ///
    /// SDK 1 and 2.
    ///
    /// # Errors
    /// 400 if the source does not say where it is.
    pub async fn create_agent(&self, params: &AgentCreateParams) -> Result<Agent, Error> {
        Ok(self.agent(self.agents().create(params).send().await?.id))
    }

    /// Registers an agent that is a package of npm.
    ///
    /// SDK 1 and 2.
    ///
    /// # Errors
    /// As [`Client::create_agent`]; [`Error::InvalidRequest`] if `params` have a source, too: nothing is sent then.
    pub async fn create_agent_from_npm(
        &self,
        params: &AgentCreateParams,
        package: AgentPackageSource,
    ) -> Result<Agent, Error> {
        self.create_agent_from(params, AgentSource::npm(package)).await
    }

    /// Registers an agent that is a Python package.
    ///
    /// SDK 1 and 2.
    ///
    /// # Errors
    /// As [`Client::create_agent_from_npm`].
    pub async fn create_agent_from_pip(
        &self,
        params: &AgentCreateParams,
        package: AgentPackageSource,
    ) -> Result<Agent, Error> {
        self.create_agent_from(params, AgentSource::pip(package)).await
    }

    /// Registers an agent that is a git repository.
    ///
    /// SDK 1 and 2.
    ///
    /// # Errors
    /// As [`Client::create_agent_from_npm`].
    pub async fn create_agent_from_git(
        &self,
        params: &AgentCreateParams,
        repository: AgentGitSource,
    ) -> Result<Agent, Error> {
        self.create_agent_from(params, AgentSource::git(repository)).await
    }

    /// Registers an agent that is a stored object.
    ///
    /// SDK 1 and 2.
    ///
    /// # Errors
    /// As [`Client::create_agent_from_npm`].
    pub async fn create_agent_from_object(
        &self,
        params: &AgentCreateParams,
        object: AgentObjectSource,
    ) -> Result<Agent, Error> {
        self.create_agent_from(params, AgentSource::object(object)).await
    }

    async fn create_agent_from(
        &self,
        params: &AgentCreateParams,
        source: AgentSource,
    ) -> Result<Agent, Error> {
        if params.source.is_some() {
            return Err(refuse(format!("an agent from {} has no other source", source.kind)));
        }
        self.create_agent(&AgentCreateParams { source: Some(source), ..params.clone() }).await
    }
}

impl Agent {
    /// What it is at present; 404 once deleted.
    ///
    /// SDK 1 and 2.
    #[doc(alias = "get_info")]
    pub fn info(&self) -> Call<AgentView> {
        self.client.agents().retrieve(&self.id)
    }

    /// Deletes it for ever.
    ///
    /// SDK 1 and 2.
    pub fn delete(&self) -> Call<()> {
        self.client.agents().delete(&self.id)
    }

    /// This agent as a mount of a new devbox. One that comes from git or an object needs a path.
    pub fn as_mount(&self, path: Option<&str>) -> Mount {
        Mount::AgentMount(AgentMount {
            agent_id: Some(self.id.clone()),
            agent_path: path.map(str::to_owned),
            ..AgentMount::default()
        })
    }
}
