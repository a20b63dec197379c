//! `cargo xtask simulate`: a platform without machines, to try the harness against at any size.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use runloop_simulator::{FaultProxy, Faults, Script, Simulator, SimulatorOptions, raise_open_files};

/// Serves until it is ended.
pub(crate) fn run(mut args: impl Iterator<Item = String>) -> Result<(), String> {
    let mut options = SimulatorOptions::new(Script::default());
    let mut share = 0.0;
    while let Some(name) = args.next() {
        let value = args.next().ok_or_else(|| format!("{name} needs a value"))?;
        let number = || value.parse::<f64>().map_err(|_| format!("{name} {value:?} is no number"));
        match name.as_str() {
            "--script" => options.script = Script::read(Path::new(&value)).map_err(|error| chain(&error))?,
            "--port" => options.port = value.parse().map_err(|_| format!("{value:?} is no port"))?,
            "--faults" => share = number()?,
            other => return Err(format!("there is no {other:?}; there are --script, --port and --faults")),
        }
    }
    raise_open_files().map_err(|error| format!("open files cannot be raised: {error}"))?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?
        .block_on(serve(options, share))
}

async fn serve(options: SimulatorOptions, share: f64) -> Result<(), String> {
    let seed = options.script.seed;
    let simulator = Simulator::start(options).await.map_err(|error| format!("no port: {error}"))?;
    let upstream: SocketAddr = simulator
        .url()
        .trim_start_matches("http://")
        .parse()
        .map_err(|error| format!("{}: {error}", simulator.url()))?;
    let proxy = FaultProxy::start(upstream, Faults::all(share, seed))
        .await
        .map_err(|error| format!("no port: {error}"))?;
    let url = if share > 0.0 { proxy.url() } else { simulator.url() };
    let said = format!("RUNLOOP_BASE_URL={url}\nRUNLOOP_API_KEY={}\n", simulator.api_key());
    std::io::stdout().write_all(said.as_bytes()).map_err(|error| error.to_string())?;
    eprintln!("{}/simulator/counts tells what was asked and what lives; Ctrl-C ends it", simulator.url());
    std::future::pending().await
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
