//! Interactive terminals of a devbox.

use serde::{Deserialize, Serialize};

/// A terminal session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PtyConnectView {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
    /// Its state, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Version of what is spoken over the WebSocket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol_version: Option<String>,
    /// Where the WebSocket is, relative to the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_url: Option<String>,
    /// Whether this request made the session.
    pub created: bool,
    /// Whether someone is attached to it.
    pub attached: bool,
    /// Width in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cols: Option<u16>,
    /// Height in lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u16>,
    /// Seconds that the session outlives the last one attached to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_ttl_seconds: Option<i64>,
}

open_enum! {
    /// What is done to a terminal session.
    PtyAction {
        /// Changes its size.
        Resize = "resize",
        /// Sends a signal to its foreground processes.
        Signal = "signal",
        /// Ends it.
        Close = "close",
    }
}

/// What is done to a terminal session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PtyControlParams {
    /// What is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<PtyAction>,
    /// New width in characters, 1 to 1000, with `rows`; for `resize`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cols: Option<u16>,
    /// New height in lines, 1 to 1000, with `cols`; for `resize`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u16>,
    /// Name of the signal, such as `SIGINT`; for `signal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
}

/// What became of a terminal session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PtyControlResultView {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
    /// Its state, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}
