//! A proxy that makes the faults of a network.

mod faults;
mod relay;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

pub use faults::{Faults, Made};

use faults::Fault;

/// Stands between a client and a server that speaks HTTP/1.1, until it is dropped.
pub struct FaultProxy {
    state: Arc<State>,
    serving: JoinHandle<()>,
}

/// What all connections share.
struct State {
    url: String,
    upstream: SocketAddr,
    faults: Faults,
    chance: Mutex<Chance>,
}

struct Chance {
    random: fastrand::Rng,
    made: Made,
}

impl FaultProxy {
    /// Passes what comes to a free port of the loopback on to `upstream`, with faults. It need not listen yet: a
    /// connection that finds nobody there breaks off.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(upstream: SocketAddr, faults: Faults) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let chance = Chance { random: fastrand::Rng::with_seed(faults.seed), made: Made::default() };
        let state = Arc::new(State { url, upstream, faults, chance: Mutex::new(chance) });
        let serving = tokio::spawn(serve(listener, Arc::clone(&state)));
        Ok(Self { state, serving })
    }

    /// Where clients find it.
    pub fn url(&self) -> &str {
        &self.state.url
    }

    /// What it did so far.
    pub fn made(&self) -> Made {
        self.state.chance().made.clone()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl State {
    fn chance(&self) -> std::sync::MutexGuard<'_, Chance> {
        self.chance.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What happens to the next request, and how long before.
    fn next(&self) -> (std::time::Duration, Option<Fault>) {
        let mut chance = self.chance();
        let Chance { random, made } = &mut *chance;
        let delay = self.faults.delay.draw(random);
        let fault = self.faults.draw(random);
        made.note(fault);
        (delay, fault)
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    // Dropped with this task, and all connections with it.
    let mut connections = JoinSet::new();
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            connections.spawn(relay::connection(stream, Arc::clone(&state)));
        }
        while connections.try_join_next().is_some() {}
    }
}
