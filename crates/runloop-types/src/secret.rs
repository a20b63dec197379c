//! Secrets: values that a devbox gets and the API never shows again.

use serde::{Deserialize, Serialize};

use crate::SecretId;

/// A secret without its value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SecretView {
    /// Its id.
    pub id: SecretId,
    /// Its name.
    pub name: String,
    /// When it was created.
    pub create_time_ms: i64,
    /// When its value last changed.
    pub update_time_ms: i64,
}

/// A new secret. The value is plain here: do not log or format it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SecretCreateParams {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl std::fmt::Debug for SecretCreateParams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretCreateParams").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A new value for a secret.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SecretUpdateParams {
    /// Its value.
    pub value: String,
}

impl std::fmt::Debug for SecretUpdateParams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretUpdateParams").finish_non_exhaustive()
    }
}
