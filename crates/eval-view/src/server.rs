//! Start and end of the server.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::discover::Root;
use crate::library::Library;
use crate::routes::router;

/// How long requests may go on after the end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// The port cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("127.0.0.1:{port} cannot be bound")]
pub struct StartError {
    /// The port.
    pub port: u16,
    /// What the system said.
    pub source: io::Error,
}

/// A server that is up.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Shows the runs below these directories on this port of 127.0.0.1, 0 for any that is free, on the tokio runtime this
    /// is called in.
    ///
    /// # Errors
    /// If the port cannot be had.
    pub async fn start(roots: Vec<Root>, port: u16) -> Result<Self, StartError> {
        let bind = |source| StartError { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let (stop, stopped) = oneshot::channel();
        let served =
            axum::serve(listener, router(Library::new(roots), address)).with_graceful_shutdown(async {
                // A sender that is gone ends it too.
                let _ = stopped.await;
            });
        Ok(Self { address, stop, serving: tokio::spawn(served.into_future()) })
    }

    /// `http://127.0.0.1:PORT/`
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Ends it; requests under way are answered if that takes no long time.
    pub async fn shutdown(self) {
        let Self { stop, mut serving, .. } = self;
        let _ = stop.send(());
        if tokio::time::timeout(LAST_ANSWERS, &mut serving).await.is_err() {
            tracing::debug!("requests were cut off");
            serving.abort();
        }
    }
}
