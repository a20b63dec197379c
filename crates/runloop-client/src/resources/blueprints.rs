//! Blueprints.

use runloop_types::{
    BlueprintBuildLogsListView, BlueprintCreateFromInspectionParams, BlueprintCreateParams, BlueprintId,
    BlueprintPreviewView, BlueprintStatus, BlueprintView, Metadata, PageParams,
};
use serde::Serialize;

use crate::call::Call;
use crate::error::{Error, LastValue, WrongState};
use crate::page::ListCall;
use crate::request::Request;
use crate::resources::{refuse, resource};
use crate::wait::{Polled, PollingConfig, poll};

/// Longest content of one file mount, in bytes.
const LONGEST_FILE_MOUNT: usize = 98_250;

/// Longest content of all file mounts together, in bytes.
const LONGEST_FILE_MOUNTS: usize = 7_860_000;

resource! {
    /// Endpoints of blueprints; from [`Client::blueprints`](crate::Client::blueprints).
    Blueprints
}

/// Filters of [`Blueprints::list`] and [`Blueprints::list_public`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BlueprintListParams {
    /// Only blueprints of exactly this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only blueprints in this state of their build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<BlueprintStatus>,
    /// Size and place of the page.
    #[serde(flatten)]
    pub page: PageParams,
}

impl Blueprints {
    /// Begins a build. Refused before anything is sent: file mounts that the service would refuse for their size (98,250
    /// bytes each, 7,860,000 together), and two bases.
    ///
    /// SDK 1 to 3.
    pub fn create(&self, params: &BlueprintCreateParams) -> Call<BlueprintView> {
        self.client.call(check(params).and_then(|()| Request::post("/v1/blueprints", &[])?.json(params)))
    }

    /// Begins a build from the inspection of a repository. File mounts are checked as by [`Blueprints::create`].
    ///
    /// Legacy: gone before SDK 1.32.
    pub fn create_from_inspection(
        &self,
        params: &BlueprintCreateFromInspectionParams,
    ) -> Call<BlueprintView> {
        let request = check_file_mounts(params.file_mounts.as_ref())
            .and_then(|()| Request::post("/v1/blueprints/create_from_inspection", &[])?.json(params));
        self.client.call(request)
    }

    /// Shows the whole Dockerfile that a build would have, without a build. Deprecated by the API. The same is refused as
    /// by [`Blueprints::create`].
    ///
    /// SDK 1 to 3.
    pub fn preview(&self, params: &BlueprintCreateParams) -> Call<BlueprintPreviewView> {
        self.client
            .call(check(params).and_then(|()| Request::post("/v1/blueprints/preview", &[])?.json(params)))
    }

    /// What a blueprint is at present; also of a deleted one.
    ///
    /// SDK 1 to 3.
    pub fn retrieve(&self, id: impl AsRef<str>) -> Call<BlueprintView> {
        self.client.call(Request::get("/v1/blueprints/{}", &[id.as_ref()]))
    }

    /// Lists the account's blueprints, newest first.
    ///
    /// SDK 1 to 3.
    pub fn list(&self, params: &BlueprintListParams) -> ListCall<BlueprintView> {
        ListCall::new(self.client.clone(), "/v1/blueprints", params)
    }

    /// Lists blueprints that everyone may use.
    ///
    /// SDK 1 to 3.
    pub fn list_public(&self, params: &BlueprintListParams) -> ListCall<BlueprintView> {
        ListCall::new(self.client.clone(), "/v1/blueprints/list_public", params)
    }

    /// The log of a build, oldest line first: all of it, not in pages.
    ///
    /// SDK 1 to 3.
    pub fn logs(&self, id: impl AsRef<str>) -> Call<BlueprintBuildLogsListView> {
        self.client.call(Request::get("/v1/blueprints/{}/logs", &[id.as_ref()]))
    }

    /// Deletes a blueprint, which stays readable as deleted. 400 if snapshots depend on it, and the error's body has their
    /// ids; 404 if there is none of this id.
    ///
    /// SDK 1 to 3.
    pub fn delete(&self, id: impl AsRef<str>) -> Call<()> {
        self.client.call(Request::<()>::post("/v1/blueprints/{}/delete", &[id.as_ref()]).map(Request::empty))
    }

    /// Polls until a build is complete.
    ///
    /// # Errors
    /// [`Error::WrongState`] if it failed, [`Error::PollingTimeout`] if it takes too long.
    pub async fn await_build_complete(
        &self,
        id: &BlueprintId,
        config: PollingConfig,
    ) -> Result<BlueprintView, Error> {
        let what = || format!("blueprint {id} to be built");
        poll(config, what, || async {
            let view = self.retrieve(id).send().await?;
            match view.status {
                BlueprintStatus::BuildComplete => Ok(Polled::Done(view)),
                BlueprintStatus::Queued | BlueprintStatus::Provisioning | BlueprintStatus::Building => {
                    Ok(Polled::Pending(LastValue::Blueprint(Box::new(view))))
                }
                _ => Err(Error::WrongState(Box::new(WrongState {
                    what: what(),
                    reason: view.failure_reason.as_ref().map(ToString::to_string),
                    last_value: LastValue::Blueprint(Box::new(view)),
                }))),
            }
        })
        .await
    }

    /// Begins a build and polls until it is complete.
    ///
    /// # Errors
    /// As [`Blueprints::await_build_complete`].
    pub async fn create_and_await_build_complete(
        &self,
        params: &BlueprintCreateParams,
        config: PollingConfig,
    ) -> Result<BlueprintView, Error> {
        let view = self.create(params).send().await?;
        self.await_build_complete(&view.id, config).await
    }
}

fn check(params: &BlueprintCreateParams) -> Result<(), Error> {
    if params.base_blueprint_id.is_some() && params.base_blueprint_name.is_some() {
        return Err(refuse("a blueprint has one of `base_blueprint_id` and `base_blueprint_name`"));
    }
    check_file_mounts(params.file_mounts.as_ref())
}

fn check_file_mounts(mounts: Option<&Metadata>) -> Result<(), Error> {
    let Some(mounts) = mounts else { return Ok(()) };
    let too_large = |what: String, limit| {
        refuse(format!(
            "{what} are more than the {limit} a blueprint may hold; use an object mount or a build context"
        ))
    };
    for (path, content) in mounts {
        if content.len() > LONGEST_FILE_MOUNT {
            return Err(too_large(
                format!("the {} bytes of file mount {path:?}", content.len()),
                LONGEST_FILE_MOUNT,
            ));
        }
    }
    let total: usize = mounts.values().map(String::len).sum();
    if total > LONGEST_FILE_MOUNTS {
        return Err(too_large(format!("the {total} bytes of all file mounts"), LONGEST_FILE_MOUNTS));
    }
    Ok(())
}
