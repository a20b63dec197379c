//! Handles on one secret: by its name, and by its id.

use runloop_types::SecretView;
use secrecy::SecretString;

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::handles::handle;

/// A secret by its name, as most of the API names secrets. Its value goes in and never comes back.
///
/// From SDK 2 on several secrets may share a name: `info` and `update` are then about the newest of them, `delete` about
/// all. [`SecretById`] is about one.
///
/// ```no_run
/// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
/// use runloop_client::SecretString;
///
/// let secret = client.create_secret("API_TOKEN", &SecretString::from("s3cr3t")).await?;
/// secret.update(&SecretString::from("n3w3r")).await?;
/// secret.delete().await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Secret {
    client: Client,
    name: String,
}

handle! {
    /// A secret by its id. Where the name would say the same, it is not fallen back to. SDK 2 and later.
    ///
    /// ```no_run
    /// # use runloop_client::SecretString;
    /// # async fn example(client: runloop_client::Client) -> Result<(), runloop_client::Error> {
    /// let view = client.secret("API_TOKEN").info().await?;
    /// client.secret_by_id(view.id).update(&SecretString::from("n3w3r")).await?;
    /// # Ok(()) }
    /// ```
    SecretById(SecretId), secret_by_id
}

impl Client {
    /// A handle on the secret of this name; sends nothing. See [`Secret`].
    #[doc(alias = "from_name")]
    pub fn secret(&self, name: impl Into<String>) -> Secret {
        Secret { client: self.clone(), name: name.into() }
    }

    /// Creates a secret.
    ///
    /// SDK 1 to 3.
    ///
    /// # Errors
    /// 400 if the name is taken or cannot be used.
    pub async fn create_secret(&self, name: &str, value: &SecretString) -> Result<Secret, Error> {
        Ok(self.secret(self.secrets().create(name, value).send().await?.name))
    }
}

impl Secret {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The client it uses.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Its id, and when it was changed; 404 if there is none of this name.
    ///
    /// SDK 1 to 3.
    #[doc(alias = "get_info")]
    pub fn info(&self) -> Call<SecretView> {
        self.client.secrets().retrieve(&self.name)
    }

    /// Changes its value; running devboxes keep the old one.
    ///
    /// SDK 1 to 3.
    pub fn update(&self, value: &SecretString) -> Call<SecretView> {
        self.client.secrets().update(&self.name, value)
    }

    /// Deletes every secret of this name.
    ///
    /// SDK 1 to 3.
    pub fn delete(&self) -> Call<SecretView> {
        self.client.secrets().delete(&self.name)
    }
}

impl SecretById {
    /// Its name, and when it was changed; 404 once deleted.
    ///
    /// SDK 2 and later.
    #[doc(alias = "get_info")]
    pub fn info(&self) -> Call<SecretView> {
        self.client.secrets().retrieve_by_id(&self.id)
    }

    /// Changes its value; running devboxes keep the old one.
    ///
    /// SDK 2 and later.
    pub fn update(&self, value: &SecretString) -> Call<SecretView> {
        self.client.secrets().update_by_id(&self.id, value)
    }

    /// Deletes this secret and no other.
    ///
    /// SDK 2 and later.
    pub fn delete(&self) -> Call<SecretView> {
        self.client.secrets().delete_by_id(&self.id)
    }
}
