//! Start and end of a simulator.

use std::io;
use std::net::Ipv4Addr;

use axum::serve::ListenerExt as _;
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;

use crate::counts::Counts;
use crate::routes::router;
use crate::script::Script;
use crate::world::{Shared, World};

/// Connections that may wait to be taken, as far as the system allows: ten thousand trials begin at once.
const BACKLOG: u32 = 16_384;

/// How a simulator is started.
#[derive(Debug, Clone)]
pub struct SimulatorOptions {
    /// Port on 127.0.0.1; 0 for any that is free.
    pub port: u16,
    /// The bearer key that every request needs.
    pub api_key: String,
    /// What the world is like.
    pub script: Script,
}

impl SimulatorOptions {
    /// Any port, a key that everyone knows.
    pub fn new(script: Script) -> Self {
        Self { port: 0, api_key: "simulated".to_owned(), script }
    }
}

/// A simulator that serves, until it is dropped.
pub struct Simulator {
    world: Shared,
    serving: JoinHandle<()>,
}

impl Simulator {
    /// Serves on the tokio runtime this is called in.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn start(options: SimulatorOptions) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, options.port).into())?;
        let listener = socket.listen(BACKLOG)?;
        let url = format!("http://{}", listener.local_addr()?);
        let world = World::new(options.script, url, options.api_key);
        let listener = listener.tap_io(|connection| {
            // Answers are small and awaited; one that cannot be hurried is no less an answer.
            let _ = connection.set_nodelay(true);
        });
        let router = router(&world);
        let serving = tokio::spawn(async move {
            // Does not end by itself.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { world, serving })
    }

    /// Base URL of the API.
    pub fn url(&self) -> &str {
        &self.world.url
    }

    /// The bearer key.
    pub fn api_key(&self) -> &str {
        &self.world.key
    }

    /// What was asked and what lives.
    pub fn counts(&self) -> Counts {
        self.world.counts()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Lets this process have as many open files, and so connections, as the system allows it; answers how many that is.
///
/// # Errors
/// When the system refuses.
pub fn raise_open_files() -> io::Result<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    Ok(maximum.unwrap_or(u64::MAX))
}
