//! How long the operations of a box take here, beside what starting a process costs without any box.
//!
//! `figures [STATE_DIR] [DRIVER] [ROUNDS]`: the driver is `ns-root`, `ns-user`, `process`, or the best that works.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement that fails has nothing to say")]

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use runloop_sandbox::{
    Base, BoxSpec, DriverChoice, DriverKind, ExecSpec, Limits, LinuxBox, Network, OpenMode, Sandbox,
    SandboxOptions, User,
};
use tokio::io::AsyncReadExt;

/// Boxes that are alive at once where that matters.
const MANY: usize = 64;
/// Boxes and commands of the rows about throughput.
const CROWD: usize = 100;

fn main() {
    runloop_sandbox::init();
    let mut arguments = std::env::args().skip(1);
    let chosen = arguments.next().map(PathBuf::from);
    let directory = tempfile::Builder::new().prefix("runloop-figures-").tempdir().unwrap();
    let state_dir = chosen.unwrap_or_else(|| directory.path().join("state"));
    let driver = match arguments.next().as_deref() {
        None | Some("auto") => DriverChoice::Auto,
        Some("ns-root") => DriverChoice::Only(DriverKind::NamespacesRoot),
        Some("ns-user") => DriverChoice::Only(DriverKind::NamespacesUser),
        Some("process") => DriverChoice::Only(DriverKind::Process),
        Some(other) => panic!("there is no driver {other}"),
    };
    let rounds: usize = arguments.next().map_or(60, |text| text.parse().unwrap());
    let options = SandboxOptions { state_dir, driver, allow_weak: true, helper: None };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(options, rounds));
}

/// The times of one operation.
struct Times(Vec<Duration>);

impl Times {
    fn at(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
        sorted[index].as_secs_f64() * 1e3
    }
}

struct Table {
    floor: f64,
}

impl Table {
    fn times(&self, what: &str, times: &Times) {
        let (p50, p95) = (times.at(50), times.at(95));
        println!("{what:<44} {p50:>9.2} {p95:>9.2} {:>8.1}", p50 / self.floor);
    }

    fn value(&self, what: &str, value: f64, unit: &str) {
        println!("{what:<44} {value:>9.2} {unit}");
    }
}

fn spec(network: Network) -> BoxSpec {
    BoxSpec {
        base: Base::Host,
        snapshot: None,
        network,
        hostname: "devbox".into(),
        user: User::default(),
        env: Vec::new(),
        limits: Limits::default(),
        expose: Vec::new(),
    }
}

/// `/bin/true` to its exit and the end of its output.
async fn exec_true(linux_box: &LinuxBox) {
    run(linux_box, ExecSpec { argv: vec!["/bin/true".into()], ..ExecSpec::default() }).await;
}

/// A command to its exit and the end of its output.
async fn run(linux_box: &LinuxBox, spec: ExecSpec) {
    let mut process = linux_box.exec(spec).await.unwrap();
    let (mut out, mut err) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
    let (mut one, mut two) = (Vec::new(), Vec::new());
    let (first, second) = tokio::join!(out.read_to_end(&mut one), err.read_to_end(&mut two));
    first.unwrap();
    second.unwrap();
    process.wait().await.unwrap();
}

/// The same without a box.
fn host_true() {
    let output = Command::new("/bin/true").stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success());
}

async fn timed<F: Future>(times: &mut Times, work: F) -> F::Output {
    let start = Instant::now();
    let result = work.await;
    times.0.push(start.elapsed());
    result
}

async fn measure(options: SandboxOptions, rounds: usize) {
    let start = Instant::now();
    let sandbox = Sandbox::open(options).await.unwrap();
    let opened = start.elapsed();
    println!("driver {:?}, {rounds} rounds; milliseconds", sandbox.guarantees().driver);
    println!("{:<44} {:>9} {:>9} {:>8}", "operation", "p50", "p95", "x floor");

    let mut floor = Times(Vec::new());
    for _ in 0..rounds * 3 {
        timed(&mut floor, async { host_true() }).await;
    }
    let table = Table { floor: floor.at(50) };
    table.times("host: fork, exec and wait for /bin/true", &floor);
    table.times("open the sandbox (once per run)", &Times(vec![opened]));
    // The first box of a base also prepares the base.
    sandbox.create(spec(Network::None)).await.unwrap().destroy().await;

    memory(&sandbox, &table).await;
    for (what, network) in [("network: none", Network::None), ("network: host's", Network::All)] {
        let (mut created, mut destroyed) = (Times(Vec::new()), Times(Vec::new()));
        for _ in 0..rounds {
            let linux_box = timed(&mut created, sandbox.create(spec(network))).await.unwrap();
            timed(&mut destroyed, linux_box.destroy()).await;
        }
        table.times(&format!("create, {what}"), &created);
        table.times(&format!("destroy, {what}"), &destroyed);
    }

    let linux_box = sandbox.create(spec(Network::None)).await.unwrap();
    let (mut executed, mut host) = (Times(Vec::new()), Times(Vec::new()));
    for _ in 0..rounds * 5 {
        timed(&mut executed, exec_true(&linux_box)).await;
        timed(&mut host, async { host_true() }).await;
    }
    table.times("exec /bin/true to exit and end of output", &executed);
    table.value("   above the floor measured in between", executed.at(50) - host.at(50), "ms");
    login_and_files(&linux_box, &table, rounds).await;

    let (mut killed, mut stacked, mut restarted, mut forked) =
        (Times(Vec::new()), Times(Vec::new()), Times(Vec::new()), Times(Vec::new()));
    let mut snapshots = Vec::new();
    for round in 0..rounds {
        let linux_box = sandbox.create(spec(Network::None)).await.unwrap();
        let text = format!("echo {round} > file");
        let write =
            ExecSpec { argv: vec!["/bin/sh".into(), "-c".into(), text.into()], ..ExecSpec::default() };
        linux_box.exec(write).await.unwrap().wait().await.unwrap();
        let id = timed(&mut stacked, linux_box.snapshot()).await.unwrap();
        timed(&mut restarted, exec_true(&linux_box)).await;
        timed(&mut killed, linux_box.kill_all()).await.unwrap();
        linux_box.destroy().await;
        let from = BoxSpec { snapshot: Some(id.clone()), ..spec(Network::None) };
        let fork = timed(&mut forked, sandbox.create(from)).await.unwrap();
        fork.destroy().await;
        snapshots.push(id);
    }
    for id in snapshots {
        sandbox.delete_snapshot(&id).await.unwrap();
    }
    table.times("snapshot, idle", &stacked);
    table.times("exec /bin/true after it (with the restart)", &restarted);
    table.times("fork", &forked);
    table.times("kill everything", &killed);
    linux_box.destroy().await;

    crowd(&sandbox, &table).await;
    sandbox.close().await;
}

/// What a platform above does most: login shells, and files in and out.
async fn login_and_files(linux_box: &LinuxBox, table: &Table, rounds: usize) {
    let (mut shells, mut written, mut read) = (Times(Vec::new()), Times(Vec::new()), Times(Vec::new()));
    let content = vec![b'x'; 4096];
    for _ in 0..rounds {
        let argv = ["/bin/bash", "-l", "-c", "/bin/true"].map(Into::into).to_vec();
        timed(&mut shells, run(linux_box, ExecSpec { argv, ..ExecSpec::default() })).await;
        timed(&mut written, async {
            let mut file = linux_box.open("file".as_ref(), OpenMode::Write { mode: 0o644 }).await.unwrap();
            file.write_all(&content).unwrap();
        })
        .await;
        timed(&mut read, async {
            let mut file = linux_box.open("file".as_ref(), OpenMode::Read).await.unwrap();
            file.read_to_end(&mut Vec::new()).unwrap();
        })
        .await;
    }
    table.times("exec bash -l -c /bin/true", &shells);
    table.times("write a file of 4 KiB", &written);
    table.times("read a file of 4 KiB", &read);
}

async fn crowd(sandbox: &Sandbox, table: &Table) {
    let start = Instant::now();
    let tasks: Vec<_> = (0..CROWD)
        .map(|_| {
            let sandbox = sandbox.clone();
            tokio::spawn(async move {
                let linux_box = sandbox.create(spec(Network::None)).await.unwrap();
                exec_true(&linux_box).await;
                linux_box
            })
        })
        .collect();
    let mut boxes = Vec::new();
    for task in tasks {
        boxes.push(task.await.unwrap());
    }
    table.value("100 creates with one exec each, all at once", start.elapsed().as_secs_f64() * 1e3, "ms");

    let start = Instant::now();
    let each = 10;
    let tasks: Vec<_> = boxes
        .iter()
        .map(|linux_box| {
            let linux_box = linux_box.clone();
            tokio::spawn(async move {
                for _ in 0..each {
                    exec_true(&linux_box).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let per_second = (CROWD * each) as f64 / start.elapsed().as_secs_f64();
    table.value("exec in 100 boxes in parallel", per_second, "per second");
    let start = Instant::now();
    let per_second = {
        let workers: Vec<_> =
            (0..8).map(|_| tokio::task::spawn_blocking(|| (0..125).for_each(|_| host_true()))).collect();
        for worker in workers {
            worker.await.unwrap();
        }
        1000.0 / start.elapsed().as_secs_f64()
    };
    table.value("   the same on the host", per_second, "per second");

    let start = Instant::now();
    let tasks: Vec<_> =
        boxes.into_iter().map(|linux_box| tokio::spawn(async move { linux_box.destroy().await })).collect();
    for task in tasks {
        task.await.unwrap();
    }
    table.value("destroy 100", start.elapsed().as_secs_f64() * 1e3, "ms");
}

/// What boxes that do nothing take. Before anything is destroyed: the kernel frees late.
async fn memory(sandbox: &Sandbox, table: &Table) {
    let before = kernel_memory();
    let mut boxes = Vec::new();
    for _ in 0..MANY {
        boxes.push(sandbox.create(spec(Network::None)).await.unwrap());
    }
    let kernel = (kernel_memory() - before) / MANY as f64;
    let own = brokers_memory() / MANY as f64;
    table.value("memory per box at 64: kernel", kernel / 1024.0, "MiB");
    table.value("memory per box at 64: first process (PSS)", own / 1024.0, "MiB");
    for linux_box in boxes {
        linux_box.destroy().await;
    }
}

/// KiB that the kernel itself holds.
fn kernel_memory() -> f64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap();
    ["Slab:", "KernelStack:", "PageTables:", "Percpu:"]
        .iter()
        .filter_map(|name| text.lines().find_map(|line| line.strip_prefix(name)))
        .filter_map(|rest| rest.trim().split(' ').next()?.parse::<f64>().ok())
        .sum()
}

/// KiB of all first processes of boxes, each shared page divided among its users.
fn brokers_memory() -> f64 {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm == "runloop-box\n")
    })
    .filter_map(|pid| std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok())
    .filter_map(|text| {
        text.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().split(' ').next()?.parse::<f64>().ok())
    })
    .sum()
}
