//! Tunnels: ports of a devbox, reached from outside.

use serde::{Deserialize, Serialize};

use crate::DevboxId;

open_enum! {
    /// Who may use a tunnel.
    TunnelAuthMode {
        /// Whoever knows its address; the default.
        Open = "open",
        /// Whoever sends its token.
        Authenticated = "authenticated",
    }
}

untold_by_default!(TunnelAuthMode);

/// How a tunnel shall be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TunnelParams {
    /// Who may use it: everyone unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_mode: Option<TunnelAuthMode>,
    /// Whether requests reset the idle clock: true unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_keep_alive: Option<bool>,
    /// Whether requests resume a suspended devbox: false unless set. `lifecycle.resume_triggers.http` wins over it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wake_on_http: Option<bool>,
}

/// An open tunnel: every port of the devbox under one key.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TunnelView {
    /// Part of the tunnel's host name.
    pub tunnel_key: String,
    /// Who may use it.
    pub auth_mode: TunnelAuthMode,
    /// Bearer token, for `authenticated`; a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_token: Option<String>,
    /// Whether requests reset the idle clock.
    pub http_keep_alive: bool,
    /// Whether requests resume a suspended devbox.
    pub wake_on_http: bool,
    /// When it was opened.
    pub create_time_ms: i64,
}

debug_only!(TunnelView { tunnel_key, auth_mode, http_keep_alive, wake_on_http, create_time_ms });

/// The port that a tunnel is opened or closed for. Legacy: today's tunnels are for all ports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TunnelPortParams {
    /// The port in the devbox.
    pub port: u16,
}

/// A tunnel of one port. Legacy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DevboxTunnelView {
    /// The devbox.
    pub devbox_id: DevboxId,
    /// The port in it.
    pub port: u16,
    /// Where it is reached.
    pub url: String,
}

/// The way to the terminals of a devbox, new at each request.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PtyTunnelView {
    /// Part of the tunnel's host name.
    pub tunnel_key: String,
    /// Bearer token; a secret.
    pub auth_token: String,
}

debug_only!(PtyTunnelView { tunnel_key });

/// A key for SSH into a devbox.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DevboxCreateSshKeyResponse {
    /// The key's id.
    pub id: String,
    /// The private key as PEM; a secret.
    pub ssh_private_key: String,
    /// The user to log in as.
    pub ssh_user: String,
    /// The host to log in to.
    pub url: String,
}

debug_only!(DevboxCreateSshKeyResponse { id, ssh_user, url });
