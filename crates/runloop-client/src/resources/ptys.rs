//! Terminals of a devbox.

use runloop_types::{PtyAction, PtyConnectView, PtyControlParams, PtyControlResultView};
use serde::Serialize;

use crate::call::Call;
use crate::error::Error;
use crate::request::Request;
use crate::resources::{refuse, resource};

/// Longest name of a session.
const LONGEST_NAME: usize = 256;

/// Widest and highest terminal.
const LARGEST: u16 = 1000;

resource! {
    /// Terminals of a devbox; from [`Client::pty`](crate::Client::pty).
    ///
    /// They are served by the devbox, not by the API's host: ask [`Devboxes::create_pty_tunnel`] for the way, and make a
    /// client of the tunnel's address and token. The bytes then go over a WebSocket at the answer's `connect_url`, with the
    /// token as subprotocol; that is not part of this crate.
    ///
    /// ```no_run
    /// # async fn example(client: runloop_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use runloop_client::{Client, PtyConnectParams};
    ///
    /// let way = client.devboxes().create_pty_tunnel("dbx_1").await?;
    /// let devbox = Client::builder()
    ///     .base_url(format!("https://13-{}.tunnel.runloop.ai", way.tunnel_key))
    ///     .api_key(way.auth_token)
    ///     .build()?;
    /// let session = devbox.pty().connect("main", &PtyConnectParams { cols: Some(120), rows: Some(40) }).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// [`Devboxes::create_pty_tunnel`]: crate::Devboxes::create_pty_tunnel
    Ptys
}

/// Size of a terminal, in characters: both or neither, 1 to 1000; 80 by 24 unless set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PtyConnectParams {
    /// Width.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cols: Option<u16>,
    /// Height.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u16>,
}

impl Ptys {
    /// Finds the session of this name, or makes one with an interactive shell. Names have 1 to 256 letters, digits, `-`
    /// and `_`; other names and impossible sizes are refused before anything is sent. 503 if no shell can be started.
    ///
    /// SDK 1 to 3.
    pub fn connect(&self, session: &str, params: &PtyConnectParams) -> Call<PtyConnectView> {
        let request = check_name(session)
            .and_then(|()| check_size(params.cols, params.rows))
            .and_then(|()| Request::get("/pty/{}", &[session])?.query_from(params));
        self.client.call(request)
    }

    /// Resizes a session, signals its foreground processes, or closes it. What can mean nothing is refused before anything
    /// is sent. 400 if there is nothing to signal, 404 if there is no such session.
    ///
    /// SDK 1 to 3.
    pub fn control(&self, session: &str, params: &PtyControlParams) -> Call<PtyControlResultView> {
        let request = check_name(session)
            .and_then(|()| check_control(params))
            .and_then(|()| Request::post("/pty/{}/control", &[session])?.json(params));
        self.client.call(request)
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let fits = (1..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if fits {
        return Ok(());
    }
    Err(refuse(format!(
        "the name of a terminal session has 1 to {LONGEST_NAME} letters, digits, `-` and `_`: {name:?} does not fit"
    )))
}

fn check_size(cols: Option<u16>, rows: Option<u16>) -> Result<(), Error> {
    match (cols, rows) {
        (None, None) => Ok(()),
        (Some(cols), Some(rows)) if [cols, rows].iter().all(|length| (1..=LARGEST).contains(length)) => {
            Ok(())
        }
        (Some(_), Some(_)) => Err(refuse(format!("a terminal has 1 to {LARGEST} columns and rows"))),
        _ => Err(refuse("a terminal's size needs both `cols` and `rows`")),
    }
}

fn check_control(params: &PtyControlParams) -> Result<(), Error> {
    check_size(params.cols, params.rows)?;
    match &params.action {
        Some(PtyAction::Resize) if params.cols.is_none() => Err(refuse("`resize` needs `cols` and `rows`")),
        Some(PtyAction::Signal) if params.signal.as_deref().is_none_or(str::is_empty) => {
            Err(refuse("`signal` needs the signal's name"))
        }
        _ => Ok(()),
    }
}
