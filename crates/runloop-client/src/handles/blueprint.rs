//! A handle on one blueprint.

use runloop_types::{BlueprintBuildLogsListView, BlueprintCreateParams, BlueprintView, DevboxCreateParams};

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::handles::{Devbox, handle};
use crate::resources::refuse;
use crate::wait::{PollingConfig, WaitOptions};

handle! {
    /// A blueprint: an image that was built once, from which devboxes start.
    ///
    /// ```no_run
    /// # use runloop_client::{IgnoreRules, ObjectUpload, PollingConfig, WaitOptions};
    /// # async fn example(client: runloop_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use runloop_client::types::{BlueprintCreateParams, DevboxCreateParams};
    /// use std::time::Duration;
    ///
    /// let archive = runloop_client::build_docker_context_tar("project", &IgnoreRules::default()).await?;
    /// let context = client.upload_object_from_archive(archive, "project.tar.gz", &ObjectUpload::default()).await?;
    /// let params = BlueprintCreateParams {
    ///     name: "project".into(),
    ///     dockerfile: Some(std::fs::read_to_string("project/Dockerfile")?),
    ///     build_context: Some(context.as_build_context()),
    ///     ..Default::default()
    /// };
    /// let polling = PollingConfig::within(Duration::from_secs(1800), Duration::from_secs(2));
    /// let blueprint = client.create_blueprint(&params, polling).await?;
    /// let devbox = blueprint.create_devbox(&DevboxCreateParams::default(), WaitOptions::default()).await?;
    /// # Ok(()) }
    /// ```
    Blueprint(BlueprintId), blueprint
}

impl Client {
    /// Builds a blueprint, and polls until it is built.
    ///
    /// To keep a handle on a build that takes too long, or fails, begin it with
    /// [`Blueprints::create`](crate::Blueprints::create) and wait with [`Blueprint::await_build_complete`].
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error::WrongState`] if the build fails, [`Error::PollingTimeout`] if it takes longer than `config` allows; the last
    /// value of both has the id. [`Error::InvalidRequest`] for what the service would refuse, see
    /// [`Blueprints::create`](crate::Blueprints::create).
    pub async fn create_blueprint(
        &self,
        params: &BlueprintCreateParams,
        config: PollingConfig,
    ) -> Result<Blueprint, Error> {
        Ok(self.blueprint(self.blueprints().create_and_await_build_complete(params, config).await?.id))
    }
}

impl Blueprint {
    /// What it is at present; also of a deleted one.
    ///
    /// SDK 1 to 3.
    #[doc(alias = "get_info")]
    pub fn info(&self) -> Call<BlueprintView> {
        self.client.blueprints().retrieve(&self.id)
    }

    /// The log of its build, oldest line first: all of it, not in pages.
    ///
    /// SDK 1 to 3.
    pub fn logs(&self) -> Call<BlueprintBuildLogsListView> {
        self.client.blueprints().logs(&self.id)
    }

    /// Deletes it. 400 if snapshots depend on it, and the error's body has their ids.
    ///
    /// SDK 1 to 3.
    pub fn delete(&self) -> Call<()> {
        self.client.blueprints().delete(&self.id)
    }

    /// Polls until it is built.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// [`Error::WrongState`] if the build failed, [`Error::PollingTimeout`] if it takes too long.
    pub async fn await_build_complete(&self, config: PollingConfig) -> Result<BlueprintView, Error> {
        self.client.blueprints().await_build_complete(&self.id, config).await
    }

    /// Creates a devbox that starts from it, and waits until that runs.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// As [`Client::create_devbox`]; [`Error::InvalidRequest`] if `params` say what else it starts from: nothing is sent
    /// then.
    pub async fn create_devbox(
        &self,
        params: &DevboxCreateParams,
        options: WaitOptions,
    ) -> Result<Devbox, Error> {
        if params.blueprint_id.as_ref().is_some_and(|id| *id != self.id) {
            return Err(refuse(format!("a devbox from blueprint {} cannot be from another one", self.id)));
        }
        let params = DevboxCreateParams { blueprint_id: Some(self.id.clone()), ..params.clone() };
        self.client.create_devbox(&params, options).await
    }
}
