//! Stored objects.

use std::time::Duration;

use runloop_types::{
    ObjectContentType, ObjectCreateParams, ObjectDownloadUrlView, ObjectState, ObjectView, PageParams,
};
use serde::Serialize;

use crate::call::Call;
use crate::page::ListCall;
use crate::request::Request;
use crate::resources::resource;

resource! {
    /// Endpoints of stored objects, and uploads; from [`Client::objects`](crate::Client::objects).
    Objects
}

/// Filters of [`Objects::list`] and [`Objects::list_public`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ObjectListParams {
    /// Only objects with this text in their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only objects with this text in their id or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Only objects of this content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<ObjectContentType>,
    /// Only objects in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ObjectState>,
    /// Size and place of the page.
    #[serde(flatten)]
    pub page: PageParams,
}

impl Objects {
    /// Creates an object without bytes: PUT them to its `upload_url`, then [`Objects::complete`] it. The `upload_*`
    /// methods do all three.
    ///
    /// SDK 1 to 3.
    pub fn create(&self, params: &ObjectCreateParams) -> Call<ObjectView> {
        self.client.call(Request::post("/v1/objects", &[]).and_then(|request| request.json(params)))
    }

    /// What an object is at present; also of a deleted one.
    ///
    /// SDK 1 to 3.
    pub fn retrieve(&self, id: impl AsRef<str>) -> Call<ObjectView> {
        self.client.call(Request::get("/v1/objects/{}", &[id.as_ref()]))
    }

    /// Lists objects, newest first.
    ///
    /// SDK 1 to 3.
    pub fn list(&self, params: &ObjectListParams) -> ListCall<ObjectView> {
        ListCall::new(self.client.clone(), "/v1/objects", params)
    }

    /// Lists the objects that every account may read.
    ///
    /// SDK 1 to 3.
    pub fn list_public(&self, params: &ObjectListParams) -> ListCall<ObjectView> {
        ListCall::new(self.client.clone(), "/v1/objects/list_public", params)
    }

    /// Ends the upload; the object never changes again. 409 if it was ended before.
    ///
    /// SDK 1 to 3.
    pub fn complete(&self, id: impl AsRef<str>) -> Call<ObjectView> {
        self.client.call(Request::post("/v1/objects/{}/complete", &[id.as_ref()]))
    }

    /// Deletes an object.
    ///
    /// SDK 1 to 3.
    pub fn delete(&self, id: impl AsRef<str>) -> Call<ObjectView> {
        self.client.call(Request::post("/v1/objects/{}/delete", &[id.as_ref()]))
    }

    /// A URL that gives the bytes without a key, valid for `duration` (an hour unless set). Treat it as a credential.
    ///
    /// SDK 1 to 3.
    pub fn download_url(
        &self,
        id: impl AsRef<str>,
        duration: Option<Duration>,
    ) -> Call<ObjectDownloadUrlView> {
        let request = Request::get("/v1/objects/{}/download", &[id.as_ref()]);
        self.client.call(request.map(|request| match duration {
            Some(duration) => request.query("duration_seconds", duration.as_secs()),
            None => request,
        }))
    }
}
