//! A run that goes on: how far it came, and whether it is still the same run.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::mpsc;

use eval_record::{
    Budget, Event, EventKind, EventSink, History, Invocation, Masker, PlannedTrial, ReadError, RunDirectory,
    RunDirectoryError, RunHeader, RunLock, TrialKey, TypedLimits,
};
use eval_runner::{Earlier, Plan, RunOptions, Trial};

use crate::args::{ChangedMode, TargetArgs};
use crate::display::Past;
use crate::error::CliError;
use crate::exit::Exit;
use crate::registry::absolute;

/// Names that an error lists.
const LISTED: usize = 5;

/// A run directory that nobody else writes to, and all that is known of its run.
pub(crate) struct Resumption {
    pub(crate) directory: RunDirectory,
    _lock: RunLock,
    pub(crate) header: RunHeader,
    history: History,
    /// Whether the header in the directory says something else.
    is_changed: bool,
    /// Trials whose verdicts are void for that.
    void: Vec<PlannedTrial>,
}

impl Resumption {
    /// Takes hold of a run directory and reads it.
    pub(crate) fn open(path: &Path) -> Result<Self, CliError> {
        let unusable = |error: &dyn std::error::Error| {
            CliError::wrap(Exit::Usage, "this run cannot go on", error)
                .hint("name the directory that `run` printed, such as runs/20260101T120000Z-swe-1234abcd")
        };
        let directory = RunDirectory::open(&absolute(path)).map_err(|error| unusable(&error))?;
        let lock = directory.lock().map_err(|error| {
            CliError::wrap(Exit::Usage, "this run cannot go on", &error)
                .hint("wait for it, or end it with Ctrl-C")
        })?;
        let header = directory.header().map_err(|error| unusable(&error))?;
        let history = history(&directory).map_err(|error| unusable(&error))?;
        Ok(Self { directory, _lock: lock, header, history, is_changed: false, void: Vec::new() })
    }

    /// Goes where the run was started, if that is there, and tells what was typed, with the limits that are typed now instead.
    /// `benchmark` is what is typed now, if anything.
    pub(crate) fn enter(
        &mut self,
        benchmark: Option<&Path>,
        mut limits: TypedLimits,
    ) -> Result<Invocation, CliError> {
        let Some(invocation) = &mut self.header.invocation else {
            let path = self.directory.path().display();
            let message =
                format!("{path} does not say how its run was started: by `validate`, or by an older version");
            return Err(CliError::new(Exit::Usage, message).hint("start a new run"));
        };
        let typed = benchmark.map(absolute);
        // Named as from where the run was started, so that its gate says what it would have said there.
        limits.baseline = limits.baseline.map(|file| {
            let file = std::path::absolute(&file).unwrap_or(file);
            file.strip_prefix(&invocation.directory).map(Path::to_path_buf).unwrap_or(file)
        });
        // A run that was moved here, say by a CI system, goes on here.
        let _ = std::env::set_current_dir(&invocation.directory);
        let recorded = absolute(Path::new(&invocation.benchmark));
        if let Some(typed) = typed.filter(|typed| *typed != recorded) {
            let message = format!("the run is of {}, not of {}", recorded.display(), typed.display());
            return Err(
                CliError::new(Exit::Usage, message).hint("leave the benchmark out, or start a new run")
            );
        }
        let limits = invocation.limits.clone().replaced_by(limits);
        self.is_changed |= limits != invocation.limits;
        invocation.limits = limits;
        Ok((**invocation).clone())
    }

    /// Where the run goes on: where it was, or at another address of the same platform.
    pub(crate) fn target(&mut self, args: &TargetArgs) -> Result<String, CliError> {
        let was = &self.header.target;
        match args.target.as_deref() {
            None => Ok(was.clone()),
            Some(typed) if typed == was || (is_url(typed) && is_url(was)) => {
                self.is_changed |= typed != was;
                self.header.target = typed.to_owned();
                Ok(typed.to_owned())
            }
            Some(typed) => {
                let message = format!("the run had its devboxes from {was}, not from {typed}");
                Err(CliError::new(Exit::Usage, message).hint("leave --target out, or start a new run"))
            }
        }
    }

    /// Makes the plan that of the run. What is defined otherwise than when the run began is refused, unless it is said
    /// what to do.
    pub(crate) fn reconcile(
        &mut self,
        plan: &mut Plan,
        changed: Option<ChangedMode>,
    ) -> Result<(), CliError> {
        let mut trials: HashMap<TrialKey, Trial> =
            plan.trials.drain(..).map(|trial| (trial.key.clone(), trial)).collect();
        let mut gone = BTreeSet::new();
        let mut differing = BTreeSet::new();
        // By scenario and agent, because later rounds have trials that the header does not have.
        let mut other = HashMap::new();
        for planned in &mut self.header.planned {
            let Some(trial) = trials.remove(&planned.trial) else {
                gone.insert(format!("{} by {}", planned.trial.scenario, planned.trial.agent));
                continue;
            };
            let now = trial.planned();
            let agent = &planned.trial.agent;
            let same_agent =
                self.header.agents.get(agent).is_none_or(|digest| *digest == trial.agent.digest.to_string());
            if planned.digest != now.digest {
                differing.insert(format!("scenario {}", planned.trial.scenario));
            }
            if !same_agent {
                differing.insert(format!("agent {agent}"));
            }
            if planned.digest != now.digest || !same_agent {
                other.insert((now.trial.scenario.clone(), now.trial.agent.clone()), now.clone());
                *planned = now;
            }
            plan.trials.push(trial);
        }
        if !gone.is_empty() {
            let message = format!("the definitions no longer have {}", listed(&gone));
            return Err(CliError::new(Exit::Usage, message).hint("put them back, or start a new run"));
        }
        if !trials.is_empty() {
            let new: BTreeSet<String> = trials.into_keys().map(|key| key.scenario).collect();
            say!("not part of this run, because they are newer: {}", listed(&new));
        }
        match changed {
            _ if differing.is_empty() => {}
            Some(ChangedMode::Keep) => {
                say!("changed, old verdicts stand: {}", listed(&differing))
            }
            Some(ChangedMode::Rerun) => {
                say!("changed, done again: {}", listed(&differing));
                self.void = self
                    .history
                    .verdicts
                    .keys()
                    .filter_map(|trial| {
                        let now = other.get(&(trial.scenario.clone(), trial.agent.clone()))?;
                        Some(PlannedTrial { trial: trial.clone(), ..now.clone() })
                    })
                    .collect();
            }
            None => {
                let message = format!("defined otherwise than when the run began: {}", listed(&differing));
                return Err(CliError::new(Exit::Usage, message).hint(
                    "--changed rerun does their trials again, --changed keep lets old verdicts stand; or start a new run",
                ));
            }
        }
        self.is_changed |= !differing.is_empty();
        self.header.agents = plan.agent_digests();
        Ok(())
    }

    /// What the runner needs to know of the past; nothing of a run that never began.
    pub(crate) fn earlier(&mut self) -> Option<Earlier> {
        let mut history = std::mem::take(&mut self.history);
        for planned in &self.void {
            history.verdicts.remove(&planned.trial);
        }
        history.began.then(|| Earlier::from(history))
    }
}

impl Resumption {
    /// Writes down what is otherwise now: first that verdicts are void, then what holds instead, so that a death
    /// between the two makes no old verdict a new one.
    pub(crate) fn keep_changes(
        &self,
        recorder: &impl EventSink,
        masker: &Masker,
    ) -> Result<(), RunDirectoryError> {
        if !self.is_changed {
            return Ok(());
        }
        if let Some(event) = self.void_event() {
            let (sender, is_written) = mpsc::channel();
            recorder.event_then(&masker.mask_event(event), Box::new(move || _ = sender.send(())));
            if is_written.recv().is_err() {
                // The run finds the record broken and says so.
                return Ok(());
            }
        }
        self.directory.write_header(&masker.mask_header(self.header.clone()))
    }

    /// What a display must know; nothing of a run that never began.
    pub(crate) fn past(&self, options: &RunOptions) -> Option<Past> {
        let earlier = options.earlier.as_ref()?;
        Some(Past {
            planned: self.header.planned.len() + earlier.announced.len(),
            seed: self.header.seed,
            concurrency: u32::try_from(options.concurrency).unwrap_or(u32::MAX),
            budget: options.budget,
            verdicts: earlier.verdicts.clone(),
            spent: earlier.spent.clone(),
        })
    }

    /// Takes what the run may take from here on, in all its parts.
    pub(crate) fn replace_budget(&mut self, budget: Budget) {
        self.is_changed |= budget != self.header.budget;
        self.header.budget = budget;
    }

    fn void_event(&self) -> Option<Event> {
        let kind = EventKind::PlanChanged { planned: self.void.clone() };
        let at_ms = jiff::Timestamp::now().as_millisecond();
        (!self.void.is_empty()).then_some(Event { at_ms, kind })
    }
}

/// What the record says; nothing if the run was killed before it wrote anything.
fn history(directory: &RunDirectory) -> Result<History, ReadError> {
    let mut history = History::default();
    match directory.events() {
        Err(error) if error.is_missing() => {}
        events => {
            for event in events? {
                history.take(&event?);
            }
        }
    }
    Ok(history)
}

fn is_url(target: &str) -> bool {
    target.starts_with("http://") || target.starts_with("https://")
}

fn listed(names: &BTreeSet<String>) -> String {
    let mut text = names.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > LISTED {
        text += &format!(" and {} more", names.len() - LISTED);
    }
    text
}
