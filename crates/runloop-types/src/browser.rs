//! Devboxes with a browser. Legacy: gone before SDK 1.32.

use serde::{Deserialize, Serialize};

use crate::DevboxView;

/// A new browser devbox. Legacy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BrowserCreateParams {
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A browser devbox. Legacy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BrowserView {
    /// The devbox it runs in.
    pub devbox: DevboxView,
    /// Where the browser's debugging protocol is spoken.
    pub connection_url: String,
    /// Where it can be watched.
    pub live_view_url: String,
}
