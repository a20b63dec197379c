//! `cargo xtask bench scale`: the harness with as many trials as anyone will ever run, against the simulated platform in
//! another process.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::cpu;
use super::memory;
use super::served::signal;
use super::simulated::Simulated;
use crate::table;

/// Trials at once, and how long each agent works, so that all of them are at work together.
const CONCURRENT: [(u32, &str); 3] = [(100, "2s"), (1_000, "10s"), (10_000, "60s")];

/// Trials of the one large run, and how many of them at once.
const LARGE: (u32, u32) = (100_000, 1_000);

/// Of the large run so many have had their devboxes when it is killed.
const KILLED_AT: u64 = 90_000;

/// The scenarios of each run; the rest are repetitions.
const SCENARIOS: u32 = 1_000;

/// How often the harness is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Runs everything, or only the sizes up to this many trials at once.
pub(super) fn run(most: u32) -> Result<(), String> {
    let programs = super::build(&["runloop-eval", "xtask"])?;
    let directory = std::env::temp_dir().join(format!("runloop-eval-bench-scale-{}", std::process::id()));
    std::fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let bench = Bench { programs, directory };
    let outcome = bench.tables(most);
    let _ = std::fs::remove_dir_all(&bench.directory);
    outcome
}

struct Bench {
    /// Where the release binaries are.
    programs: PathBuf,
    directory: PathBuf,
}

/// A platform and the definition of what runs on it.
struct Stage<'a> {
    bench: &'a Bench,
    simulated: Simulated,
    trials: u32,
    concurrency: u32,
    file: PathBuf,
    output: PathBuf,
}

/// What one program of the harness took.
#[derive(Default)]
struct Taken {
    /// Seconds.
    wall: f64,
    cpu: f64,
    /// Until the first devbox was asked for.
    first: Option<f64>,
    /// MiB resident then.
    at_first: f64,
    /// Until as many devboxes lived as there are trials at once.
    all: Option<f64>,
    /// Between the signal and the exit.
    ending: Option<f64>,
    /// MiB: the most, and after a quarter and three quarters of the trials.
    peak: f64,
    quarter: f64,
    three_quarters: f64,
    /// The most of the simulator.
    other: f64,
    requests: u64,
    devboxes: usize,
    status: String,
}

/// How long a program is let run.
#[derive(Clone, Copy, PartialEq)]
enum Until {
    /// To its end.
    End,
    /// Ctrl-C as soon as this many devboxes live.
    Interrupted(usize),
    /// SIGKILL as soon as this many devboxes have been made.
    Killed(u64),
}

impl Bench {
    fn tables(&self, most: u32) -> Result<(), String> {
        let mut rows = Vec::new();
        for (concurrency, work) in CONCURRENT.into_iter().filter(|(concurrency, _)| *concurrency <= most) {
            let stage = self.stage(concurrency.max(SCENARIOS), concurrency, work)?;
            rows.push(stage.row(&stage.begin(Until::End)?));
        }
        let mut resumed = None;
        if most >= LARGE.1 {
            let stage = self.stage(LARGE.0, LARGE.1, "100ms")?;
            rows.push(stage.row(&stage.begin(Until::Killed(KILLED_AT))?));
            resumed = Some(stage.resume()?);
        }
        table::print(
            "Scale",
            &format!(
                "Trials of one agent and one scorer command, `verify: same`, against `cargo xtask simulate` on the same \
                 machine. Memory is the most that was resident, in MiB; what a verdict adds, in KiB, is its growth between a \
                 quarter and three quarters of the trials. Times in seconds from the start of the program. The last run is \
                 killed when {KILLED_AT} of its trials have had devboxes."
            ),
            &[
                "trials",
                "at once",
                "wall s",
                "CPU ms/trial",
                "requests/trial",
                "first devbox",
                "all devboxes",
                "MiB",
                "KiB/verdict",
                "simulator's MiB",
                "ended",
            ],
            &rows,
        );
        if let Some(taken) = resumed {
            table::print(
                "Resume",
                "The killed run goes on. Memory when the first new devbox is asked for, and the most, in MiB.",
                &["first devbox s", "MiB then", "wall s", "CPU s", "MiB", "devboxes left", "ended"],
                &[vec![
                    seconds(taken.first),
                    format!("{:.0}", taken.at_first),
                    format!("{:.1}", taken.wall),
                    format!("{:.1}", taken.cpu),
                    format!("{:.0}", taken.peak),
                    taken.devboxes.to_string(),
                    taken.status,
                ]],
            );
        }
        self.cancel(most)
    }

    /// How long Ctrl-C takes with everything at work.
    fn cancel(&self, most: u32) -> Result<(), String> {
        let mut rows = Vec::new();
        for (concurrency, _) in CONCURRENT.into_iter().filter(|(concurrency, _)| *concurrency <= most) {
            let stage = self.stage(concurrency.max(SCENARIOS), concurrency, "300s")?;
            let taken = stage.begin(Until::Interrupted(concurrency as usize * 9 / 10))?;
            rows.push(vec![
                concurrency.to_string(),
                seconds(taken.ending),
                taken.devboxes.to_string(),
                taken.status,
            ]);
        }
        table::print(
            "Ctrl-C",
            "Seconds from the signal to the exit, with nine tenths of the trials at work; devboxes that live after it.",
            &["trials at once", "seconds", "devboxes left", "ended"],
            &rows,
        );
        Ok(())
    }

    fn stage(&self, trials: u32, concurrency: u32, work: &str) -> Result<Stage<'_>, String> {
        let (file, output) = (self.directory.join("scale.yaml"), self.directory.join("run"));
        std::fs::write(&file, definition(SCENARIOS.min(trials), work)).map_err(|error| error.to_string())?;
        let _ = std::fs::remove_dir_all(&output);
        let simulated = Simulated::start(&self.programs.join("xtask"), SCRIPT, &self.directory)?;
        Ok(Stage { bench: self, simulated, trials, concurrency, file, output })
    }
}

impl Stage<'_> {
    fn begin(&self, until: Until) -> Result<Taken, String> {
        let repetitions = self.trials / SCENARIOS.min(self.trials);
        let mut command = self.command();
        command.arg(&self.file).args([
            "--target",
            self.simulated.url(),
            "--trials",
            &repetitions.to_string(),
        ]);
        command.args(["--concurrency", &self.concurrency.to_string(), "--output"]).arg(&self.output);
        self.watched(command, until)
    }

    fn resume(&self) -> Result<Taken, String> {
        let mut command = self.command();
        command.arg("--resume").arg(&self.output);
        self.watched(command, Until::End)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.bench.programs.join("runloop-eval"));
        command.args(["run", "--quiet"]).env("RUNLOOP_API_KEY", self.simulated.key());
        // What a killed run leaves is in no registry of the user's.
        command.env("XDG_STATE_HOME", &self.bench.directory);
        command
    }

    /// Looks at a program until it ends.
    fn watched(&self, mut command: Command, until: Until) -> Result<Taken, String> {
        let before = self.simulated.counts()?;
        let (start, cpu) = (Instant::now(), cpu::children_seconds()?);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("the harness does not start: {error}"))?;
        let mut taken = Taken::default();
        let mut signalled: Option<Instant> = None;
        let status = loop {
            // Read before the wait takes the process away.
            let resident = memory::resident_of(child.id()).unwrap_or_default() / 1024.0;
            if let Ok(peak) = memory::peak_of(child.id()) {
                taken.peak = peak / 1024.0;
            }
            if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
                break status;
            }
            let counts = self.simulated.counts()?;
            let now = start.elapsed().as_secs_f64();
            if counts.devboxes_created > before.devboxes_created && taken.first.is_none() {
                (taken.first, taken.at_first) = (Some(now), resident);
            }
            if counts.devboxes >= self.concurrency as usize {
                taken.all.get_or_insert(now);
            }
            if counts.devboxes_created <= u64::from(self.trials / 4) {
                taken.quarter = resident;
            }
            if counts.devboxes_created <= u64::from(self.trials / 4 * 3) {
                taken.three_quarters = resident;
            }
            let name = match until {
                Until::Interrupted(devboxes) if counts.devboxes >= devboxes => Some("INT"),
                Until::Killed(made) if counts.devboxes_created >= made => Some("KILL"),
                _ => None,
            };
            if let Some(name) = name.filter(|_| signalled.is_none()) {
                signal(child.id(), name)?;
                signalled = Some(Instant::now());
            }
            std::thread::sleep(LOOK);
        };
        let counts = self.simulated.counts()?;
        taken.wall = start.elapsed().as_secs_f64();
        taken.ending = signalled.map(|at| at.elapsed().as_secs_f64());
        // The simulator is no child that was waited for yet.
        taken.cpu = cpu::children_seconds()? - cpu;
        taken.requests = counts.requests - before.requests;
        taken.devboxes = counts.devboxes;
        taken.other = memory::peak_of(self.simulated.id())? / 1024.0;
        taken.status = status.to_string();
        println!(
            "{} trials, {} at once: {:.1} s, {}",
            self.trials, self.concurrency, taken.wall, taken.status
        );
        Ok(taken)
    }

    fn row(&self, taken: &Taken) -> Vec<String> {
        let done = if taken.ending.is_some() { KILLED_AT as f64 } else { f64::from(self.trials) };
        // Of a run whose trials are all at work at once there is no growth to be told from that of its beginning.
        let is_long = self.trials >= 100 * self.concurrency;
        let grown = (taken.three_quarters - taken.quarter) * 1024.0 / f64::from(self.trials / 2);
        vec![
            self.trials.to_string(),
            self.concurrency.to_string(),
            format!("{:.1}", taken.wall),
            format!("{:.2}", taken.cpu * 1000.0 / done),
            format!("{:.2}", taken.requests as f64 / done),
            seconds(taken.first),
            seconds(taken.all),
            format!("{:.0}", taken.peak),
            if is_long { format!("{grown:.1}") } else { "-".to_owned() },
            format!("{:.0}", taken.other),
            taken.status.clone(),
        ]
    }
}

fn seconds(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"))
}

/// How long the platform takes for what it does.
const SCRIPT: &str = "times: { create: ~200ms, suspend: ~50ms, resume: ~50ms }\n";

fn definition(scenarios: u32, work: &str) -> String {
    let mut text = format!(
        "name: scale\nagents: [{{ name: worker, command: 'printf done >> answer # sim: time={work} append=answer:done' }}]\n\
         scenarios:\n"
    );
    for n in 0..scenarios {
        text += &format!(
            "  - {{ name: s{n}, problem_statement: Write it., verify: same, agent_timeout: 20m, scorers: [{{ name: done, \
             weight: 1, shell_command: 'test \"$(cat answer)\" = done # sim: time=5ms holds=answer:done' }}] }}\n"
        );
    }
    text
}
