//! Secrets.

use runloop_types::{SecretCreateParams, SecretUpdateParams, SecretView};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::call::Call;
use crate::page::ListCall;
use crate::request::Request;
use crate::resources::resource;

resource! {
    /// Endpoints of secrets; from [`Client::secrets`](crate::Client::secrets). Values go in and never come back.
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// use runloop_client::SecretString;
    ///
    /// let token = SecretString::from("s3cr3t");
    /// let secret = client.secrets().create("API_TOKEN", &token).await?;
    /// println!("{} is {}", secret.name, secret.id);
    /// # Ok(()) }
    /// ```
    Secrets
}

#[derive(Serialize)]
struct ListParams {
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
}

impl Secrets {
    /// Creates a secret; 400 if the name is taken or cannot be used.
    ///
    /// SDK 1 to 3.
    pub fn create(&self, name: &str, value: &SecretString) -> Call<SecretView> {
        let params = SecretCreateParams { name: name.to_owned(), value: value.expose_secret().to_owned() };
        self.client.call(Request::post("/v1/secrets", &[]).and_then(|request| request.json(&params)))
    }

    /// Lists secrets; `limit` is the size of a page, 20 unless set.
    ///
    /// SDK 1 to 3.
    pub fn list(&self, limit: Option<u32>) -> ListCall<SecretView> {
        ListCall::new(self.client.clone(), "/v1/secrets", &ListParams { limit })
    }

    /// A secret by its name; 404 if there is none.
    ///
    /// SDK 1 to 3.
    pub fn retrieve(&self, name: &str) -> Call<SecretView> {
        self.client.call(Request::get("/v1/secrets/{}", &[name]))
    }

    /// Changes the value of a secret by its name; running devboxes keep the old one.
    ///
    /// SDK 1 to 3.
    pub fn update(&self, name: &str, value: &SecretString) -> Call<SecretView> {
        self.client.call(
            Request::post("/v1/secrets/{}", &[name]).and_then(|request| request.json(&new_value(value))),
        )
    }

    /// Deletes every secret of a name.
    ///
    /// SDK 1 to 3.
    pub fn delete(&self, name: &str) -> Call<SecretView> {
        self.client.call(Request::post("/v1/secrets/{}/delete", &[name]))
    }

    /// A secret by its id.
    ///
    /// SDK 2 and later.
    pub fn retrieve_by_id(&self, id: impl AsRef<str>) -> Call<SecretView> {
        self.client.call(Request::get("/v1/secrets/id/{}", &[id.as_ref()]))
    }

    /// Changes the value of a secret by its id.
    ///
    /// SDK 2 and later.
    pub fn update_by_id(&self, id: impl AsRef<str>, value: &SecretString) -> Call<SecretView> {
        let request = Request::post("/v1/secrets/id/{}/update", &[id.as_ref()]);
        self.client.call(request.and_then(|request| request.json(&new_value(value))))
    }

    /// Deletes a secret by its id.
    ///
    /// SDK 2 and later.
    pub fn delete_by_id(&self, id: impl AsRef<str>) -> Call<SecretView> {
        self.client.call(Request::post("/v1/secrets/id/{}/delete", &[id.as_ref()]))
    }
}

fn new_value(value: &SecretString) -> SecretUpdateParams {
    SecretUpdateParams { value: value.expose_secret().to_owned() }
}
