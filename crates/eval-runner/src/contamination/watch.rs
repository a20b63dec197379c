//! What there is to watch in a scenario.

use std::collections::{BTreeMap, BTreeSet};

use eval_builder::{Network, Scenario, SolutionKind};
use runloop_types::Scorer;

use super::{patch, unharmed};
use crate::shell::quote;

/// Programs that verdicts rest on.
const PROGRAMS: [&str; 12] =
    ["bash", "cc", "env", "gcc", "git", "make", "node", "perl", "pytest", "python", "python3", "sh"];

/// Where programs are put so that they stand before others of their names.
const SHADOWS: [&str; 4] = [".", "bin", "~/bin", "~/.local/bin"];

/// Modules that Python takes from the working directory before its own, which a test run imports.
const MODULES: [&str; 14] = [
    "_pytest.py",
    "importlib.py",
    "io.py",
    "os.py",
    "pathlib.py",
    "pytest.py",
    "re.py",
    "site.py",
    "sitecustomize.py",
    "subprocess.py",
    "tempfile.py",
    "traceback.py",
    "unittest.py",
    "usercustomize.py",
];

/// Most paths of one kind that are watched in a scenario.
const MOST: usize = 200;

/// Bytes of them on a command line, which Linux limits to 128 KiB.
const ROOM: usize = 8 << 10;

/// Bytes of the programs' names, each of which stands there several times.
const ROOM_FOR_PROGRAMS: usize = 1 << 10;

/// What there is to watch in a scenario. Paths are relative to the working directory, or begin with `~/`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Watch {
    /// Hidden tests.
    pub(crate) hidden: BTreeSet<String>,
    /// Files that scorers run and that are no part of the task, with the scorers' names.
    pub(crate) scorers: BTreeMap<String, String>,
    /// Programs, also those that the scenario requires.
    pub(crate) programs: BTreeSet<String>,
    /// Objects that files become by the reference, with the files' paths.
    pub(crate) solution: BTreeMap<String, String>,
    /// The task as the agent knows it: what it tells is no secret.
    pub(crate) statement: String,
    /// Where on this machine the reference and the controls are.
    pub(crate) directory: String,
    /// Whether nothing may be downloaded.
    pub(crate) is_offline: bool,
}

impl Watch {
    pub(crate) fn of(scenario: &Scenario) -> Self {
        unharmed(|| Self::read_scenario(scenario))
    }

    fn read_scenario(scenario: &Scenario) -> Self {
        let mut hidden = BTreeSet::new();
        let mut run: Vec<(&str, &str)> = Vec::new();
        for scorer in &scenario.scorers {
            match &scorer.function {
                Scorer::TestBasedScorer { test_command, test_files } => {
                    let files = test_files.iter().flatten().map(|file| plain(&file.file_path));
                    hidden.extend(files.filter(|path| !path.starts_with('/')).map(str::to_owned));
                    run.push((&scorer.name, test_command));
                }
                Scorer::CommandScorer { command } => run.push((&scorer.name, command)),
                Scorer::BashScriptScorer { bash_script } => run.push((&scorer.name, bash_script)),
                _ => {}
            }
        }
        let changed_by_reference = reference_paths(scenario);
        let mut scorers = BTreeMap::new();
        if let Some(changed) = &changed_by_reference {
            let all = run.into_iter().flat_map(|(name, line)| paths_in(line).map(move |path| (path, name)));
            let is_task = |path: &str| hidden.contains(path) || changed.touches(path);
            for (path, name) in few(all.filter(|(path, _)| !is_task(path)), ROOM, |(path, _)| path) {
                scorers.entry(path.to_owned()).or_insert_with(|| name.to_owned());
            }
        }
        let required = scenario.requires.iter().map(String::as_str).filter(|name| is_plain(name));
        let programs = few(PROGRAMS.into_iter().chain(required), ROOM_FOR_PROGRAMS, |name| name);
        Self {
            programs: programs.map(str::to_owned).collect(),
            hidden: few(hidden.into_iter(), ROOM, |path| path).collect(),
            scorers,
            solution: changed_by_reference.map(|changed| changed.blobs).unwrap_or_default(),
            statement: scenario.problem_statement.clone(),
            directory: scenario.source.parent().map(|path| path.display().to_string()).unwrap_or_default(),
            is_offline: scenario.environment.network == Network::None,
        }
    }

    /// All that another scenario of the same environment watches, too, as far as it must be known beforehand.
    pub(crate) fn join(&mut self, other: Self) {
        self.hidden.extend(other.hidden);
        self.scorers.extend(other.scorers);
        self.programs.extend(other.programs);
        self.solution.extend(other.solution);
    }

    /// Paths of which it must be known whether they were there before the agent came.
    pub(crate) fn paths(&self) -> BTreeSet<String> {
        let directories = self.hidden.iter().filter_map(|path| Some(path.rsplit_once('/')?.0.to_owned()));
        let all = self.hidden.iter().cloned().chain(directories).chain(self.scorers.keys().cloned());
        all.chain(Self::modules()).chain(self.shadows()).collect()
    }

    pub(crate) fn modules() -> impl Iterator<Item = String> {
        MODULES.iter().map(|name| (*name).to_owned())
    }

    pub(crate) fn shadows(&self) -> impl Iterator<Item = String> {
        let of = |place: &'static str| {
            self.programs
                .iter()
                .map(move |name| if place == "." { name.clone() } else { format!("{place}/{name}") })
        };
        SHADOWS.into_iter().flat_map(of)
    }
}

/// The first of these, as far as they have room.
fn few<T>(
    all: impl Iterator<Item = T>,
    mut room: usize,
    text: impl Fn(&T) -> &str,
) -> impl Iterator<Item = T> {
    all.take(MOST).take_while(move |one| {
        let left = room.checked_sub(quote(text(one)).len());
        room = left.unwrap_or_default();
        left.is_some()
    })
}

/// What the reference changes. `None` where that cannot be told, so that anything may be part of the task.
struct Reference {
    paths: BTreeSet<String>,
    blobs: BTreeMap<String, String>,
    script: String,
}

impl Reference {
    fn touches(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.paths.contains(path) || self.script.contains(name)
    }
}

fn reference_paths(scenario: &Scenario) -> Option<Reference> {
    let solution = scenario.reference_output.as_ref()?;
    match solution.kind {
        SolutionKind::Script => Some(Reference {
            paths: BTreeSet::new(),
            blobs: BTreeMap::new(),
            script: solution.content.clone(),
        }),
        SolutionKind::Patch => {
            let changes = patch::changes(&solution.content);
            let blobs = changes.iter().filter(|(_, change)| {
                change.blob.len() >= 7 && change.blob.bytes().all(|byte| byte.is_ascii_hexdigit())
            });
            Some(Reference {
                blobs: blobs.map(|(path, change)| (change.blob.clone(), path.clone())).take(MOST).collect(),
                paths: changes.into_keys().collect(),
                script: String::new(),
            })
        }
    }
}

/// Words of a script that look like paths of files in the working directory.
fn paths_in(script: &str) -> impl Iterator<Item = &str> {
    let words = script.split(|c: char| c.is_whitespace() || "'\"`;|&()<>=".contains(c));
    let is_path = |word: &&str| {
        let is_plain = word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./+".contains(&b));
        let name = word.rsplit('/').next().unwrap_or(word);
        is_plain
            && !word.starts_with(['/', '-', '.'])
            && !name.is_empty()
            && (word.contains('/') || name.contains('.'))
    };
    words.map(plain).filter(is_path)
}

fn plain(path: &str) -> &str {
    path.strip_prefix("./").unwrap_or(path)
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.+".contains(&b))
}

#[cfg(test)]
mod tests {
    use eval_builder::{Solution, Verify};

    use super::*;
    use crate::fixtures;

    #[test]
    fn paths_are_found_in_commands() {
        let found: Vec<&str> =
            paths_in("cd src && sh ./tests/run.sh -x 'a b' >out.txt; python3 -I x.py /etc/y 2>&1").collect();
        assert_eq!(found, ["tests/run.sh", "out.txt", "x.py"]);
    }

    #[test]
    fn what_the_reference_changes_is_the_task() {
        let mut scenario = fixtures::scenario("task", Verify::Pristine);
        scenario.scorers = vec![fixtures::command_scorer("check", "sh tests/run.sh && sh greet.sh")];
        assert!(Watch::of(&scenario).scorers.is_empty(), "without a reference anything may be the task");
        let content = "diff --git a/greet.sh b/greet.sh\nindex 1111111..2222222 100644\n".to_owned();
        let reference = Solution { name: "reference".to_owned(), kind: SolutionKind::Patch, content };
        scenario.reference_output = Some(reference.clone());
        let watch = Watch::of(&scenario);
        assert_eq!(watch.scorers.keys().collect::<Vec<_>>(), ["tests/run.sh"]);
        assert_eq!(watch.solution["2222222"], "greet.sh");
        let content = "echo x > tests/run.sh".to_owned();
        scenario.reference_output = Some(Solution { kind: SolutionKind::Script, content, ..reference });
        assert_eq!(Watch::of(&scenario).scorers.keys().collect::<Vec<_>>(), ["greet.sh"]);
    }
}
