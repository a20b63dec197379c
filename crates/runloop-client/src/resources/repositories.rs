//! Connected repositories (legacy).

use runloop_types::{
    RepositoryConnectionView, RepositoryCreateParams, RepositoryInspectParams, RepositoryInspectionDetails,
    RepositoryInspectionListView, RepositoryRefreshParams,
};
use serde::Serialize;

use crate::call::Call;
use crate::page::ListCall;
use crate::request::Request;
use crate::resources::resource;

resource! {
    /// Endpoints of connected repositories, which only old servers have; from [`Client::repositories`](crate::Client::repositories).
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::types::RepositoryInspectParams;
    ///
    /// let params = RepositoryInspectParams::default();
    /// let inspection = client.repositories().inspect("repo_1", &params).await?;
    /// let found = client.repositories().retrieve_inspection(&inspection.id).await?;
    /// println!("{}: {:?}", found.status, found.repository_manifest.languages);
    /// # Ok(()) }
    /// ```
    Repositories
}

/// Filters of [`Repositories::list`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RepositoryListParams {
    /// Only repositories of exactly this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only repositories of this owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Items a page: default 20, at most 5000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Id of the last item seen; the page starts after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starting_after: Option<String>,
}

impl Repositories {
    /// Connects a repository.
    ///
    /// Legacy: gone before SDK 1.32.
    pub fn create(&self, params: &RepositoryCreateParams) -> Call<RepositoryConnectionView> {
        self.client.call(Request::post("/v1/repositories", &[]).and_then(|request| request.json(params)))
    }

    /// What a connected repository is at present.
    ///
    /// Legacy: gone before SDK 1.32.
    pub fn retrieve(&self, id: impl AsRef<str>) -> Call<RepositoryConnectionView> {
        self.client.call(Request::get("/v1/repositories/{}", &[id.as_ref()]))
    }

    /// Lists connected repositories.
    ///
    /// Legacy: gone before SDK 1.32.
    pub fn list(&self, params: &RepositoryListParams) -> ListCall<RepositoryConnectionView> {
        ListCall::new(self.client.clone(), "/v1/repositories", params)
    }

    /// Disconnects a repository.
    ///
    /// Legacy: gone before SDK 1.32.
    pub fn delete(&self, id: impl AsRef<str>) -> Call<()> {
        self.client
            .call(Request::<()>::post("/v1/repositories/{}/delete", &[id.as_ref()]).map(Request::empty))
    }

    /// Begins to find out what a repository needs.
    ///
    /// Legacy: gone before SDK 1.32.
    pub fn inspect(
        &self,
        id: impl AsRef<str>,
        params: &RepositoryInspectParams,
    ) -> Call<RepositoryInspectionDetails> {
        self.client.call(
            Request::post("/v1/repositories/{}/inspect", &[id.as_ref()])
                .and_then(|request| request.json(params)),
        )
    }

    /// The inspections of a repository; not paged.
    ///
    /// Legacy: gone before SDK 1.32.
    pub fn list_inspections(&self, id: impl AsRef<str>) -> Call<RepositoryInspectionListView> {
        self.client.call(Request::get("/v1/repositories/{}/inspections", &[id.as_ref()]))
    }

    /// What an inspection has found so far; its id stands alone.
    ///
    /// Legacy: gone before SDK 1.32.
    pub fn retrieve_inspection(&self, id: impl AsRef<str>) -> Call<RepositoryInspectionDetails> {
        self.client.call(Request::get("/v1/repositories/inspections/{}", &[id.as_ref()]))
    }

    /// Inspects a repository again; [`Repositories::inspect`] is the newer way.
    ///
    /// Legacy: gone before SDK 1.32.
    pub fn refresh(&self, id: impl AsRef<str>, params: &RepositoryRefreshParams) -> Call<()> {
        self.client.call(
            Request::<()>::post("/v1/repositories/{}/refresh", &[id.as_ref()])
                .and_then(|request| request.json(params))
                .map(Request::empty),
        )
    }
}
