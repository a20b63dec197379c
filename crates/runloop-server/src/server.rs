//! Start and end of the server.

use std::fs::File;
use std::future::IntoFuture;
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use runloop_sandbox::{Base, Guarantees, OpenError, Sandbox, SandboxOptions, SnapshotId};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::Keyhole;
use crate::blueprint::BuildLogs;
use crate::clock::now_ms;
use crate::data_dir::{DataDir, DataDirError};
use crate::devbox::{Registry, end_all, restore};
use crate::idempotency::Replays;
use crate::routes::{remove_expired, router};
use crate::signing::Signer;
use crate::state::{App, Shared};
use crate::store::{Store, StoreError};

/// How long requests may go on after everything they could wait for has ended.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// How often objects are looked at whose time may be over, though nobody asks for them.
const EXPIRY_ROUND: Duration = Duration::from_secs(600);

/// Where boxes come from.
#[derive(Debug, Clone)]
pub enum SandboxSource {
    /// Opened with these options; its state is kept below the data directory, whatever they say.
    Open(SandboxOptions),
    /// One that is open already. It is closed with the server.
    Ready(Sandbox),
}

/// How a server is started.
#[derive(Debug)]
pub struct ServerOptions {
    /// Port on 127.0.0.1; 0 for any that is free. No other address is ever bound.
    pub bind_port: u16,
    /// The bearer key; `None` for a random one.
    pub api_key: Option<SecretString>,
    /// Everything that is kept; created if absent and locked while in use. Only its owner can read what is in it.
    pub data_dir: PathBuf,
    /// Whether secrets are there for the next server, too. If not, their values are never written down.
    pub keeps_secrets: bool,
    /// Where boxes come from.
    pub sandbox: SandboxSource,
    /// What every devbox stands on. Snapshots can be used over the base they were taken over only.
    pub base: Base,
    /// Host directories that every devbox may read though they would be hidden.
    pub expose: Vec<PathBuf>,
}

/// Why a server could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The data directory is in use or unusable.
    #[error("the server has nowhere to keep its data")]
    DataDir(#[from] DataDirError),
    /// The database is damaged, of a newer version, or refused.
    #[error("the server's database cannot be used")]
    Store(#[from] StoreError),
    /// There is no isolation to be had.
    #[error("no sandbox can be opened")]
    Sandbox(#[source] Box<OpenError>),
    /// The port is taken, or not allowed.
    #[error("127.0.0.1:{port} cannot be bound")]
    Bind {
        /// The port.
        port: u16,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes for a key")]
    Random(#[source] io::Error),
}

/// A server that is up.
///
/// Dropped without [`Server::shutdown`] it stops serving and its boxes end, but nobody waits for that.
#[derive(Debug)]
pub struct Server {
    app: Shared,
    api_key: SecretString,
    serving: Option<JoinHandle<()>>,
    stop_serving: CancellationToken,
    /// Held until all is over.
    _data_dir: DataDir,
}

impl Server {
    /// Starts to serve, on the tokio runtime this is called in.
    ///
    /// # Errors
    /// When the data directory, the sandbox or the port cannot be had.
    pub async fn start(options: ServerOptions) -> Result<Self, StartError> {
        let data_dir = DataDir::open(&options.data_dir)?;
        let store = Store::open(&data_dir.database(), options.keeps_secrets)?;
        store.fail_unfinished_snapshots().await?;
        store.fail_unfinished_blueprints(now_ms()).await?;
        let api_key = match options.api_key {
            Some(key) => key,
            None => SecretString::from(format!("ak_{}", URL_SAFE_NO_PAD.encode(random()?))),
        };
        let signer = Signer::new(random()?);
        let port = options.bind_port;
        let bind = |source| StartError::Bind { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let (sandbox, orphans) = match options.sandbox {
            // What else is in its state directory is the business of whoever opened it.
            SandboxSource::Ready(sandbox) => (sandbox, Vec::new()),
            SandboxSource::Open(options) => {
                let options = SandboxOptions { state_dir: data_dir.sandbox(), ..options };
                let sandbox =
                    Sandbox::open(options).await.map_err(|error| StartError::Sandbox(Box::new(error)))?;
                let known = store.layers().await?;
                let all = sandbox.snapshots().into_iter();
                let orphans = all.filter(|layer| !known.contains(layer.as_str())).collect();
                (sandbox, orphans)
            }
        };
        let app = Arc::new(App {
            store,
            sandbox,
            devboxes: Registry::default(),
            builds: BuildLogs::default(),
            replays: Arc::new(Replays::default()),
            keyhole: Keyhole::new(api_key.clone(), address.port()),
            signer,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            url: format!("http://{address}"),
            object_dir: data_dir.objects(),
            scratch_dir: data_dir.scratch(),
            base: options.base,
            expose: options.expose,
        });
        restore(&app).await?;
        app.tasks.spawn(expire(Arc::clone(&app)));
        app.tasks.spawn(collect(Arc::clone(&app), orphans));
        let stop_serving = CancellationToken::new();
        let serving = tokio::spawn(serve(listener, Arc::clone(&app), stop_serving.clone(), address));
        Ok(Self { app, api_key, serving: Some(serving), stop_serving, _data_dir: data_dir })
    }

    /// Base URL of the API: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.app.url
    }

    /// The bearer key that every request needs.
    pub fn api_key(&self) -> &SecretString {
        &self.api_key
    }

    /// What devboxes of this server guarantee.
    pub fn guarantees(&self) -> &Guarantees {
        self.app.sandbox.guarantees()
    }

    /// Ends every devbox, answers what is being waited for, and returns when nothing is left.
    pub async fn shutdown(mut self) {
        // Waits and streams end, and nothing new begins.
        self.app.stop.cancel();
        end_all(&self.app).await;
        self.stop_serving.cancel();
        if let Some(mut serving) = self.serving.take()
            && tokio::time::timeout(LAST_ANSWERS, &mut serving).await.is_err()
        {
            tracing::warn!("requests were cut off");
            serving.abort();
        }
        // What came up while the others ended.
        end_all(&self.app).await;
        self.app.sandbox.close().await;
        self.app.tasks.close();
        if tokio::time::timeout(LAST_ANSWERS, self.app.tasks.wait()).await.is_err() {
            tracing::warn!(tasks = self.app.tasks.len(), "work was left unfinished");
        }
        let app = Arc::clone(&self.app);
        if let Err(error) = tokio::task::spawn_blocking(move || app.store.close()).await {
            tracing::error!(%error, "the database was not closed");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.app.stop.cancel();
        self.stop_serving.cancel();
        // Taken by a shutdown, which has seen to the rest.
        if self.serving.take().is_none() {
            return;
        }
        // Without a runtime the program is about to end, and the boxes with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let app = Arc::clone(&self.app);
            runtime.spawn(async move {
                end_all(&app).await;
                app.sandbox.close().await;
            });
        }
    }
}

async fn serve(listener: TcpListener, app: Shared, stop: CancellationToken, address: SocketAddr) {
    let listener = listener.tap_io(|connection| {
        // Answers are small and awaited: they must not wait for more to send.
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
    });
    // Speaks HTTP/1.1 and HTTP/2 with prior knowledge on the one port.
    let served = axum::serve(listener, router(app)).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = served.into_future().await {
        tracing::error!(%error, %address, "serving ended");
    }
}

/// Removes layers that an earlier server made and that its database does not know: it was killed before it could note
/// them, or before it could delete them.
async fn collect(app: Shared, orphans: Vec<SnapshotId>) {
    for layer in orphans {
        if app.stop.is_cancelled() {
            return;
        }
        match app.sandbox.delete_snapshot(&layer).await {
            Ok(()) => tracing::info!(%layer, "removed what a killed server left behind"),
            Err(error) => tracing::warn!(%layer, %error, "a layer that nobody knows could not be removed"),
        }
    }
}

async fn expire(app: Shared) {
    loop {
        if let Err(error) = remove_expired(&app).await {
            tracing::warn!("expired objects could not be removed: {}", error.message());
        }
        tokio::select! {
            () = tokio::time::sleep(EXPIRY_ROUND) => {}
            () = app.stop.cancelled() => return,
        }
    }
}

/// 32 bytes from the operating system.
fn random() -> Result<[u8; 32], StartError> {
    let mut bytes = [0; 32];
    let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(StartError::Random)?;
    Ok(bytes)
}
