//! Devboxes with a desktop. Legacy.

use runloop_types::{
    ComputerCreateParams, ComputerInteractionResponse, ComputerKeyboardInteractionParams,
    ComputerMouseInteractionParams, ComputerScreenInteractionParams, ComputerView,
};

use crate::call::Call;
use crate::request::Request;
use crate::resources::resource;

resource! {
    /// Devboxes with a desktop; from [`Devboxes::computers`](crate::Devboxes::computers). Legacy: the service has them no
    /// more.
    Computers
}

impl Computers {
    /// Asks for a devbox with a desktop.
    ///
    /// Legacy: gone before SDK 1.32.
    pub fn create(&self, params: &ComputerCreateParams) -> Call<ComputerView> {
        self.client
            .call(Request::post("/v1/devboxes/computers", &[]).and_then(|request| request.json(params)))
    }

    /// What a desktop devbox is at present.
    ///
    /// Legacy: gone before SDK 1.32.
    pub fn retrieve(&self, id: impl AsRef<str>) -> Call<ComputerView> {
        self.client.call(Request::get("/v1/devboxes/computers/{}", &[id.as_ref()]))
    }

    /// Presses keys or types a text.
    ///
    /// Legacy: gone before SDK 1.32.
    pub fn keyboard_interaction(
        &self,
        id: impl AsRef<str>,
        params: &ComputerKeyboardInteractionParams,
    ) -> Call<ComputerInteractionResponse> {
        let request = Request::post("/v1/devboxes/computers/{}/keyboard_interaction", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.json(params)))
    }

    /// Moves the pointer or clicks.
    ///
    /// Legacy: gone before SDK 1.32.
    pub fn mouse_interaction(
        &self,
        id: impl AsRef<str>,
        params: &ComputerMouseInteractionParams,
    ) -> Call<ComputerInteractionResponse> {
        let request = Request::post("/v1/devboxes/computers/{}/mouse_interaction", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.json(params)))
    }

    /// Asks for a picture of the screen, or where the pointer is.
    ///
    /// Legacy: gone before SDK 1.32.
    pub fn screen_interaction(
        &self,
        id: impl AsRef<str>,
        params: &ComputerScreenInteractionParams,
    ) -> Call<ComputerInteractionResponse> {
        let request = Request::post("/v1/devboxes/computers/{}/screen_interaction", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.json(params)))
    }
}
