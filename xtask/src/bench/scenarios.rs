//! 1000 trivial scenarios through the real binary, against the same commands as plain processes.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::cpu::{Cost, cores, measure};
use crate::table;

const SCENARIOS: usize = 1000;
const AGENT: &str = "echo done > answer";
const SCORER: &str = "grep -q done answer";

pub(super) fn run(binary: &Path) -> Result<(), String> {
    let directory = std::env::temp_dir().join(format!("runloop-eval-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let outcome = tables(binary, &directory);
    let _ = std::fs::remove_dir_all(&directory);
    outcome
}

fn tables(binary: &Path, directory: &Path) -> Result<(), String> {
    let benchmark = directory.join("trivial.yaml");
    std::fs::write(&benchmark, definition()).map_err(|error| error.to_string())?;
    let floor = measure(|| plain_processes(directory, &["-l", "-c"]))?;
    let bare = measure(|| plain_processes(directory, &["-c"]))?;
    let mut rows = vec![
        row("plain `bash -l -c`, 2 at a time", floor, floor),
        row("plain `bash -c`, 2 at a time", bare, floor),
    ];
    for (verify, target) in [("same", "3x"), ("snapshot", "6x")] {
        for concurrency in [2, 16, 64] {
            let cost = measure(|| run_once(binary, &benchmark, directory, verify, concurrency))?;
            rows.push(row(
                &format!("verify {verify} (target {target}), concurrency {concurrency}"),
                cost,
                floor,
            ));
        }
    }
    table::print(
        &format!("{SCENARIOS} trivial scenarios"),
        "One agent command and one scorer command a scenario, through `runloop-eval run`. The floor runs the same commands \
         as `bash -l -c` processes, two at a time. CPU is that of all processes of the run; the machine's is told where \
         nothing else runs, and has the kernel's own cleaning in it. The last columns compare the wall time with CPU time \
         over all cores: that of the processes, and the machine's (target 1.20).",
        &[
            "what",
            "CPU ms/scenario",
            "x floor",
            "machine's",
            "x floor",
            "wall s",
            "x CPU / cores",
            "x machine's / cores",
        ],
        &rows,
    );
    Ok(())
}

fn row(name: &str, cost: Cost, floor: Cost) -> Vec<String> {
    let ratio = |own: Option<f64>, floor: Option<f64>| match (own, floor) {
        (Some(own), Some(floor)) => format!("{:.2}", own / floor.max(f64::EPSILON)),
        _ => "-".to_owned(),
    };
    let each = |seconds: Option<f64>| {
        seconds
            .map_or_else(|| "-".to_owned(), |seconds| format!("{:.2}", seconds * 1000.0 / SCENARIOS as f64))
    };
    vec![
        name.to_owned(),
        each(Some(cost.cpu)),
        ratio(Some(cost.cpu), Some(floor.cpu)),
        each(cost.machine),
        ratio(cost.machine, floor.machine),
        format!("{:.2}", cost.wall),
        ratio(Some(cost.wall * cores() as f64), Some(cost.cpu)),
        ratio(Some(cost.wall * cores() as f64), cost.machine),
    ]
}

/// Scenarios that differ only in their names.
fn definition() -> String {
    let mut text = format!("name: trivial\nagents: [{{ name: writer, command: '{AGENT}' }}]\nscenarios:\n");
    for n in 0..SCENARIOS {
        text += &format!(
            "  - {{ name: s{n}, problem_statement: Write it., environment: {{ network: none }}, \
             scorers: [{{ name: written, weight: 1, shell_command: '{SCORER}' }}] }}\n"
        );
    }
    text
}

fn run_once(
    binary: &Path,
    benchmark: &Path,
    directory: &Path,
    verify: &str,
    concurrency: u32,
) -> Result<(), String> {
    let output = Command::new(binary)
        .arg("run")
        .arg(benchmark)
        .args(["--quiet", "--verify", verify, "--concurrency", &concurrency.to_string(), "--output"])
        .arg(directory.join(format!("{verify}-{concurrency}")))
        .output()
        .map_err(|error| format!("{}: {error}", binary.display()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "the run with verify {verify} and concurrency {concurrency} ended with {}:\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}

/// The floor: no isolation, no API, no record. With `-l` as the API runs commands; without, what no shell can go below.
fn plain_processes(directory: &Path, flags: &[&str]) -> Result<(), String> {
    let next = AtomicUsize::new(0);
    let worker = || -> Result<(), String> {
        while next.fetch_add(1, Ordering::Relaxed) < SCENARIOS {
            let home = directory.join(format!("plain-{:?}", std::thread::current().id()));
            std::fs::create_dir_all(&home).map_err(|error| error.to_string())?;
            for line in [AGENT, SCORER] {
                let status = Command::new("/bin/bash")
                    .args(flags)
                    .arg(line)
                    .current_dir(&home)
                    .env_clear()
                    .env("HOME", &home)
                    .stdin(Stdio::null())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .output()
                    .map_err(|error| format!("bash: {error}"))?
                    .status;
                if !status.success() {
                    return Err(format!("the plain command {line:?} failed"));
                }
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| "a worker panicked".to_owned())?)
    })
}
