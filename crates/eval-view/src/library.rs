//! All runs that are shown, and what is kept of each.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use eval_record::RunDirectory;
use eval_report::{Summary, gate};

use crate::discover::{Discovery, Found, Root, discover};
use crate::entry::{Entry, State};
use crate::now::Running;
use crate::open_run::OpenRun;

/// How long what was found on the disk holds.
const FRESH: Duration = Duration::from_millis(250);

/// How long a request waits for runs to be read; the rest is for the next one.
const PATIENCE: Duration = Duration::from_millis(400);

/// Of a run that goes on, the list is brought up to date so seldom that it takes at most this share of the time.
const SHARE: u32 = 20;

/// Runs that are over and stay open because somebody looked at them.
const KEPT: usize = 4;

/// All runs below some roots. Reading them takes time: call it where that does not matter.
#[derive(Debug)]
pub(crate) struct Library {
    roots: Vec<Root>,
    runs: HashMap<String, Known>,
    looked: Option<Instant>,
    unread: usize,
    cut: bool,
    /// Counts looks at runs, to tell which was looked at last.
    turn: u64,
}

/// A run.
#[derive(Debug)]
struct Known {
    found: Found,
    entry: Option<Arc<Entry>>,
    /// Whether somebody wrote to it, and what its record looked like, when the entry was made.
    seen: (bool, Option<Stamp>),
    /// When the next entry may be made.
    due: Option<Instant>,
    open: Option<Box<OpenRun>>,
    /// The turn in which somebody looked at it; 0 if nobody did.
    turn: u64,
}

/// What changes when a file is written.
type Stamp = (u64, Option<SystemTime>);

/// The list of runs.
#[derive(Debug)]
pub(crate) struct Listing {
    /// The newest first.
    pub(crate) entries: Vec<Arc<Entry>>,
    /// Runs that were not read yet.
    pub(crate) unread: usize,
    /// Whether there were too many directories to look into all of them.
    pub(crate) cut: bool,
}

/// A run that somebody looks at.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) found: Found,
    pub(crate) state: State,
    pub(crate) error: Option<String>,
    pub(crate) running: Vec<Running>,
    /// Grows, but for what goes on now, with all that a page could show.
    pub(crate) revision: u64,
    /// When its gate decided.
    pub(crate) judged: Option<SystemTime>,
    pub(crate) summary: Arc<Summary>,
}

impl Library {
    pub(crate) fn new(roots: Vec<Root>) -> Self {
        Self { roots, runs: HashMap::new(), looked: None, unread: 0, cut: false, turn: 0 }
    }

    pub(crate) fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// The list, as up to date as it can be without long waiting.
    pub(crate) fn list(&mut self) -> Listing {
        if self.looked.is_none_or(|at| at.elapsed() > FRESH) || self.unread > 0 {
            self.refresh();
        }
        let mut entries: Vec<Arc<Entry>> = self.runs.values().filter_map(|run| run.entry.clone()).collect();
        entries.sort_by(|a, b| (b.started_at_ms, &b.found.label).cmp(&(a.started_at_ms, &a.found.label)));
        Listing { entries, unread: self.unread, cut: self.cut }
    }

    /// A run as it is now; `None` if there is none of this key.
    pub(crate) fn look(&mut self, key: &str) -> Option<Look> {
        if !self.runs.contains_key(key) {
            self.find();
        }
        self.turn += 1;
        let run = self.runs.get_mut(key)?;
        run.turn = self.turn;
        let live = run.is_live();
        let open = run.open.get_or_insert_with(|| Box::new(OpenRun::new(&run.found.path)));
        open.read();
        let look = Look {
            found: run.found.clone(),
            state: open.state(live),
            error: open.error().map(str::to_owned),
            running: open.running(),
            revision: open.revision(),
            judged: fs::metadata(run.found.path.join(gate::FILE)).and_then(|gate| gate.modified()).ok(),
            summary: open.summary(&run.found.path),
        };
        self.close_others();
        Some(look)
    }

    /// Where a run is.
    pub(crate) fn place(&mut self, key: &str) -> Option<Found> {
        if !self.runs.contains_key(key) {
            self.find();
        }
        self.runs.get(key).map(|run| run.found.clone())
    }

    fn find(&mut self) {
        let Discovery { runs, cut } = discover(&self.roots);
        self.cut = cut;
        let mut known = std::mem::take(&mut self.runs);
        for found in runs {
            let run = known.remove(&found.key).filter(|run| run.found == found);
            self.runs.insert(found.key.clone(), run.unwrap_or_else(|| Known::new(found)));
        }
    }

    fn refresh(&mut self) {
        let start = Instant::now();
        self.find();
        // Names of run directories begin with their time: the newest are read first.
        let mut keys: Vec<String> = self.runs.keys().cloned().collect();
        keys.sort_unstable_by(|a, b| b.cmp(a));
        self.unread = 0;
        for key in &keys {
            let Some(run) = self.runs.get_mut(key) else { continue };
            if run.entry.is_none() && start.elapsed() > PATIENCE {
                self.unread += 1;
                continue;
            }
            run.refresh();
        }
        self.close_others();
        self.looked = Some(Instant::now());
    }

    /// Closes runs that are over, all but those that somebody looked at last.
    fn close_others(&mut self) {
        let mut turns: Vec<u64> =
            self.runs.values().filter(|run| run.open.is_some()).map(|run| run.turn).collect();
        turns.sort_unstable_by(|a, b| b.cmp(a));
        let last = turns.get(KEPT).copied().unwrap_or_default();
        for run in self.runs.values_mut() {
            if run.turn <= last && !run.seen.0 {
                run.open = None;
            }
        }
    }
}

impl Known {
    fn new(found: Found) -> Self {
        Self { found, entry: None, seen: (false, None), due: None, open: None, turn: 0 }
    }

    /// Whether somebody writes to it.
    fn is_live(&self) -> bool {
        RunDirectory::open(&self.found.path).is_ok_and(|run| run.is_locked())
    }

    /// Brings its entry up to date.
    fn refresh(&mut self) {
        let now = (self.is_live(), stamp(&self.found.path));
        if self.entry.is_some() && self.seen == now {
            return;
        }
        let start = Instant::now();
        // That somebody writes to it no more is news in any case.
        if now.0 == self.seen.0 && self.due.is_some_and(|due| start < due) {
            return;
        }
        let open = self.open.get_or_insert_with(|| Box::new(OpenRun::new(&self.found.path)));
        open.read();
        let summary = open.summary(&self.found.path);
        let error = open.error().map(str::to_owned);
        let entry = Entry::new(self.found.clone(), &summary, open.state(now.0), error);
        self.entry = Some(Arc::new(entry));
        self.seen = now;
        self.due = Some(Instant::now() + start.elapsed() * SHARE);
    }
}

fn stamp(directory: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(directory.join("events.jsonl")).ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use eval_record::{Event, EventKind, EventSink as _, PlannedTrial, Resumed, RunHeader, TrialKey};

    use super::*;

    fn key(scenario: u32) -> TrialKey {
        TrialKey { scenario: format!("s{scenario}"), agent: "x".into(), repetition: 1 }
    }

    fn started(id: &str, scenarios: u32) -> RunHeader {
        let planned =
            |n| PlannedTrial { trial: key(n), digest: format!("d{n}"), metadata: Default::default() };
        RunHeader {
            format: 1,
            run_id: id.into(),
            benchmark: "bench".into(),
            planned: (0..scenarios).map(planned).collect(),
            ..RunHeader::default()
        }
    }

    fn verdict(scenario: u32, score: f64) -> EventKind {
        let result = serde_json::json!({
            "event": "trial_finished", "scenario": format!("s{scenario}"), "agent": "x", "repetition": 1,
            "digest": format!("d{scenario}"), "state": "scored", "score": score, "passed": score >= 1.0,
            "attempts": 1, "durations_ms": {},
        });
        serde_json::from_value(result).unwrap()
    }

    struct Runs {
        directory: tempfile::TempDir,
    }

    impl Runs {
        fn new() -> Self {
            Self { directory: tempfile::tempdir().unwrap() }
        }

        fn library(&self) -> Library {
            Library::new(vec![Root::open(self.directory.path()).unwrap()])
        }

        fn run(&self, name: &str, header: &RunHeader) -> RunDirectory {
            let run = RunDirectory::create_at(&self.directory.path().join(name)).unwrap();
            run.write_header(header).unwrap();
            run
        }

        fn path(&self, name: &str) -> PathBuf {
            self.directory.path().join(name)
        }
    }

    fn write(run: &RunDirectory, at_ms: i64, kinds: Vec<EventKind>) {
        let recorder = run.recorder().unwrap();
        for kind in kinds {
            recorder.event(&Event { at_ms, kind });
        }
        recorder.finish().unwrap();
    }

    fn over() -> EventKind {
        EventKind::RunFinished { complete: true, interrupted: false }
    }

    fn states(library: &mut Library) -> Vec<(String, State, u64)> {
        library.looked = None;
        let mut listing = library.list();
        // On a busy machine reading takes several turns.
        while listing.unread > 0 {
            listing = library.list();
        }
        listing.entries.iter().map(|e| (e.found.label.clone(), e.state, e.total.scored)).collect()
    }

    #[test]
    fn a_run_goes_from_planned_to_running_to_its_end_or_is_killed() {
        let runs = Runs::new();
        let mut library = runs.library();
        let header = started("a", 2);
        let run = runs.run("a", &header);
        let lock = run.lock().unwrap();
        assert_eq!(states(&mut library), [("a".to_owned(), State::Running, 0)]);
        assert_eq!(library.list().entries[0].total.planned, 2, "run.json tells it before the first event");

        write(&run, 5, vec![EventKind::RunStarted(Box::new(header)), verdict(0, 1.0)]);
        library.runs.get_mut("a").unwrap().due = None;
        assert_eq!(states(&mut library), [("a".to_owned(), State::Running, 1)]);
        drop(lock);
        assert_eq!(states(&mut library), [("a".to_owned(), State::Killed, 1)]);

        let lock = run.lock().unwrap();
        write(&run, 6, vec![EventKind::RunResumed(Resumed::default()), verdict(1, 0.0)]);
        assert_eq!(states(&mut library), [("a".to_owned(), State::Running, 2)]);
        write(&run, 7, vec![over()]);
        drop(lock);
        assert_eq!(states(&mut library), [("a".to_owned(), State::Complete, 2)]);
        assert!(library.runs["a"].open.is_none(), "only its entry is kept");

        fs::remove_dir_all(runs.path("a")).unwrap();
        assert_eq!(states(&mut library), []);
    }

    #[test]
    fn newest_first_and_a_damaged_one_says_so_without_hiding_what_is_before() {
        let runs = Runs::new();
        for (name, at) in [("old", 10), ("new", 20)] {
            let header = started(name, 1);
            write(
                &runs.run(name, &header),
                at,
                vec![EventKind::RunStarted(Box::new(header)), verdict(0, 0.5), over()],
            );
        }
        let damaged = runs.path("old/events.jsonl");
        let text = fs::read_to_string(&damaged).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        fs::write(&damaged, [lines[0], lines[1], "nonsense", lines[2]].join("\n")).unwrap();
        let mut library = runs.library();
        assert_eq!(
            states(&mut library),
            [("new".to_owned(), State::Complete, 1), ("old".to_owned(), State::Unreadable, 1)]
        );
        let error = library.list().entries[1].error.clone().unwrap();
        assert!(error.contains("line 3: not an event of a run"), "{error}");
    }

    #[test]
    fn each_decision_of_the_gate_is_news_to_an_open_page() {
        let runs = Runs::new();
        let header = started("a", 1);
        write(&runs.run("a", &header), 1, vec![EventKind::RunStarted(Box::new(header)), over()]);
        let mut library = runs.library();
        let mut revision = || {
            let page = crate::pages::now(&library.look("a").unwrap()).as_str().to_owned();
            let (_, rest) = page.split_once("data-revision=\"").unwrap();
            rest.split_once('"').unwrap().0.to_owned()
        };
        let mut seen = vec![revision()];
        for seconds in [1, 2] {
            let gate = fs::File::create(runs.path("a/gate.json")).unwrap();
            gate.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
            seen.push(revision());
        }
        assert_eq!(seen[2], revision(), "nothing has happened");
        seen.dedup();
        assert_eq!(seen.len(), 3, "{seen:?}");
    }

    #[test]
    fn of_many_runs_few_stay_open() {
        let runs = Runs::new();
        for n in 0..20 {
            let header = started("r", 1);
            write(
                &runs.run(&format!("r{n}"), &header),
                n,
                vec![EventKind::RunStarted(Box::new(header)), over()],
            );
        }
        let mut library = runs.library();
        assert_eq!(states(&mut library).len(), 20);
        assert_eq!(library.runs.values().filter(|run| run.open.is_some()).count(), 0);
        for n in 0..20 {
            assert_eq!(library.look(&format!("r{n}")).unwrap().summary.total.planned, 1);
        }
        let open: Vec<_> = library.runs.values().filter(|run| run.open.is_some()).collect();
        assert!(open.len() <= KEPT && open.iter().any(|run| run.found.label == "r19"));
        assert!(library.look("r99").is_none());
    }
}
