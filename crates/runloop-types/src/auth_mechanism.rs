//! How a gateway or an MCP hub proves to an endpoint who asks.

use serde::{Deserialize, Serialize};

/// How a credential is put into a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuthMechanism {
    /// `header`, `bearer` or `basic`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Name of the header, for `header`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl AuthMechanism {
    /// The credential is the value of the header `key`.
    pub fn header(key: impl Into<String>) -> Self {
        Self { kind: "header".to_owned(), key: Some(key.into()) }
    }

    /// The credential is a bearer token.
    pub fn bearer() -> Self {
        Self { kind: "bearer".to_owned(), key: None }
    }

    /// The credential is `user:password`.
    pub fn basic() -> Self {
        Self { kind: "basic".to_owned(), key: None }
    }
}

/// A header added to every request. Exactly one of `secret` and `value`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CustomHeader {
    /// Name of the header.
    pub name: String,
    /// Name or id of the secret that holds its value; a server answers the id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Its value. Not shown by `Debug`: it may be a credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl std::fmt::Debug for CustomHeader {
    /// Leaves out `value`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CustomHeader")
            .field("name", &self.name)
            .field("secret", &self.secret)
            .finish_non_exhaustive()
    }
}
