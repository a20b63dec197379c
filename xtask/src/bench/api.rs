//! What client and server add: the sandbox's operations once more, through `runloop-eval serve` and the client.

use std::path::Path;
use std::time::{Duration, Instant};

use runloop_client::types::{
    DevboxCreateParams, LaunchParameters, NetworkPolicyId, NetworkPolicyParams, SnapshotId, SnapshotParams,
};
use runloop_client::{Client, Devbox, WaitOptions};

use super::figures::Figures;
use super::memory;
use super::serve::Serve;
use crate::table;

/// Times that each operation is measured.
const ROUNDS: usize = 50;

/// Boxes that are alive at once while memory is looked at.
const ALIVE: usize = 64;

const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn run(binary: &Path, figures: &Figures) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    let serve = Serve::start(binary)?;
    let bench = Bench { client: serve.client()?, process: serve.id(), policy: NetworkPolicyId::default() };
    let outcome = runtime.block_on(bench.tables(figures));
    serve.stop()?;
    outcome
}

struct Bench {
    client: Client,
    /// Process id of the server.
    process: u32,
    policy: NetworkPolicyId,
}

/// The times of one operation, in milliseconds.
#[derive(Default)]
struct Times(Vec<f64>);

impl Times {
    async fn of<T>(
        &mut self,
        work: impl Future<Output = Result<T, runloop_client::Error>>,
    ) -> Result<T, String> {
        let start = Instant::now();
        let done = work.await.map_err(told)?;
        self.0.push(start.elapsed().as_secs_f64() * 1000.0);
        Ok(done)
    }

    fn at(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
            .get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)))
            .copied()
            .unwrap_or(f64::NAN)
    }
}

fn told(error: runloop_client::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

impl Bench {
    async fn tables(mut self, figures: &Figures) -> Result<(), String> {
        let offline = NetworkPolicyParams { name: Some("offline".into()), ..NetworkPolicyParams::default() };
        self.policy = self.client.network_policies().create(&offline).await.map_err(told)?.id;
        // The first box also prepares the base.
        self.shut_down(&self.devbox(None).await.map_err(told)?).await?;
        self.memory().await?;
        self.operations(figures).await
    }

    async fn operations(&self, figures: &Figures) -> Result<(), String> {
        let mut times: [Times; 7] = Default::default();
        let [created, ended, executed, written, read, snapshot, forked] = &mut times;
        let devbox = self.devbox(None).await.map_err(told)?;
        for _ in 0..ROUNDS {
            executed.of(devbox.exec("/bin/true")).await?;
            written.of(devbox.write_file("file", CONTENT).send()).await?;
            read.of(devbox.read_file("file").send()).await?;
        }
        self.shut_down(&devbox).await?;
        for _ in 0..ROUNDS {
            let devbox = created.of(self.devbox(None)).await?;
            devbox.exec("echo > file").await.map_err(told)?;
            // The endpoint that answers when it is complete: the handle polls.
            let take = self.client.devboxes().snapshot_disk(devbox.id(), &SnapshotParams::default());
            let taken = snapshot.of(take.send()).await?;
            ended.of(devbox.shutdown(false).send()).await?;
            let fork = forked.of(self.devbox(Some(&taken.id))).await?;
            self.shut_down(&fork).await?;
            self.client.disk_snapshots().delete(&taken.id).await.map_err(told)?;
        }
        let names = [
            ("create", "create, network: none"),
            ("shutdown", "destroy, network: none"),
            ("execute /bin/true", "exec bash -l -c /bin/true"),
            ("write_file_contents, 4 KiB", "write a file of 4 KiB"),
            ("read_file_contents, 4 KiB", "read a file of 4 KiB"),
            ("snapshot_disk, idle", "snapshot, idle"),
            ("create from a snapshot", "fork"),
        ];
        let rows: Vec<_> = names
            .iter()
            .zip(&times)
            .map(|((name, below), times)| {
                let sandbox = figures.median(below);
                let shown =
                    |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
                vec![
                    (*name).to_owned(),
                    format!("{:.2}", times.at(50)),
                    format!("{:.2}", times.at(95)),
                    shown(sandbox),
                    shown(sandbox.map(|sandbox| times.at(50) - sandbox)),
                ]
            })
            .collect();
        table::print(
            "Client and server",
            &format!(
                "The same operations through `runloop-eval serve` and the client, one at a time, {ROUNDS} times, in \
                 milliseconds. The last column is the median less the median of the sandbox's own interface above \
                 (target: at most 2)."
            ),
            &["operation", "p50", "p95", "sandbox p50", "added"],
            &rows,
        );
        Ok(())
    }

    /// What the server takes while boxes are alive.
    async fn memory(&self) -> Result<(), String> {
        let before = memory::of_tree(self.process)?;
        let mut devboxes = Vec::new();
        for _ in 0..ALIVE {
            devboxes.push(self.devbox(None).await.map_err(told)?);
        }
        let after = memory::of_tree(self.process)?;
        for devbox in &devboxes {
            self.shut_down(devbox).await?;
        }
        let row = |name: &str, memory: memory::Memory| {
            let mib = |kib: f64| format!("{:.1}", kib / 1024.0);
            vec![name.to_owned(), mib(memory.resident), mib(memory.below), memory.processes.to_string()]
        };
        let each = (after.resident + after.below - before.resident - before.below) / 1024.0 / ALIVE as f64;
        table::print(
            "Memory",
            &format!(
                "Of the server and of the processes below it, in MiB (targets: below 100 in all, at most 1 a box). A \
                 box takes {each:.2} MiB of both; what the kernel holds for it is in the sandbox's figures."
            ),
            &["when", "server, resident", "below it, PSS", "processes below it"],
            &[row("no box alive", before), row(&format!("{ALIVE} boxes alive"), after)],
        );
        Ok(())
    }

    async fn devbox(&self, snapshot: Option<&SnapshotId>) -> Result<Devbox, runloop_client::Error> {
        let launch =
            LaunchParameters { network_policy_id: Some(self.policy.clone()), ..LaunchParameters::default() };
        let params = DevboxCreateParams {
            snapshot_id: snapshot.cloned(),
            launch_parameters: Some(launch),
            ..DevboxCreateParams::default()
        };
        self.client.create_devbox(&params, WaitOptions::within(PATIENCE)).await
    }

    async fn shut_down(&self, devbox: &Devbox) -> Result<(), String> {
        devbox.shutdown(false).await.map(drop).map_err(told)
    }
}

/// 4 KiB.
const CONTENT: &str = {
    const BYTES: [u8; 4096] = [b'x'; 4096];
    match std::str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => "",
    }
};
