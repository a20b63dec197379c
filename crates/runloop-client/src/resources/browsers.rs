//! Devboxes with a browser. Legacy.

use runloop_types::{BrowserCreateParams, BrowserView};

use crate::call::Call;
use crate::request::Request;
use crate::resources::resource;

resource! {
    /// Devboxes with a browser; from [`Devboxes::browsers`](crate::Devboxes::browsers). Legacy: the service has them no
    /// more.
    Browsers
}

impl Browsers {
    /// Asks for a devbox with a browser.
    ///
    /// Legacy: gone before SDK 1.32.
    pub fn create(&self, params: &BrowserCreateParams) -> Call<BrowserView> {
        self.client.call(Request::post("/v1/devboxes/browsers", &[]).and_then(|request| request.json(params)))
    }

    /// What a browser devbox is at present.
    ///
    /// Legacy: gone before SDK 1.32.
    pub fn retrieve(&self, id: impl AsRef<str>) -> Call<BrowserView> {
        self.client.call(Request::get("/v1/devboxes/browsers/{}", &[id.as_ref()]))
    }
}
