//! What can be typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Evaluate coding agents: scenarios as files, verdicts that hold.
#[derive(Debug, Parser)]
#[command(name = "runloop-eval", version, arg_required_else_help = true, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How much is said on standard error.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Verbosity {
    /// Say only errors and the result
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Say more; twice for every request
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a benchmark and report the verdicts; go on with a run that was interrupted or killed
    Run(RunArgs),
    /// Report a run directory again, in any format; also of a run that goes on or was interrupted
    Report(ReportArgs),
    /// Check that a benchmark judges rightly: the oracle passes every time, doing nothing and every control does not
    Validate(ValidateArgs),
    /// Compare runs: what got better, what got worse, what cannot be told
    Compare(CompareArgs),
    /// Show runs in the browser: live while they go on, with their history
    View(ViewArgs),
    /// Decide whether a run reaches what is asked of it, also against a committed baseline
    Gate(GateArgs),
    /// Keep what a run scored, for later gates
    Baseline(BaselineArgs),
    /// Check definition files without running anything
    Check(CheckArgs),
    /// Print the API scenarios that benchmark files compile to, as JSON
    Build(BuildArgs),
    /// List the agents that need no file, or print the file of one
    Agents(AgentsArgs),
    /// Print the JSON Schema of definition files
    Schema(SchemaArgs),
    /// End what killed runs left at a target: devboxes, snapshots, objects, blueprints
    Cleanup(CleanupArgs),
    /// Serve the Runloop API over sandboxes of this machine
    Serve(ServeArgs),
    /// Tell what this machine can isolate, and what would improve it
    Doctor(DoctorArgs),
}

/// Where devboxes come from.
#[derive(Debug, Clone, Args)]
pub(crate) struct TargetArgs {
    /// Where devboxes come from: `local` (sandboxes of this machine), `cloud` (Runloop), or the URL of a Runloop API.
    /// The key of `cloud` and of a URL is read from RUNLOOP_API_KEY [default: local]
    #[arg(long, value_name = "local|cloud|URL", help_heading = "Target")]
    pub(crate) target: Option<String>,
    #[command(flatten)]
    pub(crate) isolation: IsolationArgs,
}

impl TargetArgs {
    /// The target as it was typed, or the default one.
    pub(crate) fn name(&self) -> &str {
        self.target.as_deref().unwrap_or(eval_record::LOCAL)
    }
}

/// How sandboxes of this machine are isolated.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct IsolationArgs {
    /// How sandboxes of this machine are isolated
    #[arg(long, value_enum, default_value_t, help_heading = "Target")]
    pub(crate) driver: Driver,
    /// Accept isolation that cannot hold everything a scenario asks for; results say so
    #[arg(long, help_heading = "Target")]
    pub(crate) allow_weak: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Driver {
    /// The strongest that works here
    #[default]
    Auto,
    /// Linux namespaces
    Namespaces,
    /// Private directories, landlock and seccomp; for containers that refuse namespaces
    Process,
}

/// How many trials run and what is kept.
#[derive(Debug, Clone, Args)]
pub(crate) struct ExecutionArgs {
    /// Trials at once [default: the number of cores]
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) concurrency: Option<u32>,
    /// Only scenarios whose name matches this glob or contains this text (repeatable)
    #[arg(long, short, value_name = "PATTERN")]
    pub(crate) filter: Vec<String>,
    /// The run directory; absent or empty [default: a new one below runs/]
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Attempts after the first, for infrastructure failures only
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) retries: u32,
    /// Time for the whole run, such as 90s, 10m or 1h30m; trials without a verdict then are canceled as `run_timeout`
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) timeout: Option<Duration>,
    /// How long a target that is down is waited for; the run stops then, and trials without a verdict are canceled as
    /// `target_down`
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "10m")]
    pub(crate) max_outage: Duration,
    /// What standard output gets
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

fn time(text: &str) -> Result<Duration, &'static str> {
    eval_builder::parse_duration(text)
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for people
    #[default]
    Table,
    /// The content of results.json
    Json,
    /// The content of results.csv
    Csv,
    /// Each event as a JSON line, as it happens
    Jsonl,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// A benchmark file, or a scenario file
    #[arg(required_unless_present = "resume")]
    pub(crate) benchmark: Option<PathBuf>,
    /// Go on with the run of this directory: what has a score is not done again. Benchmark, agents, trials, target and seed
    /// are those of the run, and so are budget and gate where no others are typed
    #[arg(
        long, value_name = "DIR", help_heading = "Resume",
        conflicts_with_all = [
            "agent", "trials", "verify", "keep_devboxes", "seed", "filter", "output", "driver", "allow_weak"
        ]
    )]
    pub(crate) resume: Option<PathBuf>,
    /// What to do about trials whose scenario or agent is defined otherwise than when the run began [default: refuse]
    #[arg(long, value_enum, requires = "resume", help_heading = "Resume")]
    pub(crate) changed: Option<ChangedMode>,
    /// An agent: `oracle`, `nop`, one that `agents` lists, `command:<bash command>` or the YAML file of one (repeatable)
    /// [default: those of the benchmark]
    #[arg(long, short, value_name = "NAME|FILE")]
    pub(crate) agent: Vec<String>,
    /// Repetitions of each scenario and agent: a number, or `auto` or such as `3..20` to repeat in rounds until the gate is
    /// decided or, without one, the mean score is known well enough [default: as the benchmark says]
    #[arg(long, short, value_name = "N|auto|MIN..MAX", value_parser = trials)]
    pub(crate) trials: Option<TrialsArg>,
    /// Where scoring happens, whatever the scenarios say
    #[arg(long, value_enum)]
    pub(crate) verify: Option<VerifyMode>,
    /// Leave the agents' devboxes running and print their ids (not with the local target, which ends with the run)
    #[arg(long)]
    pub(crate) keep_devboxes: bool,
    /// Seed of everything random in the run [default: drawn, and recorded]
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) budget: BudgetArgs,
    #[command(flatten)]
    pub(crate) github: GithubArgs,
    #[command(flatten)]
    pub(crate) execution: ExecutionArgs,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Replaces, key by key, what the benchmark says in `gate`
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

/// How often each scenario is done by each agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TrialsArg {
    /// So often.
    Fixed(u32),
    /// In rounds, as the benchmark says or by default.
    Auto,
    /// In rounds, at least and at most so often.
    Between(u32, u32),
}

/// Most repetitions, as in benchmark files.
const MOST_TRIALS: u32 = 100_000;

fn trials(text: &str) -> Result<TrialsArg, String> {
    let number = |text: &str| {
        let number = text.parse().ok().filter(|number| (1..=MOST_TRIALS).contains(number));
        number.ok_or_else(|| format!("write a number from 1 to {MOST_TRIALS}, `auto`, or such as 3..20"))
    };
    match text.split_once("..") {
        None if text == "auto" => Ok(TrialsArg::Auto),
        None => Ok(TrialsArg::Fixed(number(text)?)),
        Some((min, max)) => match (number(min)?, number(max)?) {
            (min, max) if min <= max => Ok(TrialsArg::Between(min, max)),
            _ => Err("the second number must not be below the first".to_owned()),
        },
    }
}

/// What a run may take. A trial starts only if what it is expected to take is left; the others are canceled.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct BudgetArgs {
    /// Minutes of all devboxes of the run together; at that point the run is ended [default: as the benchmark says, or
    /// without limit]
    #[arg(long, value_name = "MINUTES", value_parser = minutes, help_heading = "Budget")]
    pub(crate) max_devbox_minutes: Option<f64>,
    /// US dollars of all agents together, as they say or by the `prices` of their files [default: as the benchmark says, or
    /// without limit]
    #[arg(long, value_name = "USD", value_parser = dollars, help_heading = "Budget")]
    pub(crate) max_cost: Option<f64>,
}

fn minutes(text: &str) -> Result<f64, &'static str> {
    let minutes: Option<f64> = text.parse().ok();
    minutes.filter(|minutes| minutes.is_finite() && *minutes > 0.0).ok_or("it must be a number above 0")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChangedMode {
    /// Do them again
    Rerun,
    /// Let the verdicts that they have stand
    Keep,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum VerifyMode {
    /// In a fork of a snapshot of the agent's devbox
    Snapshot,
    /// In the prepared environment made afresh, with only the work carried over
    Pristine,
    /// In the agent's devbox, after everything else in it was killed
    Same,
}

/// What a step of GitHub Actions shows.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct GithubArgs {
    /// In GitHub Actions: append the Markdown to the step summary, and annotate failed and invalid trials
    #[arg(long)]
    pub(crate) github: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The directory of a run
    pub(crate) run: PathBuf,
    /// What is written
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: DocumentFormat,
    /// The file to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) github: GithubArgs,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum DocumentFormat {
    /// A table for people
    #[default]
    Table,
    /// The content of results.json
    Json,
    /// The events as JSON lines
    Jsonl,
    /// The content of results.csv
    Csv,
    /// JUnit XML, for the test pages of CI systems
    Junit,
    /// A summary for a comment or a step summary
    Markdown,
    /// A page for the browser, one file
    Html,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// A benchmark file, or a scenario file
    pub(crate) benchmark: PathBuf,
    /// Runs of the oracle for each scenario; all must pass
    #[arg(long, short, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) trials: u32,
    #[command(flatten)]
    pub(crate) execution: ExecutionArgs,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The run directory of before
    #[arg(value_name = "BEFORE")]
    pub(crate) before: PathBuf,
    /// Run directories, each compared with the first
    #[arg(value_name = "AFTER", required = true)]
    pub(crate) after: Vec<PathBuf>,
    /// The agent of before [default: the only one, or each that both runs have]
    #[arg(long, value_name = "NAME")]
    pub(crate) agent_a: Option<String>,
    /// The agent of after [default: the only one, or each that both runs have]
    #[arg(long, value_name = "NAME")]
    pub(crate) agent_b: Option<String>,
    /// What standard output gets
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ReportFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// A table for people
    #[default]
    Table,
    /// JSON
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct ViewArgs {
    /// Run directories, or directories with runs somewhere below them
    #[arg(value_name = "DIR|RUN", default_value = "runs")]
    pub(crate) directories: Vec<PathBuf>,
    /// Port on 127.0.0.1; 0 for any free one
    #[arg(long, short, default_value_t = 0)]
    pub(crate) port: u16,
}

/// What is asked of each agent.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct LimitArgs {
    /// Lowest mean score, 0 to 1
    #[arg(long, help_heading = "Gate", value_name = "SCORE", value_parser = share)]
    pub(crate) min_score: Option<f64>,
    /// Lowest share of passed trials, 0 to 1
    #[arg(long, help_heading = "Gate", value_name = "SHARE", value_parser = share)]
    pub(crate) min_pass_rate: Option<f64>,
    /// Lowest mean score of one scenario, such as `fix-login=0.5` (repeatable)
    #[arg(long, help_heading = "Gate", value_name = "SCENARIO=SCORE", value_parser = floor)]
    pub(crate) floor: Vec<(String, f64)>,
    /// Most trials without a score [default: 0]
    #[arg(long, help_heading = "Gate", value_name = "N")]
    pub(crate) max_invalid: Option<u32>,
    /// Most trials with signs of contamination [default: any number]
    #[arg(long, help_heading = "Gate", value_name = "N")]
    pub(crate) max_flagged: Option<u32>,
    /// The baseline file, as `baseline save` writes it
    #[arg(long, help_heading = "Gate", value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Largest drop of the mean score against the baseline that passes in any case [default with a baseline: 0]
    #[arg(long, help_heading = "Gate", value_name = "DROP", value_parser = share)]
    pub(crate) max_regression: Option<f64>,
}

/// What is asked of a recorded run. Options replace what the benchmark says.
#[derive(Debug, Args)]
pub(crate) struct GateArgs {
    /// The run directory
    pub(crate) run: PathBuf,
    /// Take what is asked from `gate` in this benchmark file; options replace it key by key
    #[arg(long, value_name = "FILE")]
    pub(crate) benchmark: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    /// Most US dollars that an agent's trials may say they used
    #[arg(long, value_name = "USD", value_parser = dollars, help_heading = "Gate")]
    pub(crate) max_cost: Option<f64>,
    /// Keep the decision with the run: its files are written again and show it
    #[arg(long)]
    pub(crate) save: bool,
    /// In GitHub Actions: append the decision to the step summary, and annotate its reasons
    #[arg(long)]
    pub(crate) github: bool,
    /// What standard output gets
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ReportFormat,
}

fn share(text: &str) -> Result<f64, &'static str> {
    let share: Option<f64> = text.parse().ok();
    share.filter(|share| (0.0..=1.0).contains(share)).ok_or("it must be a number from 0 to 1")
}

fn dollars(text: &str) -> Result<f64, &'static str> {
    let dollars: Option<f64> = text.parse().ok();
    dollars.filter(|dollars| dollars.is_finite() && *dollars >= 0.0).ok_or("it must be a number, 0 or more")
}

fn floor(text: &str) -> Result<(String, f64), &'static str> {
    // Names of scenarios with matrix values hold `=` too.
    let (scenario, score) = text.rsplit_once('=').ok_or("write it as SCENARIO=SCORE")?;
    Ok((scenario.to_owned(), share(score)?))
}

#[derive(Debug, Args)]
pub(crate) struct BaselineArgs {
    #[command(subcommand)]
    pub(crate) command: BaselineCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BaselineCommand {
    /// Write what a run scored to a small file, to be committed
    Save(BaselineSaveArgs),
}

#[derive(Debug, Args)]
pub(crate) struct BaselineSaveArgs {
    /// The run directory
    pub(crate) run: PathBuf,
    /// The file; it is replaced
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Save also a run in which some trials have no score; scenarios without any are left out
    #[arg(long)]
    pub(crate) allow_missing: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Benchmark, scenario, agent and scorer files
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Treat warnings as errors
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BuildArgs {
    /// A benchmark file, or a scenario file
    pub(crate) benchmark: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct AgentsArgs {
    /// Print the file of this one
    pub(crate) name: Option<String>,
    /// What standard output gets
    #[arg(long, value_enum, default_value_t, conflicts_with = "name")]
    pub(crate) format: AgentsFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum AgentsFormat {
    /// Text for people
    #[default]
    Text,
    /// JSON
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Which files it describes
    #[arg(value_enum)]
    pub(crate) kind: SchemaKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaKind {
    /// Benchmark files
    Benchmark,
    /// Scenario files
    Scenario,
    /// Agent files
    Agent,
    /// Files of reusable scorers
    Scorer,
}

#[derive(Debug, Args)]
pub(crate) struct CleanupArgs {
    /// Only after this run, also what it left on purpose: its directory, or its id (repeatable) [default: every run that is
    /// known here to have ended without cleaning up]
    #[arg(long, value_name = "DIR|ID")]
    pub(crate) run: Vec<PathBuf>,
    /// After every run there ever was at the target, also what was left on purpose and for later runs. Runs that go on are
    /// spared if they were started here: make sure that no others do
    #[arg(long, conflicts_with = "run", requires = "target")]
    pub(crate) all: bool,
    /// Only say what lives
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Only there: `local`, `cloud` or the URL of a Runloop API [default: where the runs were]. The key is read from
    /// RUNLOOP_API_KEY
    #[arg(long, value_name = "local|cloud|URL")]
    pub(crate) target: Option<String>,
    /// What standard output gets
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ReportFormat,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Port on 127.0.0.1; 0 for any free one
    #[arg(long, short, default_value_t = 0)]
    pub(crate) port: u16,
    /// The key that clients must send [default: a random one, which is printed]
    #[arg(long, env = "RUNLOOP_EVAL_API_KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,
    /// Where objects, snapshots and blueprints are kept [default: a directory that is removed at the end]
    #[arg(long, short, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) isolation: IsolationArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// What standard output gets
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: DoctorFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum DoctorFormat {
    /// Text for people
    #[default]
    Text,
    /// JSON
    Json,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn floors_go_by_names_that_may_hold_an_equals_sign() {
        assert_eq!(super::floor("fix[size=small]=0.5"), Ok(("fix[size=small]".to_owned(), 0.5)));
        assert!(
            super::floor("fix").is_err()
                && super::floor("fix=2").is_err()
                && super::floor("fix=NaN").is_err()
        );
    }

    #[test]
    fn trials_are_a_number_or_a_way_to_find_one() {
        use super::{TrialsArg, trials};

        assert_eq!(trials("5"), Ok(TrialsArg::Fixed(5)));
        assert_eq!(trials("auto"), Ok(TrialsArg::Auto));
        assert_eq!(trials("3..20"), Ok(TrialsArg::Between(3, 20)));
        for wrong in ["0", "", "often", "..", "3..", "20..3", "1..2..3", "-1"] {
            assert!(trials(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
