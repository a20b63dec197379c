//! Takes a plan through a target: record, display, summary and result files. What `run` and `validate` share.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use eval_record::{Budget, Cause, Invocation, RunDirectory, RunDirectoryError};
use eval_report::Summary;
use eval_runner::{Cancellation, ClientPlatform, HostAccess, Plan, RunOptions, RunOutcome, Stopped, run};
use runloop_client::ExposeSecret as _;
use secrecy::SecretString;

use crate::args::{ExecutionArgs, Format, TargetArgs, Verbosity};
use crate::commands::print;
use crate::display::{Display, Mode, Purpose, printable};
use crate::documents::{self, Document};
use crate::error::CliError;
use crate::exit::Exit;
use crate::gating::Gating;
use crate::header;
use crate::hiding;
use crate::interrupt;
use crate::next;
use crate::open_files;
use crate::record_lines::RecordLines;
use crate::recorded;
use crate::registry::Remembered;
use crate::resume::Resumption;
use crate::target::Target;

/// How a plan is run.
pub(crate) struct Request<'a> {
    pub(crate) plan: Plan,
    pub(crate) execution: &'a ExecutionArgs,
    pub(crate) target: &'a TargetArgs,
    pub(crate) verbosity: Verbosity,
    pub(crate) purpose: Purpose,
    pub(crate) seed: Option<u64>,
    pub(crate) budget: Budget,
    pub(crate) timeout: Option<Duration>,
    pub(crate) keep_devboxes: bool,
    /// What the run must reach.
    pub(crate) gating: Option<&'a Gating>,
    /// How the run can be started again; `None` if it cannot go on.
    pub(crate) invocation: Option<Invocation>,
    /// The run that goes on; without it, it is a new one.
    pub(crate) resumption: Option<Resumption>,
}

/// What came of it.
pub(crate) struct Evaluated {
    pub(crate) outcome: RunOutcome,
    pub(crate) summary: Summary,
    pub(crate) directory: PathBuf,
}

impl Evaluated {
    /// How the program ends if the run itself decides that, before any verdict is looked at.
    pub(crate) fn exit(&self) -> Option<Exit> {
        match &self.outcome.stopped {
            _ if self.outcome.interrupted => Some(Exit::Interrupted),
            Some(Stopped { cause: Cause::Unauthorized, .. }) => Some(Exit::Target),
            _ => None,
        }
    }
}

impl Request<'_> {
    /// Trials at once, if that is said: what was typed, or what a resumed run began with.
    fn concurrency(&self) -> Option<usize> {
        let began_with = self.resumption.as_ref().map(|resumption| resumption.header.concurrency);
        // Records of older versions do not say it.
        self.execution
            .concurrency
            .or(began_with.filter(|trials| *trials > 0))
            .map(|concurrency| concurrency as usize)
    }
}

/// Runs a plan to its end, or to Ctrl-C, and writes everything down.
pub(crate) async fn evaluate(request: Request<'_>) -> Result<Evaluated, CliError> {
    let environment = required_environment(&request.plan)?;
    hiding::hide(environment.values().map(String::as_str));
    open_files::make_room(request.concurrency().unwrap_or_default())?;
    let target = Target::connect(request.target).await?;
    let evaluated = evaluate_on(&target, environment, request).await;
    target.close().await;
    evaluated
}

async fn evaluate_on(
    target: &Target,
    environment: BTreeMap<String, String>,
    request: Request<'_>,
) -> Result<Evaluated, CliError> {
    let concurrency = request.concurrency();
    let Request { plan, execution, verbosity, mut resumption, .. } = request;
    let secret_values = provide_secrets(target, &secret_names(&plan)).await?;
    let options = RunOptions {
        target: target.name.clone(),
        guarantees: target.guarantees.as_ref().and_then(|guarantees| serde_json::to_value(guarantees).ok()),
        retries: execution.retries,
        timeout: request.timeout,
        max_outage: execution.max_outage,
        pressure: target.pressure.clone(),
        budget: request.budget,
        seed: request.seed.unwrap_or_else(|| fastrand::u64(..)),
        environment,
        secret_values,
        host: Some(host_access(target)?),
        keep_devboxes: request.keep_devboxes,
        invocation: request.invocation,
        earlier: resumption.as_mut().and_then(Resumption::earlier),
        may_have_begun: resumption.is_some(),
        ..RunOptions::new(match &resumption {
            Some(resumption) => resumption.header.run_id.clone(),
            None => uuid::Uuid::new_v4().simple().to_string(),
        })
    };
    let options = RunOptions {
        concurrency: concurrency.unwrap_or(options.concurrency),
        home: if target.is_local() { options.home } else { "/home/user".to_owned() },
        ..options
    };
    let no_record = |error: &dyn std::error::Error| CliError::wrap(Exit::Usage, "there is no record", error);
    let directory = match &resumption {
        Some(resumption) => resumption.directory.clone(),
        None => run_directory(execution.output.as_deref(), &plan.benchmark, &options.run_id)?,
    };
    let lock = match &resumption {
        Some(_) => None,
        None => Some(directory.lock().map_err(|error| no_record(&error))?),
    };
    let recorder = Arc::new(directory.recorder().map_err(|error| no_record(&error))?);
    match &resumption {
        Some(resumption) => resumption.keep_changes(&*recorder, &options.masker()),
        None => directory.write_header(&options.masker().mask_header(plan.header(&options))),
    }
    .map_err(|error| no_record(&error))?;
    let path = directory.path().to_path_buf();
    documents::forget_verdict(&path)?;
    let remembered = Remembered::begin(target, &options.run_id, &path, verbosity);
    let cancellation = Cancellation::default();
    interrupt::watch(cancellation.clone())
        .map_err(|error| CliError::wrap(Exit::Target, "signals cannot be received", &error))?;

    if !verbosity.quiet {
        header::show(&plan, &options, target);
    }
    let lines = (execution.format == Format::Jsonl).then(|| RecordLines::start(&directory)).transpose();
    let lines = lines.map_err(|error| no_record(&error))?;
    let display = Arc::new(Display::start(Mode::choose(verbosity.quiet, verbosity.verbose), request.purpose));
    if let Some(past) = resumption.as_ref().and_then(|resumption| resumption.past(&options)) {
        display.recall(&past);
    }
    let platform = Arc::new(ClientPlatform::new(target.client.clone()));
    let sink = Arc::new((Arc::clone(&recorder), Arc::clone(&display)));
    let outcome = run(plan, platform, options, sink, cancellation).await;

    // It ends before anything else is printed.
    drop(display);
    let recorded = recorder.finish().map_err(|error| incomplete(&*error, &path));
    let summed = recorded::sum(&directory).map_err(|error| incomplete(&error, &path));
    let written = summed.and_then(|recorded::Sum { mut summary, .. }| {
        // An interrupted run has nothing to decide on.
        if let Some(gating) = request.gating.filter(|_| !outcome.interrupted) {
            summary.gate = Some(gating.judge(&summary));
        }
        documents::write_all(&summary, &path).map(|()| summary)
    });
    // What the record lacks is the reason for whatever the documents lack.
    let summary = recorded.and(written)?;
    remembered.end(&outcome);
    // Nobody goes on with the run before all of it is written.
    drop((lock, resumption));
    lines.map(RecordLines::finish).transpose()?;
    Ok(Evaluated { outcome, summary, directory: path })
}

fn incomplete(error: &dyn std::error::Error, directory: &Path) -> CliError {
    CliError::wrap(Exit::Incomplete, format!("the record in {} is not complete", directory.display()), error)
        .hint("make room on that disk, or choose another with --output, and run again")
}

/// The value of each variable that the scenarios require, or an error that names all that are missing.
fn required_environment(plan: &Plan) -> Result<BTreeMap<String, String>, CliError> {
    let mut values = BTreeMap::new();
    let mut missing = Vec::new();
    for name in plan.required_environment_variables() {
        match std::env::var(name) {
            Ok(value) => drop(values.insert(name.to_owned(), value)),
            Err(_) => missing.push(name.to_owned()),
        }
    }
    if missing.is_empty() {
        return Ok(values);
    }
    Err(CliError::new(
        Exit::Usage,
        format!("scenarios require variables that are not set: {}", missing.join(", ")),
    )
    .hint(format!("export {}=...", missing.join("=... "))))
}

/// Every secret that scenarios and agents name.
fn secret_names(plan: &Plan) -> BTreeSet<String> {
    plan.trials
        .iter()
        .flat_map(|trial| {
            let scenario = &trial.scenario;
            let used = scenario.environment.secrets.values().chain(trial.agent.secrets.values());
            used.chain(&scenario.required_secret_names).cloned().collect::<Vec<_>>()
        })
        .collect()
}

/// The local platform starts without secrets: they are taken from variables of the same names. Elsewhere they must exist.
/// Gives their values, to be masked.
async fn provide_secrets(target: &Target, names: &BTreeSet<String>) -> Result<Vec<String>, CliError> {
    let mut values = Vec::new();
    let mut missing = Vec::new();
    for name in names {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty());
        hiding::hide(value.as_deref());
        if target.is_local() {
            match &value {
                Some(value) => {
                    let secret = SecretString::from(value.clone());
                    target.client.secrets().create(name, &secret).await.map_err(|error| {
                        CliError::wrap(Exit::Target, format!("the secret {name} cannot be stored"), &error)
                    })?;
                }
                None => missing.push(name.as_str()),
            }
        } else if let Err(error) = target.client.secrets().retrieve(name).await {
            if !error.is_not_found() {
                return Err(CliError::wrap(
                    Exit::Target,
                    format!("the secret {name} cannot be looked up"),
                    &error,
                ));
            }
            missing.push(name.as_str());
        }
        values.extend(value);
    }
    if missing.is_empty() {
        return Ok(values);
    }
    let message = format!("the target {} has no secret {}", target.name, missing.join(", "));
    Err(CliError::new(Exit::Usage, message).hint(if target.is_local() {
        format!("the local target takes them from variables: export {}=...", missing.join("=... "))
    } else {
        "create it there first".to_owned()
    }))
}

fn host_access(target: &Target) -> Result<HostAccess, CliError> {
    let directory = std::env::current_dir()
        .map_err(|error| CliError::wrap(Exit::Usage, "the current directory is gone", &error))?;
    let environment = ["PATH", "HOME", "LANG", "TERM"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
        .collect();
    Ok(HostAccess {
        base_url: target.base_url.clone(),
        api_key: target.api_key.expose_secret().to_owned(),
        directory,
        environment,
    })
}

fn run_directory(output: Option<&Path>, benchmark: &str, run_id: &str) -> Result<RunDirectory, CliError> {
    let made = match output {
        Some(path) => RunDirectory::create_at(path),
        None => RunDirectory::create(Path::new("runs"), benchmark, run_id, jiff::Timestamp::now()),
    };
    made.map_err(|error| {
        let wrapped = CliError::wrap(Exit::Usage, "there is no run directory", &error);
        match error {
            RunDirectoryError::Exists { .. } => {
                wrapped.hint("results are never mixed: choose a new --output")
            }
            _ => wrapped.hint("choose a directory that can be written with --output DIR"),
        }
    })
}

/// Prints the results as asked for.
pub(crate) fn report(evaluated: &Evaluated, format: Format) -> Result<(), CliError> {
    let document = match format {
        Format::Table => {
            let colour = std::io::stdout().is_terminal();
            return print(&documents::table(&evaluated.summary, &evaluated.directory, colour));
        }
        Format::Json => Document::Json,
        Format::Csv => Document::Csv,
        Format::Jsonl => return Ok(()),
    };
    document.print(&evaluated.summary, &evaluated.directory)
}

/// Says what ended the run before its plan, and names what could not be ended.
pub(crate) fn warn_of_what_is_left(evaluated: &Evaluated) {
    if let Some(Stopped { cause, message }) = &evaluated.outcome.stopped {
        let missing = evaluated.summary.total.canceled;
        let advice = match cause {
            Cause::Unauthorized => "check RUNLOOP_API_KEY",
            Cause::TargetDown => {
                "go on with --resume when it is back; --max-outage says how long it is waited for"
            }
            _ => "raise --timeout",
        };
        let message = printable(message);
        say!("{message}: {missing} trials have no verdict; {advice}");
    }
    if evaluated.outcome.exhausted {
        let missing = evaluated.summary.total.canceled;
        say!(
            "the budget was gone: {missing} trials have no verdict; raise --max-devbox-minutes or --max-cost"
        );
    }
    for left in &evaluated.outcome.leaked {
        let kind = left.request.resource;
        match &left.id {
            Some(id) => say!("{kind} {id} could not be ended"),
            None => say!("a {kind} may live: the answer to the request for it was lost"),
        }
    }
    if !evaluated.outcome.leaked.is_empty() {
        say!("end it later: {}", next::cleanup(&evaluated.directory));
    }
}
