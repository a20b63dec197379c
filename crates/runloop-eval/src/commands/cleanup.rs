//! `cleanup`: ends what runs left at a target.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use eval_record::{
    Event, EventKind, EventReader, EventSink as _, LOCAL, Ledger, ReadError, ResourceEnd, ResourceKind,
    RunDirectory, RunDirectoryError, RunHeader,
};
use eval_runner::{ClientPlatform, Leftover, Platform as _, leftovers};
use runloop_types::DevboxId;
use serde::Serialize;

use crate::args::{CleanupArgs, IsolationArgs, ReportFormat, TargetArgs, Verbosity};
use crate::commands::{print, print_json};
use crate::display::printable;
use crate::error::CliError;
use crate::exit::Exit;
use crate::header::counted;
use crate::registry::{Registry, Unfinished, absolute};
use crate::target::{Target, is_same};
use crate::{hiding, state};

pub(crate) async fn run(args: &CleanupArgs, verbosity: Verbosity) -> Result<Exit, CliError> {
    let registry = Registry::open(|name| std::env::var_os(name)).map_err(|error| {
        CliError::wrap(Exit::Usage, "there is no directory in which runs are remembered", &error)
            .hint("set XDG_STATE_HOME to a directory that can be written")
    })?;
    let found = Found { dry_run: args.dry_run, ..Found::default() };
    let mut cleanup = Cleanup { args, registry, targets: BTreeMap::new(), found };
    let done = cleanup.run().await;
    // What was ended before something failed is told too.
    let exit = cleanup.found.show(args.format, verbosity)?;
    done.map(|()| exit)
}

/// What was found and what became of it.
#[derive(Debug, Default, Serialize)]
struct Found {
    resources: Vec<Line>,
    /// Runs that go on; what they own is theirs.
    alive: Vec<Unfinished>,
    /// Directories of local platforms whose programs were killed.
    directories: Vec<PathBuf>,
    dry_run: bool,
}

#[derive(Debug, Serialize)]
struct Line {
    #[serde(flatten)]
    leftover: Leftover,
    target: String,
    outcome: Outcome,
    /// Why it could not be ended.
    error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Ended,
    /// It would be, without `--dry-run`.
    Living,
    /// Other runs may use it, and one goes on.
    Shared,
    Failed,
}

struct Cleanup<'a> {
    args: &'a CleanupArgs,
    registry: Registry,
    /// Those that were connected to, by name.
    targets: BTreeMap<String, ClientPlatform>,
    found: Found,
}

/// A run to be cleaned up after.
struct Dead {
    run_id: String,
    /// Where what it left is looked for.
    target: String,
    /// Where it was, as far as is known here.
    was: String,
    directory: Option<RunDirectory>,
    named: Named,
}

/// How a run was named, which says how much of it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    /// Not at all: what it left on purpose stays.
    No,
    /// By its directory.
    ByDirectory,
    /// By its id: all that carries it goes, also if nobody can read its record.
    ById,
}

/// What the record of a run says of what it made.
#[derive(Debug, Default)]
struct Made {
    /// What may live.
    ledger: Ledger,
    /// The last devbox that it got.
    devbox: Option<String>,
}

impl Cleanup<'_> {
    async fn run(&mut self) -> Result<(), CliError> {
        if self.args.all {
            return self.all().await;
        }
        if self.args.run.is_empty() {
            return self.dead().await;
        }
        for name in &self.args.run {
            self.named(name).await?;
        }
        Ok(())
    }

    /// All runs that are known here to have ended without ending what they made.
    async fn dead(&mut self) -> Result<(), CliError> {
        let target = self.args.target.as_deref();
        let wanted = |run: &Unfinished| target.is_none_or(|target| is_same(target, &run.target));
        let (alive, dead): (Vec<_>, Vec<_>) =
            self.registry.runs().into_iter().filter(wanted).partition(Unfinished::is_alive);
        self.found.alive.extend(alive);
        if self.args.target.as_deref().is_none_or(|target| target == LOCAL) {
            self.directories()?;
        }
        let mut first = Ok(());
        for run in dead {
            let directory = RunDirectory::open(&run.directory).ok();
            let file = self.registry.file(&run.run_id);
            let Unfinished { run_id, target, .. } = run;
            let dead = Dead { run_id, was: target.clone(), target, directory, named: Named::No };
            let cleaned = self.clean(dead).await.map_err(|error| match error.exit {
                Exit::Target => error.hint(format!(
                    "check RUNLOOP_API_KEY; if that platform is gone for good, delete {}",
                    file.display()
                )),
                _ => error,
            });
            // A target that is gone does not keep the others from being looked at.
            first = first.and(cleaned);
        }
        first
    }

    /// A run by its directory, or by its id.
    async fn named(&mut self, name: &Path) -> Result<(), CliError> {
        if let Ok(directory) = RunDirectory::open(&absolute(name)) {
            let header = directory
                .header()
                .map_err(|error| CliError::wrap(Exit::Usage, "nobody can tell what this run left", &error))?;
            if header.target == LOCAL {
                say!("{}: its devboxes were of this machine and ended with it", name.display());
                return self.directories();
            }
            let RunHeader { run_id, target: was, .. } = header;
            let target = self.args.target.clone().unwrap_or_else(|| was.clone());
            let directory = Some(directory);
            return self.clean(Dead { run_id, target, was, directory, named: Named::ByDirectory }).await;
        }
        let id = name.display().to_string();
        let known = self.registry.runs().into_iter().find(|run| run.run_id == id);
        let target = self.args.target.clone().or_else(|| known.as_ref().map(|run| run.target.clone()));
        let Some(target) = target else {
            return Err(CliError::new(
                Exit::Usage,
                format!("{id} is no run directory, and no run of this id is known"),
            )
            .hint("name the directory of the run, or say where it ran: --run ID --target URL"));
        };
        let was = known.as_ref().map_or_else(|| target.clone(), |run| run.target.clone());
        let directory = known.and_then(|run| RunDirectory::open(&run.directory).ok());
        self.clean(Dead { run_id: id, target, was, directory, named: Named::ById }).await
    }

    /// Everything of any run at the target, but what runs own that go on here.
    async fn all(&mut self) -> Result<(), CliError> {
        let Some(target) = self.args.target.clone() else {
            return Err(
                CliError::new(Exit::Usage, "--all needs a target").hint("say where: --all --target cloud")
            );
        };
        if target == LOCAL {
            return self.directories();
        }
        let platform = self.platform(&target).await?;
        let found = leftovers(&platform, None).await;
        let found =
            found.map_err(|error| CliError::wrap(Exit::Target, "cannot list what runs left", &error))?;
        // One place has many names, so whatever goes on here is spared, wherever it says that it is.
        let (alive, dead): (Vec<_>, Vec<_>) =
            self.registry.runs().into_iter().partition(Unfinished::is_alive);
        let theirs: HashSet<String> = alive.iter().map(|run| run.run_id.clone()).collect();
        let found = found.into_iter().filter(|one| one.run.as_ref().is_none_or(|run| !theirs.contains(run)));
        let is_shared = !alive.is_empty();
        self.found.alive.extend(alive);
        let (mut seen, mut failed) = (HashSet::new(), HashSet::new());
        for leftover in found.collect::<Vec<_>>() {
            let run = leftover.run.clone();
            seen.extend(run.clone());
            if self.end(&platform, &target, leftover, is_shared).await == Outcome::Failed {
                failed.extend(run);
            }
        }
        let ended = |run: &Unfinished| is_same(&run.target, &target) && !failed.contains(&run.run_id);
        for run in dead.into_iter().filter(|run| !self.args.dry_run && ended(run)) {
            let made = RunDirectory::open(&run.directory).ok().and_then(|directory| made(&directory).ok());
            let devbox = made.and_then(|made| made.devbox);
            if seen.contains(&run.run_id)
                || demand_place(&platform, &target, &run.target, devbox.as_deref()).await.is_ok()
            {
                self.registry.end(&run.run_id);
            }
        }
        Ok(())
    }

    /// What one run left, which nobody goes on with meanwhile.
    async fn clean(&mut self, dead: Dead) -> Result<(), CliError> {
        let Dead { run_id, target, was, directory, named } = dead;
        let _lock = match directory.as_ref().map(RunDirectory::lock).transpose() {
            Ok(lock) => lock,
            Err(RunDirectoryError::InUse { path, .. }) => {
                self.found.alive.push(Unfinished { run_id, directory: path, target });
                return Ok(());
            }
            Err(error) => {
                return Err(CliError::wrap(Exit::Usage, "nobody can tell what this run left", &error));
            }
        };
        let (directory, Made { ledger, devbox }) = match directory.map(|at| (made(&at), at)) {
            Some((Ok(made), directory)) => (Some(directory), made),
            Some((Err(error), _)) if named != Named::ById => {
                return Err(CliError::wrap(
                    Exit::Usage,
                    "nobody can tell what this run left on purpose",
                    &error,
                )
                .hint(format!("name it by its id to end all it left: --run {run_id} --target {target}")));
            }
            _ => (None, Made::default()),
        };
        let platform = self.platform(&target).await?;
        let found = leftovers(&platform, Some(&run_id)).await.map_err(|error| {
            CliError::wrap(Exit::Target, format!("cannot list what run {run_id} left"), &error)
        })?;
        if found.is_empty() {
            demand_place(&platform, &target, &was, devbox.as_deref()).await?;
        }
        let is_shared = self.registry.runs().iter().any(Unfinished::is_alive);
        let mut left = BTreeSet::new();
        let mut has_failed = false;
        for leftover in found {
            let key = leftover.key.clone();
            let is_kept = key.as_deref().and_then(|key| ledger.get(key)).is_some_and(|one| one.is_kept);
            let outcome = if is_kept && named == Named::No {
                None
            } else {
                Some(self.end(&platform, &target, leftover, is_shared).await)
            };
            has_failed |= outcome == Some(Outcome::Failed);
            if outcome != Some(Outcome::Ended) {
                left.extend(key);
            }
        }
        if self.args.dry_run {
            return Ok(());
        }
        if let Some(directory) = &directory {
            note(directory, &ledger, &left)?;
        }
        if !has_failed && ledger.leaked().iter().all(|resource| !left.contains(&resource.request.key)) {
            self.registry.end(&run_id);
        }
        Ok(())
    }

    async fn end(
        &mut self,
        platform: &ClientPlatform,
        target: &str,
        leftover: Leftover,
        is_shared: bool,
    ) -> Outcome {
        let (outcome, error) =
            if is_shared && matches!(leftover.kind, ResourceKind::Blueprint | ResourceKind::NetworkPolicy) {
                (Outcome::Shared, None)
            } else if self.args.dry_run {
                (Outcome::Living, None)
            } else {
                match leftover.end(platform).await {
                    Ok(()) => (Outcome::Ended, None),
                    Err(error) => (Outcome::Failed, Some(hiding::shown(&error.to_string()))),
                }
            };
        self.found.resources.push(Line { leftover, target: target.to_owned(), outcome, error });
        outcome
    }

    /// What killed programs left of local platforms.
    fn directories(&mut self) -> Result<(), CliError> {
        let swept = state::sweep_dead(|name| std::env::var_os(name), self.args.dry_run).map_err(|error| {
            CliError::wrap(Exit::Incomplete, "what local platforms left cannot be looked at", &error)
        })?;
        self.found.directories = swept;
        Ok(())
    }

    async fn platform(&mut self, name: &str) -> Result<ClientPlatform, CliError> {
        if let Some(platform) = self.targets.get(name) {
            return Ok(platform.clone());
        }
        let args = TargetArgs { target: Some(name.to_owned()), isolation: IsolationArgs::default() };
        let target = Target::connect(&args).await?;
        let platform = ClientPlatform::new(target.client.clone());
        self.targets.insert(name.to_owned(), platform.clone());
        Ok(platform)
    }
}

/// Reads the record of a run.
fn made(directory: &RunDirectory) -> Result<Made, ReadError> {
    let mut made = Made::default();
    let path = directory.path().join("events.jsonl");
    if path.exists() {
        for event in EventReader::open(&path)? {
            let kind = event?.kind;
            made.ledger.take(&kind);
            if let EventKind::ResourceCreated { key, id } = kind
                && made.ledger.get(&key).is_some_and(|one| one.request.resource == ResourceKind::Devbox)
            {
                made.devbox = Some(id);
            }
        }
    }
    Ok(made)
}

/// That nothing of a run is listed says that nothing is left only where the run was, and with a key of its account. A target
/// still tells of devboxes that have ended, so one of the run's shows whether it is the right one.
async fn demand_place(
    platform: &ClientPlatform,
    target: &str,
    was: &str,
    devbox: Option<&str>,
) -> Result<(), CliError> {
    let stranger = match devbox {
        Some(id) => match platform.devbox(&DevboxId::new(id)).await {
            Ok(_) => return Ok(()),
            Err(error) => {
                let message = format!("{target} does not tell of devbox {id}, which the run had");
                CliError::wrap(Exit::Target, message, &error)
            }
        },
        None if is_same(target, was) => return Ok(()),
        None => CliError::new(Exit::Usage, format!("the run was at {was}, not at {target}")),
    };
    Err(stranger.hint("name the target of the run, and set RUNLOOP_API_KEY to a key of the same account"))
}

/// Writes into the run's record what is gone now.
fn note(directory: &RunDirectory, ledger: &Ledger, left: &BTreeSet<String>) -> Result<(), CliError> {
    let gone: Vec<_> =
        ledger.resources().into_iter().filter(|one| !left.contains(&one.request.key)).collect();
    let gone = gone.into_iter().filter(|one| one.request.resource != ResourceKind::NetworkPolicy);
    let mut gone = gone.peekable();
    if gone.peek().is_none() {
        return Ok(());
    }
    let unwritten = |error: &dyn std::error::Error| {
        CliError::wrap(Exit::Incomplete, "the record cannot be written", error)
    };
    let recorder = directory.recorder().map_err(|error| unwritten(&error))?;
    for resource in gone {
        let key = resource.request.key.clone();
        let kind = EventKind::ResourceEnded { key, how: ResourceEnd::Reaped };
        recorder.event(&Event { at_ms: jiff::Timestamp::now().as_millisecond(), kind });
    }
    recorder.finish().map_err(|error| unwritten(&*error))
}

impl Found {
    fn show(&self, format: ReportFormat, verbosity: Verbosity) -> Result<Exit, CliError> {
        match format {
            ReportFormat::Json => print_json(self)?,
            ReportFormat::Table => print(&self.text())?,
        }
        let count = |outcome| self.resources.iter().filter(|line| line.outcome == outcome).count();
        let (failed, living) = (count(Outcome::Failed), count(Outcome::Living));
        if !verbosity.quiet {
            for run in &self.alive {
                say!("{} goes on: what it made is left to it", run.directory.display());
            }
            if living > 0 {
                say!("{} would be ended without --dry-run", counted(living, "resource"));
            } else if self.resources.is_empty() && self.directories.is_empty() {
                say!("nothing is left");
            }
        }
        Ok(if failed > 0 { Exit::Incomplete } else { Exit::Done })
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for Line { leftover, target, outcome, error } in &self.resources {
            let what = match outcome {
                Outcome::Ended => "ended",
                Outcome::Living => "lives",
                Outcome::Shared => "shared",
                Outcome::Failed => "FAILED",
            };
            let mut line = format!("{leftover} at {target}");
            if let Some(run) = &leftover.run {
                line += &format!(", run {run}");
            }
            if let Some(error) = error {
                line += &format!(": {error}");
            }
            // Labels are whatever somebody wrote.
            text += &format!("{what:6} {}\n", printable(&hiding::shown(&line)));
        }
        for directory in &self.directories {
            let what = if self.dry_run { "there" } else { "ended" };
            text += &format!("{what:6} {}\n", directory.display());
        }
        text
    }
}
