//! API keys.

use runloop_types::{
    ApiKeyCreateParams, ApiKeyCreatedView, RestrictedKeyCreateParams, RestrictedKeyCreatedView,
};

use crate::call::Call;
use crate::request::Request;
use crate::resources::resource;

resource! {
    /// Endpoints of full API keys; from [`Client::apikeys`](crate::Client::apikeys).
    ApiKeys
}

resource! {
    /// Endpoints of restricted keys; from [`Client::restricted_keys`](crate::Client::restricted_keys).
    RestrictedKeys
}

impl ApiKeys {
    /// Makes a key that may do everything. Its secret is in the answer and never shown again. Needs a full key, or the
    /// right to write to the account: else 403.
    ///
    /// SDK 1 to 3.
    pub fn create(&self, params: &ApiKeyCreateParams) -> Call<ApiKeyCreatedView> {
        self.client.call(Request::post("/v1/apikeys", &[]).and_then(|request| request.json(params)))
    }
}

impl RestrictedKeys {
    /// Makes a key that may do what its scopes say. Its secret is in the answer and never shown again. Needs a full key,
    /// or the right to write to the account: else 403. 400 if a scope makes no sense.
    ///
    /// SDK 1 to 3.
    pub fn create(&self, params: &RestrictedKeyCreateParams) -> Call<RestrictedKeyCreatedView> {
        self.client.call(Request::post("/v1/restricted_keys", &[]).and_then(|request| request.json(params)))
    }
}
